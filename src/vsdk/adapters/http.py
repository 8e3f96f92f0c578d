"""The way out to other systems: one HTTP client with time limits, and failures that say whether to try again.

The only module that imports httpx. Adapters and plugins see the port `vsdk.hooks.ports.Http`. An error
names the host and the status and nothing else: paths, queries, bodies and headers may hold personal data or
secrets.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from ssl import SSLContext
from typing import Any

import httpx

from vsdk.domain.errors import PartnerError

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
"""for one call, with all its attempts and redirects"""
BACK_OFF = (0.3, 1.2)
"""seconds before the second and the third attempt"""
LARGEST_ANSWER = 5 * 1024 * 1024
MOST_REDIRECTS = 3

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_PASSING = frozenset({502, 503, 504})
_OPTIONS = frozenset({"headers", "params", "json", "data", "content", "auth", "answers"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status below 400."""

    host: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    charset: str | None = None

    @property
    def text(self) -> str:
        try:
            return self.content.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.content.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The decoded body. Raises PartnerError, not retryable, when it is not JSON (RFC 8259)."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise PartnerError(
                f"{self.host} answered with something that is not JSON", retryable=False
            ) from None


def failure(host: str, status: int, headers: Mapping[str, str]) -> PartnerError:
    """What an answer with a status of 400 or more means.

    408, 425, 429 and all from 500 may pass by themselves, the rest will not (RFC 9110, 15.5 and 15.6).
    """
    return PartnerError(
        f"{host} answered with status {status}",
        retryable=status in (408, 425, 429) or status >= 500,
        retry_after=retry_after(headers),
        status=status,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After`` (RFC 9110, 10.2.3); its date form counts from the answer's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


class Detour(httpx.AsyncBaseTransport):
    """A network in which every name leads to one address, for tests over real connections.

    The other side is told by TLS (SNI, RFC 6066, 3) and by the Host header as whom it is spoken to, and must
    show a certificate of that name.
    """

    def __init__(self, address: tuple[str, int], verify: SSLContext) -> None:
        self._address = address
        self._network = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, port = self._address
        return await self._network.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=host, port=port),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": request.url.raw_host.decode("ascii")},
            )
        )

    async def aclose(self) -> None:
        await self._network.aclose()


class HttpClient:
    """`vsdk.hooks.ports.Http` over httpx.

    ``transport`` replaces the network in tests, ``verify`` is an SSL context for private authorities,
    ``sleep`` waits between attempts; limits in time that are not given are `CONNECT_SECONDS` and
    `TOTAL_SECONDS`. No proxies or certificates are taken from the environment, and no cookies are kept: one
    client serves all plugins. Making one raises the level of httpx's loggers, which would write down URLs.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: SSLContext | bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        connect_seconds: float | None = None,
        total_seconds: float | None = None,
    ) -> None:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._sleep = sleep
        self._connect_seconds = CONNECT_SECONDS if connect_seconds is None else connect_seconds
        self._total_seconds = TOTAL_SECONDS if total_seconds is None else total_seconds
        self._others: list[HttpClient] = []
        self._httpx = httpx.AsyncClient(
            transport=transport,
            verify=verify,
            timeout=httpx.Timeout(self._total_seconds, connect=self._connect_seconds),
            headers={"user-agent": f"vsdk/{version('vsdk')}"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    def over(self, context: SSLContext) -> "HttpClient":
        """A client of its own for these connections; it is closed together with this one."""
        other = HttpClient(
            verify=context,
            sleep=self._sleep,
            connect_seconds=self._connect_seconds,
            total_seconds=self._total_seconds,
        )
        self._others.append(other)
        return other

    async def close(self) -> None:
        for client in self._others:
            await client.close()
        await self._httpx.aclose()

    async def get(self, url: str, **options: Any) -> Reply:
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> Reply:
        return await self.request("POST", url, **options)

    async def request(self, method: str, url: str, **options: Any) -> Reply:
        """One call. Raises PartnerError.

        Options: ``headers``, ``params``, ``json``, ``data``, ``content`` (bytes or text), ``auth`` (user,
        password), ``answers`` (statuses from 400 on that the caller wants to read instead of a PartnerError).
        GET, HEAD, PUT and DELETE are tried up to three times where the failure may pass within a
        second; for all else, and for longer waits, that is the caller's affair.
        """
        if unknown := options.keys() - _OPTIONS:
            raise TypeError(f"unknown HTTP options: {', '.join(sorted(unknown))}")
        auth = options.pop("auth", None)
        answers = frozenset(options.pop("answers", ()))
        try:
            request = self._httpx.build_request(method.upper(), url, **options)
        except httpx.InvalidURL:
            raise PartnerError("an address is not a valid URL", retryable=False) from None
        host = request.url.host
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._attempts(request, auth, answers)
        except TimeoutError:
            raise PartnerError(f"{host} did not answer in time", retryable=True) from None

    async def _attempts(
        self, request: httpx.Request, auth: tuple[str, str] | None, answers: frozenset[int]
    ) -> Reply:
        waits = BACK_OFF if request.method in _REPEATABLE else ()
        for wait in waits:
            try:
                reply = await self._follow(request, auth)
            except PartnerError as error:
                if not error.retryable:
                    raise
            else:
                if reply.status not in _PASSING or retry_after(reply.headers) is not None:
                    return _checked(reply, answers)
            await self._sleep(wait)
        return _checked(await self._follow(request, auth), answers)

    async def _follow(self, request: httpx.Request, auth: tuple[str, str] | None) -> Reply:
        """One attempt, with redirects within the same origin."""
        origin, host = _origin(request.url), request.url.host
        for _ in range(MOST_REDIRECTS + 1):
            reply, onwards = await self._send(request, auth)
            if onwards is None:
                return reply
            if request.method not in ("GET", "HEAD") or _origin(onwards.url) != origin:
                raise PartnerError(f"{host} redirects elsewhere, which is not followed", retryable=False)
            request = onwards
        raise PartnerError(f"{host} redirects too often", retryable=False)

    async def _send(
        self, request: httpx.Request, auth: tuple[str, str] | None
    ) -> tuple[Reply, httpx.Request | None]:
        host = request.url.host
        try:
            response = await self._httpx.send(
                request, auth=auth or httpx.USE_CLIENT_DEFAULT, stream=True, follow_redirects=False
            )
            try:
                content = await _read(response, host)
            finally:
                await response.aclose()
        except (httpx.UnsupportedProtocol, httpx.DecodingError, httpx.RemoteProtocolError) as error:
            passing = isinstance(error, httpx.RemoteProtocolError)
            raise PartnerError(
                f"{host or 'an address'} does not speak HTTP as expected", retryable=passing
            ) from None
        except httpx.TimeoutException:
            raise PartnerError(f"{host} did not answer in time", retryable=True) from None
        except httpx.RequestError:
            raise PartnerError(f"{host} could not be reached", retryable=True) from None
        reply = Reply(host, response.status_code, response.headers, content, response.charset_encoding)
        return reply, response.next_request


async def _read(response: httpx.Response, host: str) -> bytes:
    """The body after decompression, as long as it is not too large."""
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST_ANSWER:
            raise PartnerError(f"{host} answered with more than {LARGEST_ANSWER} bytes", retryable=False)
    return bytes(content)


def _checked(reply: Reply, answers: frozenset[int]) -> Reply:
    if reply.status >= 400 and reply.status not in answers:
        raise failure(reply.host, reply.status, reply.headers)
    return reply


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
