"""Create, update, patch and delete of Appointment (hl7.org/fhir/http.html).

A change has three steps, so that a transaction can take all of its entries through one step before any goes
on to the next: it is *resolved* (which appointment is meant), *planned* (checked as far as it can be without
doing it) and *carried out*.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.errors import Conflict, InvalidAppointment, Issue
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import AppointmentFormat, Json, SourcedAppointment
from vsdk.server.fhir import patch
from vsdk.server.fhir.answers import Answer, unstamped
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
from vsdk.server.fhir.finder import Finder
from vsdk.service.clock import Clock
from vsdk.service.scheduling import Scheduled, SchedulingService

ATTEMPTS = 4
"""how often a patch without If-Match is tried when someone else changes the appointment meanwhile"""


class Appointments:
    """The interactions: those that only read by its ``finder``, those that change here.

    ``base_url`` is the address of this server.
    """

    def __init__(
        self,
        scheduling: SchedulingService,
        appointment_format: AppointmentFormat,
        practices: Mapping[PracticeId, Practice],
        clock: Clock,
        base_url: str,
    ) -> None:
        self.finder = Finder(scheduling, appointment_format, practices, base_url)
        self._scheduling = scheduling
        self._format = appointment_format
        self._practices = practices
        self._clock = clock
        self._turns = {practice_id: asyncio.Lock() for practice_id in practices}

    def turn(self, practice_id: PracticeId) -> asyncio.Lock:
        """Whoever holds it is alone in changing appointments of that practice over FHIR.

        Conditions and transactions need that what they found stays so until they are carried out.
        """
        return self._turns[practice_id]

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
            return Target(AppointmentId(call.id), await self.finder.known(call, AppointmentId(call.id)))
        criteria = criteria_of(call)
        if criteria is None:
            return Target(self.new_id())
        found = await self.finder.match(call, criteria)
        if found:
            return Target(found.mirrored.appointment.id, found, by_criteria=True)
        given = call.body.get("id") if call.method == "PUT" and isinstance(call.body, dict) else None
        if not isinstance(given, str) or not given:
            return Target(self.new_id(), by_criteria=True)
        if await self.finder.known(call, AppointmentId(given)):
            text = "the appointment with this id does not fit the criteria"
            raise Conflict(text, code="appointment-id-taken")
        return Target(AppointmentId(given), by_criteria=True)

    async def plan(self, call: Call, target: Target) -> Planned:
        """Checks the change and stores nothing. Raises InvalidAppointment, Conflict ``version-mismatch`` …"""
        found = target.found
        if call.method == "POST":
            if found:
                return Nothing(found)
            resource = resource_of(call.body) | {"id": target.id}
            return self._save(call, resource, target, None)
        if call.method == "PATCH":
            found = await self.finder.current(call, target.id)
        expected = expected_version(call, found)
        if call.method == "DELETE":
            ours = found is not None and found.mirrored.sourced.release in KEPT_AS[call.release]
            return Removal(target.id if ours else AppointmentId(""), expected)
        if call.method == "PATCH" and found:
            resource = patch.apply(self.finder.resource(call, found), call.body)
            return self._save(call, resource, replace(target, found=found), found.mirrored.version)
        resource = resource_of(call.body)
        if target.by_criteria and "id" not in resource:
            resource = resource | {"id": target.id}
        return self._save(call, resource, target, expected)

    async def carry_out(self, call: Call, planned: Planned) -> Answer:
        match planned:
            case Save(sourced, if_version, before, readable):
                scheduled = await self._scheduling.schedule(sourced, if_version=if_version)
                answer = self.finder.answer(call, scheduled, 200 if before else 201, changed=True)
                return answer if readable else replace(answer, resource=None)
            case Removal(id_, if_version):
                if id_:
                    await self._scheduling.delete(call.practice_id, id_, if_version=if_version)
                return Answer(204)
            case Nothing(found):
                answer = self.finder.answer(call, found, 200, changed=True)
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


def _called_off(resource: Json) -> AppointmentStatus:
    said = resource.get("status")
    return next((status for status in AppointmentStatus if status == said), AppointmentStatus.CANCELLED)
