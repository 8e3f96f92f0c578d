"""``/hooks``: the real router in the real frame of the application, with the real inbox of FHIR behind it."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient
from tests.server.conftest import assert_problem

from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.following.notifications import Inbox
from vsdk.adapters.scheduling.fhir.rest.access import FixedAccess
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.domain.ids import PracticeId
from vsdk.hooks.ports import Notification, Notified
from vsdk.server import hooks
from vsdk.server.app import MAX_BODY, make_app
from vsdk.service.following import FollowingService
from vsdk.testing.factories import a_practice
from vsdk.testing.fakes import FakeHttp

SECRET = "quiet-otters-swim-home"
GOOD = {"Authorization": f"Bearer {SECRET}"}


class Listening:
    """A NotifiedSource over the inbox; it keeps what came."""

    name = "fhir"

    def __init__(self) -> None:
        client = FhirClient(FakeHttp(), "https://pms.example/fhir", FixedAccess(), "R4")
        notifications = NotificationSettings(secret=SecretStr(SECRET))
        self.inbox = Inbox(client, notifications, "https://praxis.example", a_practice())
        self.calls: list[Notification] = []
        self.answers: list[Notified] = []

    async def get(self, *_: Any) -> Any: ...
    async def changed_since(self, *_: Any) -> Any: ...
    async def write_back(self, *_: Any) -> None: ...
    async def notified(self, practice_id: PracticeId, notification: Notification) -> Notified:
        self.calls.append(notification)
        self.answers.append(await self.inbox.notified(notification))
        return self.answers[-1]


class Deaf:
    """A ScheduleSource that hears nothing."""

    name = "folder"

    async def get(self, *_: Any) -> Any: ...
    async def changed_since(self, *_: Any) -> Any: ...
    async def write_back(self, *_: Any) -> None: ...


@pytest.fixture
def source() -> Listening:
    return Listening()


@pytest.fixture
def http(source: Listening) -> Iterator[TestClient]:
    sources: dict[PracticeId, Any] = {PracticeId("park"): source, PracticeId("mitte"): Deaf()}
    app = make_app(
        routers=[
            hooks.make_router(following=FollowingService(cast("Any", None), cast("Any", None), sources, 5))
        ],
        site=cast("Any", SimpleNamespace(base_url="https://praxis.example")),
        signalling=cast("Any", None),
        headers={},
        embed_origins=[],
        version="0",
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("POST", "/hooks/park", b"", Notified(everything=True)),
        ("PUT", "/hooks/park", b"", Notified(everything=True)),
        ("POST", "/hooks/park/", b"", Notified(everything=True)),
        ("PUT", "/hooks/park/Appointment/17", b"{}", Notified(("17",))),  # type: ignore[arg-type]
        ("PUT", "/hooks/park/Appointment/a%2Fb", b"", Notified(("a/b",))),  # type: ignore[arg-type]
        ("POST", "/hooks/park", b'{"resourceType":"Appointment","id":"9"}', Notified(("9",))),  # type: ignore[arg-type]
    ],
)
def test_a_notification_is_taken_with_an_empty_answer(
    http: TestClient, source: Listening, method: str, path: str, body: bytes, answer: Notified
) -> None:
    reply = http.request(method, path, content=body, headers=GOOD)
    assert (reply.status_code, reply.content) == (200, b"")
    assert source.answers == [answer]
    assert (source.calls[0].method, source.calls[0].body) == (method, body)
    assert source.calls[0].path == path.removeprefix("/hooks/park").removeprefix("/").replace("%2F", "/")
    assert source.calls[0].headers["authorization"] == GOOD["Authorization"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_without_the_secret_it_is_refused(http: TestClient, headers: dict[str, str]) -> None:
    assert_problem(http.post("/hooks/park", headers=headers), 403, "notification-refused")


def test_what_cannot_be_understood_is_a_problem(http: TestClient) -> None:
    assert_problem(http.post("/hooks/park", content=b"{", headers=GOOD), 400, "notification-invalid")


def test_who_does_not_listen_is_as_unknown_as_who_does_not_exist(http: TestClient) -> None:
    problems = [
        assert_problem(http.post(path, headers=GOOD), 404, "not-found")
        for path in ("/hooks/mitte", "/hooks/nobody", "/hooks/nobody/Appointment/1", "/hooks/%00")
    ]
    assert all(problem == problems[0] for problem in problems)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_other_methods_are_not_offered(http: TestClient, method: str) -> None:
    reply = http.request(method, "/hooks/park", headers=GOOD)
    assert_problem(reply, 405, "method-not-allowed")


def test_a_body_that_is_too_large_is_not_read(http: TestClient, source: Listening) -> None:
    reply = http.post("/hooks/park", content=b"x" * (MAX_BODY + 1), headers=GOOD)
    assert_problem(reply, 413, "message-too-big")
    assert source.calls == []


@given(
    body=st.binary(max_size=100)
    | st.dictionaries(st.sampled_from(["resourceType", "entry", "id"]), st.text()).map(
        lambda v: json.dumps(v).encode()
    ),
    path=st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    headers=st.sampled_from([GOOD, {}, {"Authorization": "Bearer \xff"}]),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_there_is_an_answer_that_repeats_nothing(
    http: TestClient, body: bytes, path: str, headers: dict[str, str]
) -> None:
    encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    reply = http.request(
        "POST", f"/hooks/park/m4rk3r{quote(path)}", content=b"m4rk3r" + body, headers=encoded
    )
    assert reply.status_code < 500, reply.text
    assert "m4rk3r" not in reply.text
