"""The loopback: real connections, real certificates, and each way to fail as the HTTP code sees it."""

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509

from vsdk.adapters.http import LARGEST_ANSWER, HttpClient
from vsdk.domain.errors import PartnerError
from vsdk.testing.authority import Authority, stranger, trusted
from vsdk.testing.contract import Overheard, appears
from vsdk.testing.fakes import FakeHttp
from vsdk.testing.gateway import LONGEST, Gateway, answering, silent
from vsdk.testing.loopback import LoopbackHttp
from vsdk.testing.recipients import browser, numbers, reaches, recipients
from vsdk.testing.sent import ArrivedRequest, SentRequest

URL = "https://sms.acme.example/v1/messages"


@pytest.fixture
def http(loopback_http: LoopbackHttp) -> LoopbackHttp:
    return loopback_http


async def failure(http: FakeHttp, url: str = URL) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await http.post(url, json={"to": "someone"})
    return caught.value


@pytest.mark.parametrize("host", ["sms.acme.example", "a.b.c.d.example", "localhost"])
async def test_any_host_is_spoken_to_by_its_name_over_tls(http: LoopbackHttp, host: str) -> None:
    reply = await http.answering(status=201, json={"id": "ü"}, headers={"X-Kind": "k"}).post(
        f"https://{host}:8443/a%20b?c=d", json={"e": "é"}, headers={"X-Own": "1"}, auth=("anna", "pw")
    )
    assert (reply.host, reply.status, reply.json(), reply.headers["x-kind"]) == (host, 201, {"id": "ü"}, "k")
    (arrived,) = http.arrived
    assert (arrived.method, arrived.host, arrived.target) == ("POST", f"{host}:8443", "/a%20b?c=d")
    assert arrived.encrypted
    assert arrived.headers["x-own"] == "1"
    assert arrived.headers["authorization"].startswith("Basic ")
    assert arrived.carries("é")
    assert http.requests[0].options["json"] == {"e": "é"}


async def test_a_name_with_umlauts_is_spoken_to_in_its_ascii_form(http: LoopbackHttp) -> None:
    await http.get("https://grün.example/")
    assert http.arrived[0].host == "xn--grn-ioa.example"


def test_the_certificate_shown_is_of_the_name_asked_for_and_of_our_authority() -> None:
    with Gateway(answering(200, b"", {})) as gateway:
        for name in ("one.example", "two.example"):
            with (
                socket.create_connection(gateway.address, timeout=5) as plain,
                trusted().trusting().wrap_socket(plain, server_hostname=name) as connection,
            ):
                shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
            names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert names.get_values_for_type(x509.DNSName) == [name]
        for context in (ssl.create_default_context(), stranger().trusting(), Authority().trusting()):
            with (
                socket.create_connection(gateway.address, timeout=5) as plain,
                pytest.raises(ssl.SSLCertVerificationError),
            ):
                context.wrap_socket(plain, server_hostname="one.example")


FAULTS: list[tuple[Callable[[LoopbackHttp], LoopbackHttp], str, bool]] = [
    (LoopbackHttp.failing, "could not be reached", True),
    (LoopbackHttp.untrusted, "could not be reached", True),
    (LoopbackHttp.without_tls, "could not be reached", True),
    (LoopbackHttp.silent, "did not answer in time", True),
    (LoopbackHttp.dripping, "did not answer in time", True),
    (LoopbackHttp.breaking_off, "does not speak HTTP as expected", True),
    (LoopbackHttp.oversized, f"more than {LARGEST_ANSWER} bytes", False),
    (lambda http: http.redirecting("https://elsewhere.example/"), "redirects elsewhere", False),
    (lambda http: http.answering(status=404), "status 404", False),
    (lambda http: http.answering(status=503), "status 503", True),
]


@pytest.mark.parametrize(("steer", "detail", "retryable"), FAULTS)
async def test_each_way_to_fail_is_the_failure_that_it_is_in_earnest(
    http: LoopbackHttp, steer: Callable[[LoopbackHttp], LoopbackHttp], detail: str, retryable: bool
) -> None:
    error = await failure(steer(http))
    assert detail in error.detail
    assert error.retryable is retryable
    assert "acme.example" in error.detail
    assert [r.host for r in http.arrived] in ([], ["sms.acme.example"])


async def test_after_a_failure_all_can_be_well_again(http: LoopbackHttp) -> None:
    usual = http.answering(json={"id": "1"}).manner
    await failure(http.failing())
    assert (await http.behaving(usual).post(URL)).json() == {"id": "1"}


async def test_an_error_that_is_given_is_raised_without_a_connection(http: LoopbackHttp) -> None:
    error = PartnerError("given", retryable=False)
    assert await failure(http.failing(error)) is error
    assert http.arrived == []


async def test_repeatable_requests_are_repeated_at_once(http: LoopbackHttp) -> None:
    with pytest.raises(PartnerError):
        await http.answering(status=503).get(URL)
    assert len(http.arrived) == 3
    assert len(http.requests) == 1


async def test_who_hangs_can_be_cancelled(http: LoopbackHttp) -> None:
    waiting = asyncio.ensure_future(http.hanging().get(URL))
    for _ in range(200):
        if http.arrived:
            break
        await asyncio.sleep(0.01)
    assert http.arrived
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_comes_without_tls_is_taken_and_marked(http: LoopbackHttp) -> None:
    await http.get("http://sms.acme.example/")
    assert [r.encrypted for r in http.arrived] == [False]


async def test_tls_of_ones_own_reaches_the_same_gateway_and_is_steered_with_it(http: LoopbackHttp) -> None:
    other = http.over(stranger().trusting())
    await other.post(URL)
    http.answering(status=401)
    assert (await failure(other)).status == 401
    assert len(http.arrived) == len(http.requests) == 2


async def test_tls_of_ones_own_keeps_the_limit_in_time() -> None:
    with Gateway(silent(LONGEST)) as gateway:
        http = HttpClient(total_seconds=0.1)
        began = time.monotonic()
        with pytest.raises(PartnerError, match="in time"):
            await http.over(trusted().trusting()).post(f"https://127.0.0.1:{gateway.address[1]}/")
        assert time.monotonic() - began < 5
        await http.close()


async def test_afterwards_nobody_listens_and_nothing_goes_on() -> None:
    def at_work() -> int:
        return sum(thread.is_alive() for thread in threading.enumerate())

    before = at_work()
    with LoopbackHttp() as http:
        address = http._gateway.address
        await failure(http.dripping())
    for _ in range(100):
        if at_work() == before:
            break
        await asyncio.sleep(0.01)
    assert at_work() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5).close()


# What requests carry


def arrived(body: bytes, kind: str, target: str = "/", **headers: str) -> ArrivedRequest:
    return ArrivedRequest("POST", "sms.example", target, {"content-type": kind} | headers, body)


TEXT = "Grüße €\n2"


@pytest.mark.parametrize(
    "request_",
    [
        arrived(b'{"m": [{"text": "Gr\\u00fc\\u00dfe \\u20ac\\n2"}]}', "application/fhir+json"),
        arrived(b"to=1&text=Gr%C3%BC%C3%9Fe+%E2%82%AC%0A2", "application/x-www-form-urlencoded"),
        arrived(TEXT.encode("utf-16-le"), "text/plain; charset=utf-16-le"),
        arrived(TEXT.encode(), "text/plain; charset=klingon"),
        arrived(b"", "text/plain", x=TEXT),
        SentRequest("POST", "/", {"json": {"a": [{"b": TEXT}]}}),
        SentRequest("POST", "/", {"data": {"a": TEXT}}),
        SentRequest("POST", "/", {"content": TEXT.encode()}),
        SentRequest("POST", "/", {"content": TEXT, "headers": {"Content-Type": "text/plain"}}),
        SentRequest("POST", "/", {"headers": {"x": TEXT}}),
    ],
)
def test_what_a_request_carries_is_found_in_every_form(request_: ArrivedRequest | SentRequest) -> None:
    assert request_.carries(TEXT)
    assert not request_.carries("Grusse")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b"null"])
def test_what_cannot_be_read_carries_nothing_but_itself(body: bytes) -> None:
    assert not arrived(body, "application/json").carries("text")


def test_an_address_carries_nothing_of_what_counts_as_carried() -> None:
    request = arrived(b"", "text/plain", "/a?to=%2B49+1")
    assert not request.carries("+49")
    assert "+49 1" in request.address
    assert not SentRequest("GET", "/?to=49", {"params": {"to": "49"}, "auth": ("49", "")}).carries("49")


# Recipients


def test_there_are_numbers_of_five_countries_and_mailboxes_and_people() -> None:
    assert [number[:3] for number in numbers()] == ["+49", "+33", "+41", "+44", "+12"]
    assert all("@" in mailbox for mailbox in recipients("email"))
    assert all("/" in person for person in recipients("fax"))


@pytest.mark.parametrize("form", ["{}", "+{}", "00{}", "tel:+{}", "a=1;to={};b=2"])
def test_a_number_is_the_same_in_each_international_form(form: str) -> None:
    for number in numbers():
        assert reaches(arrived(b"", ""), [form.format(number[1:])], number, "sms")
        assert not reaches(arrived(b"", ""), [form.format(number[1:-1])], number, "sms")
        assert not reaches(arrived(b"", ""), ["0" + number[3:]], number, "sms")


def test_a_push_message_reaches_its_resource_only() -> None:
    host, target = "push.example", "/send/c4pability-of-nobody"
    for path, there in ((target, True), ("/send/another", False)):
        request = ArrivedRequest("POST", host, path, {}, b"")
        assert reaches(request, [], browser().subscription, "push") is there


# What is overheard


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Iterator[Overheard]:
    with Overheard(caplog, capsys) as listening:
        yield listening
    caplog.clear()


def test_loggers_that_keep_to_themselves_are_heard_and_left_as_they_were(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("acme.quiet")
    logger.propagate = False
    with Overheard(caplog, capsys) as listening:
        logger.debug("wh1sper")
        assert "wh1sper" in listening.text
    assert not logger.propagate


def test_arguments_fields_and_errors_of_log_records_are_heard(ears: Overheard) -> None:
    logger = logging.getLogger("acme")
    logger.debug("nothing", extra={"field": "wh1sper"})
    try:
        raise ValueError("sh0ut")
    except ValueError:
        logger.exception("it failed")
    assert "wh1sper" in ears.text
    assert "sh0ut" in ears.text


@pytest.mark.parametrize("shown", ["to 15123456789", "(0151) 234-56.789/1", "%31%35123456789"])
def test_a_number_is_found_in_groups_and_percent_encoded(shown: str) -> None:
    number = "15123456789" if "0151" not in shown else "01512345678"
    assert appears(number, shown)
    assert not appears("15123456780", shown)
