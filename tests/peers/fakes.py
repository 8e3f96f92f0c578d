"""Small servers with the documented rules of vendors whose systems nobody can run here, on plain Starlette.

Each holds appointments in ``resources`` and refuses what the vendor's documentation says it refuses; what
came in stands in ``seen``.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vsdk.adapters.http import HttpClient

BASE = "https://pms.example/fhir"
Json = dict[str, Any]


async def no_pause(seconds: float) -> None:
    return None


class Refusal(Exception):
    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


@dataclass
class Received:
    method: str
    headers: dict[str, str]
    body: Any


@dataclass
class FhirFake:
    """Read and update with weak ETags, and nothing else; vendors override what they do otherwise."""

    resources: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    seen: list[Received] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    """what the next writes are refused with, whatever they are"""

    def __post_init__(self) -> None:
        self.app = Starlette(
            routes=[
                Route("/fhir/metadata", self._metadata),
                Route("/fhir/Appointment/{id}", self._read, methods=["GET"]),
                Route("/fhir/Appointment/{id}", self._write, methods=["PUT", "PATCH"]),
            ]
        )

    def http(self) -> HttpClient:
        return HttpClient(transport=httpx.ASGITransport(self.app), sleep=no_pause)

    def hold(self, appointment: Json) -> str:
        self.resources[appointment["id"]] = appointment
        self.versions[appointment["id"]] = self.versions.get(appointment["id"], 0) + 1
        return str(appointment["id"])

    @property
    def writes(self) -> list[Received]:
        return [received for received in self.seen if received.method != "GET"]

    def etag(self, id_: str) -> str | None:
        return f'W/"{self.versions[id_]}"'

    def shown(self, id_: str) -> Json:
        return self.resources[id_]

    def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Json:
        if method != "PUT":
            raise Refusal(405)
        if if_match not in (None, self.etag(id_)):
            raise Refusal(412)
        changed: Json = body
        return changed

    def answer(self, id_: str) -> Response:
        return JSONResponse(self.shown(id_), headers=self._tagged(id_))

    async def _metadata(self, request: Request) -> Response:
        return JSONResponse({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})

    async def _read(self, request: Request) -> Response:
        id_ = request.path_params["id"]
        self.seen.append(Received("GET", dict(request.headers), None))
        if id_ not in self.resources:
            return Response(status_code=404)
        return JSONResponse(self.shown(id_), headers=self._tagged(id_))

    async def _write(self, request: Request) -> Response:
        id_, body = request.path_params["id"], await request.json()
        self.seen.append(Received(request.method, dict(request.headers), copy.deepcopy(body)))
        try:
            if self.refusals:
                raise self.refusals.pop(0)
            if id_ not in self.resources:
                raise Refusal(404)
            media_type = request.headers["content-type"].partition(";")[0]
            if_match = request.headers.get("if-match")
            self.hold(self.write(id_, request.method, media_type, if_match, body) | {"id": id_})
        except Refusal as refusal:
            outcome = {"resourceType": "OperationOutcome"}
            return JSONResponse(outcome, status_code=refusal.status, headers=refusal.headers)
        return self.answer(id_)

    def _tagged(self, id_: str) -> dict[str, str]:
        tag = self.etag(id_)
        return {"etag": tag} if tag else {}


class Canvas(FhirFake):
    """Canvas Medical: PUT without versions; a contained resource must be the Endpoint with its fixed id."""

    def etag(self, id_: str) -> str | None:
        return None

    def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Json:
        endpoint = {"resourceType": "Endpoint", "id": "appointment-meeting-endpoint-0"}
        for contained in body.get("contained", []):
            if not endpoint.items() <= contained.items() or not contained.get("address"):
                raise Refusal(422)
            if {"reference": "#appointment-meeting-endpoint-0", "type": "Endpoint"} not in body.get(
                "supportingInformation", []
            ):
                raise Refusal(422)
        if body["status"] == "entered-in-error":
            raise Refusal(422)
        return super().write(id_, method, media_type, if_match, body)


class Isik(FhirFake):
    """ISiK Terminplanung: FHIRPath Patch only, and nothing but status and instruction; codes are checked."""

    _CODES = (
        *("proposed", "pending", "booked", "arrived", "fulfilled"),
        *("cancelled", "noshow", "entered-in-error", "checked-in", "waitlist"),
    )

    def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Json:
        if method != "PATCH" or media_type != "application/fhir+json":
            raise Refusal(405 if method != "PATCH" else 415)
        if if_match not in (None, self.etag(id_)):
            raise Refusal(412)
        if body["resourceType"] != "Parameters":
            raise Refusal(400)
        changed = dict(self.resources[id_])
        for parameter in body["parameter"]:
            if parameter["name"] != "operation":
                raise Refusal(400)
            self._operate(changed, {part["name"]: part for part in parameter["part"]})
        if changed["status"] not in self._CODES:
            raise Refusal(422)
        return changed

    def _operate(self, resource: Json, parts: dict[str, Json]) -> None:
        kind, path = parts["type"]["valueCode"], parts["path"]["valueString"]
        name = parts["name"]["valueString"] if kind == "add" else path.removeprefix("Appointment.")
        expected = {"status": "valueCode", "patientInstruction": "valueString"}.get(name)
        if expected is None or (kind == "add") != (path == "Appointment"):
            raise Refusal(400)
        if (kind == "add") == (name in resource):
            raise Refusal(422)
        if kind == "delete":
            del resource[name]
        else:
            resource[name] = parts["value"][expected]


class Oracle(FhirFake):
    """Oracle Health (Millennium): JSON Patch with its few operations (see `vsdk….fhir.oracle`).

    Reading shows the patient's room first, patching means the provider's by 0.
    """

    _LINKS = (
        "/contained/0/telecom/0/value",
        "/contained/1/telecom/0/value",
        "/contained/0/telecom/0/period/start",
        "/contained/0/telecom/0/period/end",
    )
    _STATUS = frozenset(
        {
            ("proposed", "booked"),
            ("proposed", "cancelled"),
            ("booked", "arrived"),
            ("booked", "checked-in"),
            ("booked", "cancelled"),
            ("arrived", "checked-in"),
            ("arrived", "cancelled"),
            ("checked-in", "fulfilled"),
            ("checked-in", "cancelled"),
        }
    )

    def etag(self, id_: str) -> str | None:
        return f'W/"{self.versions[id_]}-1"'

    def shown(self, id_: str) -> Json:
        shown = dict(self.resources[id_])
        rooms = shown.pop("rooms", None)
        if rooms:
            period = {"start": rooms[2], "end": rooms[3]}
            shown["contained"] = [
                _room("21265426", "Patient", rooms[1], period),
                _room("21265427", "Provider", rooms[0], period),
            ]
        return shown

    def answer(self, id_: str) -> Response:
        return Response(headers=self._tagged(id_))

    def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Json:
        if method != "PATCH" or media_type != "application/json-patch+json":
            raise Refusal(405)
        if if_match is None:
            raise Refusal(412)
        if if_match != self.etag(id_):
            raise Refusal(409)
        resource = dict(self.resources[id_])
        verbs, values = {o["op"] for o in body}, {o["path"]: o["value"] for o in body}
        if tuple(values) == ("/status",) and verbs == {"replace"}:
            if (resource["status"], values["/status"]) not in self._STATUS:
                raise Refusal(422)
            return resource | {"status": values["/status"]}
        if values.keys() != set(self._LINKS) or verbs not in ({"add"}, {"replace"}):
            raise Refusal(422)
        if any(len(value) > 255 or not value for value in values.values()):
            raise Refusal(422)
        if verbs == {"add"} and "rooms" in resource:
            raise Refusal(409)
        if verbs == {"replace"} and "rooms" not in resource:
            raise Refusal(422)
        return resource | {"rooms": [values[path] for path in self._LINKS]}


def _room(id_: str, whose: str, url: str, period: Json) -> Json:
    return {
        "resourceType": "HealthcareService",
        "id": id_,
        "type": [{"text": f"{whose} Virtual Meeting Room"}],
        "telecom": [{"system": "url", "value": url, "period": period}],
    }
