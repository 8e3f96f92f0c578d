"""A visit and how it changes.

Everything about transitions lives in this file. It does not know who is connected, what a WebSocket is or
what time it is: ``now`` is an argument. Deadlines are asked for (`next_deadline`) and reported back as
events. `transition` returns the new visit and the effects, and performs none. An event that the table does
not permit raises `IllegalTransition` and changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from vsdk.domain import events as on
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.effects import Audit, Effect, Notify, Publish, WriteBack
from vsdk.domain.errors import IllegalTransition
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.plan import Window


class VisitState(StrEnum):
    PLANNED = "planned"
    WAITING = "waiting"
    ADMITTED = "admitted"
    IN_PROGRESS = "in-progress"
    ENDED = "ended"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"


FINAL = frozenset({VisitState.CLOSED, VisitState.CANCELLED, VisitState.NOSHOW})
ACTIVE = frozenset({VisitState.WAITING, VisitState.ADMITTED, VisitState.IN_PROGRESS})
"""Someone is there: no window puts them out."""
RUNNING = frozenset({VisitState.ADMITTED, VisitState.IN_PROGRESS})

_S = VisitState
TABLE: dict[tuple[VisitState, type[on.VisitEvent]], VisitState] = {
    (_S.PLANNED, on.ParticipantArrived): _S.WAITING,
    (_S.PLANNED, on.Rescheduled): _S.PLANNED,
    (_S.PLANNED, on.AppointmentCancelled): _S.CANCELLED,
    (_S.PLANNED, on.WindowClosed): _S.NOSHOW,
    (_S.PLANNED, on.GraceOver): _S.CLOSED,
    (_S.WAITING, on.ParticipantArrived): _S.WAITING,
    (_S.WAITING, on.ParticipantLeft): _S.WAITING,
    (_S.WAITING, on.PractitionerAdmitted): _S.ADMITTED,
    (_S.WAITING, on.EveryoneLeft): _S.PLANNED,
    (_S.WAITING, on.Rescheduled): _S.WAITING,
    (_S.WAITING, on.AppointmentCancelled): _S.CANCELLED,
    (_S.WAITING, on.VisitClosed): _S.ENDED,
    (_S.ADMITTED, on.ParticipantArrived): _S.ADMITTED,
    (_S.ADMITTED, on.ParticipantLeft): _S.ADMITTED,
    (_S.ADMITTED, on.PractitionerAdmitted): _S.ADMITTED,
    (_S.ADMITTED, on.PeersConnected): _S.IN_PROGRESS,
    (_S.ADMITTED, on.EveryoneLeft): _S.PLANNED,
    (_S.ADMITTED, on.InvitedBack): _S.ADMITTED,
    (_S.ADMITTED, on.Rescheduled): _S.ADMITTED,
    (_S.ADMITTED, on.HungUp): _S.ENDED,
    (_S.IN_PROGRESS, on.ParticipantArrived): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, on.ParticipantLeft): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, on.PractitionerAdmitted): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, on.ConnectionLost): _S.ADMITTED,
    (_S.IN_PROGRESS, on.InvitedBack): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, on.Rescheduled): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, on.HungUp): _S.ENDED,
    (_S.ENDED, on.ParticipantArrived): _S.WAITING,
    (_S.ENDED, on.InvitedBack): _S.PLANNED,
    (_S.ENDED, on.GraceOver): _S.CLOSED,
}
"""The whole machine. ``docs/visit.md`` shows the diagram that is generated from it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A participant who is, or was, in the waiting room."""

    participant: ParticipantId
    since: datetime
    admitted: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """The run-time object of one video Encounter. ``version`` counts changes, from 1."""

    id: VisitId
    practice_id: PracticeId
    appointment_id: AppointmentId
    window: Window
    grace: timedelta
    state: VisitState = VisitState.PLANNED
    version: int = 1
    arrivals: tuple[Arrival, ...] = ()
    took_place: bool = False
    """whether two people were ever connected in it"""
    ended_at: datetime | None = None
    delay_minutes: int = 0
    """how much later than planned it begins, as the practice announced"""
    cancellation_asked: bool = False
    """whether someone who comes by a link asked the practice to cancel the appointment"""

    def arrival(self, participant: ParticipantId) -> Arrival | None:
        return next((a for a in self.arrivals if a.participant == participant), None)

    def is_admitted(self, participant: ParticipantId) -> bool:
        arrival = self.arrival(participant)
        return arrival is not None and arrival.admitted

    @property
    def waiting_since(self) -> datetime | None:
        return min((a.since for a in self.arrivals), default=None)

    @property
    def come_back_until(self) -> datetime | None:
        """Until when one can go back to a visit that someone ended."""
        return self.ended_at + self.grace if self.ended_at else None

    @property
    def closes(self) -> datetime:
        """When nobody can come any more, unless someone is there then."""
        return max(self.window.closes, self.come_back_until or self.window.closes)


@dataclass(frozen=True, slots=True)
class Deadline:
    """At ``at``, report ``event``."""

    at: datetime
    event: on.WindowClosed | on.GraceOver


def next_deadline(visit: Visit) -> Deadline | None:
    """What time will do to the visit, or None where time does nothing."""
    if visit.state is VisitState.PLANNED:
        happened = visit.took_place or visit.ended_at is not None
        return Deadline(visit.closes, on.GraceOver() if happened else on.WindowClosed())
    if visit.state is VisitState.ENDED and visit.come_back_until:
        return Deadline(visit.come_back_until, on.GraceOver())
    return None


def permits(visit: Visit, event: type[on.VisitEvent]) -> bool:
    """Whether this kind of event can happen now."""
    return (visit.state, event) in TABLE


def transition(visit: Visit, event: on.VisitEvent, now: datetime) -> tuple[Visit, tuple[Effect, ...]]:
    """The visit after ``event``, and what is to be done.

    Raises IllegalTransition when the table has no such row, or when nobody of that id has arrived.
    """
    target = TABLE.get((visit.state, type(event)))
    if target is None:
        raise IllegalTransition(f"{type(event).__name__} cannot happen while the visit is {visit.state}")
    changed = replace(_apply(visit, event, now), state=target, version=visit.version + 1)
    return changed, _effects(visit, changed, event)


def _apply(visit: Visit, event: on.VisitEvent, now: datetime) -> Visit:
    match event:
        case on.ParticipantArrived(participant):
            if visit.arrival(participant):
                return visit
            return replace(visit, arrivals=(*visit.arrivals, Arrival(participant, now)))
        case on.PractitionerAdmitted(participant):
            if visit.arrival(participant) is None:
                raise IllegalTransition("only someone who has arrived can be admitted")
            return replace(
                visit,
                arrivals=tuple(
                    replace(a, admitted=True) if a.participant == participant else a for a in visit.arrivals
                ),
            )
        case on.PeersConnected():
            return replace(visit, took_place=True, ended_at=None)
        case on.ParticipantLeft(participant):
            return replace(visit, arrivals=tuple(a for a in visit.arrivals if a.participant != participant))
        case on.EveryoneLeft():
            return replace(visit, arrivals=())
        case on.HungUp() | on.VisitClosed():
            return replace(visit, arrivals=(), ended_at=now)
        case on.InvitedBack(_, window) if visit.state is VisitState.ENDED:
            return replace(visit, window=window)
        case on.InvitedBack(_, window):
            return replace(
                visit, window=replace(visit.window, closes=max(visit.window.closes, window.closes))
            )
        case on.Rescheduled(window):
            return replace(visit, window=window, delay_minutes=0, cancellation_asked=False)
        case on.ConnectionLost() | on.AppointmentCancelled() | on.WindowClosed() | on.GraceOver():
            return visit
        case _:
            assert_never(event)


def _effects(before: Visit, after: Visit, event: on.VisitEvent) -> tuple[Effect, ...]:
    details: dict[str, object] = {"from": before.state.value, "to": after.state.value}
    if isinstance(event, on.HungUp):
        details["by"] = event.by.value
    participant = getattr(event, "participant", None)
    effects: list[Effect] = [
        Audit(after.practice_id, after.id, kebab(type(event).__name__), participant, details),
        Publish(after.practice_id, after.id),
    ]
    if status := _status_to_report(before, after):
        effects.append(WriteBack(after.practice_id, after.appointment_id, status))
    if isinstance(event, on.InvitedBack):
        effects.append(Notify(after.id, event.participant, "invited-back"))
    return tuple(effects)


def _status_to_report(before: Visit, after: Visit) -> AppointmentStatus | None:
    """What the PMS should learn. Appointment states go forwards only, so a return reports nothing."""
    match after.state:
        case _ if after.state is before.state:
            return None
        case VisitState.WAITING if not after.took_place:
            return AppointmentStatus.ARRIVED
        case VisitState.IN_PROGRESS if not before.took_place:
            return AppointmentStatus.CHECKED_IN
        case VisitState.ENDED if after.took_place:
            return AppointmentStatus.FULFILLED
        case VisitState.NOSHOW:
            return AppointmentStatus.NOSHOW
        case VisitState.CLOSED if after.took_place and after.ended_at is None:
            return AppointmentStatus.FULFILLED
        case _:
            return None


def kebab(name: str) -> str:
    """``PractitionerAdmitted`` -> ``practitioner-admitted``."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
