"""A join link is looked at and exchanged; a practice signs in; and nobody may guess."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import CODE, PATIENT_NAME, assert_problem, bearer, handle_of, rows

from vsdk.domain.policy import Finding, Join, Outcome
from vsdk.server.schemas import GrantReply, PreviewReply, SignInReply
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

Plan = Callable[..., dict[str, Any]]


def patient_handle(planned: dict[str, Any]) -> str:
    return handle_of(planned["links"][0]["join_url"])


def test_a_link_is_exchanged_for_a_grant_again_and_again(plan: Plan, http: TestClient) -> None:
    handle = patient_handle(plan())
    for _ in range(3):
        reply = http.post("/api/v1/join", json={"handle": handle})
        found = GrantReply.model_validate_json(reply.content)
        assert set(reply.json()) == {"grant", "expires", "signalling"}
        assert found.expires == NOON + timedelta(minutes=10)


def test_the_preview_tells_what_the_link_is_for_and_not_for_whom(
    plan: Plan, http: TestClient, database: Path
) -> None:
    handle = patient_handle(plan())
    before = rows(database)
    reply = http.post("/api/v1/join/preview", json={"handle": handle})
    assert reply.json() == {
        "practice": {"id": "park", "name": "Praxis am Park", "phone": "+493012345670"},
        "practitioner": "Dr. Katharina Berg",
        "role": "patient",
        "start": "2026-03-02T12:00:00Z",
        "end": "2026-03-02T12:20:00Z",
        "opens": "2026-03-02T11:45:00Z",
        "closes": "2026-03-02T13:00:00Z",
        "time_zone": "Europe/Berlin",
        "language": "de",
        "problem": None,
        "push_key": "",
    }
    assert set(PreviewReply.model_fields) == set(reply.json())
    assert PATIENT_NAME not in reply.text
    assert {k: v for k, v in rows(database).items() if k != "outbox"} == {
        k: v for k, v in before.items() if k != "outbox"
    }


def early(plan: Plan, http: TestClient, clock: FakeClock) -> str:
    return patient_handle(plan(start=NOON + timedelta(hours=1)))


def late(plan: Plan, http: TestClient, clock: FakeClock) -> str:
    planned = plan()
    clock.advance(hours=1)
    return patient_handle(planned)


def revoked(plan: Plan, http: TestClient, clock: FakeClock) -> str:
    planned = plan()
    http.post(f"/api/v1/visits/{planned['visit']}/links", headers=bearer())
    return patient_handle(planned)


def cancelled(plan: Plan, http: TestClient, clock: FakeClock) -> str:
    planned = plan()
    plan(status="cancelled")
    return patient_handle(planned)


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (early, 403, "join-link-early"),
        (late, 410, "join-link-late"),
        (revoked, 410, "join-link-revoked"),
        (cancelled, 410, "appointment-cancelled"),
    ],
)
def test_a_link_that_does_not_open_says_why(
    plan: Plan, http: TestClient, clock: FakeClock, make: Any, status: int, code: str
) -> None:
    handle = make(plan, http, clock)
    assert_problem(http.post("/api/v1/join", json={"handle": handle}), status, code)
    preview = http.post("/api/v1/join/preview", json={"handle": handle})
    assert (preview.status_code, preview.json()["problem"]) == (200, code)


async def test_a_link_to_a_visit_that_is_over_is_used_up(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    for page in (patient, doctor):
        await page.send("connected")
        await page.settle()
    await doctor.send("bye")
    await patient.get("ended")
    clock.advance(minutes=31)
    await server.video.deadlines.report_due()
    reply = await server.http.post("/api/v1/join", json={"handle": patient_handle(planned)})
    assert_problem(reply, 410, "join-link-used-up")


@pytest.mark.parametrize("path", ["/api/v1/join", "/api/v1/join/preview"])
@pytest.mark.parametrize("handle", ["A" * 22, "-", "../../etc/passwd", "ü", "x" * 64])
def test_a_handle_that_nobody_gave_out_is_unknown(standing: TestClient, path: str, handle: str) -> None:
    problem = assert_problem(standing.post(path, json={"handle": handle}), 404, "join-link-unknown")
    assert handle == "-" or handle not in str(problem)


@pytest.mark.parametrize("path", ["/api/v1/join", "/api/v1/join/preview"])
@pytest.mark.parametrize(
    "body",
    [{}, {"handle": ""}, {"handle": "x" * 65}, {"handle": 7}, {"handle": None}, {"handle": "a", "b": 1}],
)
def test_what_is_no_handle_at_all_is_a_wrong_request(standing: TestClient, path: str, body: Any) -> None:
    assert_problem(standing.post(path, json=body), 400, "request-invalid")


def test_a_waiting_patient_can_come_back_after_the_window(
    plan: Plan, http: TestClient, clock: FakeClock, video: Any
) -> None:
    planned = plan()
    http.portal.call(video.visits.arrive, planned["visit"], "p1")  # type: ignore[union-attr]
    clock.advance(hours=3)
    reply = http.post("/api/v1/join", json={"handle": patient_handle(planned)})
    assert reply.status_code == 200


def test_a_rule_can_deny_and_the_denial_is_explained_and_kept(
    plan: Plan, http: TestClient, video: Any, database: Path
) -> None:
    class NeedsName:
        id, clause, applies_to = "needs-name", "§ 1", frozenset({Join})

        def evaluate(self, question: Join) -> Finding:
            return Finding(self.id, self.clause, "2026", Outcome.VIOLATED, "no-name")

    planned = plan()
    video.policy._rules = (NeedsName(),)
    problem = assert_problem(
        http.post("/api/v1/join", json={"handle": patient_handle(planned)}), 403, "policy-denied"
    )
    assert problem["findings"] == [
        {"rule": "needs-name", "clause": "§ 1", "outcome": "violated", "reason": "no-name"}
    ]
    assert "join-denied" in str(rows(database)["audit"])


def test_signing_in_with_the_code_opens_the_list(standing: TestClient) -> None:
    reply = standing.post("/api/v1/sign-in", json={"practice": "park", "params": {"code": CODE}})
    found = SignInReply.model_validate_json(reply.content)
    assert set(reply.json()) == {"grant", "expires", "signalling", "practice", "identity"}
    assert (found.practice.name, found.identity.role) == ("Praxis am Park", "practitioner")


@pytest.mark.parametrize(
    ("practice", "params"),
    [
        ("park", {}),
        ("park", {"code": "wrong"}),
        ("park", {"code": ""}),
        ("park", {"token": CODE}),
        ("mitte", {"code": CODE}),
        ("nowhere", {"code": CODE}),
        ("", {"code": CODE}),
    ],
)
def test_any_other_sign_in_is_refused_alike(
    standing: TestClient, practice: str, params: dict[str, str]
) -> None:
    reply = standing.post("/api/v1/sign-in", json={"practice": practice, "params": params})
    problem = assert_problem(reply, 401, "sign-in-refused")
    assert CODE not in str(problem)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"practice": "park"},
        {"practice": "x" * 65, "params": {}},
        {"practice": "park", "params": {"code": 1}},
    ],
)
def test_a_sign_in_needs_a_practice_and_params(standing: TestClient, body: Any) -> None:
    assert_problem(standing.post("/api/v1/sign-in", json=body), 400, "request-invalid")


def test_one_address_may_try_so_often_and_others_go_on(make_video: Any) -> None:
    from tests.server.conftest import r4

    from vsdk.service.clock import SystemClock

    video = make_video(exchanges_per_minute=30)
    now = SystemClock().now()
    with TestClient(video, client=("192.0.2.1", 1), raise_server_exceptions=False) as first:
        second = TestClient(video, client=("192.0.2.2", 1), raise_server_exceptions=False)
        reply = first.post("/api/v1/visits", json={"appointment": r4(start=now)}, headers=bearer())
        good = {"handle": patient_handle(reply.json())}
        answers = [first.post("/api/v1/join", json={"handle": f"guess-{n}"}) for n in range(99)]
        answers.append(first.post("/api/v1/join", json=good))
        assert [a.status_code for a in answers] == [404] * 30 + [429] * 70
        for answer in answers[30:]:
            assert_problem(answer, 429, "rate-limited")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        for path, body in (
            ("join/preview", good),
            ("sign-in", {"practice": "park", "params": {"code": CODE}}),
        ):
            assert first.post(f"/api/v1/{path}", json=body).status_code == 429
            assert second.post(f"/api/v1/{path}", json=body).status_code == 200
        assert second.post("/api/v1/join", json=good).status_code == 200
        assert first.get("/j").status_code == 200
