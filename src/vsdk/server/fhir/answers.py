"""What an interaction answers, before it becomes an HTTP response or an entry of a Bundle."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from vsdk.domain.errors import VsdkError
from vsdk.domain.ids import AppointmentId
from vsdk.hooks import json_text
from vsdk.hooks.ports import Json
from vsdk.hooks.store import MirroredAppointment
from vsdk.server import problems
from vsdk.server.fhir.negotiation import CONTENT_TYPE, Preferences


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    resource: Json | None = field(default=None, repr=False)
    version: int | None = None
    updated: datetime | None = None
    location: str = ""
    """address of what was created"""
    full_url: str = ""
    """address of the resource"""
    changed: bool = False
    """answers a change, so that Prefer decides what comes back"""


def stamped(resource: Json, mirrored: MirroredAppointment) -> Json:
    """With the version and time of our copy in ``meta``, whatever it was given with
    (hl7.org/fhir/resource.html#Meta)."""
    meta = resource.get("meta")
    ours = {"versionId": str(mirrored.version), "lastUpdated": instant(mirrored.updated)}
    return resource | {"meta": {**(meta if isinstance(meta, dict) else {}), **ours}}


def unstamped(resource: Json) -> Json:
    """Without what `stamped` adds: it is to be ignored in what is given (hl7.org/fhir/http.html#update)."""
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return resource
    kept = {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}
    without = {name: value for name, value in resource.items() if name != "meta"}
    return without | {"meta": kept} if kept else without


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entity_tag(version: int) -> str:
    return f'W/"{version}"'


def address(base: str, release: str, id_: AppointmentId) -> str:
    return f"{base}/fhir/{release}/Appointment/{quote(id_, safe='')}"


def response(answer: Answer, preferences: Preferences) -> Response:
    """As HTTP (hl7.org/fhir/http.html#ops)."""
    headers = {"Cache-Control": "no-store"}
    if answer.version is not None:
        headers["ETag"] = entity_tag(answer.version)
    if answer.updated is not None:
        headers["Last-Modified"] = format_datetime(answer.updated.astimezone(UTC), usegmt=True)
    if answer.location:
        headers["Location"] = answer.location
    resource = preferred(answer, preferences)
    if resource is None:
        return Response(status_code=answer.status, headers=headers)
    return Response(json_text.write(resource), answer.status, headers, CONTENT_TYPE)


def preferred(answer: Answer, preferences: Preferences) -> Json | None:
    """The body that the caller prefers; of a change, perhaps none."""
    if not answer.changed or preferences.returned == "representation":
        return answer.resource
    return None if preferences.returned == "minimal" else information("done")


def refusal(error: VsdkError, at: str = "") -> Response:
    """``at`` is the place in a Bundle, as FHIRPath."""
    status, headers = problems.status_of(error), problems.headers_of(error)
    return Response(json_text.write(outcome(error, at)), status, headers, CONTENT_TYPE)


def outcome(error: VsdkError, at: str = "") -> Json:
    """An OperationOutcome whose places are within the entry ``at`` of a Bundle."""
    found = problems.operation_outcome(error)
    if at:
        for issue in found["issue"]:
            path = issue.get("expression", [""])[0]
            within = f".resource{path.removeprefix('Appointment')}" if path.startswith("Appointment") else ""
            issue["expression"] = [at + within]
    return found


def information(text: str, severity: str = "information", code: str = "informational") -> Json:
    issue: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def status_line(status: int) -> str:
    """As a Bundle has it: ``201 Created``."""
    return f"{status} {HTTPStatus(status).phrase}"
