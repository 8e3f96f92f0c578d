"""Encounters: what an appointment becomes when it takes place (hl7.org/fhir/encounter.html)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from vsdk.adapters.scheduling.fhir.people import actor_of
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text, codings
from vsdk.adapters.scheduling.fhir.writing.versioned import Versioned
from vsdk.domain.appointment import AppointmentStatus as Status
from vsdk.domain.errors import NotFound, PartnerError
from vsdk.domain.ids import AppointmentId
from vsdk.hooks.ports import Json

VIRTUAL = ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "VR")
VIRTUAL_CLASS = {"system": VIRTUAL[0], "code": VIRTUAL[1], "display": "virtual"}

_UNTIL_R4 = {
    Status.ARRIVED: "arrived",
    Status.CHECKED_IN: "in-progress",
    Status.FULFILLED: "finished",
    Status.NOSHOW: "cancelled",
}
_FROM_R5 = {
    Status.ARRIVED: "planned",
    Status.CHECKED_IN: "in-progress",
    Status.FULFILLED: "completed",
    Status.NOSHOW: "cancelled",
}
_RANK = {
    "planned": 0,
    "arrived": 1,
    "triaged": 2,
    "in-progress": 3,
    "onleave": 3,
    "on-hold": 3,
    "discharged": 4,
    "finished": 5,
    "completed": 5,
}
"""how far it is; whatever else the status says is final, and left alone"""
_ENDED = _RANK["finished"]


class Encounters:
    """Keeps the Encounter of an appointment up to date; ``create``: makes it where there is none."""

    def __init__(
        self,
        client: FhirClient,
        versioned: Versioned,
        mode: Literal["update", "create"],
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._versioned = versioned
        self._creates = mode == "create"
        self._now = now

    async def report(self, appointment_id: AppointmentId, status: Status) -> None:
        """Idempotent. Raises PartnerError; a status that says nothing about a visit is passed over."""
        if status not in _UNTIL_R4:
            return
        release = await self._client.release()
        try:
            found = await self._find(appointment_id)
            if found:
                await self._update(found, status, release)
            elif self._creates and status is not Status.NOSHOW:
                await self._create(appointment_id, status, release)
        except NotFound:
            raise PartnerError("the Encounter or its Appointment is gone meanwhile", retryable=True) from None

    async def _find(self, appointment_id: AppointmentId) -> Json | None:
        """Of several, the virtual one that goes on. Those of other appointments are sorted out here too:
        a server may ignore a search parameter that it does not know."""
        reference = f"Appointment/{appointment_id}"
        encounters = await self._client.search("Encounter", [("appointment", reference)])
        ours = [e for e in encounters if as_text(e.get("id")) and _is_of(e, reference)]
        ours.sort(key=lambda e: (not _goes_on(e), not _is_virtual(e), as_text(e.get("id"))))
        return ours[0] if ours else None

    async def _update(self, found: Json, status: Status, release: str) -> None:
        now = self._now()

        def edit(encounter: Json) -> Json:
            return updated(encounter, status, release, now)

        await self._versioned.change(f"Encounter/{found['id']}", edit)

    async def _create(self, appointment_id: AppointmentId, status: Status, release: str) -> None:
        """Conditionally (hl7.org/fhir/http.html#ccreate): two who do it at once make one."""
        appointment = (await self._client.read(f"Appointment/{appointment_id}")).resource
        reference = f"Appointment/{quote(appointment_id, safe='')}"
        made = made_of(appointment, f"Appointment/{appointment_id}", release)
        body = updated(made, status, release, self._now())
        try:
            await self._client.send(
                "POST", "Encounter", body, headers={"if-none-exist": f"appointment={reference}"}
            )
        except PartnerError as error:
            if error.status != 412:  # there are several by now
                raise


def updated(encounter: Json, status: Status, release: str, now: datetime) -> Json:
    """With the status, if it goes on; virtual; with the time of beginning and end, where it has none."""
    rank, code = _RANK.get(as_text(encounter.get("status"))), _codes(release)[status]
    onwards = 0 if status is Status.NOSHOW else _RANK[code]
    if rank is None or not _goes_on(encounter) or onwards < rank:
        return encounter
    changed = {**encounter, "status": code}
    if not _is_virtual(encounter):
        changed["class"] = _class(release, encounter)
    name = "actualPeriod" if release == "R5" else "period"
    period = as_object(encounter.get(name))
    edge = {Status.CHECKED_IN: "start", Status.FULFILLED: "end"}.get(status)
    if edge and edge not in period:
        changed[name] = period | {edge: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return changed


def made_of(appointment: Json, reference: str, release: str) -> Json:
    """A planned Encounter of the appointment's patient and practitioners; no names, no reasons."""
    actors = [as_object(p.get("actor")) for p in as_objects(appointment.get("participant"))]
    known = [actor_of(a, {}) for a in actors if not as_text(a.get("reference")).startswith("#")]
    patient = next((a.reference for a in known if a.kind == "Patient" and a.reference), "")
    treating = [a.reference for a in known if a.kind.startswith("Practitioner") and a.reference]
    by = "actor" if release == "R5" else "individual"
    of: Any = {"reference": reference}
    encounter: Json = {"resourceType": "Encounter", "status": "planned", "class": _class(release, {})}
    if patient:
        encounter["subject"] = {"reference": patient}
    if treating:
        encounter["participant"] = [{by: {"reference": reference}} for reference in treating]
    return encounter | {"appointment": of if release == "STU3" else [of]}


def _codes(release: str) -> dict[Status, str]:
    return _FROM_R5 if release == "R5" else _UNTIL_R4


def _class(release: str, encounter: Json) -> Any:
    if release != "R5":
        return dict(VIRTUAL_CLASS)
    return [*as_objects(encounter.get("class")), {"coding": [dict(VIRTUAL_CLASS)]}]


def _goes_on(encounter: Json) -> bool:
    return _RANK.get(as_text(encounter.get("status")), _ENDED) < _ENDED


def _is_virtual(encounter: Json) -> bool:
    given = as_objects(encounter.get("class"))
    pairs = [(as_text(c.get("system")), as_text(c.get("code"))) for c in given] + list(codings(given))
    return VIRTUAL in pairs


def _is_of(encounter: Json, reference: str) -> bool:
    given = (as_text(a.get("reference")) for a in as_objects(encounter.get("appointment")))
    return any(f"/{one.split('/_history')[0]}".endswith(f"/{reference}") for one in given)
