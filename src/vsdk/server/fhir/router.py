"""The addresses of the FHIR face, ``/fhir/R4/…`` and the other releases: HTTP in, interactions, HTTP out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from vsdk.domain.errors import NotFound
from vsdk.domain.ids import PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat
from vsdk.server import clients as named
from vsdk.server.api import PracticeKeys
from vsdk.server.clients import FORM, Caller, Callers
from vsdk.server.fhir import bundle, capabilities
from vsdk.server.fhir.answers import Answer, refusal, response
from vsdk.server.fhir.calls import Call
from vsdk.server.fhir.interactions import Appointments
from vsdk.server.fhir.negotiation import (
    CONTENT_TYPE,
    JSON_PATCH,
    MEDIA_TYPE,
    Preferences,
    check_accepted,
    check_content,
    check_release,
    parse,
    parse_form,
    parse_object,
)
from vsdk.server.limits import AttemptLimit
from vsdk.service.clients import ClientService
from vsdk.service.clock import Clock
from vsdk.service.scheduling import SchedulingService

TYPE, INSTANCE = "/{release}/Appointment", "/{release}/Appointment/{appointment_id}"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def make_router(
    *,
    scheduling: SchedulingService,
    appointment_format: AppointmentFormat,
    practices: Mapping[PracticeId, Practice],
    keys: PracticeKeys,
    base_url: str,
    clock: Clock,
    clients: ClientService | None,
    attempts: AttemptLimit,
) -> APIRouter:
    """The FHIR face, and with ``clients`` the token endpoint too. ``base_url`` is this server's address."""
    appointments = Appointments(scheduling, appointment_format, practices, clock, base_url)
    finder, callers, since = appointments.finder, Callers(keys, clients), clock.now()
    router = APIRouter(prefix="/fhir")

    def arrived(request: Request, release: str, offered: str = MEDIA_TYPE) -> Caller:
        """Who it is, after what was sent and is wanted back turned out to be offered."""
        _check_format(request, release)
        if request.method in ("POST", "PUT", "PATCH"):
            check_content(request.headers, release, offered)
        return callers.caller(request.headers.get("authorization", ""))

    def call(request: Request, release: str, caller: Caller, id_: str = "", **parts: Any) -> Call:
        given = {"params": tuple(request.query_params.multi_items())} | parts
        return Call(
            caller,
            release,
            "GET" if request.method == "HEAD" else request.method,
            id_,
            if_match=_listed(request, "if-match"),
            if_none_match=_listed(request, "if-none-match"),
            if_none_exist=request.headers.get("if-none-exist"),
            strict=_preferences(request).strict,
            **given,
        )

    async def metadata(request: Request, release: str) -> Response:
        """Without login (hl7.org/fhir/http.html#capabilities)."""
        _check_format(request, release)
        found = capabilities.statement(release, base_url, since, tokens=clients is not None)
        return JSONResponse(found, media_type=CONTENT_TYPE)

    async def smart_configuration(release: str) -> Response:
        check_release(release)
        if clients is None:
            raise NotFound("there are no access tokens here, only API keys")
        return JSONResponse(capabilities.smart_configuration(base_url))

    async def read(request: Request, release: str, appointment_id: str) -> Response:
        caller = arrived(request, release)
        answer = await finder.read(call(request, release, caller, appointment_id))
        return response(answer, _preferences(request))

    async def search(request: Request, release: str) -> Response:
        caller = arrived(request, release)
        return response(await finder.search(call(request, release, caller)), _preferences(request))

    async def search_by_form(request: Request, release: str) -> Response:
        caller = arrived(request, release, FORM)
        form = parse_form(await request.body())
        check_accepted("", [value for name, value in form if name == "_format"], release)
        params = (*request.query_params.multi_items(), *form)
        found = await finder.search(call(request, release, caller, params=params))
        return response(found, _preferences(request))

    async def change(request: Request, release: str, appointment_id: str = "") -> Response:
        caller = arrived(request, release)
        body = parse_object(await request.body())
        answer = await appointments.change(call(request, release, caller, appointment_id, body=body))
        return response(answer, _preferences(request))

    async def patch(request: Request, release: str, appointment_id: str) -> Response:
        caller = arrived(request, release, JSON_PATCH)
        body = parse(await request.body())
        answer = await appointments.change(call(request, release, caller, appointment_id, body=body))
        return response(answer, _preferences(request))

    async def delete(request: Request, release: str, appointment_id: str) -> Response:
        caller = arrived(request, release)
        answer = await appointments.change(call(request, release, caller, appointment_id))
        return response(answer, _preferences(request))

    async def perform(request: Request, release: str) -> Response:
        caller = arrived(request, release)
        asked, body = _preferences(request), parse_object(await request.body())
        try:
            answered = await bundle.perform(appointments, caller, release, body, asked)
        except bundle.EntryRefused as refused:
            return refusal(refused.error, refused.place)
        return response(Answer(200, answered), asked)

    _offer(router, "/{release}/metadata", {"GET": (metadata, "What is offered (CapabilityStatement)")})
    smart = "/{release}/.well-known/smart-configuration"
    _offer(router, smart, {"GET": (smart_configuration, "Where named clients get access tokens")})
    _offer(router, f"{TYPE}/_search", {"POST": (search_by_form, "Search Appointments by a form")})
    instance = {
        "GET": (read, "Read an Appointment with its link"),
        "PUT": (change, "Create or change an Appointment"),
        "PATCH": (patch, "Change parts of an Appointment (JSON Patch)"),
        "DELETE": (delete, "Delete an Appointment; its links end"),
    }
    of_type = {
        "GET": (search, "Search Appointments"),
        "POST": (change, "Create an Appointment"),
        "PUT": (change, "Create or change the Appointment that the criteria name"),
    }
    _offer(router, INSTANCE, instance)
    of_system = {"POST": (perform, "A batch or a transaction")}
    for path, methods in ((TYPE, of_type), ("/{release}", of_system)):
        _offer(router, path, methods)
        _offer(router, f"{path}/", methods, described=False)
    everything = APIRouter()
    everything.include_router(router)
    if clients is not None and attempts is not None:
        everything.include_router(named.make_router(clients, attempts))
    return everything


def _offer(
    router: APIRouter,
    path: str,
    methods: Mapping[str, tuple[Callable[..., Awaitable[Response]], str]],
    *,
    described: bool = True,
) -> None:
    """HEAD works like GET. Other methods are told which ones there are.

    ``described``: in the OpenAPI document.
    """
    for method, (endpoint, summary) in methods.items():
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            summary=summary,
            response_class=JSONResponse,
            include_in_schema=described,
        )
        if method == "GET":
            router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    offered = [*methods, "HEAD"] if "GET" in methods else list(methods)

    async def refuse() -> None:
        raise HTTPException(405, headers={"Allow": ", ".join(offered)})

    others = [method for method in METHODS if method not in offered]
    router.add_api_route(path, refuse, methods=others, include_in_schema=False)


def _check_format(request: Request, release: str) -> None:
    check_release(release)
    formats = request.query_params.getlist("_format")
    check_accepted(_listed(request, "accept") or "", formats, release)


def _preferences(request: Request) -> Preferences:
    return Preferences.of(_listed(request, "prefer") or "")


def _listed(request: Request, name: str) -> str | None:
    """A header that is a list, all its lines together (RFC 9110 section 5.3)."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None
