"""D21 to D23 on the wire: an interruption is a state of the seat, which everyone who may know it learns."""

import asyncio
from collections.abc import Callable
from typing import Any

from vsdk.server.rooms import HoldTimes
from vsdk.testing.fakes import FakeClock

BEGIN = {"state": "begin", "cause": "os-mute", "kinds": ["audio", "video"]}


async def both(server: Any) -> tuple[Any, Any, Any]:
    planned = await server.plan()
    patient = await server.patient(planned, "seat-of-the-patient")
    doctor = await server.doctor(planned, "seat-of-the-doctor")
    await patient.get("waiting")
    await doctor.send("admit", participant="p1")
    for side in (patient, doctor):
        await side.get("admitted")
    return planned, patient, doctor


async def interruption_of_the_patient(doctor: Any) -> Any:
    (peer,) = (await doctor.get("admitted"))["peers"]
    return peer["interruption"]


async def test_the_other_side_is_told_and_told_of_the_end(server: Any) -> None:
    _, patient, doctor = await both(server)
    await patient.send("interruption", **BEGIN)
    told = await interruption_of_the_patient(doctor)
    assert (told["cause"], told["kinds"]) == ("os-mute", ["audio", "video"])
    await patient.send("interruption", state="begin", cause="os-mute", kinds=["audio"])
    less = await interruption_of_the_patient(doctor)
    assert less == {"cause": "os-mute", "kinds": ["audio"], "since": told["since"]}
    await patient.send("interruption", state="end", cause="os-mute", kinds=["audio"])
    assert await interruption_of_the_patient(doctor) is None


async def test_a_list_shows_it_and_who_comes_later_learns_it(server: Any) -> None:
    planned, patient, _ = await both(server)
    await patient.send("interruption", **BEGIN)
    again = await server.doctor(planned, "another-seat-of-the-doctor")
    assert (await interruption_of_the_patient(again))["cause"] == "os-mute"
    queue = await again.get("queue")
    person = next(p for p in queue["entries"][0]["people"] if p["participant"] == "p1")
    assert person["interruption"]["kinds"] == ["audio", "video"]


async def test_only_in_a_visit(server: Any) -> None:
    planned = await server.plan()
    patient = await server.patient(planned)
    await patient.get("waiting")
    await patient.send("interruption", id="i-1", **BEGIN)
    refused = await patient.get("error")
    assert (refused["code"], refused["ref"]) == ("not-in-visit", "i-1")


async def test_a_seat_is_held_longer_during_a_phone_call(
    make_video: Callable[..., Any], clock: FakeClock, serve: Callable[..., Any]
) -> None:
    server = await serve(make_video(clock, hold_times=HoldTimes(waiting=9, visit=0.2, interrupted=9)))
    _, patient, doctor = await both(server)
    await patient.send("interruption", **BEGIN)
    await interruption_of_the_patient(doctor)
    await patient.socket.close()
    await doctor.get("lost")
    await asyncio.sleep(0.5)
    assert "bye" not in {message["type"] for message in doctor.seen}


async def test_the_same_seat_is_still_on_the_phone_and_a_new_one_is_not(server: Any) -> None:
    planned, patient, doctor = await both(server)
    await patient.send("interruption", **BEGIN)
    await interruption_of_the_patient(doctor)
    await patient.socket.close()
    await doctor.get("lost")
    same = await server.patient(planned, "seat-of-the-patient")
    await same.get("admitted")
    (peer,) = [m for m in doctor.seen if m["type"] == "admitted"][-1]["peers"]
    assert peer["interruption"]
    await server.patient(planned, "a-seat-after-a-reload")
    while await interruption_of_the_patient(doctor):
        pass


async def test_whoever_admits_invites_back_into_a_visit_that_goes_on(server: Any) -> None:
    planned, patient, doctor = await both(server)
    await patient.send("invite", visit=planned["visit"], participant="p1")
    assert (await patient.get("error"))["code"] == "not-permitted"
    await doctor.send("invite", visit="another-visit", participant="p1")
    assert (await doctor.get("error"))["code"] == "not-permitted"
    await doctor.send("invite", visit=planned["visit"], participant="p1")
    await doctor.send("ping")
    await doctor.get("pong")
    state = await server.state(planned)
    assert state == "admitted"


async def test_the_number_reaches_the_practice_and_nobody_else(server: Any) -> None:
    planned = await server.plan()
    patient = await server.patient(planned)
    await patient.get("waiting")
    doctor = await server.doctor(planned)
    queue = await doctor.get("queue")
    assert any(person["phone"].startswith("+") for person in queue["entries"][0]["people"])
    assert all("phone" not in str(message) for message in patient.seen)
