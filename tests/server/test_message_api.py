"""A practice looks what became of its messages, sends one, sends it again, and announces a delay."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import CODE, KEY, OTHER_KEY, assert_problem, bearer, handle_of
from tests.server.sending import Channels, messages, perform

from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.sdk import VideoSdk
from vsdk.server.schemas import DelayReply, MessageReply
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

Plan = Callable[..., dict[str, Any]]


@pytest.fixture
def channels(video: VideoSdk) -> Channels:
    return Channels(video)


@pytest.fixture
def send(http: TestClient) -> Callable[..., Any]:
    def post(planned: dict[str, Any], template: str = "invitation", **more: Any) -> Any:
        path = f"/api/v1/visits/{planned['visit']}/messages"
        return http.post(path, json={"template": template} | more, headers=bearer(planned["grant"]))

    return post


Send = Callable[..., Any]


def again(http: TestClient, planned: dict[str, Any], message: str) -> Any:
    return http.post(f"/api/v1/messages/{message}/again", headers=bearer(planned["grant"]))


def announce(http: TestClient, planned: dict[str, Any], minutes: Any) -> Any:
    path = f"/api/v1/visits/{planned['visit']}/delay"
    return http.post(path, json={"minutes": minutes}, headers=bearer(planned["grant"]))


def test_a_message_is_sent_and_said_to_be_sent(
    plan: Plan, send: Send, channels: Channels, http: TestClient, video: VideoSdk
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    assert messages(http, planned) == []
    (queued,) = send(planned).json()["messages"]
    assert set(queued) == set(MessageReply.model_fields)
    assert (queued["template"], queued["state"], queued["role"]) == ("invitation", "queued", "patient")
    perform(http, video)
    (sent,) = messages(http, planned)
    assert sent == queued | {
        "state": "sent",
        "channel": "sms",
        "plugin": "console_messages",
        "recipient": "+49 … 01",
        "attempts": 1,
        "updated": sent["updated"],
        "segments": sent["segments"],
    }
    assert sent["segments"] >= 1
    assert channels.templates() == ["invitation"]
    assert "+491713920001" not in str(sent)


def test_without_a_participant_all_who_come_by_a_link_get_it(
    plan: Plan, send: Send, channels: Channels
) -> None:
    everyone = send(plan(start=NOON + timedelta(hours=3))).json()["messages"]
    assert [message["participant"] for message in everyone] == ["p1"]
    one = send(plan("a2", start=NOON + timedelta(hours=3)), participant="p2").json()["messages"]
    assert [(message["participant"], message["role"]) for message in one] == [("p2", "practitioner")]


def test_the_api_key_may_do_what_the_list_may(plan: Plan, channels: Channels, http: TestClient) -> None:
    visit = plan(start=NOON + timedelta(hours=3))["visit"]
    body = {"template": "invitation"}
    sent = http.post(f"/api/v1/visits/{visit}/messages", json=body, headers=bearer(KEY))
    assert sent.status_code == 200
    assert http.get(f"/api/v1/visits/{visit}/messages", headers=bearer(KEY)).json() == sent.json()


def test_staff_may_look_after_messages(plan: Plan, http: TestClient, video: VideoSdk, send: Send) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    staff = video.join.grant_list(PracticeId("park"), Role.STAFF, "reception").token
    planned["grant"] = staff
    assert send(planned).status_code == 200
    assert announce(http, planned, 10).json() == {"visit": planned["visit"], "delay_minutes": 10}
    assert http.get("/api/v1/outbox", headers=bearer(staff)).status_code == 200


ROUTES = [
    ("GET", "/api/v1/visits/{visit}/messages", None),
    ("POST", "/api/v1/visits/{visit}/messages", {"template": "invitation"}),
    ("POST", "/api/v1/visits/{visit}/delay", {"minutes": 10}),
    ("POST", "/api/v1/messages/{message}/again", {}),
    ("POST", "/api/v1/outbox/{message}/retry", {}),
    ("POST", "/api/v1/outbox/{message}/drop", {}),
]
every_route = pytest.mark.parametrize(
    ("method", "path", "body"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES]
)


@every_route
def test_for_another_practice_there_is_no_such_thing(
    plan: Plan, send: Send, http: TestClient, method: str, path: str, body: Any
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    message = send(planned).json()["messages"][0]["id"]
    other = plan(key=OTHER_KEY)["grant"]
    known = {"visit": planned["visit"], "message": message}
    for ids in (known, {"visit": "none", "message": "none"}):
        for token in (other, OTHER_KEY):
            reply = http.request(method, path.format(**ids), json=body, headers=bearer(token))
            code = "visit-unknown" if "{visit}" in path else "message-unknown"
            assert_problem(reply, 404, code)
    assert len(messages(http, planned)) == 1


@every_route
def test_only_the_practice_may(
    plan: Plan, http: TestClient, clock: FakeClock, method: str, path: str, body: Any
) -> None:
    planned = plan()
    visit = planned["visit"]
    own = http.post(f"/api/v1/visits/{visit}/grant", headers=bearer(planned["grant"])).json()["grant"]
    handle = handle_of(planned["links"][0]["join_url"])
    patient = http.post("/api/v1/join", json={"handle": handle}).json()["grant"]
    address = path.format(visit=visit, message="m")
    for token in (own, patient):
        assert_problem(http.request(method, address, json=body, headers=bearer(token)), 403, "not-permitted")
    for headers in ({}, bearer(""), bearer("wrong"), bearer(CODE)):
        assert_problem(http.request(method, address, json=body, headers=headers), 401, "grant-invalid")
    clock.advance(minutes=10)
    late = http.request(method, address, json=body, headers=bearer(planned["grant"]))
    assert_problem(late, 401, "grant-expired")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "request-invalid"),
        ({"template": "cancelled"}, 400, "request-invalid"),
        ({"template": "patient-waiting"}, 400, "request-invalid"),
        ({"template": "invitation", "minutes": 5}, 400, "request-invalid"),
        ({"template": "delay"}, 400, "request-invalid"),
        ({"template": "delay", "minutes": "5"}, 400, "request-invalid"),
        ({"template": "delay", "minutes": 5, "participant": "p1"}, 400, "request-invalid"),
        ({"template": "delay", "minutes": -1}, 400, "delay-invalid"),
        ({"template": "delay", "minutes": 181}, 400, "delay-invalid"),
        ({"template": "invitation", "participant": "p9"}, 404, "participant-unknown"),
        ({"template": "invitation", "participant": "practice"}, 404, "participant-unknown"),
    ],
)
def test_what_makes_no_sense_is_refused(
    plan: Plan, http: TestClient, body: dict[str, Any], status: int, code: str
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    path = f"/api/v1/visits/{planned['visit']}/messages"
    assert_problem(http.post(path, json=body, headers=bearer(planned["grant"])), status, code)
    assert messages(http, planned) == []


def test_a_second_click_sends_nothing_and_later_it_is_sent_again(
    plan: Plan, send: Send, channels: Channels, http: TestClient, video: VideoSdk, clock: FakeClock
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    message = send(planned).json()["messages"][0]["id"]
    perform(http, video)
    assert_problem(send(planned), 409, "message-just-sent")
    assert_problem(again(http, planned, message), 409, "message-just-sent")
    assert send(planned, "link-at-time").status_code == 200
    clock.advance(seconds=11)
    sent = again(http, planned, message).json()["messages"]
    assert [m["template"] for m in sent] == ["invitation", "link-at-time", "invitation"]
    perform(http, video)
    assert_problem(again(http, planned, message), 409, "message-just-sent")
    assert channels.templates().count("invitation") == 2


def test_what_was_given_up_is_tried_anew_and_stays_one_message(
    plan: Plan, send: Send, channels: Channels, http: TestClient, video: VideoSdk
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    channels.refuse()
    message = send(planned).json()["messages"][0]["id"]
    perform(http, video)
    (failed,) = messages(http, planned)
    assert (failed["state"], failed["code"]) == ("failed", "number-invalid")
    channels.failure = None
    assert again(http, planned, message).status_code == 200
    perform(http, video)
    (sent,) = messages(http, planned)
    assert (sent["id"], sent["state"], sent["code"]) == (message, "sent", "")
    assert http.get("/api/v1/outbox", headers=bearer(KEY)).json() == {"entries": []}


def test_a_delay_is_told_to_those_who_come_and_stays_until_it_is_taken_back(
    plan: Plan, channels: Channels, http: TestClient, video: VideoSdk, clock: FakeClock
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    reply = announce(http, planned, 20)
    assert reply.json() == {"visit": planned["visit"], "delay_minutes": 20}
    assert set(reply.json()) == set(DelayReply.model_fields)
    perform(http, video)
    assert [(m.template, m.role) for _, m in channels.taken] == [("delay", "patient")]
    assert_problem(announce(http, planned, 20), 409, "message-just-sent")
    assert announce(http, planned, 30).json()["delay_minutes"] == 30
    clock.advance(seconds=11)
    assert announce(http, planned, 0).json()["delay_minutes"] == 0
    perform(http, video)
    assert channels.templates() == ["delay", "delay"]


def test_a_message_is_not_lost_when_its_visit_changes_while_it_is_sent(
    plan: Plan, channels: Channels, http: TestClient, video: VideoSdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two looks at it: at the message, and at the appointment."""
    planned = plan(start=NOON + timedelta(hours=3))
    briefings, changes = video.store.briefings, [0]

    async def and_then_it_changes(ids: Sequence[str]) -> Any:
        found = await briefings(ids)
        while changes:
            await video.messages.announce_delay(PracticeId("park"), planned["visit"], changes.pop())
        return found

    monkeypatch.setattr(video.store, "briefings", and_then_it_changes)
    announce(http, planned, 20)
    perform(http, video)
    assert changes == []
    assert channels.templates() == ["delay"]


def test_a_delay_by_the_way_of_messages_is_announced_all_the_same(
    plan: Plan, send: Send, http: TestClient
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    (message,) = send(planned, "delay", minutes=15).json()["messages"]
    assert (message["template"], message["participant"]) == ("delay", "p1")
    page = announce(http, planned, 15)
    assert_problem(page, 409, "message-just-sent")


@pytest.mark.parametrize("minutes", [-1, 181, 10**12])
def test_delays_have_bounds(plan: Plan, http: TestClient, minutes: int) -> None:
    assert_problem(announce(http, plan(), minutes), 400, "delay-invalid")


@pytest.mark.parametrize("minutes", [None, "10", 1.5, [], True])
def test_minutes_are_a_number(plan: Plan, http: TestClient, minutes: Any) -> None:
    assert_problem(announce(http, plan(), minutes), 400, "request-invalid")


def test_nothing_is_sent_about_a_visit_that_is_over(plan: Plan, send: Send, http: TestClient) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    message = send(planned).json()["messages"][0]["id"]
    plan(start=NOON + timedelta(hours=3), status="cancelled")
    assert_problem(send(planned, "link-at-time"), 409, "visit-state")
    assert_problem(announce(http, planned, 10), 409, "visit-state")
    assert again(http, planned, message).status_code == 409
    assert datetime.fromisoformat(messages(http, planned)[0]["created"]) == NOON
