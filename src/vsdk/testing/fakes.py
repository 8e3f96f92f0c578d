"""Fakes for ports. Beside each test that uses one stands a test with the real thing."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ssl import SSLContext
from typing import Any, Self

from pydantic import ValidationError

from vsdk.adapters.http import Reply, failure
from vsdk.domain.errors import ConfigurationError, PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import M
from vsdk.testing.factories import NOON, a_practice
from vsdk.testing.sent import SentRequest


class FakeClock:
    """Time that stands still until told; tokens are distinct and predictable, 22 characters long."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._tokens = 0

    def now(self) -> datetime:
        return self._now

    def token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:022d}"

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def advance(self, **delta: float) -> None:
        self._now += timedelta(**delta)


class FakeConfig:
    """The port Config over plain sections: ``FakeConfig({"acme_sms": {"token": "t"}})``."""

    def __init__(
        self,
        sections: Mapping[str, Mapping[str, Any]] | None = None,
        practices: Sequence[Practice] | None = None,
        base_url: str = "https://praxis.example/video",
    ) -> None:
        self._sections = sections or {}
        self.practices: Sequence[Practice] = [a_practice()] if practices is None else practices
        self.base_url = base_url

    def plugin(self, name: str, model: type[M]) -> M:
        try:
            return model.model_validate(self._sections.get(name, {}))
        except ValidationError as error:
            problems = "; ".join(f"{e['loc']}: {e['msg']}" for e in error.errors(include_input=False))
            raise ConfigurationError(f"in plugin.{name}: {problems}") from None


class FakeHttp:
    """The port Http without a network, failing as `vsdk.adapters.http` does. Answers 200 ``{}`` at first."""

    def __init__(self) -> None:
        self.requests: list[SentRequest] = []
        self.answering(json={})

    def answering(
        self,
        *,
        status: int = 200,
        json: Any = None,
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """From now on, every request gets this answer."""
        self._answer: tuple[int, bytes, dict[str, str]] | PartnerError | None = (
            status,
            encoded(json) if text is None else text.encode(),
            {name.lower(): value for name, value in (headers or {}).items()},
        )
        return self

    def failing(self, error: PartnerError | None = None) -> Self:
        """From now on, nobody can be reached: the error given, or that of a failed connection."""
        self._answer = error or PartnerError("the other side could not be reached", retryable=True)
        return self

    def hanging(self) -> Self:
        """From now on, no answer ever comes."""
        self._answer = None
        return self

    def over(self, context: SSLContext) -> Self:
        return self

    async def get(self, url: str, **options: Any) -> Reply:
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> Reply:
        return await self.request("POST", url, **options)

    async def request(self, method: str, url: str, **options: Any) -> Reply:
        self.requests.append(SentRequest(method, url, options))
        answer = self._answer
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")
        if isinstance(answer, PartnerError):
            raise answer
        status, content, headers = answer
        if status >= 400 and status not in options.get("answers", ()):
            raise failure("the other side", status, headers)
        return Reply("the other side", status, headers, content)


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


class RecordingChannel:
    """A NotificationChannel that keeps what it gets in ``messages``, or raises ``error`` while it is set."""

    def __init__(self, channel: str = "sms", error: PartnerError | None = None) -> None:
        self.channel = channel
        self.messages: list[Message] = []
        self.error = error

    async def deliver(self, message: Message) -> Receipt:
        if self.error is not None:
            raise self.error
        self.messages.append(message)
        return Receipt(provider_id=str(len(self.messages)))
