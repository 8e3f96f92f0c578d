"""Delivery reports of any gateway, as its settings describe them."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from vsdk.adapters.notification.https_sms_template import as_word, found
from vsdk.adapters.notification.sms import FAILURES
from vsdk.adapters.notification.sms_receipts import (
    Reading,
    form,
    invalid,
    is_same,
    long_enough,
    receipts_address,
    refused,
    report,
    token,
)
from vsdk.domain.message import DeliveryReport, MessageState
from vsdk.hooks import json_text
from vsdk.hooks.ports import Notification


def known_codes(codes: Mapping[str, str]) -> None:
    """Raises ValueError where a code is none of ours."""
    if unknown := set(codes.values()) - FAILURES.keys():
        raise ValueError(f"there is no code {', '.join(sorted(unknown))}; there are {', '.join(FAILURES)}")


class ReceiptSettings(BaseModel):
    """``[plugin.https_sms.receipts]``. Paths are like ``results.0.status``; in a form, names of fields."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    secret: SecretStr = Field(description="what the gateway signs with, or what makes our address secret")
    header: str = Field(
        "", description="the header that holds an HMAC of the body; without, the address is secret"
    )
    algorithm: Literal["sha256", "sha1"] = Field("sha256", description="of that HMAC")
    digits: Literal["hex", "base64"] = Field("hex", description="how that HMAC is written")
    prefix: str = Field("", description="what stands before it in the header, such as sha256=")
    encoding: Literal["json", "form"] = Field("json", description="a form may also be the query of a GET")
    list_path: str = Field("", description="where the list of reports is, if there can be several at once")
    state_path: str = Field(min_length=1, description="where the state is, in one report")
    key_path: str = Field("", description="where it gives our {key} back")
    id_path: str = Field("", description="where its own name for the message is")
    reason_path: str = Field("", description="where it says why a message did not arrive")
    sent: list[str] = Field([], description="states of messages that are under way")
    delivered: list[str] = Field(min_length=1, description="states of messages that have arrived")
    undelivered: list[str] = Field([], description="states of messages that will not arrive")
    reasons: dict[str, str] = Field({}, description="our code for a reason, or for a state")

    _long_enough = field_validator("secret")(long_enough)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known_codes(self.reasons)
        if not self.key_path and not self.id_path:
            raise ValueError("give key_path or id_path, or nobody knows which message a report is about")
        return self


class Receipts:
    """Reads reports for the plugin of that name."""

    def __init__(self, settings: ReceiptSettings, base_url: str, plugin: str) -> None:
        self._settings = settings
        self._token = "" if settings.header else token(settings.secret, plugin)
        self.address = receipts_address(base_url, plugin, *([self._token] if self._token else ()))
        """where the gateway reports to"""
        self._states: Mapping[str, MessageState] = {
            **dict.fromkeys(settings.sent, MessageState.SENT),
            **dict.fromkeys(settings.delivered, MessageState.DELIVERED),
            **dict.fromkeys(settings.undelivered, MessageState.UNDELIVERED),
        }

    def read(self, n: Notification) -> Sequence[DeliveryReport]:
        """Raises Refused ``receipt-refused``, UsageError ``receipt-invalid``."""
        if not self._is_genuine(n):
            raise refused()
        body = found(self._body(n), self._settings.list_path)
        reports = body if isinstance(body, list) else [body]
        return tuple(self._report(one) for one in reports)

    def _is_genuine(self, n: Notification) -> bool:
        settings = self._settings
        if self._token:
            return is_same(n.path.strip("/"), self._token)
        digest = hmac.new(settings.secret.get_secret_value().encode(), n.body, settings.algorithm).digest()
        given = n.headers.get(settings.header.lower(), "").strip()
        if settings.digits == "base64":
            return is_same(given, settings.prefix + base64.b64encode(digest).decode())
        return is_same(given.lower(), settings.prefix.lower() + digest.hex())

    def _body(self, n: Notification) -> Any:
        """Of what is signed, nothing but the body counts."""
        if self._settings.encoding == "json":
            try:
                return json_text.parse(n.body)
            except ValueError:
                raise invalid("its body is not JSON") from None
        too_many = "it is no form"
        query = urlsplit(n.url).query if self._token else ""
        return dict(form(query, lambda: invalid(too_many)) + form(n.body, lambda: invalid(too_many)))

    def _report(self, one: Any) -> DeliveryReport:
        settings = self._settings
        if not isinstance(one, Mapping):
            raise invalid("it is no object")
        state, reason, key, id_ = (
            as_word(one.get(path) if settings.encoding == "form" else found(one, path)) if path else ""
            for path in (settings.state_path, settings.reason_path, settings.key_path, settings.id_path)
        )
        return report(self._reading(state, reason), key=key, provider_id=id_)

    def _reading(self, state: str, reason: str) -> Reading | None:
        if state not in self._states:
            return None
        code = self._settings.reasons.get(reason) or self._settings.reasons.get(state) or "not-delivered"
        lost = self._states[state] is MessageState.UNDELIVERED
        return self._states[state], FAILURES[code] if lost else None
