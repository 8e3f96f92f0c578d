"""Whoever gets messages says whether they want any; and browsers subscribe to Web Push."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from tests.server.conftest import CODE, KEY, MakeVideo, assert_problem, bearer, handle_of, r4, rows
from tests.server.sending import Channels, messages, perform

from vsdk.adapters.notification.webpush import new_key_pair
from vsdk.sdk import VideoSdk
from vsdk.server.schemas import PreferencesReply
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

Plan = Callable[..., dict[str, Any]]
SUBSCRIPTION = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
"""keys of RFC 8291, appendix A"""


def handle(planned: dict[str, Any], place: int = 0) -> str:
    return handle_of(planned["links"][place]["join_url"])


def prefer(http: TestClient, handle: str) -> Any:
    return http.post("/api/v1/messages/preferences", json={"handle": handle})


def opt_out(http: TestClient, handle: str, out: Any) -> Any:
    return http.post("/api/v1/messages/opt-out", json={"handle": handle, "out": out})


def test_a_link_shows_its_person_where_messages_go_and_changes_nothing(
    plan: Plan, http: TestClient, database: Path
) -> None:
    planned = plan(start=NOON + timedelta(hours=3))
    before = rows(database)
    reply = prefer(http, handle(planned))
    assert reply.json() == {
        "practice": {"id": "park", "name": "Praxis am Park", "phone": "+493012345670"},
        "addresses": ["+49 … 01"],
        "opted_out": False,
    }
    assert set(reply.json()) == set(PreferencesReply.model_fields)
    kept = ("opt_out", "message", "visit", "audit")
    after = rows(database)
    assert [after.get(name) for name in kept] == [before.get(name) for name in kept]


def test_whoever_opts_out_gets_no_messages_until_they_want_them_again(
    plan: Plan, http: TestClient, video: VideoSdk
) -> None:
    channels = Channels(video)
    planned = plan(start=NOON + timedelta(hours=3))
    assert opt_out(http, handle(planned), True).json()["opted_out"] is True
    assert prefer(http, handle(planned)).json()["opted_out"] is True
    path = f"/api/v1/visits/{planned['visit']}/messages"
    http.post(path, json={"template": "invitation"}, headers=bearer())
    perform(http, video)
    (message,) = messages(http, planned)
    assert (message["state"], message["code"]) == ("suppressed", "recipient-opted-out")
    assert opt_out(http, handle(planned), False).json()["opted_out"] is False
    http.post(path, json={"template": "link-at-time"}, headers=bearer())
    perform(http, video)
    assert channels.templates() == ["link-at-time"]


def test_a_link_that_was_replaced_still_shows_the_way_out(plan: Plan, http: TestClient) -> None:
    old = handle(plan())
    plan(start=NOON + timedelta(days=1))
    assert opt_out(http, old, True).json()["opted_out"] is True


def test_someone_without_an_address_is_told_so(plan: Plan, http: TestClient) -> None:
    assert prefer(http, handle(plan(), 1)).json()["addresses"] == []
    assert opt_out(http, handle(plan(), 1), True).json()["opted_out"] is False


@pytest.mark.parametrize("path", ["/api/v1/messages/preferences", "/api/v1/messages/opt-out"])
def test_handles_cannot_be_guessed(make_video: MakeVideo, clock: FakeClock, path: str) -> None:
    video = make_video(clock, exchanges_per_minute=3)
    with TestClient(video) as http:
        body = {"handle": "guess"} | ({"out": True} if "opt-out" in path else {})
        for _ in range(3):
            assert_problem(http.post(path, json=body), 404, "join-link-unknown")
        assert_problem(http.post(path, json=body), 429, "rate-limited")


@pytest.mark.parametrize("body", [{}, {"handle": ""}, {"handle": "h", "out": "maybe"}, {"handle": "h" * 65}])
def test_requests_that_are_none_are_refused(standing: TestClient, body: dict[str, Any]) -> None:
    assert_problem(standing.post("/api/v1/messages/opt-out", json=body), 400, "request-invalid")


def test_looking_at_the_page_changes_nothing(plan: Plan, http: TestClient) -> None:
    planned = plan()
    assert http.get("/m").status_code == 200
    for method in ("GET", "PUT", "DELETE"):
        assert http.request(method, "/api/v1/messages/opt-out").status_code in (404, 405)
    assert prefer(http, handle(planned)).json()["opted_out"] is False


# Web Push


def test_without_the_channel_nothing_is_offered(plan: Plan, http: TestClient) -> None:
    assert_problem(http.get("/api/v1/push/key"), 404, "push-not-offered")
    body = {"subscription": SUBSCRIPTION}
    assert_problem(http.post("/api/v1/push/subscriptions", json=body), 404, "push-not-offered")


@pytest.fixture
def pushing(make_video: MakeVideo, clock: FakeClock) -> Iterator[tuple[VideoSdk, TestClient, str]]:
    """A server with the plugin `web_push`, and its public key."""
    pair = new_key_pair()
    section = {"private_key": SecretStr(pair.private), "subject": "mailto:it@praxis.example"}
    sections = {"web_push": section, "local_login": {"codes": {"park": SecretStr(CODE)}}}
    video = make_video(clock, plugins=["local_login", "web_push"], plugin=sections)
    with TestClient(video) as http:
        yield video, http, pair.public


def subscribe(http: TestClient, subscription: Any, token: str = "") -> Any:
    body = {"subscription": subscription}
    return http.post("/api/v1/push/subscriptions", json=body, headers=bearer(token))


def test_the_key_is_for_everyone_and_a_subscription_for_whoever_holds_a_grant_of_the_visit(
    pushing: tuple[VideoSdk, TestClient, str],
) -> None:
    video, http, key = pushing
    assert http.get("/api/v1/push/key").json() == {"key": key}
    planned = http.post("/api/v1/visits", json={"appointment": r4()}, headers=bearer()).json()
    grant = http.post("/api/v1/join", json={"handle": handle(planned)}).json()["grant"]
    assert subscribe(http, SUBSCRIPTION | {"expirationTime": None}, grant).status_code == 204
    assert http.portal
    (kept,) = http.portal.call(video.store.subscriptions, planned["visit"], "p1")
    assert json.loads(kept) == SUBSCRIPTION
    assert_problem(
        subscribe(http, {"endpoint": "http://push.example"}, grant), 400, "push-subscription-invalid"
    )
    assert_problem(subscribe(http, "no object", grant), 400, "request-invalid")
    assert_problem(subscribe(http, SUBSCRIPTION, planned["grant"]), 403, "not-permitted")
    assert_problem(subscribe(http, SUBSCRIPTION, KEY), 401, "grant-invalid")
    assert_problem(subscribe(http, SUBSCRIPTION), 401, "grant-invalid")
