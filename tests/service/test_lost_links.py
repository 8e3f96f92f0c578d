"""Links that a system dropped come back; where it drops them again and again, not every time."""

from dataclasses import replace
from typing import Any

import pytest
from tests.service.conftest import OTHER, PRACTICE, World
from tests.service.test_following import Pms, following

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.effects import WriteBack
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.participant import Role
from vsdk.domain.practice import FhirConventions
from vsdk.hooks.ports import Notification, Notified, SourcedAppointment
from vsdk.service import own_links as module
from vsdk.service.own_links import OwnLinks
from vsdk.testing.factories import a_practice, a_sourced_appointment

A1 = AppointmentId("a1")
FORMAT = FhirFormat()
ELSEWHERE = "https://elsewhere.example/j#"


@pytest.fixture
async def followed(world: World) -> World:
    """Planned in the first look at everything, and written back."""
    world.source.appointments = [a_sourced_appointment()]
    await world.following.follow_once()
    await world.perform()
    assert [services is not None for _, services, _ in world.source.written] == [True]
    return world


async def carrying(world: World, **elements: Any) -> SourcedAppointment:
    """The appointment as its source has it once our link is in it."""
    bare, services = a_sourced_appointment(), (await world.current()).services
    written = FORMAT.write(bare.original, release="R4", practice=world.practice, services=services)
    return replace(bare, original=written | elements)


async def shown(world: World, *appointments: SourcedAppointment) -> int:
    """How often was written back because the source said that these changed."""
    before = len(world.source.written)
    world.source.appointments = list(appointments)
    await world.following.follow_once()
    await world.perform()
    return len(world.source.written) - before


async def test_a_link_that_was_lost_is_written_again(followed: World) -> None:
    assert await shown(followed, await carrying(followed)) == 0
    assert await shown(followed, a_sourced_appointment()) == 1
    _, services, status = followed.source.written[-1]
    assert services == (await followed.current()).services
    assert status is None


async def test_that_the_link_is_there_in_other_words_is_enough(followed: World) -> None:
    given = await carrying(followed)
    (entry,) = given.original["extension"]
    entry["id"] = "e1"
    entry["extension"] = [part for part in entry["extension"] if part["url"] != "channelType"]
    assert await shown(followed, given) == 0


async def test_a_former_link_is_replaced(followed: World) -> None:
    given = await carrying(followed)
    replaced = await followed.scheduling.replace_links(PRACTICE, (await followed.visit()).id)
    await followed.perform()
    assert await shown(followed, given) == 1
    assert followed.source.written[-1][1] == replaced.services


async def test_each_appointment_has_its_turn_once_in_an_hour(followed: World) -> None:
    written = [await shown(followed, a_sourced_appointment()) for _ in range(3)]
    assert written == [1, 0, 0]
    followed.clock.advance(minutes=59)
    assert await shown(followed, a_sourced_appointment()) == 0
    followed.clock.advance(minutes=1)
    assert await shown(followed, a_sourced_appointment()) == 1


class Dropping(Pms):
    """Drops our link a while after it was written, and as often as ``times`` says."""

    times = 0

    async def write_back(self, practice_id: PracticeId, appointment_id: AppointmentId, *what: Any) -> None:
        await super().write_back(practice_id, appointment_id, *what)
        self.times -= 1
        self.appointments = [a_sourced_appointment()] if self.times >= 0 else []


async def followed_for(world: World, hours: int, times: int) -> list[int]:
    """How much had been written after each half of an hour."""
    pms = Dropping(a_sourced_appointment())
    pms.appointments, pms.times = [a_sourced_appointment()], times
    world.source = pms
    await world.restart()
    written = []
    for _ in range(2 * hours):
        await world.following.follow_once()
        pms.appointments = []
        await world.perform()
        written.append(len(pms.written))
        world.clock.advance(minutes=30)
    return written


async def test_what_is_lost_again_during_the_pause_comes_back_after_it(world: World) -> None:
    assert await followed_for(world, hours=3, times=2) == [1, 2, 2, 3, 3, 3]


async def test_a_system_that_drops_whatever_we_write_is_left_alone_in_the_end(world: World) -> None:
    start = a_sourced_appointment().appointment.start
    world.clock.advance(seconds=(start - world.clock.now()).total_seconds() - 48 * 3600)
    written = await followed_for(world, hours=40, times=99)
    assert written[-1] == 2 + module.MOST_REPEATED
    assert written[20:] == written[20:21] * 60


async def test_what_is_remembered_for_that_has_a_limit(
    followed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 1)
    other = a_sourced_appointment(id=AppointmentId("a2"))
    await shown(followed, other)
    assert [await shown(followed, one) for one in (a_sourced_appointment(), other)] == [1, 1]
    assert await shown(followed, a_sourced_appointment()) == 1, "forgotten, and so written once more"


async def test_what_to_look_at_is_told_once_and_to_its_practice_alone(followed: World) -> None:
    for _ in range(2):
        assert await shown(followed, a_sourced_appointment()) in (0, 1)
    followed.clock.advance(hours=1)
    told = [followed.lost_links.to_look_at(practice) for practice in (OTHER, PRACTICE, PRACTICE)]
    assert told == [[], [A1], []]


async def test_when_everything_is_read_nothing_is_looked_for(followed: World) -> None:
    """A system may never keep our links: then every start would write all appointments anew."""
    again = following(followed, followed.source)
    await again.follow_once()
    assert followed.source.asked == [None, None]
    assert not await followed.outbox.perform_due()


async def test_what_is_on_its_way_is_not_written_twice(followed: World) -> None:
    moved = a_sourced_appointment(status=AppointmentStatus.PENDING)
    assert await shown(followed, moved) == 1, "because it changed, and not because the link is not there"
    followed.source.appointments = [a_sourced_appointment()]
    await followed.following.follow_once()
    effects = [entry.effect for entry in await followed.store.next_effects(followed.clock.now())]
    assert effects == [WriteBack(PRACTICE, A1, None)]


async def test_nothing_is_written_where_nobody_gets_in_any_more(followed: World) -> None:
    cancelled = a_sourced_appointment(status=AppointmentStatus.CANCELLED)
    await shown(followed, cancelled)
    assert await shown(followed, cancelled) == 0


async def test_a_notification_brings_it_back_too(followed: World) -> None:
    pms = Pms(a_sourced_appointment())
    pms.answer = Notified((A1,))
    service = following(followed, pms)
    await service.follow_once()
    await service.notified(PRACTICE, Notification("POST", "", {}, b""))
    await service.follow_once()
    assert [entry.effect for entry in await followed.effects()] == [WriteBack(PRACTICE, A1, None)]


async def test_a_system_that_keeps_no_links_is_not_written_to_without_end(world: World) -> None:
    """It counts up its version with every write, ours too, and tells of each."""

    class Forgetful(Pms):
        async def write_back(
            self, practice_id: PracticeId, appointment_id: AppointmentId, *what: Any
        ) -> None:
            await super().write_back(practice_id, appointment_id, *what)
            version = {"meta": {"versionId": str(len(self.written))}}
            bare = a_sourced_appointment()
            self.there[A1] = replace(bare, original=bare.original | version)

    pms = Forgetful(a_sourced_appointment())
    pms.answer = Notified((A1,))
    world.source = pms
    await world.restart()
    for _ in range(6):
        await world.following.notified(PRACTICE, Notification("POST", "", {}, b""))
        await world.following.follow_once()
        await world.perform()
    assert len(pms.written) == 2, "when it was planned, and once more"
    mirrored = (await world.current()).mirrored
    assert mirrored.sourced.original["meta"] == {"versionId": "2"}


# whether links are missing


def missing(given: dict[str, Any], conventions: FhirConventions) -> bool:
    practice = a_practice(fhir=conventions)
    services = [VirtualService(f"{conventions.link_address}p4tient", Role.PATIENT, "Patient/1")]
    sourced = replace(a_sourced_appointment(), original=given)
    return OwnLinks(FORMAT, {PRACTICE: practice}).are_missing(sourced, services)


@pytest.mark.parametrize(
    ("carrier", "expected"), [("virtual-service", True), ("patient-instruction", True), ("none", False)]
)
def test_what_is_missing_is_what_the_carrier_would_write(carrier: str, expected: bool) -> None:
    conventions = replace(a_practice().fhir, carrier=carrier)
    assert missing(a_sourced_appointment().original, conventions) is expected


def test_where_somebody_elses_link_stands_ours_is_not_missing() -> None:
    conventions = replace(a_practice().fhir, carrier="extension", carrier_url="https://pms.example/link")
    foreign = {"url": "https://pms.example/link", "valueUrl": "https://zoom.example/1"}
    assert not missing(a_sourced_appointment().original | {"extension": [foreign]}, conventions)


def test_after_moving_the_former_link_is_not_the_one_that_is_wanted() -> None:
    before = a_practice().fhir
    services = [VirtualService(f"{before.link_address}p4tient", Role.PATIENT, "Patient/1")]
    written = FORMAT.write(
        a_sourced_appointment().original, release="R4", practice=a_practice(), services=services
    )
    assert not missing(written, before)
    after = replace(before, link_address=ELSEWHERE, former_link_addresses=(before.link_address,))
    assert missing(written, after)
