"""Messages by Apprise: the real library, and a server on the loopback address instead of its services."""

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from pydantic import SecretStr

from vsdk.adapters.notification.apprise import AppriseMessages, vsdk_notification_channels
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import Message, Receipt
from vsdk.testing.contracts import AnyChannelContract
from vsdk.testing.factories import a_practice
from vsdk.testing.fakes import FakeConfig

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""of a library that Apprise looks for"""

SECRET = "t0ken-of-nobody"
TEXT = "Größe „egal“ 👋 zur Videosprechstunde:\nhttps://praxis.example/v/j#h4ndle_of_nobody*1*"


def a_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "recipient": "practice",
        "text": TEXT,
        "idempotency_key": "key-5f0c1a",
        "template": "patient-waiting",
        "language": "de",
        "subject": "Jemand wartet",
        "practice_id": PracticeId("practice"),
        "role": "staff",
    }
    return Message(**(values | changes))


@dataclass
class Service:
    """What a service is to Apprise; it answers ``status``, or ``slowly``."""

    port: int = 0
    status: int = 200
    location: str = ""
    taken: list[tuple[str, Any]] = field(default_factory=list)
    """path and body"""
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.goes_on.set()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.taken.append((self.path, json.loads(body)))
            found.goes_on.wait(10)
            self.send_response(found.status)
            if found.location:
                self.send_header("location", found.location)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nobody wants to read it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield found
    found.goes_on.set()
    server.shutdown()
    thread.join(5)
    server.server_close()


def channels(*targets: dict[str, Any], practices: tuple[str, ...] = ("practice",)) -> list[AppriseMessages]:
    section = {"targets": list(targets)}
    known = [a_practice(id=PracticeId(id_)) for id_ in practices]
    return list(vsdk_notification_channels(FakeConfig({"apprise_messages": section}, known)))


def team(service: Service, **changes: Any) -> AppriseMessages:
    (made,) = channels({"url": f"json://user:{SECRET}@{service.host}/room"} | changes)
    return made


class TestContract(AnyChannelContract):
    secrets = (SECRET,)
    message = a_message(recipient="", role="patient", text="Zu Ihrer Videosprechstunde: h4ndle-of-nobody")

    @pytest.fixture
    def adapter(self, service: Service) -> AppriseMessages:
        (made,) = channels(
            {"channel": "sms", "url": f"json://u:{SECRET}@{service.host}/{{recipient_digits}}"}
        )
        return made


# what arrives


async def test_every_letter_arrives(service: Service) -> None:
    assert await team(service).deliver(a_message()) == Receipt()
    ((path, body),) = service.taken
    assert path == "/room"
    assert body["message"] == TEXT
    assert body["title"] == "Jemand wartet"


async def test_it_arrives_by_another_service_too(service: Service) -> None:
    await team(service, url=f"ntfy://{service.host}/team").deliver(a_message())
    ((_, body),) = service.taken
    assert (body["topic"], body["message"], body["title"]) == ("team", TEXT, "Jemand wartet")


@pytest.mark.parametrize(
    ("channel", "place", "recipient", "path"),
    [
        ("sms", "{recipient}", "+491713920099", "/to/+491713920099"),
        ("sms", "{recipient_digits}", "+491713920099", "/to/491713920099"),
        ("email", "{recipient}", "o'neill+video@post.example", "/to/o'neill+video@post.example"),
        ("email", "{recipient}", "{recipient_digits}@x.example", "/to/{recipient_digits}@x.example"),
    ],
)
async def test_a_person_is_put_where_the_url_has_a_place(
    service: Service, channel: str, place: str, recipient: str, path: str
) -> None:
    (made,) = channels({"channel": channel, "url": f"json://{service.host}/to/{place}"})
    await made.deliver(a_message(recipient=recipient, role="patient"))
    assert [unquote(found) for found, _ in service.taken] == [path]


async def test_a_number_in_a_query_keeps_its_plus(service: Service) -> None:
    (made,) = channels({"channel": "sms", "url": f"json://{service.host}/x?-to={{recipient}}"})
    await made.deliver(a_message(recipient="+491713920099", role="patient"))
    assert [parse_qsl(urlsplit(found).query) for found, _ in service.taken] == [[("to", "+491713920099")]]


@pytest.mark.parametrize(
    ("channel", "recipient"),
    [
        ("sms", "+491713920099,+491713920100"),
        ("sms", "01713920099"),
        ("sms", ""),
        ("email", "erika@example.org,jonas@example.org"),
        ("email", "erika%2Cjonas@example.org"),
        ("email", "erika@example.org/../x"),
        ("email", "practice"),
    ],
)
async def test_what_could_be_more_than_one_address_is_none(
    service: Service, channel: str, recipient: str
) -> None:
    (made,) = channels({"channel": channel, "url": f"json://{service.host}/{{recipient}}"})
    with pytest.raises(DeliveryFailed) as caught:
        await made.deliver(a_message(recipient=recipient, role="patient"))
    assert caught.value.code == "no-address"
    assert not service.taken


@pytest.mark.parametrize("role", ["patient", "companion", "interpreter", ""])
async def test_nobody_elses_message_goes_to_the_team(service: Service, role: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await team(service).deliver(a_message(recipient="Patient/1", role=role))
    assert caught.value.code == "no-address"
    assert not service.taken


async def test_each_practice_has_its_own_target(service: Service) -> None:
    (made,) = channels(
        {"url": f"json://{service.host}/park", "practices": ["park"]},
        {"url": f"json://{service.host}/lake", "practices": ["lake"]},
        practices=("park", "lake", "hill"),
    )
    await made.deliver(a_message(practice_id=PracticeId("lake")))
    assert [path for path, _ in service.taken] == ["/lake"]
    with pytest.raises(DeliveryFailed) as caught:
        await made.deliver(a_message(practice_id=PracticeId("hill")))
    assert caught.value.code == "channel-not-set-up"


# failures


@pytest.mark.parametrize("status", [302, 307, 400, 401, 429, 500])
async def test_a_service_that_does_not_take_it_is_tried_again(
    service: Service, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    service.status, service.location = status, f"http://{service.host}/elsewhere"
    with pytest.raises(PartnerError) as caught:
        await team(service).deliver(a_message())
    assert caught.value.code == "apprise-failed"
    assert caught.value.retryable
    assert [path for path, _ in service.taken] == ["/room"], "a redirect is not followed"
    shown = caplog.text + repr(vars(caught.value)) + repr(caught.value.__context__)
    assert not any(private in shown for private in (SECRET, "h4ndle", "Jemand", "room"))


async def test_a_service_that_cannot_be_reached_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    (made,) = channels({"url": f"json://user:{SECRET}@127.0.0.1:9/room"})
    with pytest.raises(PartnerError) as caught:
        await made.deliver(a_message())
    assert caught.value.retryable
    assert SECRET not in caplog.text


async def test_a_slow_service_is_not_waited_for(service: Service) -> None:
    service.goes_on.clear()
    made = AppriseMessages("team", {"practice": SecretStr(f"json://{service.host}/room")}, seconds=0.3)
    began = time.monotonic()
    with pytest.raises(PartnerError) as caught:
        await made.deliver(a_message())
    assert time.monotonic() - began < 2
    assert caught.value.retryable


async def test_meanwhile_everything_else_goes_on(service: Service) -> None:
    service.goes_on.clear()
    delivery = asyncio.ensure_future(team(service).deliver(a_message()))
    for _ in range(300):
        if service.taken:
            break
        await asyncio.sleep(0.01)
    assert service.taken
    assert not delivery.done()
    service.goes_on.set()
    assert await delivery == Receipt()


async def test_a_service_that_crashes_is_tried_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(TEXT)

    made = team(service)
    monkeypatch.setattr(apprise.Apprise, "notify", crash)
    with pytest.raises(PartnerError) as caught:
        await made.deliver(a_message())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# what is written down


async def test_the_library_logs_nothing_and_others_may(
    service: Service, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG - 1)
    made = team(service)
    await made.deliver(a_message())
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert names <= {"asyncio"}
    assert not any(capsys.readouterr())
    logging.getLogger("apprise").error("in a thread of its own")
    assert "in a thread of its own" not in caplog.text
    logging.getLogger("urllib3.connectionpool").debug("by the application around us")
    assert "by the application around us" in caplog.text


def test_nothing_is_kept_on_disk_or_followed(service: Service) -> None:
    asset = team(service)._asset
    assert asset.storage_mode.value == "memory"
    assert not asset.http_redirects
    assert asset.secure_logging


def test_urls_are_not_shown(service: Service) -> None:
    made = team(service)
    assert SECRET not in repr(vars(made))


# settings


@pytest.mark.parametrize(
    "target",
    [
        {"url": f"nosuchservice://{SECRET}@host"},
        {"url": SECRET},
        {"url": ""},
        {"url": "slack://incomplete"},
        {"channel": "team", "url": f"json://{SECRET}@host/{{recipient}}"},
        {"channel": "sms", "url": f"json://{SECRET}@host/fixed"},
        {"channel": "push", "url": f"json://{SECRET}@host/{{recipient}}"},
        {"url": f"json://{SECRET}@host", "practices": ["nobody"]},
        {"url": f"json://{SECRET}@host", "practices": ["practice", "practice"]},
        {"url": f"json://{SECRET}@host", "tag": "x"},
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    target: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(ConfigurationError) as caught:
        channels(target)
    assert SECRET not in str(caught.value) + caplog.text


def test_there_is_at_least_one_target() -> None:
    with pytest.raises(ConfigurationError):
        vsdk_notification_channels(FakeConfig())
    with pytest.raises(ConfigurationError):
        channels()


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r'pip install "vsdk\[apprise\]"'):
        channels({"url": "json://127.0.0.1/room"})
