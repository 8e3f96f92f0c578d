"""The port Http over real connections to this machine, steered like `vsdk.testing.fakes.FakeHttp`."""

import asyncio
import copy
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any, Self

from vsdk.adapters.http import LARGEST_ANSWER, Detour, HttpClient, Reply
from vsdk.domain.errors import PartnerError
from vsdk.testing import gateway
from vsdk.testing.authority import trusted
from vsdk.testing.fakes import FakeHttp, encoded
from vsdk.testing.gateway import Gateway, Manner
from vsdk.testing.sent import ArrivedRequest, SentRequest

SHORT = 0.3
"""seconds for a request to which no answer comes in time"""


class LoopbackHttp(FakeHttp):
    """`vsdk.adapters.http.HttpClient` over TLS, whose every host is a `Gateway` on this machine.

    ``with LoopbackHttp() as http: ...``. ``requests`` are those that were made, ``arrived`` those that came.
    Waits between attempts are left out, and where no answer comes the limit is `SHORT`.
    """

    def __init__(self) -> None:
        self._trust = trusted().trusting()
        self._gateway = Gateway(gateway.answering(200, b"{}", {"Content-Type": "application/json"}))
        self.requests: list[SentRequest] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gateway.__exit__()

    @property
    def arrived(self) -> list[ArrivedRequest]:
        return self._gateway.arrived

    @property
    def manner(self) -> Manner:
        """How the gateway behaves now; may be kept and given to `behaving` later."""
        return self._gateway.manner

    def behaving(self, manner: Manner) -> Self:
        """From now on, the gateway behaves like that."""
        self._gateway.manner = manner
        return self

    def answering(
        self,
        *,
        status: int = 200,
        json: Any = None,
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        content, kind = (encoded(json), "application/json") if text is None else (text.encode(), "text/html")
        return self.behaving(gateway.answering(status, content, {"Content-Type": kind} | dict(headers or {})))

    def failing(self, error: PartnerError | None = None) -> Self:
        """From now on, connections are refused; or the error given is raised without any."""
        refusing = gateway.REFUSING
        return self.behaving(refusing if error is None else Manner(refusing.answer, error=error))

    def hanging(self) -> Self:
        """From now on, requests are taken, and no answer ever comes."""
        return self.behaving(gateway.silent(gateway.LONGEST))

    def silent(self) -> Self:
        """From now on, requests are taken, and no answer comes in time."""
        return self.behaving(gateway.silent(SHORT))

    def dripping(self) -> Self:
        """From now on, answers come byte by byte and are not complete in time."""
        return self.behaving(gateway.dripping(SHORT))

    def untrusted(self) -> Self:
        """From now on, the certificate is of an authority that nobody knows."""
        return self.behaving(gateway.OF_ANOTHER_AUTHORITY)

    def without_tls(self) -> Self:
        """From now on, the other side does not speak TLS at all."""
        return self.behaving(gateway.WITHOUT_TLS)

    def breaking_off(self) -> Self:
        """From now on, the connection is closed in the middle of the answer."""
        return self.behaving(gateway.BREAKING_OFF)

    def oversized(self) -> Self:
        """From now on, answers are larger than anyone would read."""
        return self.behaving(gateway.oversized(LARGEST_ANSWER))

    def redirecting(self, to: str, status: int = 307) -> Self:
        """From now on, everyone is sent to another address, with method and body (RFC 9110, 15.4.8)."""
        return self.answering(status=status, headers={"Location": to})

    def over(self, context: SSLContext) -> Self:
        """The same gateway over that context, which from then on trusts its certificates as well."""
        context.load_verify_locations(cadata=trusted().pem)
        other = copy.copy(self)
        other._trust = context
        return other

    async def request(self, method: str, url: str, **options: Any) -> Reply:
        self.requests.append(SentRequest(method, url, dict(options)))
        manner = self.manner
        if manner.error is not None:
            raise manner.error
        http = HttpClient(
            transport=Detour(self._gateway.address, self._trust),
            sleep=_at_once,
            connect_seconds=manner.within,
            total_seconds=manner.within,
        )
        try:
            return await http.request(method, url, **options)
        finally:
            await http.close()


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)
