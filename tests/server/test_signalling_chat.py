"""The chat on the wire: who reaches whom, and that boxes are forwarded as they are, or refused."""

import asyncio
from pathlib import Path
from typing import Any

from tests.server.conftest import actor, rows

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import CAPABILITIES, Role
from vsdk.server import chat
from vsdk.testing.fakes import FakeClock

KEYS = {name: f"B{name[0]}".ljust(87, "x") for name in ("patient", "doctor", "companion")}
WITH_RELATIVE = [
    actor("Patient", "1", "Marlene Sommerfeld"),
    actor("Practitioner", "berg", "Dr. Katharina Berg"),
    actor("RelatedPerson", "3", "Karl Sommerfeld"),
]


async def names(page: Any) -> set[str]:
    return {peer["participant"] for peer in (await page.get("chat-peers"))["peers"]}


async def waiting_and_host(server: Any) -> tuple[Any, Any, Any]:
    """A patient in the waiting room and a practitioner in the lobby, who know each other's keys."""
    planned = await server.plan()
    patient, doctor = await server.patient(planned), await server.doctor(planned)
    await patient.get("waiting")
    await patient.send("chat-key", key=KEYS["patient"])
    assert await names(patient) == set()
    await doctor.send("chat-key", key=KEYS["doctor"])
    await doctor.get("chat-peers")
    await patient.get("chat-peers")
    return planned, patient, doctor


async def test_in_the_waiting_room_and_in_the_visit_boxes_go_both_ways(server: Any) -> None:
    _, patient, doctor = await waiting_and_host(server)
    assert doctor.seen[-1]["peers"] == [
        {"participant": "p1", "role": "patient", "name": "Marlene Sommerfeld", "key": KEYS["patient"]}
    ]
    for _ in ("waiting", "admitted"):
        await doctor.send("chat", to="p1", box="ZnJvbS10aGUtZG9jdG9y")
        assert await patient.get("chat") == {"type": "chat", "from": "p2", "box": "ZnJvbS10aGUtZG9jdG9y"}
        await patient.send("chat", to="p2", box="ZnJvbS10aGUtcGF0aWVudA")
        assert (await doctor.get("chat"))["from"] == "p1"
        await doctor.send("admit", participant="p1")
        await patient.settle()


async def test_two_who_wait_do_not_reach_each_other_before_both_are_in(server: Any) -> None:
    planned = await server.plan(participant=WITH_RELATIVE)
    patient = await server.patient(planned)
    relative = await server.hello(await server.grant(planned, "companion"))
    for page, key in ((patient, "patient"), (relative, "companion")):
        await page.get("waiting")
        await page.send("chat-key", key=KEYS[key])
        assert await names(page) == set()
    await patient.send("chat", to="p3", box="aGVsbG8", id="c-1")
    refused = await patient.get("error")
    assert (refused["code"], refused["ref"]) == ("no-chat-peer", "c-1")
    doctor = await server.doctor(planned)
    await doctor.send("chat-key", key=KEYS["doctor"])
    assert await names(doctor) == {"p1", "p3"}
    assert await names(patient) == {"p2"}
    for participant in ("p1", "p3"):
        await doctor.send("admit", participant=participant)
    await relative.get("admitted")
    assert await names(patient) == {"p2", "p3"}
    await patient.send("chat", to="p3", box="aGVsbG8")
    assert (await relative.get("chat"))["from"] == "p1"


async def test_nobody_is_reached_in_another_visit_nor_when_away(server: Any) -> None:
    _, patient, doctor = await waiting_and_host(server)
    outsider = await server.doctor(await server.plan("a2"))
    await outsider.send("chat-key", key=KEYS["doctor"])
    assert await names(outsider) == set()
    await outsider.send("chat", to="p1", box="aGVsbG8")
    assert (await outsider.get("error"))["code"] == "no-chat-peer"
    await patient.socket.close()
    for _ in range(50):
        await doctor.send("chat", to="p1", box="aGVsbG8")
        answered = [message["code"] for message in await doctor.settle() if message["type"] == "error"]
        if answered:
            break
        await asyncio.sleep(0.02)
    assert answered == ["no-chat-peer"]


async def test_a_page_that_was_loaded_anew_has_to_say_its_key_again(server: Any) -> None:
    planned, patient, doctor = await waiting_and_host(server)
    again = await server.patient(planned, "another-seat-of-the-patient")
    assert await names(doctor) == set()
    await again.send("chat-key", key=KEYS["patient"])
    assert await names(doctor) == {"p1"}
    assert await patient.closed() == 4409


async def test_the_same_page_keeps_its_key_when_signalling_comes_back(server: Any) -> None:
    planned = await server.plan()
    seat = "the-seat-of-the-patient"
    patient, doctor = await server.patient(planned, seat), await server.doctor(planned)
    await patient.get("waiting")
    await patient.send("chat-key", key=KEYS["patient"])
    await doctor.send("chat-key", key=KEYS["doctor"])
    await patient.settle()
    await patient.socket.close()
    back = await server.patient(planned, seat)
    assert await names(back) == {"p2"}


async def test_too_much_at_once_is_refused_and_the_connection_stays(server: Any) -> None:
    _, patient, doctor = await waiting_and_host(server)
    box = "a" * 60_000
    sent = 2 * chat.BYTES_PER_SECOND // len(box) + 4
    for number in range(sent):
        await doctor.send("chat", to="p1", box=box, id=str(number))
    refused = [m for m in await doctor.settle() if m["type"] == "error"]
    assert {error["code"] for error in refused} == {"chat-too-fast"}
    received = [m for m in await patient.settle() if m["type"] == "chat"]
    assert len(received) + len(refused) == sent
    assert len(received) >= 2 * chat.BYTES_PER_SECOND // len(box)


async def test_a_box_that_is_too_large_or_no_box_is_refused(server: Any) -> None:
    _, patient, doctor = await waiting_and_host(server)
    for box in ("a" * 60_001, "no spaces here", ""):
        await doctor.send("chat", to="p1", box=box)
        assert (await doctor.get("error"))["code"] == "bad-message"
    assert "chat" not in [message["type"] for message in await patient.settle()]


async def test_staff_cannot_write_in_a_visit(server: Any, clock: FakeClock) -> None:
    planned, _, _ = await waiting_and_host(server)
    grant = server.video.grants.issue(
        practice_id=PracticeId("park"),
        visit_id=VisitId(planned["visit"]),
        participant_id=ParticipantId("reception"),
        role=Role.STAFF,
        capabilities=CAPABILITIES[Role.STAFF],
        now=clock.now(),
    )
    staff = await server.hello(server.video.grants.sign(grant))
    await staff.send("chat-key", key=KEYS["doctor"])
    assert (await staff.get("error"))["code"] == "not-permitted"
    await staff.send("chat", to="p1", box="aGVsbG8")
    assert (await staff.get("error"))["code"] == "no-chat-peer"


async def test_no_box_and_no_key_is_kept_or_logged(server: Any, database: Path, caplog: Any) -> None:
    _, patient, doctor = await waiting_and_host(server)
    caplog.set_level("DEBUG", "vsdk")
    await doctor.send("chat", to="p1", box="a-box-that-nobody-keeps")
    await patient.get("chat")
    for secret in ("a-box-that-nobody-keeps", KEYS["patient"], KEYS["doctor"]):
        assert secret not in caplog.text
        assert secret not in str(rows(database))
