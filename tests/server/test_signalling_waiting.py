"""The waiting room: who is shown what before anyone is let in (docs/protocol.md, "Who sees what")."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest

from vsdk.server.rooms import HoldTimes
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

OTHERS = {"a2": "Bruno Anderwald", "a3": "Carla Dritte"}
PEOPLE = [
    {"actor": {"reference": "#patient"}, "status": "accepted"},
    {"actor": {"reference": "Practitioner/berg", "display": "Dr. Katharina Berg"}, "status": "accepted"},
]
GOOD = {"camera": "good", "microphone": "fair", "connection": "bad"}
UNSAID = {"speaker": None, "problems": []}


async def test_a_patient_who_arrives_waits_and_is_told_for_whom_and_since_when(server: Any) -> None:
    page = await server.patient(await server.plan())
    assert await page.get("waiting") == {
        "type": "waiting",
        "since": "2026-03-02T12:00:00Z",
        "start": "2026-03-02T12:00:00Z",
        "practitioner": "Dr. Katharina Berg",
        "delay_minutes": 0,
    }
    assert await page.settle() == []


async def test_the_list_shows_who_waits_longest_first_then_the_rest_by_start(
    server: Any, clock: FakeClock
) -> None:
    a1 = await server.plan("a1", start=NOON + timedelta(minutes=4))
    a2 = await server.plan("a2", start=NOON + timedelta(minutes=2), patient=OTHERS["a2"])
    a3 = await server.plan("a3", start=NOON + timedelta(minutes=6), patient=OTHERS["a3"])
    board = await server.list(a1)

    async def shown(*planned: dict[str, Any]) -> None:
        wanted = [p["visit"] for p in planned]
        await board.queue(lambda entries: [entry["visit"] for entry in entries] == wanted)

    await shown(a2, a1, a3)
    await (await server.patient(a3)).get("waiting")
    clock.advance(seconds=30)
    await (await server.patient(a1)).get("waiting")
    await shown(a3, a1, a2)


async def test_an_entry_of_the_list_says_all_that_the_protocol_names(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    board = await server.list(planned)
    page = await server.patient(planned)
    await page.get("waiting")
    await page.send("check", **GOOD)
    (entry,) = await board.queue(lambda entries: entries[0]["people"][0]["check"] is not None)
    messages = entry.pop("messages")  # one is due, and may be sent by now
    assert set(messages) == {"total", "latest", "problem"}
    assert entry == {
        "visit": planned["visit"],
        "start": "2026-03-02T12:00:00Z",
        "end": "2026-03-02T12:20:00Z",
        "state": "waiting",
        "waiting_since": "2026-03-02T12:00:00Z",
        "come_back_until": None,
        "not_written_back": None,
        "delay_minutes": 0,
        "cancellation_asked": False,
        "people": [
            {
                "participant": "p1",
                "name": "Marlene Sommerfeld",
                "role": "patient",
                "present": True,
                "waiting": True,
                "since": "2026-03-02T12:00:00Z",
                "check": GOOD | UNSAID,
                "interruption": None,
                "phone": "",
            },
            {
                "participant": "p2",
                "name": "Dr. Katharina Berg",
                "role": "practitioner",
                "present": False,
                "waiting": False,
                "since": None,
                "check": None,
                "interruption": None,
                "phone": "",
            },
        ],
    }


async def test_who_waits_never_learns_of_any_other_patient(server: Any) -> None:
    planned = {id_: await server.plan(id_, patient=name) for id_, name in OTHERS.items()}
    own = await server.plan("a1")
    board = await server.list(own)
    first = await server.patient(planned["a2"])
    await first.get("waiting")
    mine = await server.patient(own)
    await mine.get("waiting")
    third = await server.patient(planned["a3"])
    await third.get("waiting")
    await third.send("check", **GOOD)
    await board.send("admit", visit=planned["a2"]["visit"], participant="p1")
    await first.get("admitted")
    await third.send("bye")
    assert await third.closed() == 1000
    await mine.settle()
    told = json.dumps(mine.seen)
    for secret in (*OTHERS.values(), *(p["visit"] for p in planned.values())):
        assert secret not in told
    assert set(mine.types()) == {"welcome", "waiting", "pong"}


async def test_a_visit_connection_of_the_practitioner_shows_this_visit_only(server: Any) -> None:
    planned = await server.plan()
    other = await server.plan("a2", patient=OTHERS["a2"])
    await (await server.patient(other)).get("waiting")
    doctor = await server.doctor(planned)
    queue = await doctor.get("queue")
    assert [entry["visit"] for entry in queue["entries"]] == [planned["visit"]]
    await (await server.patient(planned)).get("waiting")
    assert (await doctor.get("queue"))["entries"][0]["people"][0]["waiting"] is True
    assert OTHERS["a2"] not in json.dumps(doctor.seen)


async def test_the_practitioner_does_not_wait(server: Any) -> None:
    planned = await server.plan()
    doctor = await server.doctor(planned)
    await doctor.settle()
    assert "waiting" not in doctor.types()
    assert await server.state(planned) == "planned"


async def test_check_is_for_those_who_wait(server: Any) -> None:
    doctor = await server.doctor(await server.plan())
    await doctor.send("check", id="c1", **GOOD)
    error = await doctor.get("error")
    assert (error["code"], error["ref"]) == ("not-permitted", "c1")


@pytest.mark.parametrize("how", ["list", "visit"])
async def test_admitting_works_from_the_list_and_from_the_visit(server: Any, how: str) -> None:
    planned = await server.plan()
    patient = await server.patient(planned)
    await patient.get("waiting")
    if how == "list":
        await (await server.list(planned)).send("admit", visit=planned["visit"], participant="p1")
    else:
        await (await server.doctor(planned)).send("admit", participant="p1")
    await patient.get("admitted")
    assert await server.state(planned) == "admitted"


async def test_only_who_waits_can_be_admitted_and_only_by_the_practice(server: Any) -> None:
    planned = await server.plan()
    doctor = await server.doctor(planned)
    for participant, code in (("p1", "visit-state"), ("p9", "participant-unknown")):
        await doctor.send("admit", participant=participant, id="a")
        error = await doctor.get("error")
        assert (error["code"], error["ref"]) == (code, "a")
    patient = await server.patient(planned)
    await patient.get("waiting")
    await patient.send("admit", participant="p1")
    assert (await patient.get("error"))["code"] == "not-permitted"
    assert await server.state(planned) == "waiting"


async def test_bye_leaves_the_waiting_room_at_once(server: Any) -> None:
    planned = await server.plan()
    board, page = await server.list(planned), await server.patient(planned)
    await page.get("waiting")
    await page.send("bye")
    assert await page.closed() == 1000
    assert await server.state(planned) == "planned"
    await board.queue(lambda entries: not entries[0]["people"][0]["waiting"])


async def test_a_reconnect_with_the_same_seat_keeps_place_and_check(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    seat = "one-and-the-same-seat"
    page = await server.patient(planned, seat)
    await page.get("waiting")
    await page.send("check", **GOOD)
    await page.settle()
    page.socket.transport.abort()
    clock.advance(seconds=40)
    again = await server.patient(planned, seat)
    assert (await again.get("waiting"))["since"] == "2026-03-02T12:00:00Z"
    queue = await (await server.list(planned)).get("queue")
    assert queue["entries"][0]["people"][0]["check"] == GOOD | UNSAID


async def test_the_place_is_held_for_a_while_and_then_given_up(
    serve: Any, make_video: Any, clock: FakeClock
) -> None:
    server = await serve(make_video(clock, hold_times=HoldTimes(waiting=0.5, visit=9)))
    planned = await server.plan()
    board, page = await server.list(planned), await server.patient(planned)
    await page.get("waiting")
    await board.queue(lambda entries: entries[0]["people"][0]["present"])
    gone = time.monotonic()
    await page.socket.close()
    await board.queue(lambda entries: entries[0]["state"] == "planned")
    assert time.monotonic() - gone >= 0.5


async def test_two_who_wait_for_one_visit_leave_one_by_one(server: Any) -> None:
    people = [
        *PEOPLE,
        {"actor": {"reference": "RelatedPerson/son", "display": "Sohn"}, "status": "accepted"},
    ]
    planned = await server.plan(participant=people)
    companion = await server.hello(await server.grant(planned, "companion"))
    patient = await server.patient(planned)
    await companion.get("waiting")
    await patient.get("waiting")
    await patient.send("bye")
    assert await patient.closed() == 1000
    assert await server.state(planned) == "waiting"
    assert "Marlene Sommerfeld" not in json.dumps(companion.seen)
    await companion.send("bye")
    assert await companion.closed() == 1000
    assert await server.state(planned) == "planned"
