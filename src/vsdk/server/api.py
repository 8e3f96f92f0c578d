"""``/api/v1``: for PMS vendors and for our own pages. Routes translate; services decide."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from vsdk.domain.errors import InvalidAppointment, Refused
from vsdk.domain.ids import PracticeId, VisitId
from vsdk.domain.participant import Role
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat, SourcedAppointment
from vsdk.server import schemas as s
from vsdk.server.limits import AttemptLimit
from vsdk.server.qr import qr_code
from vsdk.service.clock import Clock
from vsdk.service.delivery import MessageRenderer
from vsdk.service.join import Granted, JoinService, same_secret
from vsdk.service.scheduling import Scheduled, SchedulingService

NO_STORE = {"Cache-Control": "no-store"}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": s.ProblemReply, "description": "Problem document (RFC 9457), application/problem+json"}
}
Authorization = Annotated[str, Header(description="`Bearer` and an API key or an access grant")]


class PracticeKeys:
    """Finds the practice whose API key was given."""

    def __init__(self, keys: Mapping[PracticeId, str]) -> None:
        self._keys = keys

    def practice_of(self, authorization: str) -> PracticeId:
        """Raises Refused ``api-key-invalid``. Compares with every key, in the same time for each."""
        given = bearer(authorization)
        matches = [practice for practice, key in self._keys.items() if same_secret(given, key)]
        if not matches:
            raise Refused("a valid API key is needed", code="api-key-invalid")
        return matches[0]


def bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def make_router(
    *,
    join: JoinService,
    scheduling: SchedulingService,
    appointment_format: AppointmentFormat,
    practices: Mapping[PracticeId, Practice],
    keys: PracticeKeys,
    attempts: AttemptLimit,
    base_url: str,
    words: MessageRenderer,
    clock: Clock,
    push_keys: Mapping[PracticeId, str],
) -> APIRouter:
    """All routes of ``/api/v1``."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    signalling = "ws" + base_url.removeprefix("http") + "/signal"

    def visit_reply(scheduled: Scheduled) -> s.VisitReply:
        if scheduled.visit is None:
            raise Refused("the time of this appointment has passed, or it is cancelled", code="no-visit")
        practice_id = scheduled.visit.practice_id
        granted = join.grant_list(practice_id, Role.PRACTITIONER, "pms")
        links = [
            s.LinkReply(
                participant=link.participant.reference,
                role=link.participant.role.value,
                join_url=link.url,
                opens=link.window.opens,
                closes=link.window.closes,
            )
            for link in scheduled.links
        ]
        return s.VisitReply(
            visit=scheduled.visit.id,
            appointment=scheduled.mirrored.appointment.id,
            state=scheduled.visit.state.value,
            version=scheduled.mirrored.version,
            links=links,
            **grant_fields(granted),
        )

    def grant_fields(granted: Granted) -> dict[str, Any]:
        return {"grant": granted.token, "expires": granted.grant.expires, "signalling": signalling}

    def practice_reply(practice: Practice) -> s.PracticeReply:
        return s.PracticeReply(id=practice.id, name=practice.name, phone=practice.phone)

    @router.post("/visits", summary="Plan a video visit for an appointment")
    async def plan(body: s.VisitRequest, authorization: Authorization = "") -> s.VisitReply:
        """Repeating it with the same appointment gives the same links; with a changed one, it follows."""
        practice = practices[keys.practice_of(authorization)]
        release = body.fhir_version
        try:
            appointment = appointment_format.read(
                body.appointment, release=release, practice=practice, assume_video=True
            )
        except InvalidAppointment as error:
            if error.called_off:
                await scheduling.vanished(practice.id, error.called_off)
            raise
        sourced = SourcedAppointment(appointment, release, body.appointment)
        return visit_reply(await scheduling.schedule(sourced))

    @router.post("/visits/{visit}/links", summary="Revoke the links of a visit and issue new ones")
    async def replace_links(visit: str, authorization: Authorization = "") -> s.VisitReply:
        practice_id = keys.practice_of(authorization)
        return visit_reply(await scheduling.replace_links(practice_id, VisitId(visit)))

    @router.post("/visits/{visit}/grant", summary="Enter a visit from the practice's list")
    async def enter(visit: str, authorization: Authorization = "") -> s.GrantReply:
        return s.GrantReply(**grant_fields(await join.enter(bearer(authorization), VisitId(visit))))

    @router.post("/grant", summary="A grant for the widget of the practice's list")
    async def list_grant(authorization: Authorization = "") -> s.GrantReply:
        """For each page that shows the list; while it is connected, the widget renews the grant by itself."""
        granted = join.grant_list(keys.practice_of(authorization), Role.PRACTITIONER, "pms")
        return s.GrantReply(**grant_fields(granted))

    @router.post("/join/preview", summary="What a join link stands for")
    async def preview(body: s.HandleRequest, request: Request) -> s.PreviewReply:
        await attempts.count(address_of(request))
        invitation = await join.look(body.handle)
        appointment, participant = invitation.appointment, invitation.participant
        practice = practices[appointment.practice_id]
        practitioner = appointment.first(Role.PRACTITIONER)
        return s.PreviewReply(
            practice=practice_reply(practice),
            practitioner=practitioner.name if practitioner else "",
            role=participant.role.value,
            start=appointment.start,
            end=appointment.end,
            opens=invitation.visit.window.opens,
            closes=invitation.visit.closes,
            time_zone=practice.time_zone.key,
            language=participant.language or practice.language,
            problem=invitation.problem.value if invitation.problem else None,
            push_key=push_keys.get(practice.id, ""),
        )

    @router.post("/join/code", summary="The join link as a QR code", response_class=Response)
    async def code(body: s.HandleRequest, request: Request) -> Response:
        """An SVG picture, for going on with a phone. It is as secret as the link."""
        await attempts.count(address_of(request))
        await join.look_ahead(body.handle)
        return Response(qr_code(f"{base_url}/j#{body.handle}"), 200, NO_STORE, "image/svg+xml")

    @router.post("/join/calendar", summary="The appointment for a calendar", response_class=Response)
    async def calendar(body: s.CalendarRequest, request: Request) -> Response:
        """An iCalendar file with the link as CONFERENCE (RFC 5545, RFC 7986)."""
        await attempts.count(address_of(request))
        invitation = await join.look_ahead(body.handle)
        file = words.calendar(
            body.language or invitation.participant.language or "",
            practice=practices[invitation.appointment.practice_id],
            appointment=invitation.appointment,
            url=f"{base_url}/j#{body.handle}",
            now=clock.now(),
            sequence=invitation.version,
        )
        return Response(file, 200, NO_STORE, "text/calendar")

    @router.post("/join", summary="Exchange a join link for an access grant")
    async def exchange(body: s.HandleRequest, request: Request) -> s.GrantReply:
        await attempts.count(address_of(request))
        return s.GrantReply(**grant_fields(await join.exchange(body.handle)))

    @router.get("/ping", summary="Measure the way to the server")
    async def ping() -> s.PingReply:
        return s.PingReply()

    return router
