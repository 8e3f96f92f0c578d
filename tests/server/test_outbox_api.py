"""What was given up: a practice sees it, tries it again, or removes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import KEY, OTHER_KEY, PATIENT_NAME, assert_problem, bearer
from tests.server.sending import Channels, messages, perform

from vsdk.domain.errors import PartnerError
from vsdk.domain.ids import PracticeId
from vsdk.sdk import VideoSdk
from vsdk.server.schemas import OutboxEntryReply
from vsdk.testing.factories import NOON

Plan = Callable[..., dict[str, Any]]


@pytest.fixture
def channels(video: VideoSdk) -> Channels:
    made = Channels(video)
    made.refuse()
    return made


def outbox(http: TestClient, token: str = KEY) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = http.get("/api/v1/outbox", headers=bearer(token)).json()["entries"]
    return entries


@pytest.fixture
def given_up(plan: Plan, channels: Channels, http: TestClient, video: VideoSdk) -> dict[str, Any]:
    """A visit whose invitation nobody would take; ``entry`` is what the outbox says of it."""
    planned = plan(start=NOON + timedelta(hours=3))
    path = f"/api/v1/visits/{planned['visit']}/messages"
    http.post(path, json={"template": "invitation"}, headers=bearer())
    perform(http, video)
    (entry,) = outbox(http)
    return planned | {"entry": entry}


def test_it_says_what_to_whom_about_when_and_why(given_up: dict[str, Any], http: TestClient) -> None:
    entry = given_up["entry"]
    assert set(entry) == set(OutboxEntryReply.model_fields)
    assert entry == {
        "id": messages(http, given_up)[0]["id"],
        "kind": "message",
        "template": "invitation",
        "visit": given_up["visit"],
        "name": PATIENT_NAME,
        "role": "patient",
        "start": "2026-03-02T15:00:00Z",
        "over": False,
        "recipient": "+49 … 01",
        "channel": "sms",
        "code": "number-invalid",
        "since": entry["since"],
        "attempts": 1,
    }
    assert outbox(http, given_up["grant"]) == [entry]
    assert outbox(http, OTHER_KEY) == []


def test_tried_again_it_arrives_once_however_often_it_is_clicked(
    given_up: dict[str, Any], channels: Channels, http: TestClient, video: VideoSdk
) -> None:
    channels.failure = None
    path = f"/api/v1/outbox/{given_up['entry']['id']}/retry"
    assert http.post(path, headers=bearer(given_up["grant"])).status_code == 204
    assert_problem(http.post(path, headers=bearer(given_up["grant"])), 404, "message-unknown")
    perform(http, video)
    assert channels.templates() == ["invitation"]
    assert outbox(http) == []


def test_removed_it_is_not_tried_again_and_its_message_stays_known(
    given_up: dict[str, Any], channels: Channels, http: TestClient, video: VideoSdk
) -> None:
    path = f"/api/v1/outbox/{given_up['entry']['id']}/drop"
    assert http.post(path, headers=bearer(KEY)).status_code == 204
    assert_problem(http.post(path, headers=bearer(KEY)), 404, "message-unknown")
    channels.failure = None
    perform(http, video)
    assert (outbox(http), channels.taken) == ([], [])
    assert [message["state"] for message in messages(http, given_up)] == ["failed"]


def test_of_a_visit_that_is_over_it_says_so(given_up: dict[str, Any], plan: Plan, http: TestClient) -> None:
    plan(start=NOON + timedelta(hours=3), status="cancelled")
    assert [entry["over"] for entry in outbox(http) if entry["template"] == "invitation"] == [True]


class ClosedSource:
    """A ScheduleSource that takes nothing."""

    name = "closed"

    async def write_back(self, *_: Any) -> None:
        raise PartnerError("no", retryable=False, code="foreign-link")


def test_what_the_pms_was_not_told_stands_there_too(plan: Plan, http: TestClient, video: VideoSdk) -> None:
    video.sources[PracticeId("park")] = ClosedSource()  # type: ignore[index]
    planned = plan(start=NOON + timedelta(hours=3))
    perform(http, video)
    (entry,) = outbox(http)
    found = {name: entry[name] for name in ("kind", "template", "role", "visit", "name", "code", "over")}
    assert found == {
        "kind": "write-back",
        "template": None,
        "role": None,
        "visit": planned["visit"],
        "name": PATIENT_NAME,
        "code": "foreign-link",
        "over": False,
    }
    del video.sources[PracticeId("park")]  # type: ignore[attr-defined]
    assert http.post(f"/api/v1/outbox/{entry['id']}/retry", headers=bearer()).status_code == 204
    perform(http, video)
    assert outbox(http) == []
