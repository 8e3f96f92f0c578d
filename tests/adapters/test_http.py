"""The HTTP client over a transport function, and once over a real socket."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vsdk.adapters import http as module
from vsdk.adapters.http import LARGEST_ANSWER, HttpClient
from vsdk.domain.errors import PartnerError

URL = "https://gateway.example/v1/s3cret-path?phone=p4tient"
Answer = Callable[[httpx.Request], httpx.Response]


class Waits:
    """Records how long the client would have slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client(answer: Answer, waits: Waits | None = None) -> tuple[HttpClient, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def transport(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    return HttpClient(transport=httpx.MockTransport(transport), sleep=waits or Waits()), seen


def always(status: int, **options: Any) -> Answer:
    return lambda request: httpx.Response(status, **options)


def raising(error: type[httpx.RequestError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error(f"boom {request.url}", request=request)

    return answer


async def failure(http: HttpClient, method: str = "POST", **options: Any) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await http.request(method, URL, **options)
    return caught.value


async def test_an_answer_has_status_headers_text_and_json() -> None:
    http, (seen) = client(always(201, json={"id": "ü"}, headers={"X-Kind": "k"}))
    reply = await http.post(URL, json={"a": 1}, auth=("anna", "pw"), headers={"X-Own": "1"})
    assert (reply.status, reply.json(), reply.headers["x-kind"]) == (201, {"id": "ü"}, "k")
    assert "ü" in reply.text
    assert seen[0].headers["authorization"].startswith("Basic ")
    assert seen[0].headers["user-agent"].startswith("vsdk/0.")
    assert seen[0].headers["x-own"] == "1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
async def test_a_final_refusal_is_not_retryable(status: int) -> None:
    http, seen = client(always(status))
    assert not (await failure(http, "GET")).retryable
    assert len(seen) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_failure_is_retryable_and_a_post_is_sent_once(status: int) -> None:
    http, seen = client(always(status))
    assert (await failure(http)).retryable
    assert len(seen) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "get"])
@pytest.mark.parametrize("answer", [always(502), always(503), always(504), raising(httpx.ConnectError)])
async def test_repeatable_methods_are_tried_three_times_with_growing_waits(
    method: str, answer: Answer
) -> None:
    waits = Waits()
    http, seen = client(answer, waits)
    assert (await failure(http, method)).retryable
    assert len(seen) == 3
    assert waits.seconds == [0.3, 1.2]


@pytest.mark.parametrize("status", [500, 501, 429])
async def test_what_a_second_try_would_not_change_is_not_tried_again(status: int) -> None:
    http, seen = client(always(status))
    await failure(http, "GET")
    assert len(seen) == 1


async def test_a_second_attempt_can_succeed() -> None:
    answers = iter([httpx.Response(503), httpx.Response(200, text="well")])
    http, _ = client(lambda request: next(answers))
    assert (await http.get(URL)).text == "well"


async def test_who_says_when_to_come_back_is_not_pressed() -> None:
    http, seen = client(always(503, headers={"Retry-After": "120"}))
    assert (await failure(http, "GET")).retry_after == 120
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": " 0 "}, 0),
        (
            {"Retry-After": "Mon, 23 Nov 2026 09:01:00 GMT", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"},
            60,
        ),
        ({"Retry-After": "Mon, 23 Nov 2026 08:00:00 GMT", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 23 Nov 2026 09:01:00 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 400}, 999_999_999),
        ({}, None),
    ],
)
async def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    http, _ = client(always(429, headers=headers))
    assert (await failure(http)).retry_after == seconds


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError],
)
async def test_transport_failures_are_retryable(error: type[httpx.RequestError]) -> None:
    http, _ = client(raising(error))
    assert (await failure(http)).retryable


async def test_an_address_that_is_none_is_a_partner_error() -> None:
    http, _ = client(always(200))
    for url in ("ftp://gateway.example/", "https://gateway.example:port/", "gateway.example", ""):
        real = HttpClient()
        with pytest.raises(PartnerError) as caught:
            await real.get(url)
        assert not caught.value.retryable
        await real.close()
    await http.close()


async def test_nothing_private_is_in_errors_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    private = body, header, password, *_ = ("b0dy", "h3ader", "pa55", "s3cret-path", "p4tient", "answ3r")
    answers = [always(401, text="answ3r"), always(500, text="answ3r"), always(200, text="answ3r")]
    for answer in [*answers, raising(httpx.ConnectError), raising(httpx.DecodingError)]:
        http, _ = client(answer)
        with pytest.raises(PartnerError) as caught:
            (await http.post(URL, json={"b": body}, headers={"h": header}, auth=("u", password))).json()
        shown = caplog.text + repr(caught.value) + "".join(traceback.format_exception(caught.value))
        assert not [text for text in private if text in shown]
    assert "https://" not in caplog.text


async def test_redirects_are_followed_within_the_origin_only() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        target = {
            "/a": "/b",
            "/b": "/c",
            "/away": "https://elsewhere.example/",
            "/down": "http://gateway.example/",
        }
        location = target.get(request.url.path)
        return (
            httpx.Response(302, headers={"Location": location}) if location else httpx.Response(200, text="c")
        )

    http, seen = client(answer)
    assert (await http.get("https://gateway.example/a")).text == "c"
    for path in ("away", "down"):
        with pytest.raises(PartnerError, match="elsewhere") as caught:
            await http.get(f"https://gateway.example/{path}")
        assert not caught.value.retryable
    with pytest.raises(PartnerError):
        await http.post("https://gateway.example/a", json={})
    assert {request.url.host for request in seen} == {"gateway.example"}
    assert {request.url.scheme for request in seen} == {"https"}


async def test_redirects_in_a_circle_end() -> None:
    http, seen = client(always(302, headers={"Location": "/again"}))
    await failure(http, "GET")
    assert len(seen) == module.MOST_REDIRECTS + 1


async def test_an_answer_may_not_be_endless() -> None:
    http, _ = client(always(200, content=b"x" * LARGEST_ANSWER))
    assert len((await http.get(URL)).content) == LARGEST_ANSWER
    http, _ = client(always(200, content=b"x" * (LARGEST_ANSWER + 1)))
    assert not (await failure(http)).retryable


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_not_json_is_a_final_partner_error(body: bytes) -> None:
    http, _ = client(always(200, content=body))
    reply = await http.get(URL)
    with pytest.raises(PartnerError) as caught:
        reply.json()
    assert not caught.value.retryable


async def test_an_unknown_charset_is_read_as_utf_8() -> None:
    http, _ = client(
        always(200, content="ä".encode(), headers={"content-type": "text/plain; charset=klingon"})
    )
    assert (await http.get(URL)).text == "ä"


async def test_an_unknown_option_is_a_mistake_of_the_caller() -> None:
    http, _ = client(always(200))
    with pytest.raises(TypeError, match="verify"):
        await http.get(URL, verify=False)


async def test_cookies_of_one_plugin_do_not_reach_another() -> None:
    http, seen = client(always(200, headers={"Set-Cookie": "id=1; Path=/"}))
    await http.get(URL)
    await http.get(URL)
    assert "cookie" not in seen[1].headers


async def test_the_whole_call_is_limited_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOTAL_SECONDS", 0.05)

    async def silence(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    http = HttpClient(transport=httpx.MockTransport(silence))
    error = await failure(http, "GET")
    assert error.retryable
    assert error.detail == "gateway.example did not answer in time"


async def test_a_cancelled_call_stops() -> None:
    async def silence(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    call = asyncio.ensure_future(HttpClient(transport=httpx.MockTransport(silence)).get(URL))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_refused_connection_on_a_real_socket_is_retryable(unused_tcp_port: int) -> None:
    waits = Waits()
    http = HttpClient(sleep=waits)
    with pytest.raises(PartnerError) as caught:
        await http.get(f"http://127.0.0.1:{unused_tcp_port}/s3cret")
    assert caught.value.retryable
    assert caught.value.detail == "127.0.0.1 could not be reached"
    assert len(waits.seconds) == 2
    await http.close()


@pytest.fixture
def unused_tcp_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
