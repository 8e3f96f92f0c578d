"""``hello``, and what closes a connection before it has begun (docs/protocol.md, "Connecting")."""

from datetime import timedelta
from typing import Any

import pytest
import websockets

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import CAPABILITIES, Role
from vsdk.server import signalling
from vsdk.testing.fakes import FakeClock

SEAT = "a-seat-of-sixteen-or-more"


async def test_welcome_tells_who_one_is_and_what_the_visit_is(server: Any) -> None:
    planned = await server.plan()
    page = await server.patient(planned)
    welcome = await page.next()
    assert page.socket.subprotocol == "vsdk.v1"
    assert welcome == {
        "type": "welcome",
        "you": {
            "participant": "p1",
            "role": "patient",
            "name": "Marlene Sommerfeld",
            "capabilities": ["close", "talk", "wait"],
        },
        "visit": {
            "id": planned["visit"],
            "state": "planned",
            "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T12:20:00Z",
            "practice": "Praxis am Park",
            "practitioner": "Dr. Katharina Berg",
        },
        "ice_servers": [],
    }


async def test_a_list_connection_is_welcomed_without_a_visit_and_shown_the_queue(server: Any) -> None:
    page = await server.list(await server.plan())
    welcome, queue = await page.next(), await page.next()
    assert welcome["visit"] is None
    assert welcome["you"]["role"] == "practitioner"
    assert [entry["people"][0]["name"] for entry in queue["entries"]] == ["Marlene Sommerfeld"]


async def test_anything_but_a_hello_first_closes_4400(server: Any) -> None:
    short = '{"type": "hello", "grant": "g", "seat": "s"}'
    for first in ('{"type": "ping"}', "", "not json", "[]", '{"type": "hello"}', short):
        page = await server.open()
        await page.socket.send(first)
        assert (await page.next())["code"] == "bad-message", first
        assert await page.closed() == 4400, first


async def test_a_made_up_grant_closes_4401(server: Any) -> None:
    grant = (await server.plan())["grant"]
    for wrong in ("made-up", grant[:-4] + "AAAA", grant.partition(".")[0] + ".."):
        page = await server.hello(wrong)
        assert (await page.next())["code"] == "grant-invalid"
        assert await page.closed() == 4401


async def test_an_expired_grant_closes_4401_with_its_own_code(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    grant = await server.grant(planned)
    clock.advance(minutes=10)
    page = await server.hello(grant)
    assert (await page.next())["code"] == "grant-expired"
    assert await page.closed() == 4401


async def test_silence_closes_4408(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalling, "HELLO_WITHIN", 0.2)
    page = await server.open()
    assert await page.closed() == 4408
    assert page.seen == []


async def test_a_grant_for_a_visit_that_is_not_known_closes_4403(server: Any, clock: FakeClock) -> None:
    grants = server.video.grants
    grant = grants.issue(
        practice_id=PracticeId("park"),
        visit_id=VisitId("no-such-visit"),
        participant_id=ParticipantId("p1"),
        role=Role.PATIENT,
        capabilities=CAPABILITIES[Role.PATIENT],
        now=clock.now(),
    )
    page = await server.hello(grants.sign(grant))
    assert (await page.next())["code"] == "visit-unknown"
    assert await page.closed() == 4403


async def test_the_subprotocol_is_required(server: Any) -> None:
    for offered in (None, ["vsdk.v2"], ["chat"]):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await server.open(subprotocols=offered)
        assert refused.value.response.status_code == 403


async def test_ours_is_chosen_among_several_subprotocols(server: Any) -> None:
    page = await server.open(subprotocols=["vsdk.v2", "vsdk.v1"])
    assert page.socket.subprotocol == "vsdk.v1"


async def test_pages_of_other_origins_are_refused(server: Any) -> None:
    for origin in ("https://evil.example", "https://pms.example.evil.example", "null"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await server.open(origin=origin)
        assert refused.value.response.status_code == 403, origin


async def test_own_pages_the_configured_address_and_the_pms_may_connect(server: Any) -> None:
    planned = await server.plan()
    for origin in (server.url, "http://localhost:8000", "https://pms.example"):
        page = await server.open(origin=origin)
        await page.send("hello", grant=planned["grant"], seat=SEAT)
        assert (await page.next())["type"] == "welcome"


async def test_a_second_hello_is_refused_and_changes_nothing(server: Any) -> None:
    planned = await server.plan()
    page = await server.patient(planned)
    await page.get("waiting")
    await page.send("hello", grant=await server.grant(planned), seat=SEAT, id="again")
    error = await page.get("error")
    assert (error["code"], error["ref"]) == ("bad-message", "again")
    assert await page.settle() == []


async def test_a_fresh_grant_comes_in_half_of_its_life_and_opens_a_new_connection(
    server: Any, clock: FakeClock
) -> None:
    planned = await server.plan()
    page = await server.patient(planned)
    await page.get("waiting")
    clock.advance(minutes=4)
    assert await page.settle() == []
    clock.advance(minutes=2)
    await page.send("ping")
    fresh = await page.get("grant")
    assert fresh["expires"] == (clock.now() + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
    clock.advance(minutes=6)
    again = await server.hello(fresh["grant"], SEAT)
    assert (await again.next())["type"] == "welcome"


async def test_the_list_gets_fresh_grants_too(server: Any, clock: FakeClock) -> None:
    page = await server.list(await server.plan())
    clock.advance(minutes=6)
    await page.send("ping")
    fresh = await page.get("grant")
    clock.advance(minutes=5)
    assert (await (await server.hello(fresh["grant"])).next())["visit"] is None


async def test_turn_credentials_come_with_the_welcome(serve: Any, make_video: Any, clock: FakeClock) -> None:
    from pydantic import SecretStr

    turn = {"urls": ["turn:turn.praxis.example:3478"], "secret": SecretStr("turn-secret-of-the-practice")}
    server = await serve(make_video(clock, turn=turn))
    page = await server.patient(await server.plan())
    (ice,) = (await page.next())["ice_servers"]
    assert ice["urls"] == ["turn:turn.praxis.example:3478"]
    assert int(ice["username"].partition(":")[0]) > clock.now().timestamp()
    assert "turn-secret-of-the-practice" not in str(page.seen)
