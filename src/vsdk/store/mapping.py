"""Rows to domain objects and back; pure functions, one pair per thing that is kept."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, assert_never
from uuid import uuid4

from sqlalchemy import Row

from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.effects import Audit, DurableEffect, Notify, WriteBack
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinLink
from vsdk.domain.message import MessageState
from vsdk.domain.participant import Participant, Role
from vsdk.domain.plan import Notice, WaitingNotice, Window
from vsdk.domain.visit import Arrival, Visit, VisitState
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import (
    AuditEntry,
    DeadLetter,
    Due,
    DueNotice,
    MessageRecord,
    MirroredAppointment,
    OutboxEntry,
)

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
        "delay_minutes": visit.delay_minutes,
        "cancellation_asked": visit.cancellation_asked,
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
        delay_minutes=row.delay_minutes,
        cancellation_asked=row.cancellation_asked,
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


def effect_body(effect: DurableEffect, without: tuple[str, ...]) -> Values:
    """How the effect is kept, with what was learned from an attempt."""
    return _fields(replace(effect, without=without) if isinstance(effect, Notify) else effect)


def dead_letter_from(row: Row[Any], record: MessageRecord | None) -> DeadLetter:
    entry = entry_from(row)
    practice_id = entry.effect.practice_id if isinstance(entry.effect, WriteBack) else row.practice_id
    return DeadLetter(entry, PracticeId(practice_id or ""), row.reason, record)


def message_values(notify: Notify, id_: str, practice_id: str, now: datetime) -> Values:
    """A record of a message that waits to be sent; ``id_`` is that of its outbox entry."""
    record = MessageRecord(
        id_,
        PracticeId(practice_id),
        notify.visit_id,
        notify.participant_id,
        notify.template,
        MessageState.QUEUED,
        now,
        now,
        notify.values,
        notify.without,
    )
    return _fields(record)


def progress_values(record: MessageRecord) -> Values:
    """What of a record changes as the message goes on."""
    fixed = ("id", "practice_id", "visit_id", "participant_id", "template", "details", "without", "created")
    return {name: value for name, value in _fields(record).items() if name not in fixed}


def message_from(row: Row[Any]) -> MessageRecord:
    values = {name: row._mapping[name] for name in MessageRecord.__slots__}
    kept = {"state": MessageState(row.state), "without": tuple(row.without)}
    return MessageRecord(**(values | kept))


def entry_from(row: Row[Any]) -> OutboxEntry:
    return OutboxEntry(row.id, _effect_from(row.kind, row.effect), row.attempts, row.created)


def _effect_from(kind: str, body: Values) -> DurableEffect:
    if kind == Notify.__name__:
        return Notify(**(body | {"without": tuple(body.get("without", ()))}))
    if kind == WriteBack.__name__:
        status = body["status"] and AppointmentStatus(body["status"])
        return WriteBack(body["practice_id"], body["appointment_id"], status)
    raise LookupError(f"the outbox holds an effect of unknown kind {kind!r}")


def deadline_values(visit_id: VisitId, at: datetime, notice: DueNotice | None) -> Values:
    body = notice and _notice_body(notice)
    return {"id": uuid4().hex, "visit_id": visit_id, "at": at, "notice": body}


def _notice_body(due: DueNotice) -> Values:
    match due.notice:
        case Notice(before=before):
            return _fields(due.notice) | {"before": before.total_seconds()}
        case WaitingNotice(every=every):
            return _fields(due.notice) | {"every": every.total_seconds(), "sent": due.sent}
        case _:
            assert_never(due.notice)


def due_from(row: Row[Any]) -> Due:
    if row.notice is None:
        return Due(row.id, VisitId(row.visit_id), row.at, None)
    body: Values = row.notice | {"to": Role(row.notice["to"])}
    sent = body.pop("sent", 0)
    if "every" in body:
        waiting = WaitingNotice(**(body | {"every": timedelta(seconds=body["every"])}))
        return Due(row.id, VisitId(row.visit_id), row.at, waiting, sent)
    notice = Notice(**(body | {"before": timedelta(seconds=body["before"])}))
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
