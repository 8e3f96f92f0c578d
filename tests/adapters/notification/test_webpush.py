"""Web Push against a push service over HTTPS on this machine; the browser is written out from the RFCs."""

import base64
import json
import re
import secrets
import ssl
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.webpush import (
    WebPush,
    encrypted,
    new_key_pair,
    public_key,
    subscription,
    topic_of,
    vsdk_notification_channels,
)
from vsdk.adapters.notification.webpush.payload import LARGEST_PAYLOAD, parted, payload
from vsdk.adapters.notification.webpush.subscription import SERVICES, Subscription, is_service
from vsdk.adapters.notification.webpush.vapid import VapidKey
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError, UsageError
from vsdk.domain.ids import PracticeId, VisitId
from vsdk.domain.message import Message
from vsdk.domain.messaging import Messaging
from vsdk.hooks.ports import Http
from vsdk.testing.contracts import NotificationChannelContract
from vsdk.testing.factories import NOON, a_practice
from vsdk.testing.fakes import FakeConfig, FakeHttp

LINK = "https://praxis.example/video/j#h4ndle-of-nobody"
PAIR = new_key_pair()
SUBJECT = "mailto:technik@park.example"
MESSAGE = Message(
    recipient="",
    text=f"Grüße – Ihre Sprechstunde ist offen.\n{LINK}\nBis gleich 👋🏽",
    idempotency_key="key-5f0c1a",
    template="link-at-time",
    language="de",
    visit_id=VisitId("v1"),
    practice_id=PracticeId("practice"),
)


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Browser:
    """What subscribes, and reads (RFC 8291, 3 and RFC 8188, 2)."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None, auth: bytes = b"") -> None:
        self.private = private or ec.generate_private_key(ec.SECP256R1())
        self.auth = auth or secrets.token_bytes(16)
        self.public = point(self.private.public_key())

    def subscription(self, endpoint: str, **changes: Any) -> str:
        keys = {"p256dh": b64(self.public), "auth": b64(self.auth)}
        return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys} | changes)

    def read(self, body: bytes) -> bytes:
        salt, (record_size, length) = body[:16], struct.unpack("!LB", body[16:21])
        theirs, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= record_size, "RFC 8291, 4: one record only"
        shared = self.private.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        )
        secret = derived(shared, self.auth, b"WebPush: info\0" + self.public + theirs, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain[-1:] == b"\2", "the delimiter of the last record"
        return plain[:-1]


def vapid(header: str) -> tuple[dict[str, Any], str]:
    """Claims and key of a header whose signature is right (RFC 8292, 3 and RFC 7518, 3.4)."""
    kind, _, parameters = header.partition(" ")
    assert kind == "vapid"
    values = dict(part.strip().split("=", 1) for part in parameters.split(","))
    signed, _, signature = values["t"].rpartition(".")
    raw = unb64(signature)
    assert len(raw) == 64
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(values["k"]))
    key.verify(der, signed.encode(), ec.ECDSA(SHA256()))
    first, second = (json.loads(unb64(part)) for part in signed.split("."))
    assert first == {"typ": "JWT", "alg": "ES256"}
    return second, values["k"]


@dataclass
class PushService:
    """A push service over HTTPS in a thread."""

    port: int = 0
    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"localhost:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"https://{self.place}/send/c4pability"


@pytest.fixture
def service(server_context: ssl.SSLContext) -> Iterator[PushService]:
    state = PushService()

    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(state.status)
            for name, value in ({"Location": "/message/s3cret"} | state.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.socket = server_context.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def channel(http: Http, services: list[str], **changes: Any) -> WebPush:
    section = {"private_key": PAIR.private, "subject": SUBJECT, "services": services} | changes
    (made,) = vsdk_notification_channels(FakeConfig({"web_push": section}), http)
    return made


@pytest.fixture
def browser() -> Browser:
    return Browser()


class TestContract(NotificationChannelContract):
    """Its gateway reads bodies as the browser does. The link has tests of its own, below: it does not stay
    in the text."""

    message = replace(NotificationChannelContract.message, text="Zu Ihrer Videosprechstunde")
    private = ("Videosprechstunde",)
    secrets = (PAIR.private,)

    @pytest.fixture
    def adapter(self, mock_http: Http) -> WebPush:
        return channel(mock_http, ["push.example"])


async def test_a_browser_reads_what_was_sent_over_https(
    service: PushService, browser: Browser, ca_file: Path
) -> None:
    http = HttpClient(verify=ssl.create_default_context(cafile=ca_file))
    push = WebPush(
        http,
        VapidKey(PAIR.private),
        SUBJECT,
        titles=lambda message: "Praxis am Park",
        services=[service.place],
        now=lambda: NOON,
    )
    expires = NOON + timedelta(minutes=5, seconds=0.5)
    message = replace(MESSAGE, recipient=browser.subscription(service.endpoint), expires=expires)
    receipt = await push.deliver(message)
    await http.close()
    assert receipt.provider_id == ""
    ((path, headers, body),) = service.received
    assert path == "/send/c4pability"
    assert json.loads(browser.read(body)) == {
        "title": "Praxis am Park",
        "body": "Grüße – Ihre Sprechstunde ist offen.\nBis gleich 👋🏽",
        "url": LINK,
        "lang": "de",
        "tag": topic_of(message),
    }
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["ttl"] == "300"
    assert headers["urgency"] == "high"
    assert headers["topic"] == topic_of(message)
    claims, key = vapid(headers["authorization"])
    assert claims == {
        "aud": f"https://{service.place}",
        "exp": int(NOON.timestamp()) + 12 * 3600,
        "sub": SUBJECT,
    }
    assert key == PAIR.public


async def test_without_trust_in_its_certificate_nothing_is_sent(
    service: PushService, browser: Browser
) -> None:
    http = HttpClient()
    push = channel(http, [service.place])
    with pytest.raises(PartnerError) as caught:
        await push.deliver(replace(MESSAGE, recipient=browser.subscription(service.endpoint)))
    await http.close()
    assert caught.value.retryable
    assert service.received == []


async def test_two_messages_share_no_key_and_no_salt(mock_http: FakeHttp, browser: Browser) -> None:
    push = channel(mock_http, ["push.example"])
    message = replace(MESSAGE, recipient=browser.subscription("https://push.example/send"))
    await push.deliver(message)
    await push.deliver(message)
    first, second = (request.options["content"] for request in mock_http.requests)
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]
    assert browser.read(first) == browser.read(second)


# What becomes of a refusal


@pytest.mark.parametrize(
    ("status", "kind", "code", "retryable"),
    [
        (404, DeliveryFailed, "push-subscription-gone", False),
        (410, DeliveryFailed, "push-subscription-gone", False),
        (413, DeliveryFailed, "push-too-large", False),
        (400, PartnerError, "push-refused", False),
        (401, PartnerError, "push-refused", False),
        (403, PartnerError, "push-refused", False),
        (429, PartnerError, "partner-error", True),
        (500, PartnerError, "partner-error", True),
        (503, PartnerError, "partner-error", True),
    ],
)
async def test_what_a_status_means(
    status: int,
    kind: type[PartnerError],
    code: str,
    retryable: bool,
    service: PushService,
    browser: Browser,
    ca_file: Path,
) -> None:
    service.status, service.headers = status, {"Retry-After": "17"}
    http = HttpClient(verify=ssl.create_default_context(cafile=ca_file))
    push = channel(http, [service.place])
    with pytest.raises(PartnerError) as caught:
        await push.deliver(replace(MESSAGE, recipient=browser.subscription(service.endpoint)))
    await http.close()
    error = caught.value
    assert (type(error), error.code, error.retryable) == (kind, code, retryable)
    assert "c4pability" not in repr(error)
    if retryable:
        assert error.retry_after == 17
    assert len(service.received) == 1


# Headers


async def sent(mock_http: FakeHttp, browser: Browser, **changes: Any) -> dict[str, str]:
    push = channel(mock_http, ["push.example"])
    await push.deliver(
        replace(MESSAGE, recipient=browser.subscription("https://push.example/send"), **changes)
    )
    headers = mock_http.requests[-1].options["headers"]
    assert isinstance(headers, dict)
    return headers


@pytest.mark.parametrize("template", ["link-at-time", "invited-back", "delay", "patient-waiting"])
async def test_what_is_needed_now_is_urgent(template: str, mock_http: FakeHttp, browser: Browser) -> None:
    assert (await sent(mock_http, browser, template=template))["urgency"] == "high"


@pytest.mark.parametrize("template", ["invitation", "reminder", "moved", "cancelled", "of-a-plugin"])
async def test_what_can_wait_for_a_phone_to_wake_is_not(
    template: str, mock_http: FakeHttp, browser: Browser
) -> None:
    assert (await sent(mock_http, browser, template=template))["urgency"] == "normal"


async def test_what_has_expired_is_for_those_who_are_there_now(mock_http: FakeHttp, browser: Browser) -> None:
    assert (await sent(mock_http, browser, expires=NOON.replace(year=2000)))["ttl"] == "0"
    assert (await sent(mock_http, browser))["ttl"] == "86400"


def test_a_newer_message_of_the_same_kind_about_the_same_visit_replaces_the_older() -> None:
    assert topic_of(MESSAGE) == topic_of(replace(MESSAGE, idempotency_key="another", text="Neu"))
    assert topic_of(MESSAGE) != topic_of(replace(MESSAGE, template="delay"))
    assert topic_of(MESSAGE) != topic_of(replace(MESSAGE, visit_id=VisitId("v2")))
    of_no_visit = replace(MESSAGE, visit_id=VisitId(""))
    assert topic_of(of_no_visit) == topic_of(replace(of_no_visit, text="Neu"))
    assert topic_of(of_no_visit) != topic_of(replace(of_no_visit, idempotency_key="another"))


def test_a_topic_is_32_characters_and_tells_nothing() -> None:
    assert len(topic_of(MESSAGE)) == 32
    assert topic_of(MESSAGE).isalnum()
    assert "link" not in topic_of(MESSAGE)


async def test_the_title_is_the_subject_or_what_the_practice_is_called(
    mock_http: FakeHttp, browser: Browser
) -> None:
    practices = [
        a_practice(),
        a_practice(id=PracticeId("ufer"), name="Psychotherapie", messaging=Messaging(name="Praxis am Ufer")),
    ]
    section = {"private_key": PAIR.private, "subject": SUBJECT, "services": ["push.example"]}
    (push,) = vsdk_notification_channels(FakeConfig({"web_push": section}, practices), mock_http)
    message = replace(MESSAGE, recipient=browser.subscription("https://push.example/send"))
    for changed in (
        message,
        replace(message, practice_id=PracticeId("ufer")),
        replace(message, subject="Videosprechstunde"),
        replace(message, practice_id=PracticeId("")),
    ):
        await push.deliver(changed)
    titles = [json.loads(browser.read(r.options["content"]))["title"] for r in mock_http.requests]
    assert titles == ["Praxis am Park", "Praxis am Ufer", "Videosprechstunde", ""]


# What it says


@pytest.mark.parametrize(
    ("text", "body", "url"),
    [
        (f"Bis gleich\n{LINK}", "Bis gleich", LINK),
        (f"Bis gleich: {LINK}.", "Bis gleich: .", LINK),
        (f"{LINK}\nBis gleich", "Bis gleich", LINK),
        (f"Eins\n\n{LINK}\n\nZwei", "Eins\nZwei", LINK),
        (f"Eins {LINK} zwei", "Eins  zwei", LINK),
        (f"{LINK}\nhttps://praxis.example/hilfe", "https://praxis.example/hilfe", LINK),
        (LINK, "", LINK),
        ("Kein Weg", "Kein Weg", ""),
        ("", "", ""),
    ],
)
def test_the_link_leaves_the_text(text: str, body: str, url: str) -> None:
    assert parted(text) == (body, url)


def test_a_long_text_is_cut_and_the_link_is_not() -> None:
    made = payload("Praxis", f"{'ä' * 5000}\n{LINK}", language="de", tag="t" * 32)
    value = json.loads(made)
    assert LARGEST_PAYLOAD - 3 <= len(made) <= LARGEST_PAYLOAD
    assert value["url"] == LINK
    assert value["title"] == "Praxis"
    assert set(value["body"]) == {"ä", "…"}


@pytest.mark.parametrize("group", ["e\u0301", "👋🏽", "👩\u200d⚕\ufe0f", "x"])
def test_a_text_is_not_cut_within_what_people_see_as_one_character(group: str) -> None:
    for length in range(100, 130):
        body = json.loads(payload("", group * 100, language="de", tag="", largest=length))["body"]
        assert body.endswith("…")
        assert body[:-1] == group * ((len(body) - 1) // len(group))


def test_a_link_that_is_too_long_fails_rather_than_leading_nowhere() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        payload("Praxis", f"Text\nhttps://praxis.example/{'x' * 4000}", language="de", tag="")
    assert caught.value.code == "push-too-large"
    assert "praxis" not in caught.value.detail


@given(st.text(max_size=300), st.text(max_size=300), st.integers(100, 400))
@settings(max_examples=200, deadline=None)
def test_whatever_it_says_it_is_small_enough_and_json(title: str, text: str, largest: int) -> None:
    text = text.replace("http", "")
    made = payload(title, f"{text}\n{LINK}", language="de", tag="", largest=largest)
    value = json.loads(made)
    assert len(made) <= largest
    assert value["url"] == LINK
    assert set(value) == {"title", "body", "url", "lang", "tag"}


async def test_the_largest_payload_makes_a_request_that_every_service_takes(
    mock_http: FakeHttp, browser: Browser
) -> None:
    await sent(mock_http, browser, text="x" * 10_000)
    body = mock_http.requests[0].options["content"]
    assert len(body) == 4096
    assert len(browser.read(body)) == LARGEST_PAYLOAD


# The example of RFC 8291 (section 5 and appendix A)


def test_the_known_answer_of_the_rfc() -> None:
    sender = ec.derive_private_key(
        int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    keys = {"p256dh": p256dh, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    target = subscription(
        json.dumps({"endpoint": "https://push.example.net/push/x", "keys": keys}), ["push.example.net"]
    )
    plain = b"When I grow up, I want to be a watermelon"
    body = encrypted(plain, target, private_key=sender, salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"))
    assert b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
        "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    receiver = ec.derive_private_key(
        int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"), ec.SECP256R1()
    )
    assert Browser(receiver, unb64(keys["auth"])).read(body) == plain


# Subscriptions

GOOD = "https://fcm.googleapis.com/fcm/send/c4pability"


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        (GOOD, "https://fcm.googleapis.com"),
        ("https://FCM.googleapis.com:443/x", "https://fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com/wpush/v2/x", "https://updates.push.services.mozilla.com"),
        ("https://web.push.apple.com/x", "https://web.push.apple.com"),
        ("https://db5p.notify.windows.com/w/?token=x%2b", "https://db5p.notify.windows.com"),
    ],
)
def test_the_usual_push_services_are_known(endpoint: str, origin: str, browser: Browser) -> None:
    found = subscription(browser.subscription(endpoint))
    assert found == Subscription(endpoint, origin, browser.public, browser.auth)
    assert "c4pability" not in repr(found)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://push.apple.com/x",
        "https://.push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:22/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://localhost/x",
        "https://database/x",
        "https://fcm.googleapis.com%2eevil.example/x",
        "https://*.push.apple.com.evil.example/x",
    ],
)
def test_no_other_place_is_ever_called(endpoint: str, browser: Browser) -> None:
    with pytest.raises(UsageError) as caught:
        subscription(browser.subscription(endpoint))
    assert caught.value.code == "push-service-unknown"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://anna@fcm.googleapis.com/x",
        "https://anna:pw@fcm.googleapis.com/x",
        "https://@fcm.googleapis.com/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://evil.example\\.push.apple.com/x",
        "https://fcm.googleapis.com:port/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com/x#part",
        "https://fcm.googleapis.com/x\r\nHost: evil.example",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/ü",
        "https://[fcm.googleapis.com/x",
        "https:///x",
        "//fcm.googleapis.com/x",
        "file:///etc/passwd",
        "",
        None,
        17,
    ],
)
def test_what_is_no_https_address_is_no_endpoint(endpoint: Any, browser: Browser) -> None:
    with pytest.raises(UsageError) as caught:
        subscription(browser.subscription(endpoint))
    assert caught.value.code == "push-subscription-invalid"


BROWSER = Browser()
P256DH, AUTH = b64(BROWSER.public), b64(BROWSER.auth)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '"https://fcm.googleapis.com/x"',
        json.dumps({"endpoint": GOOD}),
        json.dumps({"endpoint": GOOD, "keys": None}),
        json.dumps({"keys": {"p256dh": P256DH, "auth": AUTH}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": P256DH}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": P256DH, "auth": AUTH[:-2]}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": P256DH, "auth": AUTH[:-1]}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": P256DH, "auth": AUTH + "ÄÖ"}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": P256DH[:-4], "auth": AUTH}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": b64(b"\4" + b"\1" * 64), "auth": AUTH}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": b64(b"\0"), "auth": AUTH}}),
        json.dumps({"endpoint": GOOD, "keys": {"p256dh": 4, "auth": AUTH}}),
        json.dumps({"endpoint": GOOD + "x" * 5000, "keys": {"p256dh": P256DH, "auth": AUTH}}),
        json.dumps(
            {
                "endpoint": GOOD,
                "keys": {
                    "p256dh": b64(
                        BROWSER.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
                    ),
                    "auth": AUTH,
                },
            }
        ),
    ],
)
async def test_what_nothing_can_be_sent_to_is_refused(text: str, mock_http: FakeHttp) -> None:
    with pytest.raises(UsageError) as refused:
        subscription(text)
    with pytest.raises(DeliveryFailed) as failed:
        await channel(mock_http, list(SERVICES)).deliver(replace(MESSAGE, recipient=text))
    assert refused.value.code == failed.value.code == "push-subscription-invalid"
    assert "c4pability" not in refused.value.detail + failed.value.detail
    assert mock_http.requests == []


async def test_a_subscription_elsewhere_is_never_called_even_if_it_is_stored(
    mock_http: FakeHttp, browser: Browser
) -> None:
    push = channel(mock_http, ["*.push.apple.com"])
    with pytest.raises(DeliveryFailed) as caught:
        await push.deliver(replace(MESSAGE, recipient=browser.subscription(GOOD)))
    assert caught.value.code == "push-service-unknown"
    assert mock_http.requests == []


def test_a_browser_that_subscribes_is_kept_without_what_is_not_needed(
    mock_http: FakeHttp, browser: Browser
) -> None:
    push = channel(mock_http, list(SERVICES))
    given = json.loads(browser.subscription(GOOD, more="s3cret"))
    kept = push.validate_subscription(given)
    assert kept == {"endpoint": GOOD, "keys": given["keys"]}
    assert subscription(json.dumps(kept)).auth == browser.auth
    with pytest.raises(UsageError) as caught:
        push.validate_subscription({**given, "endpoint": "https://10.0.0.1/x"})
    assert caught.value.code == "push-service-unknown"
    with pytest.raises(UsageError) as caught:
        push.validate_subscription({**given, "endpoint": GOOD + "x" * 2048})
    assert caught.value.code == "push-subscription-invalid"


def test_the_key_for_browsers_is_the_public_half(mock_http: FakeHttp) -> None:
    section = {"private_key": PAIR.private, "subject": SUBJECT}
    assert channel(mock_http, list(SERVICES)).key == PAIR.public
    assert public_key(FakeConfig({"web_push": section})) == PAIR.public


def test_keys_may_be_padded(browser: Browser) -> None:
    keys = {
        "p256dh": base64.urlsafe_b64encode(browser.public).decode(),
        "auth": base64.urlsafe_b64encode(browser.auth).decode(),
    }
    assert subscription(browser.subscription(GOOD, keys=keys)).auth == browser.auth


# Our own key, and settings


def test_a_new_pair_is_the_same_key_in_each_form() -> None:
    pair = new_key_pair()
    assert pair != new_key_pair()
    assert (len(unb64(pair.private)), len(unb64(pair.public))) == (32, 65)
    private = ec.derive_private_key(int.from_bytes(unb64(pair.private), "big"), ec.SECP256R1())
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        pem = private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
        section = {"private_key": pem, "subject": SUBJECT}
        assert public_key(FakeConfig({"web_push": section})) == pair.public == VapidKey(pair.private).public
    assert b64(point(private.public_key())) == pair.public


def pem_of(curve: ec.EllipticCurve) -> str:
    key = ec.generate_private_key(curve)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"private_key": ""}, "P-256"),
        ({"private_key": "s3cret"}, "P-256"),
        ({"private_key": b64(b"\0" * 32)}, "P-256"),
        ({"private_key": b64(b"\xff" * 32)}, "P-256"),
        ({"private_key": PAIR.public}, "P-256"),
        ({"private_key": pem_of(ec.SECP384R1())}, "P-256"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----"}, "P-256"),
        ({"subject": "technik@park.example"}, "subject"),
        ({"subject": "http://park.example"}, "subject"),
        ({"services": []}, "services"),
        ({"services": ["https://fcm.googleapis.com"]}, "hosts"),
        ({"services": ["*"]}, "hosts"),
        ({"services": ["fcm.*.com"]}, "hosts"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], word: str) -> None:
    section = {"private_key": PAIR.private, "subject": SUBJECT} | changes
    with pytest.raises(ConfigurationError, match=word) as caught:
        vsdk_notification_channels(FakeConfig({"web_push": section}), FakeHttp())
    assert "s3cret" not in str(caught.value)
    assert PAIR.public not in str(caught.value)


PAGE = Path(__file__).parents[3] / "docs/channels/push.md"


def test_the_command_of_the_documentation_prints_a_pair() -> None:
    (code,) = re.findall(r'python -c "(.+)"', PAGE.read_text(encoding="utf-8"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    private, public = done.stdout.split()
    assert VapidKey(private).public == public


def test_the_examples_of_the_documentation_are_valid() -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        section = tomllib.loads(example)["plugin"]["web_push"]
        correct = {"subject": SUBJECT} | section | {"private_key": PAIR.private}
        assert vsdk_notification_channels(FakeConfig({"web_push": correct}), FakeHttp())


def test_services_are_hosts_with_a_port_where_it_is_another() -> None:
    assert all(map(is_service, (*SERVICES, "push.park.example:8443", "localhost:443")))
    assert not any(map(is_service, ("FCM.googleapis.com", "a b", "a.example/x", "*.", ".example", "")))
