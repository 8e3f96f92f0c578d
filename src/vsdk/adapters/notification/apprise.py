"""More than a hundred services by the library Apprise, which is an extra: ``pip install "vsdk[apprise]"``.

::

    [[plugin.apprise_messages.targets]]
    url = { env = "TEAM_CHAT" }  # such as ntfys://TOKEN@ntfy.praxis.example/team

It says yes or no and nothing else: no receipt, no reason, and no way to recognise a repeated attempt. An
Apprise URL (github.com/caronc/apprise) is a secret as a whole. Whatever the library logs is suppressed, as it
writes down addresses and texts.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr, model_validator

from vsdk.adapters.notification.addressee import is_for_team
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config

if TYPE_CHECKING:
    import apprise

T = TypeVar("T")

TOTAL_SECONDS = 20.0
"""for one message; what has not ended by then may still arrive"""
PLACEHOLDERS = ("{recipient}", "{recipient_digits}")
_RECIPIENTS = {
    "sms": re.compile(r"\+[0-9]{6,15}", re.ASCII),
    "email": re.compile(r"[^\s@,;:%<>()\[\]\"\\/?#&]+@[^\s@,;:%<>()\[\]\"\\/?#&]+", re.ASCII),
}
"""no character with which one address could become two, or another part of the URL"""
_NOBODY = {"sms": "+491710000000", "email": "nobody@example.org", "team": ""}
_LIBRARIES = ("apprise", "charset_normalizer", "oauthlib", "requests", "requests_oauthlib", "urllib3")
"""what Apprise logs with, beside the libraries of single services"""


class AppriseTarget(BaseModel):
    """``[[plugin.apprise_messages.targets]]``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    channel: Literal["team", "sms", "email"] = Field(
        "team", description="whom it reaches: the team, or people"
    )
    url: SecretStr = Field(description="Apprise URL; for people with {recipient} or {recipient_digits}")
    practices: list[str] = Field([], description="ids of the practices that use it; without, all")

    @model_validator(mode="after")
    def _reaches_whom_it_says(self) -> Self:
        has_place = any(one in self.url.get_secret_value() for one in PLACEHOLDERS)
        if has_place == (self.channel == "team"):
            raise ValueError(
                "a URL has {recipient} or {recipient_digits} for sms and email, and not for team"
            )
        return self


class AppriseMessages:
    """A NotificationChannel of one kind, with at most one URL for each practice."""

    def __init__(self, channel: str, urls: Mapping[str, SecretStr], seconds: float = TOTAL_SECONDS) -> None:
        """Raises ConfigurationError when Apprise is missing, or does not know a URL."""
        self.channel = channel
        self._urls = dict(urls)
        self._asset = _asset(seconds)
        for practice, url in self._urls.items():
            if _quietly(_service, _addressed(url, _NOBODY[channel]), self._asset) is None:
                raise ConfigurationError(f"apprise_messages, practice {practice}: Apprise knows no such URL")

    async def deliver(self, message: Message) -> Receipt:
        """Raises PartnerError ``apprise-failed``, or DeliveryFailed ``channel-not-set-up``, ``no-address``.

        The library blocks, and goes on for what is left of its time where this is cancelled.
        """
        url = self._urls.get(message.practice_id)
        if url is None:
            raise DeliveryFailed("the practice has no target in apprise_messages", code="channel-not-set-up")
        wanted = _RECIPIENTS.get(self.channel)
        if not (wanted.fullmatch(message.recipient) if wanted else is_for_team(message)):
            raise DeliveryFailed("this target does not reach such a person", code="no-address")
        address = _addressed(url, message.recipient)
        done = await asyncio.to_thread(_quietly, _notify, address, self._asset, message)
        if not done:
            raise PartnerError(
                "Apprise could not hand it over in time", retryable=True, code="apprise-failed"
            )
        return Receipt()


def _addressed(url: SecretStr, recipient: str) -> str:
    address = url.get_secret_value()
    for place, value in zip(PLACEHOLDERS, (recipient, recipient.lstrip("+")), strict=True):
        address = address.replace(place, quote(value, safe=""))
    return address


def _asset(seconds: float) -> "apprise.AppriseAsset":
    """Nothing is kept on disk, read from it, or followed to elsewhere."""
    logging.getLogger("apprise").disabled = True  # it logs already while it is imported
    try:
        from apprise import AppriseAsset
    except ImportError:
        raise ConfigurationError(
            'apprise_messages needs the library Apprise: pip install "vsdk[apprise]"'
        ) from None
    return AppriseAsset(
        storage_mode="memory",
        service_timeout=seconds,
        secure_logging=True,
        allow_templates=False,
        async_mode=False,
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
        pgp_autogen=False,
        pem_autogen=False,
    )


def _service(url: str, asset: "apprise.AppriseAsset") -> "apprise.NotifyBase | None":
    from apprise import Apprise

    return Apprise.instantiate(url, asset=asset)


def _notify(url: str, asset: "apprise.AppriseAsset", message: Message) -> bool:
    from apprise import Apprise, NotifyFormat

    service = _service(url, asset)
    if service is None:
        return False
    target = Apprise(service, asset=asset)
    return bool(target.notify(message.text, title=message.subject, body_format=NotifyFormat.TEXT))


_is_private: ContextVar[bool] = ContextVar("_is_private", default=False)
"""holds in the threads too that Apprise hands its work to"""


def _of_others(record: logging.LogRecord) -> bool:
    return not _is_private.get()


def _quietly(function: Callable[..., T], *arguments: Any) -> T | None:
    """Its result, or None where it fails: nothing of it is logged or raised."""
    logging.getLogger("apprise").disabled = True
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).addFilter(_of_others)
    token = _is_private.set(True)
    try:
        return function(*arguments)
    except Exception:
        return None
    finally:
        _is_private.reset(token)


def _channels(targets: Sequence[AppriseTarget], practices: Sequence[str]) -> Iterator[AppriseMessages]:
    """One for each kind: the outbox looks for the next plugin where a channel refuses."""
    for kind in dict.fromkeys(target.channel for target in targets):
        urls: dict[str, SecretStr] = {}
        for target in targets:
            for practice in (target.practices or practices) if target.channel == kind else ():
                if practice in urls or practice not in practices:
                    raise ConfigurationError(
                        f"apprise_messages: {practice} is no practice, or has two targets for {kind}"
                    )
                urls[practice] = target.url
        yield AppriseMessages(kind, urls)


@hookimpl
def vsdk_notification_channels(config: Config) -> Sequence[AppriseMessages]:
    model = RootModel[dict[Literal["targets"], list[AppriseTarget]]]
    targets = config.plugin("apprise_messages", model).root.get("targets", [])
    if not targets:
        raise ConfigurationError("apprise_messages: give at least one of [[plugin.apprise_messages.targets]]")
    return list(_channels(targets, [practice.id for practice in config.practices]))
