"""The whole product at someone else's FHIR server: links appear, move and disappear with appointments."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.peers.fixtures import CLIENT, SCOPE, SmartServer
from tests.peers.resources import NOTE, an_r4_appointment
from tests.peers.servers import Peer

from vsdk import Settings, VideoSdk
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId
from vsdk.domain.participant import Role

PARK = PracticeId("park")
LINK = "https://praxis.example/video/j#"
POLL_SECONDS = 0.2
SOON = 20.0
"""seconds in which everything here is done"""


def at(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + timedelta(minutes=20)).isoformat()}


def in_hours(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)


@asynccontextmanager
async def product(tmp_path: Path, **source: Any) -> AsyncIterator[VideoSdk]:
    settings = {
        "base_url": "https://praxis.example/video",
        "database": f"sqlite+aiosqlite:///{tmp_path}/vsdk.sqlite3",
        "plugins": ["fhir_schedule", "standard_plan"],
        "poll_seconds": POLL_SECONDS,
        "practices": [{"id": "park", "name": "Praxis am Park", "schedule_source": "fhir"}],
        "plugin": {"fhir_schedule": {"park": source}},
    }
    video = VideoSdk(Settings.of(settings))
    async with video.lifespan():
        yield video


async def eventually(holds: Callable[[], Any]) -> Any:
    async with asyncio.timeout(SOON):
        while not (found := await asyncio.to_thread(holds)):
            await asyncio.sleep(0.1)
    return found


def links(resource: dict[str, Any]) -> list[str]:
    """Our links in the appointment as the server gives it."""
    return [part for part in json.dumps(resource).split('"') if part.startswith(LINK)]


async def follows_an_appointment(peer: Peer, video: VideoSdk, folder: Path) -> None:
    """Booked, moved a little, its link dropped by the system, moved far, met, and another one cancelled."""
    id_ = AppointmentId(peer.create(an_r4_appointment(**at(in_hours(2)))))
    first = await eventually(lambda: links(peer.read("Appointment", id_)))
    assert len(first) == 1, "the patient's, and nobody else's"
    visit = (await video.scheduling.current(PARK, id_)).visit
    assert visit

    peer.change("Appointment", id_, **at(in_hours(2.25)))
    async with asyncio.timeout(SOON):
        while (await video.scheduling.current(PARK, id_)).visit.window == visit.window:  # type: ignore[union-attr]
            await asyncio.sleep(0.1)
    assert links(peer.read("Appointment", id_)) == first, "the window moved, the link did not"

    await asyncio.sleep(5 * POLL_SECONDS)
    peer.change("Appointment", id_, extension=[NOTE])
    assert await eventually(lambda: links(peer.read("Appointment", id_))) == first, "what was lost is back"

    peer.change("Appointment", id_, **at(in_hours(48)))
    second = await eventually(lambda: [u for u in links(peer.read("Appointment", id_)) if u not in first])
    assert len(links(peer.read("Appointment", id_))) == len(second) == 1, "the old link is gone"

    await video.visits.arrive(visit.id, ParticipantId("p1"))
    await eventually(lambda: peer.read("Appointment", id_)["status"] == "arrived")
    await video.visits.admit(visit.id, ParticipantId("p1"), Role.PRACTITIONER)
    await video.visits.connected(visit.id)
    await eventually(lambda: peer.read("Appointment", id_)["status"] == "checked-in")
    await video.visits.hang_up(visit.id, Role.PRACTITIONER)
    await eventually(lambda: peer.read("Appointment", id_)["status"] == "fulfilled")
    assert peer.read("Appointment", id_)["comment"] == "internal", "what is not ours is as it was"

    other = peer.create(an_r4_appointment(**at(in_hours(3))))
    await eventually(lambda: links(peer.read("Appointment", other)))
    peer.change("Appointment", other, status="cancelled")
    await eventually(lambda: not links(peer.read("Appointment", other)))
    scheduled = await video.scheduling.current(PARK, AppointmentId(other))
    assert (scheduled.links, scheduled.visit and scheduled.visit.state) == ((), "cancelled")

    kept = b"".join(file.read_bytes() for file in folder.glob("vsdk.sqlite3*"))
    assert id_.encode() in kept
    for link in (*first, *second):
        handle = link.removeprefix(LINK).encode()
        assert handle not in kept, "read again with the appointment, and still not in the database"


@pytest.mark.parametrize("write_back", ["put", "json-patch"])
async def test_at_sekmet(tmp_path: Path, sekmet: Peer, write_back: str) -> None:
    async with product(tmp_path, base_url=sekmet.base, write_back=write_back) as video:
        await follows_an_appointment(sekmet, video, tmp_path)


async def test_at_medplum(tmp_path: Path, medplum: Peer) -> None:
    async with product(tmp_path, base_url=medplum.base, write_back="json-patch") as video:
        await follows_an_appointment(medplum, video, tmp_path)


async def test_with_smart_backend_services(
    tmp_path: Path, smart: SmartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens of two seconds: several are used up on the way."""
    monkeypatch.setenv("TEST_FHIR_KEY", smart.key)
    access = {"kind": "smart-backend", "client_id": CLIENT, "key": {"env": "TEST_FHIR_KEY"}, "scope": SCOPE}
    async with product(tmp_path, base_url=smart.peer.base, access=access) as video:
        await follows_an_appointment(smart.peer, video, tmp_path)
