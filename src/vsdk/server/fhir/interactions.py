"""Read, search, create, update, patch and delete of Appointment (hl7.org/fhir/http.html).

A change has three steps, so that a transaction can take all of its entries through one step before any goes
on to the next: it is *resolved* (which appointment is meant), *planned* (checked as far as it can be without
doing it) and *carried out*.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.errors import Conflict, InvalidAppointment, Issue, NotFound, UsageError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat, Json, SourcedAppointment
from vsdk.hooks.store import AppointmentQuery
from vsdk.server.fhir import patch
from vsdk.server.fhir.answers import Answer, address, information, stamped, unstamped
from vsdk.server.fhir.calls import (
    KEPT_AS,
    Call,
    Nothing,
    Planned,
    Removal,
    Save,
    Target,
    criteria_of,
    expected_version,
    resource_of,
)
from vsdk.server.fhir.negotiation import names_version
from vsdk.server.fhir.search import Params, Search, understand
from vsdk.service.clock import Clock
from vsdk.service.scheduling import Scheduled, SchedulingService

ATTEMPTS = 4
"""how often a patch without If-Match is tried when someone else changes the appointment meanwhile"""


class Appointments:
    """The interactions. ``base_url`` is the address of this server."""

    def __init__(
        self,
        scheduling: SchedulingService,
        appointment_format: AppointmentFormat,
        practices: Mapping[PracticeId, Practice],
        clock: Clock,
        base_url: str,
    ) -> None:
        self._scheduling = scheduling
        self._format = appointment_format
        self._practices = practices
        self._clock = clock
        self._base_url = base_url
        self._turns = {practice_id: asyncio.Lock() for practice_id in practices}

    def turn(self, practice_id: PracticeId) -> asyncio.Lock:
        """Whoever holds it is alone in changing appointments of that practice over FHIR.

        Conditions and transactions need that what they found stays so until they are carried out.
        """
        return self._turns[practice_id]

    async def read(self, call: Call) -> Answer:
        """Raises NotFound ``appointment-unknown`` or ``appointment-deleted``."""
        call.caller.need("r")
        scheduled = await self._current(call, AppointmentId(call.id))
        seen = scheduled.mirrored.version
        # a visit that went on may have got other links, which are in the answer but do not count as a version
        same = scheduled.visit is None or scheduled.visit.version == 1
        if same and names_version(call.if_none_match, seen):
            return Answer(304, version=seen, updated=scheduled.mirrored.updated)
        return self._answer(call, scheduled, 200)

    async def search(self, call: Call) -> Answer:
        """A searchset Bundle. Raises as `vsdk.server.fhir.search.understand`."""
        call.caller.need("s")
        search = self._understand(call, call.params, strict=call.strict)
        total = await self._scheduling.count(search.query)
        more = replace(search.query, limit=search.page_size + 1)
        found = await self._scheduling.find(more) if search.page_size else []
        page = found[: search.page_size]
        here = f"{self._base_url}/fhir/{call.release}/Appointment"
        after = search.query.after
        place = (("_page", search.page_after(after)),) if after else ()
        links = [{"relation": "self", "url": _with(here, (*search.understood, *place), search)}]
        if len(found) > len(page):
            following = ("_page", search.page_after(page[-1].mirrored.appointment.id))
            links.append({"relation": "next", "url": _with(here, (*search.understood, following), search)})
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
        entries = [self._entry(call, one) for one in page]
        if search.ignored:
            text = f"{search.ignored} parameters are not known and were ignored; the self link has the others"
            warning = information(text, "warning", "not-supported")
            # each entry of a searchset needs an address of its own (R5, bdl-15)
            name = uuid5(NAMESPACE_URL, links[0]["url"]).urn
            entries.append({"fullUrl": name, "resource": warning, "search": {"mode": "outcome"}})
        return Answer(200, bundle | {"entry": entries} if entries else bundle)

    async def change(self, call: Call) -> Answer:
        """Create, update, patch or delete, by itself."""
        retries = ATTEMPTS if call.method == "PATCH" and call.if_match is None else 1
        async with self.turn(call.practice_id):
            while True:
                retries -= 1
                try:
                    return await self.carry_out(call, await self.plan(call, await self.resolve(call)))
                except Conflict as conflict:
                    if conflict.code != "version-mismatch" or not retries:
                        raise

    async def resolve(self, call: Call) -> Target:
        """Which appointment is meant; a new id for a new one.

        Raises UsageError ``criteria-missing``, Refused ``scope-missing``, Conflict ``multiple-matches`` or
        ``appointment-id-taken`` (hl7.org/fhir/http.html#cond-update).
        """
        call.caller.need({"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}[call.method])
        if call.id:
            return Target(AppointmentId(call.id), await self._known(call, AppointmentId(call.id)))
        criteria = criteria_of(call)
        if criteria is None:
            return Target(self.new_id())
        found = await self.match(call, criteria)
        if found:
            return Target(found.mirrored.appointment.id, found, by_criteria=True)
        given = call.body.get("id") if call.method == "PUT" and isinstance(call.body, dict) else None
        if not isinstance(given, str) or not given:
            return Target(self.new_id(), by_criteria=True)
        if await self._known(call, AppointmentId(given)):
            text = "the appointment with this id does not fit the criteria"
            raise Conflict(text, code="appointment-id-taken")
        return Target(AppointmentId(given), by_criteria=True)

    async def match(self, call: Call, criteria: Params) -> Scheduled | None:
        """The one appointment that the criteria name, or None. Raises as `resolve`."""
        call.caller.need("s")
        search = self._understand(call, criteria, strict=True)
        if not search.understood:
            raise UsageError("it is not said which appointment is meant", code="criteria-missing")
        found = await self._scheduling.find(replace(search.query, limit=2, after=None))
        if len(found) > 1:
            raise Conflict("the criteria fit several appointments", code="multiple-matches")
        return found[0] if found else None

    async def plan(self, call: Call, target: Target) -> Planned:
        """Checks the change and stores nothing. Raises InvalidAppointment, Conflict ``version-mismatch`` …"""
        found = target.found
        if call.method == "POST":
            if found:
                return Nothing(found)
            resource = resource_of(call.body) | {"id": target.id}
            return self._save(call, resource, target, None)
        if call.method == "PATCH":
            found = await self._current(call, target.id)
        expected = expected_version(call, found)
        if call.method == "DELETE":
            ours = found is not None and found.mirrored.sourced.release in KEPT_AS[call.release]
            return Removal(target.id if ours else AppointmentId(""), expected)
        if call.method == "PATCH" and found:
            resource = patch.apply(self._resource(call, found), call.body)
            return self._save(call, resource, replace(target, found=found), found.mirrored.version)
        resource = resource_of(call.body)
        if target.by_criteria and "id" not in resource:
            resource = resource | {"id": target.id}
        return self._save(call, resource, target, expected)

    async def carry_out(self, call: Call, planned: Planned) -> Answer:
        match planned:
            case Save(sourced, if_version, before, readable):
                scheduled = await self._scheduling.schedule(sourced, if_version=if_version)
                answer = self._answer(call, scheduled, 200 if before else 201, changed=True)
                return answer if readable else replace(answer, resource=None)
            case Removal(id_, if_version):
                if id_:
                    await self._scheduling.delete(call.practice_id, id_, if_version=if_version)
                return Answer(204)
            case Nothing(found):
                answer = self._answer(call, found, 200, changed=True)
                return replace(answer, location=answer.full_url)

    def check_policy(self, planned: Planned) -> None:
        """Raises Refused ``policy-denied`` where carrying it out would."""
        if not isinstance(planned, Save):
            return
        appointment, before = planned.sourced.appointment, planned.before
        window = self._scheduling.to_plan(appointment)
        stays = before and before.links and before.mirrored.appointment.start == appointment.start
        if window and not stays:
            self._scheduling.new_visit(planned.sourced, window)

    def new_id(self) -> AppointmentId:
        """128 random bits in the characters that FHIR permits in an id."""
        return AppointmentId(self._clock.token().replace("_", "."))

    def _save(self, call: Call, resource: Json, target: Target, if_version: int | None) -> Save:
        practice, before = self._practices[call.practice_id], target.found
        try:
            appointment = self._read(call, resource, practice)
        except InvalidAppointment as error:
            if error.called_off != target.id or before is None:
                raise
            # what is called off need not say again when it was, and with whom (app-3)
            appointment = replace(before.mirrored.appointment, status=_called_off(resource))
        if before and call.method == "PATCH" and self._is_video_unsaid(call, before, practice):
            appointment = replace(appointment, is_video=True)
        if appointment.id != target.id:
            text = "must equal the id in the address"
            raise InvalidAppointment(
                "the id in the resource is not the one in the address",
                code="appointment-id-mismatch",
                issues=[Issue("appointment-id-mismatch", "Appointment.id", text)],
            )
        original = self._format.write(
            unstamped(resource), release=call.release, practice=practice, services=()
        )
        self._check_place(call, original, appointment, practice)
        source = before.mirrored.sourced.source if before else ""
        sourced = SourcedAppointment(appointment, KEPT_AS[call.release][0], original, source)
        readable = call.method != "PATCH" or call.caller.may("r")
        return Save(sourced, if_version, before, readable)

    def _read(self, call: Call, resource: Json, practice: Practice) -> Appointment:
        return self._format.read(resource, release=call.release, practice=practice)

    def _is_video_unsaid(self, call: Call, before: Scheduled, practice: Practice) -> bool:
        """Whether it is a video visit because who handed it over said so, while nothing in it does."""
        if not before.mirrored.appointment.is_video:
            return False
        return not self._read(call, before.mirrored.sourced.original, practice).is_video

    def _check_place(self, call: Call, original: Json, appointment: Appointment, practice: Practice) -> None:
        """Raises InvalidAppointment ``foreign-link`` when our link would have to replace someone else's."""
        if appointment.is_video and appointment.status.takes_place:
            anyones = [
                VirtualService(practice.fhir.link_address, person.role, person.reference)
                for person in appointment.participants
            ]
            self._format.write(original, release=call.release, practice=practice, services=anyones)

    def _understand(self, call: Call, params: Params, *, strict: bool) -> Search:
        blank = AppointmentQuery(call.practice_id, KEPT_AS[call.release])
        return understand(params, blank, self._practices[call.practice_id].time_zone, strict=strict)

    async def _known(self, call: Call, id_: AppointmentId) -> Scheduled | None:
        try:
            return await self._scheduling.current(call.practice_id, id_)
        except NotFound:
            return None

    async def _current(self, call: Call, id_: AppointmentId) -> Scheduled:
        scheduled = await self._scheduling.current(call.practice_id, id_)
        if scheduled.mirrored.sourced.release not in KEPT_AS[call.release]:
            raise NotFound("the appointment is not of this FHIR release", code="appointment-unknown")
        return scheduled

    def _answer(self, call: Call, scheduled: Scheduled, status: int, *, changed: bool = False) -> Answer:
        mirrored = scheduled.mirrored
        url = address(self._base_url, call.release, mirrored.appointment.id)
        return Answer(
            status,
            self._resource(call, scheduled),
            mirrored.version,
            mirrored.updated,
            url if status == 201 else "",
            url,
            changed,
        )

    def _resource(self, call: Call, scheduled: Scheduled) -> Json:
        """With its link; without where someone else's is in that place."""
        sourced = scheduled.mirrored.sourced
        practice = self._practices[call.practice_id]
        try:
            resource = self._format.write(
                sourced.original, release=sourced.release, practice=practice, services=scheduled.services
            )
        except InvalidAppointment:
            resource = sourced.original
        return stamped(resource, scheduled.mirrored)

    def _entry(self, call: Call, scheduled: Scheduled) -> Json:
        answer = self._answer(call, scheduled, 200)
        return {"fullUrl": answer.full_url, "resource": answer.resource, "search": {"mode": "match"}}


def _called_off(resource: Json) -> AppointmentStatus:
    said = resource.get("status")
    return next((status for status in AppointmentStatus if status == said), AppointmentStatus.CANCELLED)


def _with(here: str, params: tuple[tuple[str, str], ...], search: Search) -> str:
    return f"{here}?{urlencode((*params, ('_count', str(search.page_size))))}"
