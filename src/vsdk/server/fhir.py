"""The FHIR face: an Appointment in, the same Appointment with its join link out.

``PUT /fhir/R4/Appointment/{id}`` and ``/fhir/R5/…`` (hl7.org/fhir/http.html#update), with weak entity tags
and ``If-Match``; errors as OperationOutcome.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import JSONResponse, Response

from vsdk.domain import json_text
from vsdk.domain.errors import Conflict, InvalidAppointment, NotFound
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat, SourcedAppointment
from vsdk.server.api import Authorization, PracticeKeys
from vsdk.service.scheduling import Scheduled, SchedulingService

MEDIA_TYPE = "application/fhir+json"
MAX_BYTES = 1024 * 1024


def make_router(
    *,
    scheduling: SchedulingService,
    appointment_format: AppointmentFormat,
    practices: Mapping[PracticeId, Practice],
    keys: PracticeKeys,
) -> APIRouter:
    """``read`` and ``update`` of Appointment, for R4 (also R4B) and R5."""
    router = APIRouter(prefix="/fhir")

    def reply(scheduled: Scheduled, release: str, status: int) -> Response:
        sourced = scheduled.mirrored.sourced
        resource = appointment_format.write(
            sourced.original, release=release, virtual_service=scheduled.patient_service
        )
        headers = {
            "ETag": f'W/"{scheduled.mirrored.version}"',
            "Cache-Control": "no-store",
        }
        return JSONResponse(resource, status, headers, MEDIA_TYPE)

    @router.get("/{release}/Appointment/{appointment_id}", summary="Read an Appointment with its link")
    async def read(release: str, appointment_id: str, authorization: Authorization = "") -> Response:
        practice_id = keys.practice_of(authorization)
        scheduled = await scheduling.current(practice_id, AppointmentId(appointment_id))
        if (release == "R5") != (scheduled.mirrored.sourced.release == "R5"):
            raise NotFound("the appointment is not of this FHIR release", code="appointment-unknown")
        return reply(scheduled, scheduled.mirrored.sourced.release, 200)

    @router.put("/{release}/Appointment/{appointment_id}", summary="Create or change an Appointment")
    async def update(
        release: str,
        appointment_id: str,
        request: Request,
        authorization: Authorization = "",
        if_match: Annotated[str | None, Header(description='`W/"1"`')] = None,
    ) -> Response:
        practice = practices[keys.practice_of(authorization)]
        resource = parse(await request.body())
        appointment = appointment_format.read(resource, release=release, practice=practice)
        if appointment.id != appointment_id:
            raise InvalidAppointment(
                "the id in the resource is not the one in the address",
                code="appointment-id-mismatch",
                issues=[("Appointment.id", "must equal the id in the address")],
            )
        known = await scheduling.knows(practice.id, appointment.id)
        sourced = SourcedAppointment(appointment, release, resource)
        scheduled = await scheduling.schedule(sourced, if_version=version(if_match))
        return reply(scheduled, release, 200 if known else 201)

    return router


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidAppointment ``not-json`` or ``not-json-object``."""
    if len(body) > MAX_BYTES:
        raise InvalidAppointment("an Appointment may have at most 1 MiB", code="message-too-big")
    try:
        value = json_text.parse(body)
    except ValueError:
        raise InvalidAppointment("the body is not JSON", code="not-json") from None
    if not isinstance(value, dict):
        raise InvalidAppointment("the body is not a JSON object", code="not-json-object")
    return value


def version(if_match: str | None) -> int | None:
    """``W/"3"`` -> 3. Raises Conflict for anything that is not one of our tags, as it cannot match."""
    if if_match is None:
        return None
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not tag.isdecimal():
        raise Conflict("If-Match does not name a version of this appointment", code="version-mismatch")
    return int(tag)
