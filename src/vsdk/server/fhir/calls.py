"""An interaction as it was asked for, and a change on its way from that to being made."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from vsdk.domain.errors import Conflict, UsageError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.hooks.ports import Json, SourcedAppointment
from vsdk.server.clients import Caller
from vsdk.server.fhir.negotiation import names_version
from vsdk.server.fhir.search import PARAMETERS, Params
from vsdk.service.scheduling import Scheduled

KEPT_AS = {"STU3": ("STU3",), "R4": ("R4", "R4B"), "R4B": ("R4", "R4B"), "R5": ("R5",)}
"""Under which names the mirror may have appointments of a release; the first is the one for new ones."""


@dataclass(frozen=True, slots=True)
class Call:
    """One interaction as it was asked for, over HTTP or in a Bundle."""

    caller: Caller
    release: str
    method: str
    id: str = ""
    params: tuple[tuple[str, str], ...] = ()
    """of a search or a conditional update"""
    body: Any = field(default=None, repr=False)
    """parsed JSON: an Appointment, or the operations of a JSON Patch"""
    if_match: str | None = None
    if_none_match: str | None = None
    if_none_exist: str | None = None
    strict: bool = False
    """unknown search parameters are errors"""

    @property
    def practice_id(self) -> PracticeId:
        return self.caller.practice_id


@dataclass(frozen=True, slots=True)
class Target:
    """Which appointment a change is about."""

    id: AppointmentId
    found: Scheduled | None = None
    by_criteria: bool = False


@dataclass(frozen=True, slots=True)
class Save:
    sourced: SourcedAppointment
    if_version: int | None
    before: Scheduled | None
    readable: bool
    """whether the caller may see all that is saved"""


@dataclass(frozen=True, slots=True)
class Removal:
    id: AppointmentId
    if_version: int | None


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is one already (conditional create)."""

    found: Scheduled


Planned = Save | Removal | Nothing


def expected_version(call: Call, found: Scheduled | None) -> int | None:
    """The version that our copy must have. Raises Conflict ``version-mismatch`` when it cannot."""
    if call.if_none_match is not None and found and names_version(call.if_none_match, found.mirrored.version):
        raise Conflict("there is such an appointment already", code="version-mismatch")
    if call.if_match is None:
        return None
    if found is None:
        raise Conflict("there is no such appointment", code="version-mismatch")
    current = found.mirrored.version
    without_quotes = call.if_match.strip().removeprefix("W/") == str(current)  # as some clients send it
    if not without_quotes and not names_version(call.if_match, current):
        raise Conflict("the appointment was changed by someone else", code="version-mismatch")
    return current


def criteria_of(call: Call) -> Params | None:
    """By which a create or an update names its appointment; None for a create without any.

    ``If-None-Exist`` may have an address before its criteria. Where a create has none, those of its address
    count: there fhirpy puts them, and to leave them out would create the same twice.
    """
    if call.method == "PUT":
        return call.params
    if call.if_none_exist is None:
        sought = any(name.partition(":")[0] in PARAMETERS for name, _ in call.params)
        return call.params if sought else None
    address, mark, criteria = call.if_none_exist.partition("?")
    text = criteria if mark and "=" not in address else call.if_none_exist
    return tuple(parse_qsl(text, keep_blank_values=True))


def resource_of(body: Any) -> Json:
    if not isinstance(body, dict):
        raise UsageError("the body is not a JSON object", code="not-json-object")
    return body
