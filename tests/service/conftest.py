"""A world for services: the real store, fakes for everything outside, time that stands still until told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.errors import NotFound
from vsdk.domain.events import VisitEvent
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.message import MessageText
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import DEFAULT_PLAN, VisitPlan
from vsdk.domain.policy import Finding, Outcome, PolicyQuestion
from vsdk.domain.practice import Practice
from vsdk.domain.visit import Visit
from vsdk.hooks.lifecycle import Happened
from vsdk.hooks.ports import (
    Changes,
    Identity,
    IdentityProvider,
    NotificationChannel,
    PolicyRule,
    Redirect,
    ReportingChannel,
    ScheduleSource,
    SourcedAppointment,
)
from vsdk.hooks.store import OutboxEntry
from vsdk.service.deadlines import DeadlineService
from vsdk.service.delivery import Delivery, Way
from vsdk.service.errands import Errands, reaches_team
from vsdk.service.following import FollowingService
from vsdk.service.grants import Grants
from vsdk.service.join import JoinService
from vsdk.service.listeners import Listeners
from vsdk.service.messages import MessageService
from vsdk.service.outbox import OutboxService
from vsdk.service.own_links import LostLinks, OwnLinks
from vsdk.service.policy import PolicyService
from vsdk.service.scheduling import Scheduled, SchedulingService
from vsdk.service.sign_in import SignInService
from vsdk.service.visits import VisitService
from vsdk.service.write_back import WritingBack
from vsdk.store.sql import SqlStore
from vsdk.testing.factories import a_practice, a_sourced_appointment
from vsdk.testing.fakes import FakeClock, RecordingChannel

BASE_URL = "https://praxis.example/video"
KEY = b"a signing key of thirty-two byte"
PRACTICE = PracticeId("practice")
OTHER, ANOTHER = PracticeId("other"), PracticeId("another")


class FakeSource:
    """A PMS with a list of appointments; ``error`` is raised by whatever is asked while it is set."""

    name = "fake"

    def __init__(self) -> None:
        self.appointments: list[SourcedAppointment] = []
        self.unreadable: tuple[str, ...] = ()
        self.written: list[
            tuple[AppointmentId, tuple[VirtualService, ...] | None, AppointmentStatus | None]
        ] = []
        self.error: Exception | None = None
        self.asked: list[str | None] = []

    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        raise NotFound("not here")

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        self.asked.append(cursor)
        if self.error:
            raise self.error
        return Changes(tuple(self.appointments), f"cursor-{len(self.asked)}", self.unreadable)

    async def write_back(
        self,
        practice_id: PracticeId,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> None:
        if self.error:
            raise self.error
        self.written.append((appointment_id, services, status))


class FakeProvider:
    """An IdentityProvider that lets the code ``good`` in as ``answer``."""

    name = "fake"

    def __init__(self) -> None:
        self.answer: Identity | None = Identity("dr-1", Role.PRACTITIONER, PRACTICE, "Dr. Jonas Muster")

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        return Redirect(return_to)

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        return self.answer if params.get("code") == "good" else None


class Rule:
    """A PolicyRule whose answer is a function of the question."""

    clause = "§ 1"

    def __init__(
        self, question: type[PolicyQuestion], answer: Callable[[Any], Any], name: str = "rule-1"
    ) -> None:
        self.id = name
        self.applies_to: frozenset[type[PolicyQuestion]] = frozenset({question})
        self._answer = answer

    def evaluate(self, question: Any) -> Finding:
        answer = self._answer(question)
        if isinstance(answer, Outcome):
            return Finding(self.id, self.clause, "2024", answer, "because")
        return cast("Finding", answer)


class Words:
    """A MessageRenderer whose texts hold all that a text may hold."""

    def render(
        self,
        template: str,
        language: str,
        kind: str,
        *,
        practice: Practice,
        appointment: Appointment,
        participant: Participant | None,
        url: str | None,
        list_url: str,
        now: datetime,
        values: Mapping[str, str],
        sequence: int,
    ) -> MessageText:
        name = participant.name if participant else "team"
        more = "".join(f" {key}={value}" for key, value in values.items())
        return MessageText(f"{template}/{language}: {name} {url}{more}", f"Visit for {name}", segments=1)


class World:
    """One server's services, wired as `vsdk.sdk` wires them. ``restart`` makes them anew on the same file."""

    def __init__(
        self,
        url: str,
        clock: FakeClock,
        *,
        plan: VisitPlan = DEFAULT_PLAN,
        rules: Sequence[PolicyRule] = (),
        listeners: Sequence[tuple[str, Callable[..., Any]]] = (),
        compliance_required: bool = False,
    ) -> None:
        self.url = url
        self.clock = clock
        self.plan = plan
        self.policy = PolicyService(rules, compliance_required=compliance_required)
        self.practice = a_practice()
        self.sms, self.email = RecordingChannel("sms"), RecordingChannel("email")
        self.channels: list[NotificationChannel] = [self.sms, self.email]
        self.source = FakeSource()
        self.provider = FakeProvider()
        self.heard: list[Happened] = []
        self.listeners = Listeners([("hearing", lambda event: self.heard.append(event)), *listeners])
        self._wire()

    def _wire(self) -> None:
        practices = {PRACTICE: self.practice}
        source = cast("ScheduleSource", self.source)
        provider = cast("IdentityProvider", self.provider)
        self.store = SqlStore(self.url)
        self.grants = Grants(KEY, timedelta(minutes=10))
        self.visits = VisitService(self.store, self.policy, self.listeners, self.clock, self.plan)
        self.own_links = OwnLinks(FhirFormat(), practices | dict.fromkeys((OTHER, ANOTHER), self.practice))
        self.scheduling = SchedulingService(
            self.store,
            self.visits,
            self.policy,
            self.grants,
            self.plan,
            self.clock,
            BASE_URL,
            self.own_links.without,
        )
        self.join = JoinService(self.store, self.grants, self.policy, self.clock)
        self.ended: list[str] = []
        self.sign_ins = SignInService(
            self.store, self.join, self.clock, practices, {PRACTICE: [provider]}, self._sign_in_ended
        )
        ways = tuple(Way(f"a_{channel.channel}", channel) for channel in self.channels)
        teams = {PRACTICE} if reaches_team(self.practice, [way.kind for way in ways]) else set()
        errands = Errands(self.store, self.scheduling, practices)
        self.delivery = Delivery(
            self.store, errands, Words(), self.clock, {PRACTICE: ways}, self.grants, teams
        )
        writing_back = WritingBack(self.store, self.scheduling, self.clock, practices, {PRACTICE: source})
        self.outbox = OutboxService(self.store, self.delivery, writing_back, self.clock, self.visits)
        self.visits.wake = self.outbox.wake
        reporting = {way.plugin: (way.channel,) for way in ways if isinstance(way.channel, ReportingChannel)}
        self.messages = MessageService(self.store, self.visits, self.clock, self.grants, reporting)
        self.deadlines = DeadlineService(self.store, self.visits, self.outbox, self.clock, teams)
        self.lost_links = LostLinks(self.own_links, self.store, self.outbox.wake, self.clock)
        self.following = FollowingService(self.scheduling, self.lost_links, {PRACTICE: source}, 0.01)

    async def _sign_in_ended(self, id_: str) -> None:
        self.ended.append(id_)

    async def restart(self) -> None:
        """What the process remembers is gone, what the database holds stays."""
        await self.store.close()
        self._wire()
        await self.store.open()

    async def schedule(self, *, if_version: int | None = None, **changes: Any) -> Scheduled:
        """`an_appointment` with these changes."""
        return await self.scheduling.schedule(a_sourced_appointment(**changes), if_version=if_version)

    async def planned(self, **changes: Any) -> VisitId:
        """A visit for `an_appointment`, with nothing left in the outbox."""
        scheduled = await self.schedule(**changes)
        await self.perform()
        assert scheduled.visit
        return scheduled.visit.id

    async def current(self) -> Scheduled:
        return await self.scheduling.current(PRACTICE, AppointmentId("a1"))

    async def links(self) -> dict[str, str]:
        """The join link of each participant."""
        return {link.participant.id: link.url for link in (await self.current()).links}

    async def handle(self, participant: str = "p1") -> str:
        return (await self.links())[participant].partition("#")[2]

    async def visit(self) -> Visit:
        visit = (await self.current()).visit
        assert visit
        return visit

    async def effects(self) -> list[OutboxEntry]:
        """What is in the outbox, due or not; of one appointment's write-backs the first."""
        return await self.store.next_effects(self.clock.now() + timedelta(days=999), limit=999)

    async def perform(self) -> None:
        """Performs all that is due, and what follows from it."""
        while await self.outbox.perform_due():
            await asyncio.sleep(0)

    async def trail(self) -> list[str]:
        return [entry.what for entry in await self.store.audit()]

    def events(self) -> list[VisitEvent]:
        return [happened.event for happened in self.heard]


MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def make_world(tmp_path: Path, clock: FakeClock) -> AsyncIterator[MakeWorld]:
    worlds: list[World] = []

    async def make(**options: Any) -> World:
        world = World(f"sqlite+aiosqlite:///{tmp_path}/x{len(worlds)}.sqlite3", clock, **options)
        await world.store.open()
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        await world.store.close()


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world()
