"""What a message is about: its visit, its person, where they are reached, and whether it still holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Notify
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.messaging import PRACTICE, TEAM, Reason, expires
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice
from vsdk.domain.visit import FINAL, Visit, VisitState
from vsdk.hooks.store import Briefing, MessageRecord, OutboxEntry, Store
from vsdk.service.coalesced import Coalesced
from vsdk.service.scheduling import Scheduled, SchedulingService


@dataclass(frozen=True, slots=True)
class Errand:
    """A message with all that it is about."""

    entry: OutboxEntry
    notify: Notify
    briefing: Briefing
    scheduled: Scheduled
    practice: Practice
    person: Participant | None
    """None for the practice's own team, and for someone who is no longer there"""
    expires: datetime

    @property
    def record(self) -> MessageRecord:
        return self.briefing.record

    @property
    def visit(self) -> Visit:
        return self.briefing.visit

    @property
    def appointment(self) -> Appointment:
        return self.scheduled.mirrored.appointment

    @property
    def url(self) -> str | None:
        """The person's own link."""
        return next((x.url for x in self.scheduled.links if x.participant == self.person), None)

    @property
    def for_practice(self) -> bool:
        """A practitioner of whom the appointment knows no address is reached at the practice's."""
        person = self.person
        return person is None or (person.role is Role.PRACTITIONER and not (person.phone or person.email))


class Errands:
    """Makes errands of outbox entries, many at a time, and looks into them."""

    def __init__(
        self, store: Store, scheduling: SchedulingService, practices: Mapping[PracticeId, Practice]
    ) -> None:
        self._store = store
        self._scheduling = scheduling
        self._practices = practices
        self._known: Coalesced[str, tuple[Briefing, Scheduled]] = Coalesced(self._look_up)

    async def of(self, entry: OutboxEntry, notify: Notify) -> Errand | None:
        """None where nothing is recorded of the message, or nothing known of its appointment."""
        known = await self._known.get(entry.id)
        if known is None:
            return None
        briefing, scheduled = known
        visit, appointment = briefing.visit, scheduled.mirrored.appointment
        person = next((p for p in appointment.participants if p.id == notify.participant_id), None)
        ends = expires(
            notify.template,
            asked=entry.created,
            start=appointment.start,
            end=appointment.end,
            window=visit.window,
        )
        practice = self._practices[visit.practice_id]
        return Errand(entry, notify, briefing, scheduled, practice, person, ends)

    async def _look_up(self, ids: Sequence[str]) -> dict[str, tuple[Briefing, Scheduled]]:
        briefings = await self._store.briefings(ids)
        appointments: dict[PracticeId, set[AppointmentId]] = {}
        for briefing in briefings.values():
            visit = briefing.visit
            appointments.setdefault(visit.practice_id, set()).add(visit.appointment_id)
        scheduled: dict[tuple[PracticeId, AppointmentId], Scheduled] = {}
        for practice_id, wanted in appointments.items():
            for id_, known in (await self._store.known(practice_id, sorted(wanted))).items():
                if known.mirrored:
                    issued = self._scheduling.issued(known.mirrored, known.visit, known.links)
                    scheduled[practice_id, id_] = issued
        keys = {id_: (b.visit.practice_id, b.visit.appointment_id) for id_, b in briefings.items()}
        return {id_: (b, scheduled[keys[id_]]) for id_, b in briefings.items() if keys[id_] in scheduled}


def left_out(errand: Errand, now: datetime) -> Reason | None:
    """Why it is not to be sent, for good."""
    template, visit = errand.notify.template, errand.visit
    if template in errand.practice.messaging.unwanted:
        return Reason.NOT_WANTED
    is_gone = errand.person is None and errand.notify.participant_id != PRACTICE
    present = errand.scheduled.visit
    # The same visit, though perhaps changed since: the two were not read at the same moment.
    if is_gone or present is None or present.id != visit.id:
        return Reason.UNTRUE
    cancelled = template == "cancelled" and visit.state is VisitState.CANCELLED
    if (visit.state in FINAL and not cancelled) or (template == "patient-waiting" and not _waits(visit)):
        return Reason.UNTRUE
    if now >= errand.expires:
        return Reason.EXPIRED
    person = errand.person
    counts = person is not None and person.role is not Role.PRACTITIONER
    return Reason.TOO_MANY if counts and errand.briefing.had >= errand.practice.messaging.at_most else None


def addresses(errand: Errand, kind: str) -> tuple[str, ...]:
    """Where that kind of channel reaches them: mostly one address, for push one of each browser."""
    if kind == "push":
        return errand.briefing.subscriptions
    found = _staff_address(errand.practice, kind) if errand.for_practice else _address(errand, kind)
    return (found,) if found else ()


def reaches_team(practice: Practice, kinds: Iterable[str]) -> bool:
    """Whether one of these kinds of channels reaches the practice's own people."""
    return any(kind != "push" and _staff_address(practice, kind) for kind in kinds)


def _staff_address(practice: Practice, kind: str) -> str:
    match kind:
        case "sms":
            return practice.messaging.staff_phone
        case "email":
            return practice.messaging.staff_email
        case _:
            return practice.id


def _address(errand: Errand, kind: str) -> str:
    assert errand.person
    match kind:
        case "sms":
            return errand.person.phone
        case "email":
            return errand.person.email
        case _:
            return "" if kind == TEAM else errand.person.reference


def _waits(visit: Visit) -> bool:
    return any(not arrival.admitted for arrival in visit.arrivals)
