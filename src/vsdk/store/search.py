"""Finding mirrored appointments, as the FHIR face and the schedule sources ask for them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.visit import ACTIVE, VisitState
from vsdk.hooks.store import AppointmentQuery, MirroredAppointment, Span
from vsdk.store import mapping
from vsdk.store.database import Database, whole
from vsdk.store.tables import appointment, appointment_key, visit

_PEOPLE = ("patient", "practitioner")
_TOKEN = re.compile(r"(?P<system>(?:\\.|[^|\\])*)(?P<bar>\|)(?P<code>.*)", re.DOTALL)
_GUARDED = re.compile(r"\\([,$|\\])")
_OPEN = sorted(state.value for state in {*ACTIVE, VisitState.PLANNED})


class SqlSearch:
    """The searching part of the port `vsdk.hooks.store.AppointmentMirror`."""

    _database: Database

    @whole
    async def find_appointments(self, query: AppointmentQuery) -> list[MirroredAppointment]:
        found = select(appointment).where(*_conditions(query))
        if query.after is not None:
            found = found.where(appointment.c.appointment_id > query.after)
        page = found.order_by(appointment.c.appointment_id).limit(query.limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(page)).all()
        return [mapping.mirrored_from(row) for row in rows]

    @whole
    async def count_appointments(self, query: AppointmentQuery) -> int:
        count = select(func.count()).select_from(appointment).where(*_conditions(query))
        async with self._database.read() as connection:
            return int((await connection.execute(count)).scalar_one())

    @whole
    async def delete_appointment(
        self, practice_id: PracticeId, appointment_id: AppointmentId, now: datetime
    ) -> None:
        this = (appointment.c.practice_id == practice_id, appointment.c.appointment_id == appointment_id)
        async with self._database.write() as connection:
            await connection.execute(
                update(appointment)
                .where(*this)
                .values(deleted_at=now, updated=now, version=appointment.c.version + 1)
            )

    @whole
    async def upcoming_of(self, practice_id: PracticeId, source: str) -> list[AppointmentId]:
        both = and_(
            visit.c.practice_id == appointment.c.practice_id,
            visit.c.appointment_id == appointment.c.appointment_id,
        )
        ids = (
            select(appointment.c.appointment_id)
            .join(visit, both)
            .where(
                appointment.c.practice_id == practice_id,
                appointment.c.source == source,
                visit.c.state.in_(_OPEN),
            )
            .distinct()
        )
        async with self._database.read() as connection:
            return [AppointmentId(id_) for id_ in (await connection.execute(ids)).scalars()]


def _conditions(query: AppointmentQuery) -> list[ColumnElement[bool]]:
    c = appointment.c
    conditions: list[ColumnElement[bool]] = [
        c.practice_id == query.practice_id,
        c.release.in_(query.releases),
        c.deleted_at.is_(None),
        *_within(c.start, query.start),
        *_within(c.updated, query.updated),
    ]
    if query.ids:
        conditions.append(c.appointment_id.in_(query.ids))
    if query.statuses:
        conditions.append(c.status.in_(query.statuses))
    return conditions + [_found_by(query.practice_id, kind, values) for kind, values in query.keys]


def _found_by(practice_id: PracticeId, kind: str, values: Sequence[str]) -> ColumnElement[bool]:
    """From the keys to the appointments, so that the index on keys is what is searched."""
    k = appointment_key.c
    match = _token if kind == "identifier" else k.value.__eq__
    keys = select(k.appointment_id).where(
        k.practice_id == practice_id,
        k.kind.in_(_PEOPLE if kind == "actor" else (kind,)),
        or_(*map(match, values)),
    )
    return appointment.c.appointment_id.in_(keys)


def _token(token: str) -> ColumnElement[bool]:
    """FHIR's four forms (hl7.org/fhir/search.html#token); LIKE would not tell upper from lower case."""
    value = appointment_key.c.value
    system, bar, code = _split(token)
    if not bar:
        tail = f"|{code}"
        bars = func.length(value) - func.length(func.replace(value, "|", ""))
        ends_so = func.substr(value, func.length(value) - len(tail) + 1) == tail
        return and_(func.length(value) >= len(tail), ends_so, bars == tail.count("|"))
    if code:
        return value == f"{system}|{code}"
    return func.substr(value, 1, len(system) + 1) == f"{system}|"


def _split(token: str) -> tuple[str, str, str]:
    """System, the bar if there is one, code; ``\\|`` is a bar that is part of either."""
    found = _TOKEN.fullmatch(token)
    system, bar, code = found.groups() if found else ("", "", token)
    return _GUARDED.sub(r"\1", system), bar, _GUARDED.sub(r"\1", code)


def _within(column: ColumnElement[Any], spans: tuple[Span, ...]) -> list[ColumnElement[bool]]:
    return [
        *(column >= span.since for span in spans if span.since),
        *(column < span.until for span in spans if span.until),
    ]
