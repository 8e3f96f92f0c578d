"""Read and search of Appointment (hl7.org/fhir/http.html#read), and how appointments are given out."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from vsdk.domain.errors import Conflict, InvalidAppointment, NotFound, UsageError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat, Json
from vsdk.hooks.store import AppointmentQuery
from vsdk.server.fhir.answers import Answer, address, information, stamped
from vsdk.server.fhir.calls import KEPT_AS, Call
from vsdk.server.fhir.negotiation import names_version
from vsdk.server.fhir.search import Params, Search, understand
from vsdk.service.scheduling import Scheduled, SchedulingService


class Finder:
    """Finds appointments of the caller's practice, in the release asked for.

    ``base_url`` is the address of this server.
    """

    def __init__(
        self,
        scheduling: SchedulingService,
        appointment_format: AppointmentFormat,
        practices: Mapping[PracticeId, Practice],
        base_url: str,
    ) -> None:
        self._scheduling = scheduling
        self._format = appointment_format
        self._practices = practices
        self._base_url = base_url

    async def read(self, call: Call) -> Answer:
        """Raises NotFound ``appointment-unknown`` or ``appointment-deleted``."""
        call.caller.need("r")
        scheduled = await self.current(call, AppointmentId(call.id))
        seen = scheduled.mirrored.version
        # a visit that went on may have got other links, which are in the answer but do not count as a version
        same = scheduled.visit is None or scheduled.visit.version == 1
        if same and names_version(call.if_none_match, seen):
            return Answer(304, version=seen, updated=scheduled.mirrored.updated)
        return self.answer(call, scheduled, 200)

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

    async def match(self, call: Call, criteria: Params) -> Scheduled | None:
        """The one appointment that the criteria name, or None. Raises UsageError ``criteria-missing``,
        Refused ``scope-missing``, Conflict ``multiple-matches``."""
        call.caller.need("s")
        search = self._understand(call, criteria, strict=True)
        if not search.understood:
            raise UsageError("it is not said which appointment is meant", code="criteria-missing")
        found = await self._scheduling.find(replace(search.query, limit=2, after=None))
        if len(found) > 1:
            raise Conflict("the criteria fit several appointments", code="multiple-matches")
        return found[0] if found else None

    async def known(self, call: Call, id_: AppointmentId) -> Scheduled | None:
        try:
            return await self._scheduling.current(call.practice_id, id_)
        except NotFound:
            return None

    async def current(self, call: Call, id_: AppointmentId) -> Scheduled:
        scheduled = await self._scheduling.current(call.practice_id, id_)
        if scheduled.mirrored.sourced.release not in KEPT_AS[call.release]:
            raise NotFound("the appointment is not of this FHIR release", code="appointment-unknown")
        return scheduled

    def answer(self, call: Call, scheduled: Scheduled, status: int, *, changed: bool = False) -> Answer:
        mirrored = scheduled.mirrored
        url = address(self._base_url, call.release, mirrored.appointment.id)
        return Answer(
            status,
            self.resource(call, scheduled),
            mirrored.version,
            mirrored.updated,
            url if status == 201 else "",
            url,
            changed,
        )

    def resource(self, call: Call, scheduled: Scheduled) -> Json:
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

    def _understand(self, call: Call, params: Params, *, strict: bool) -> Search:
        blank = AppointmentQuery(call.practice_id, KEPT_AS[call.release])
        return understand(params, blank, self._practices[call.practice_id].time_zone, strict=strict)

    def _entry(self, call: Call, scheduled: Scheduled) -> Json:
        answer = self.answer(call, scheduled, 200)
        return {"fullUrl": answer.full_url, "resource": answer.resource, "search": {"mode": "match"}}


def _with(here: str, params: tuple[tuple[str, str], ...], search: Search) -> str:
    return f"{here}?{urlencode((*params, ('_count', str(search.page_size))))}"
