"""Batches and transactions (hl7.org/fhir/http.html#transaction).

A batch does each entry by itself. A transaction does all or nothing of what can be refused: every entry is
resolved and planned, and policy asked, before the first one is carried out; meanwhile nobody else changes
appointments of that practice over FHIR. Each appointment is then stored in a database transaction of its own,
so that a failure of the database itself, or a change that comes from elsewhere in that very moment, can still
stop it half-way; the answer then says after how many.
"""

import logging
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from vsdk.domain.errors import Conflict, UsageError, VsdkError
from vsdk.hooks.ports import Json
from vsdk.server import problems
from vsdk.server.clients import Caller
from vsdk.server.fhir.answers import Answer, entity_tag, instant, outcome, preferred, status_line
from vsdk.server.fhir.calls import Call, Planned, Target, criteria_of
from vsdk.server.fhir.entries import Entry, read
from vsdk.server.fhir.interactions import Appointments
from vsdk.server.fhir.negotiation import Preferences
from vsdk.server.fhir.references import resolved

log = logging.getLogger(__name__)

MAX_ENTRIES = 500
ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3}


class EntryRefused(Exception):
    """A transaction that was refused because of one entry."""

    def __init__(self, error: VsdkError, place: str) -> None:
        super().__init__(place)
        self.error = error
        self.place = place
        """FHIRPath of the entry"""


@dataclass(slots=True)
class Step:
    """An entry of a transaction on its way."""

    number: int
    call: Call
    full_url: str
    target: Target | None = None
    planned: Planned | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        return f"Bundle.entry[{self.number}]"


async def perform(
    appointments: Appointments, caller: Caller, release: str, body: Json, asked: Preferences
) -> Json:
    """The Bundle of answers, in the order of the entries.

    Raises UsageError ``bundle-invalid`` or ``bundle-too-large``, and EntryRefused for a transaction.
    """
    if body.get("resourceType") != "Bundle" or body.get("type") not in ("batch", "transaction"):
        raise UsageError("a Bundle of type batch or transaction is needed", code="bundle-invalid")
    listed = body.get("entry") or []
    if not isinstance(listed, list):
        raise UsageError("Bundle.entry is a list", code="bundle-invalid")
    if len(listed) > MAX_ENTRIES:
        raise UsageError(f"a Bundle may have at most {MAX_ENTRIES} entries", code="bundle-too-large")
    entries = [read(one, caller, release, strict=asked.strict) for one in listed]
    if body["type"] == "batch":
        answers = [await _alone(appointments, entry, asked) for entry in entries]
    else:
        answers = await _transaction(appointments, entries, asked)
    answered: Json = {"resourceType": "Bundle", "type": f"{body['type']}-response"}
    return answered | {"entry": answers} if answers else answered


async def _alone(appointments: Appointments, entry: Entry, asked: Preferences) -> Json:
    try:
        if isinstance(entry.call, VsdkError):
            raise entry.call
        return _answered(await _do(appointments, entry.call), asked)
    except VsdkError as error:
        return _failed(error)
    except Exception as error:
        log.error("an entry of a batch failed", extra={"error": type(error).__name__})
        return _failed(VsdkError("something went wrong here; it was logged"))


async def _do(appointments: Appointments, call: Call) -> Answer:
    if call.method == "GET":
        return await (appointments.finder.read(call) if call.id else appointments.finder.search(call))
    return await appointments.change(call)


async def _transaction(appointments: Appointments, entries: list[Entry], asked: Preferences) -> list[Json]:
    steps = []
    for number, entry in enumerate(entries):
        if isinstance(entry.call, VsdkError):
            raise EntryRefused(entry.call, f"Bundle.entry[{number}]")
        steps.append(Step(number, entry.call, entry.full_url))
    steps.sort(key=lambda step: ORDER[step.call.method])
    changes = [step for step in steps if step.call.method != "GET"]
    answers: dict[int, Json] = {}
    if changes:
        async with appointments.turn(changes[0].call.practice_id):
            await _plan(appointments, changes)
            for done, step in enumerate(changes):
                try:
                    assert step.planned is not None
                    answer = await appointments.carry_out(step.call, step.planned)
                except Exception as error:
                    if not done and not isinstance(error, VsdkError):
                        raise
                    raise EntryRefused(_broken_off(error, done), step.place) from error
                answers[step.number] = _answered(answer, asked)
    for step in steps:
        if step.call.method == "GET":
            try:
                answers[step.number] = _answered(await _do(appointments, step.call), asked)
            except VsdkError as error:
                if changes:
                    answers[step.number] = _failed(error)
                else:
                    raise EntryRefused(error, step.place) from error
    return [answers[number] for number in sorted(answers)]


async def _plan(appointments: Appointments, changes: list[Step]) -> None:
    """Raises EntryRefused with the first reason not to carry these out."""
    ids: dict[str, str] = {}
    meant: set[Any] = set()
    for step in changes:
        try:
            step.target = await appointments.resolve(step.call)
            by = sorted(criteria_of(step.call) or ()) if step.target.by_criteria else ()
            same = {step.target.id, *([tuple(by)] if by else ())}
            if same & meant or step.full_url in ids:
                raise UsageError("two entries are about the same appointment", code="bundle-invalid")
        except VsdkError as error:
            raise EntryRefused(error, step.place) from error
        meant |= same
        if step.full_url:
            ids[step.full_url] = f"Appointment/{step.target.id}"
    for step in changes:
        try:
            assert step.target is not None
            step.call = await _linked(appointments, step.call, ids)
            step.planned = await appointments.plan(step.call, step.target)
            appointments.check_policy(step.planned)
        except VsdkError as error:
            raise EntryRefused(error, step.place) from error


async def _linked(appointments: Appointments, call: Call, ids: dict[str, str]) -> Call:
    async def find(criteria: str) -> str | None:
        found = await appointments.finder.match(call, tuple(parse_qsl(criteria, keep_blank_values=True)))
        return f"Appointment/{found.mirrored.appointment.id}" if found else None

    return replace(call, body=await resolved(call.body, ids, find))


def _broken_off(error: Exception, done: int) -> VsdkError:
    if isinstance(error, VsdkError) and not done:
        return error
    log.error("a transaction was broken off", extra={"error": type(error).__name__})
    text = f"broken off after {done} changes, which stand; the others were not made"
    return Conflict(text, code="transaction-incomplete")


def _answered(answer: Answer, asked: Preferences) -> Json:
    response: Json = {"status": status_line(answer.status)}
    if answer.location:
        response["location"] = answer.location
    if answer.version is not None:
        response["etag"] = entity_tag(answer.version)
    if answer.updated is not None:
        response["lastModified"] = instant(answer.updated)
    entry: Json = {"response": response}
    if answer.full_url:
        entry["fullUrl"] = answer.full_url
    body = preferred(answer, asked)
    if body and body["resourceType"] == "OperationOutcome":
        response["outcome"] = body
    elif body:
        entry["resource"] = body
    return entry


def _failed(error: VsdkError) -> Json:
    return {"response": {"status": status_line(problems.status_of(error)), "outcome": outcome(error)}}
