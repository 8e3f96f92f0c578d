"""Rows to domain objects and back; pure functions, one pair per thing that is kept."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, assert_never
from uuid import uuid4

from sqlalchemy import Row

from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.effects import Audit, DurableEffect, Notify, WriteBack
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Notice, Window
from vsdk.domain.visit import Arrival, Visit, VisitState
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import AuditEntry, Due, MirroredAppointment, OutboxEntry

Values = dict[str, Any]
_SOUGHT = (Role.PATIENT, Role.PRACTITIONER)


def _fields(flat: Any) -> Values:
    """By name, of a dataclass with slots; unlike `dataclasses.asdict`, without copies of the values."""
    return {name: getattr(flat, name) for name in flat.__slots__}


def visit_values(visit: Visit) -> Values:
    return {
        "id": visit.id,
        "practice_id": visit.practice_id,
        "appointment_id": visit.appointment_id,
        "version": visit.version,
        "state": visit.state.value,
        "opens": visit.window.opens,
        "closes": visit.window.closes,
        "grace_seconds": visit.grace.total_seconds(),
        "arrivals": [
            {"participant": a.participant, "since": a.since.isoformat(), "admitted": a.admitted}
            for a in visit.arrivals
        ],
        "took_place": visit.took_place,
        "ended_at": visit.ended_at,
    }


def visit_from(row: Row[Any]) -> Visit:
    return Visit(
        id=VisitId(row.id),
        practice_id=PracticeId(row.practice_id),
        appointment_id=AppointmentId(row.appointment_id),
        window=Window(row.opens, row.closes),
        grace=timedelta(seconds=row.grace_seconds),
        state=VisitState(row.state),
        version=row.version,
        arrivals=tuple(
            Arrival(ParticipantId(a["participant"]), datetime.fromisoformat(a["since"]), a["admitted"])
            for a in row.arrivals
        ),
        took_place=row.took_place,
        ended_at=row.ended_at,
    )


def appointment_values(sourced: SourcedAppointment) -> Values:
    """Without ``version`` and ``updated``, which belong to the mirror."""
    appointment = sourced.appointment
    return {
        "practice_id": appointment.practice_id,
        "appointment_id": appointment.id,
        "release": sourced.release,
        "original": sourced.original,
        "status": appointment.status.value,
        "start": appointment.start,
        "end": appointment.end,
        "participants": [_fields(p) for p in appointment.participants],
        "is_video": appointment.is_video,
        "identifiers": list(appointment.identifiers),
        "source": sourced.source,
        "deleted_at": None,
    }


def key_values(appointment: Appointment) -> list[Values]:
    """By what the appointment can be found. A reference within the resource (``#1``) finds nothing."""
    pairs = {
        *((p.role.value, p.reference) for p in appointment.participants if p.role in _SOUGHT),
        *(("identifier", identifier) for identifier in appointment.identifiers),
    }
    return [
        {
            "practice_id": appointment.practice_id,
            "appointment_id": appointment.id,
            "kind": kind,
            "value": value,
        }
        for kind, value in sorted(pairs)
        if 0 < len(value) <= 512 and not value.startswith("#")
    ]


def mirrored_from(row: Row[Any]) -> MirroredAppointment:
    appointment = Appointment(
        id=AppointmentId(row.appointment_id),
        practice_id=PracticeId(row.practice_id),
        status=AppointmentStatus(row.status),
        start=row.start,
        end=row.end,
        participants=tuple(Participant(**(p | {"role": Role(p["role"])})) for p in row.participants),
        is_video=row.is_video,
        identifiers=tuple(row.identifiers),
    )
    sourced = SourcedAppointment(appointment, row.release, row.original, row.source)
    return MirroredAppointment(sourced, row.version, row.updated, row.deleted_at is not None)


def link_values(link: JoinLink) -> Values:
    return _fields(link)


def link_from(row: Row[Any]) -> JoinLink:
    return JoinLink(
        row.id, row.handle_hash, VisitId(row.visit_id), ParticipantId(row.participant_id), row.revoked_at
    )


def effect_values(effect: DurableEffect, now: datetime) -> Values:
    """A new, pending outbox row, due at once. Its id is the idempotency key of all its attempts."""
    return {
        "id": uuid4().hex,
        "kind": type(effect).__name__,
        "effect": _fields(effect),
        "stream": _stream(effect),
        "state": "pending",
        "reason": "",
        "attempts": 0,
        "created": now,
        "due_at": now,
    }


def stream(practice_id: PracticeId, appointment_id: AppointmentId) -> str:
    """Effects of the same stream are performed one after the other, as they were made."""
    return sha256(f"{practice_id}\n{appointment_id}".encode()).hexdigest()


def _stream(effect: DurableEffect) -> str | None:
    match effect:
        case Notify():
            return None
        case WriteBack(practice_id, appointment_id, _):
            return stream(practice_id, appointment_id)
        case _:
            assert_never(effect)


def entry_from(row: Row[Any]) -> OutboxEntry:
    return OutboxEntry(row.id, _effect_from(row.kind, row.effect), row.attempts, row.created)


def _effect_from(kind: str, body: Values) -> DurableEffect:
    if kind == Notify.__name__:
        return Notify(**body)
    if kind == WriteBack.__name__:
        status = body["status"] and AppointmentStatus(body["status"])
        return WriteBack(body["practice_id"], body["appointment_id"], status)
    raise LookupError(f"the outbox holds an effect of unknown kind {kind!r}")


def deadline_values(visit_id: VisitId, at: datetime, notice: Notice | None) -> Values:
    body = notice and _fields(notice) | {"before": notice.before.total_seconds()}
    return {"id": uuid4().hex, "visit_id": visit_id, "at": at, "notice": body}


def due_from(row: Row[Any]) -> Due:
    body = row.notice
    notice = body and Notice(**(body | {"before": timedelta(seconds=body["before"]), "to": Role(body["to"])}))
    return Due(row.id, VisitId(row.visit_id), row.at, notice)


def audit_values(effect: Audit, now: datetime) -> Values:
    return _fields(effect) | {"at": now}


def audit_from(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        at=row.at,
        practice_id=PracticeId(row.practice_id),
        visit_id=VisitId(row.visit_id),
        what=row.what,
        participant_id=row.participant_id,
        details=row.details,
    )
