"""Inside a visit: peers, relaying, connected, lost, and how it ends (docs/protocol.md)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.participant import CAPABILITIES, Role
from vsdk.server.rooms import HoldTimes
from vsdk.testing.fakes import FakeClock

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        FINGERPRINT,
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "",
    ]
)
CANDIDATE = {
    "candidate": "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "uf",
}


async def test_both_are_told_of_each_other_and_the_practitioner_is_impolite(server: Any) -> None:
    planned = await server.plan()
    patient = await server.patient(planned, "seat-of-the-patient")
    doctor = await server.doctor(planned, "seat-of-the-doctor")
    await patient.get("waiting")
    await doctor.send("admit", participant="p1")
    assert await patient.get("admitted") == {
        "type": "admitted",
        "ice_servers": [],
        "peers": [
            {
                "participant": "p2",
                "seat": "seat-of-the-doctor",
                "role": "practitioner",
                "name": "Dr. Katharina Berg",
                "polite": True,
                "interruption": None,
            }
        ],
    }
    (peer,) = (await doctor.get("admitted"))["peers"]
    assert peer == {
        "participant": "p1",
        "seat": "seat-of-the-patient",
        "role": "patient",
        "name": "Marlene Sommerfeld",
        "polite": False,
        "interruption": None,
    }


async def test_who_comes_later_is_announced_to_who_is_there(server: Any) -> None:
    planned = await server.plan()
    patient = await server.patient(planned)
    await patient.get("waiting")
    await (await server.list(planned)).send("admit", visit=planned["visit"], participant="p1")
    assert (await patient.get("admitted"))["peers"] == []
    doctor = await server.doctor(planned)
    assert [p["participant"] for p in (await doctor.get("admitted"))["peers"]] == ["p1"]
    assert [p["participant"] for p in (await patient.get("admitted"))["peers"]] == ["p2"]


async def test_offers_answers_and_candidates_are_relayed_as_they_are(server: Any) -> None:
    patient, doctor = await server.together(await server.plan())
    for kind in ("offer", "answer"):
        await doctor.send(kind, to="p1", epoch=3, sdp=SDP)
        assert await patient.next() == {"type": kind, "from": "p2", "epoch": 3, "sdp": SDP}
    for candidate in (CANDIDATE, None):
        await patient.send("ice", to="p2", epoch=1, candidate=candidate)
        assert await doctor.next() == {"type": "ice", "from": "p1", "epoch": 1, "candidate": candidate}


REFUSED = [
    (SDP.replace(FINGERPRINT, "a=nothing"), "sdp-unencrypted"),
    (SDP.replace("sha-256", "sha-1"), "sdp-unencrypted"),
    (SDP.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "sdp-unencrypted"),
    (SDP.replace("a=mid:0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"), "sdp-unencrypted"),
    ("hello", "sdp-malformed"),
]


async def test_what_is_not_encrypted_is_refused_and_not_relayed(server: Any) -> None:
    patient, doctor = await server.together(await server.plan())
    for sdp, code in REFUSED:
        for kind in ("offer", "answer"):
            await doctor.send(kind, to="p1", epoch=1, sdp=sdp, id="o1")
            error = await doctor.get("error")
            assert (error["code"], error["ref"]) == (code, "o1"), sdp
    assert await patient.settle() == []


async def test_before_admission_nothing_is_relayed_in_either_direction(server: Any) -> None:
    planned = await server.plan()
    patient, doctor = await server.patient(planned), await server.doctor(planned)
    await patient.get("waiting")
    await doctor.settle()
    for sender, to in ((patient, "p2"), (doctor, "p1")):
        await sender.send("offer", to=to, epoch=1, sdp=SDP)
        assert (await sender.get("error"))["code"] == "not-in-visit"
        for message in ("connected", "lost"):
            await sender.send(message)
            assert (await sender.get("error"))["code"] == "not-in-visit"
    assert "offer" not in patient.types() + doctor.types()
    assert await server.state(planned) == "waiting"


async def test_there_is_no_peer_outside_ones_own_visit(server: Any) -> None:
    patient, _ = await server.together(await server.plan())
    other = await server.plan("a2")
    outsider = await server.patient(other)
    await outsider.get("waiting")
    for to in ("p7", "p1"):
        await outsider.send("offer", to=to, epoch=1, sdp=SDP)
        assert (await outsider.get("error"))["code"] == "not-in-visit"
    assert await patient.settle() == []


async def test_staff_cannot_talk_even_with_a_grant_for_the_visit(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    grants = server.video.grants
    grant = grants.issue(
        practice_id=PracticeId("park"),
        visit_id=VisitId(planned["visit"]),
        participant_id=ParticipantId("reception"),
        role=Role.STAFF,
        capabilities=CAPABILITIES[Role.STAFF],
        now=clock.now(),
    )
    staff = await server.hello(grants.sign(grant))
    await staff.get("welcome")
    await staff.send("offer", to="p1", epoch=1, sdp=SDP)
    assert (await staff.get("error"))["code"] == "not-in-visit"
    await doctor.send("offer", to="reception", epoch=1, sdp=SDP)
    assert (await doctor.get("error"))["code"] == "not-in-visit"
    assert "admitted" not in staff.types()
    assert "offer" not in staff.types()
    assert await patient.settle() == []


async def test_the_visit_is_in_progress_when_both_are_connected(server: Any) -> None:
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    await patient.send("connected")
    await patient.send("connected")
    await patient.settle()
    assert await server.state(planned) == "admitted"
    await doctor.send("connected")
    await doctor.settle()
    assert await server.state(planned) == "in-progress"


async def test_lost_leads_back_to_admitted_and_connected_to_in_progress(server: Any) -> None:
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    for page in (patient, doctor):
        await page.send("connected")
        await page.settle()
    await patient.send("lost")
    await patient.settle()
    assert await server.state(planned) == "admitted"
    await patient.send("connected")
    await patient.settle()
    assert await server.state(planned) == "in-progress"


async def test_a_peer_whose_signalling_broke_is_lost_and_comes_back_with_the_same_seat(server: Any) -> None:
    planned = await server.plan()
    seat = "the-very-same-seat"
    patient, doctor = await server.together(planned)
    patient = await server.patient(planned, seat)
    assert [p["seat"] for p in (await doctor.get("admitted"))["peers"]] == [seat]
    for page in (patient, doctor):
        await page.send("connected")
        await page.settle()
    patient.socket.transport.abort()
    assert await doctor.get("lost") == {"type": "lost", "from": "p1"}
    patient = await server.patient(planned, seat)
    assert [p["participant"] for p in (await patient.get("admitted"))["peers"]] == ["p2"]
    assert [p["seat"] for p in (await doctor.get("admitted"))["peers"]] == [seat]
    assert "waiting" not in patient.types()
    assert await server.state(planned) == "in-progress"
    await doctor.send("offer", to="p1", epoch=2, sdp=SDP)
    await patient.get("offer")


async def test_connected_outlives_the_websocket(server: Any) -> None:
    planned = await server.plan()
    seat = "the-very-same-seat"
    await server.together(planned)
    patient = await server.patient(planned, seat)
    await patient.send("connected")
    await patient.settle()
    await patient.socket.close()
    await (await server.patient(planned, seat)).get("admitted")
    doctor = await server.doctor(planned)
    await doctor.send("connected")
    await doctor.settle()
    assert await server.state(planned) == "in-progress"


async def test_another_device_takes_over_and_the_first_is_told_to_stay_away(server: Any) -> None:
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    newer = await server.patient(planned, "seat-of-another-device")
    assert (await patient.get("error"))["code"] == "taken-over"
    assert await patient.closed() == 4409
    await newer.get("admitted")
    (peer,) = (await doctor.get("admitted"))["peers"]
    assert peer["seat"] == "seat-of-another-device"
    assert "lost" not in doctor.types()
    assert "bye" not in doctor.types()
    await doctor.send("offer", to="p1", epoch=1, sdp=SDP)
    await newer.get("offer")


@pytest.mark.parametrize(("who", "by"), [("patient", "patient"), ("doctor", "practitioner")])
async def test_the_red_button_ends_the_visit_for_both(server: Any, who: str, by: str) -> None:
    planned = await server.plan()
    board = await server.list(planned)
    patient, doctor = await server.together(planned)
    await (patient if who == "patient" else doctor).send("bye")
    for page in (patient, doctor):
        assert await page.get("ended") == {
            "type": "ended",
            "by": by,
            "come_back_until": "2026-03-02T12:30:00Z",
        }
        assert await page.closed() == 1000
    assert await server.state(planned) == "ended"
    (entry,) = await board.queue(lambda entries: entries[0]["state"] == "ended")
    assert entry["come_back_until"] == "2026-03-02T12:30:00Z"


async def test_a_companion_leaves_and_the_visit_goes_on(server: Any) -> None:
    son = {"actor": {"reference": "RelatedPerson/son", "display": "Sohn"}, "status": "accepted"}
    people = [
        {"actor": {"reference": "#patient"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/berg", "display": "Dr. Berg"}, "status": "accepted"},
        son,
    ]
    planned = await server.plan(participant=people)
    patient, doctor = await server.together(planned)
    companion = await server.hello(await server.grant(planned, "companion"))
    await companion.get("waiting")
    await doctor.send("admit", participant="p3")
    polite = {p["participant"]: p["polite"] for p in (await companion.get("admitted"))["peers"]}
    assert polite == {"p1": True, "p2": True}
    other = {p["participant"]: p["polite"] for p in (await patient.get("admitted"))["peers"]}
    assert other == {"p2": True, "p3": False}
    await companion.send("bye")
    assert await companion.closed() == 1000
    for page in (patient, doctor):
        assert await page.get("bye") == {"type": "bye", "from": "p3"}
    assert await server.state(planned) == "admitted"


async def test_a_grant_from_before_the_end_does_not_lead_back_but_the_link_does(
    server: Any, clock: FakeClock
) -> None:
    planned = await server.plan()
    stale = await server.grant(planned)
    patient, doctor = await server.together(planned)
    clock.advance(minutes=2)
    await doctor.send("bye")
    await patient.get("ended")
    page = await server.hello(stale)
    assert (await page.next())["type"] == "ended"
    assert await page.closed() == 1000
    assert await server.state(planned) == "ended"
    again = await server.patient(planned)
    await again.get("waiting")
    assert await server.state(planned) == "waiting"


async def test_nobody_left_in_a_visit_leads_back_to_planned(
    serve: Any, make_video: Any, clock: FakeClock
) -> None:
    server = await serve(make_video(clock, hold_times=HoldTimes(0.2, 0.2)))
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    await patient.socket.close()
    assert (await doctor.get("lost"))["from"] == "p1"
    assert (await doctor.get("bye"))["from"] == "p1"
    assert await server.state(planned) == "admitted"
    board = await server.list(planned)
    await doctor.socket.close()
    await board.queue(lambda entries: entries[0]["state"] == "planned")


async def test_a_visit_in_progress_goes_back_to_admitted_when_a_seat_is_given_up(
    serve: Any, make_video: Any, clock: FakeClock
) -> None:
    server = await serve(make_video(clock, hold_times=HoldTimes(0.2, 0.2)))
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    for page in (patient, doctor):
        await page.send("connected")
        await page.settle()
    await patient.socket.close()
    assert (await doctor.get("bye"))["from"] == "p1"
    async with asyncio.timeout(3):
        while await server.state(planned) != "admitted":
            await asyncio.sleep(0.02)
    again = await server.patient(planned)
    await again.get("admitted")


async def test_those_who_were_there_are_expected_after_a_restart(
    serve: Any, make_video: Any, clock: FakeClock, database: Path
) -> None:
    server = await serve(make_video(clock))
    planned = await server.plan()
    patient, doctor = await server.together(planned)
    grant = await server.grant(planned)
    for page in (patient, doctor):
        page.socket.transport.abort()
    again = await serve(make_video(clock, hold_times=HoldTimes(0.4, 0.4)))
    page = await again.hello(grant)
    await page.get("admitted")
    await page.socket.close()
    async with asyncio.timeout(3):
        while await again.state(planned) != "planned":
            await asyncio.sleep(0.02)
