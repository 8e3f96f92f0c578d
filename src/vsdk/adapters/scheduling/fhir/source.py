"""Appointments of FHIR servers: read, followed, and told their links and what became of them.

::

    [plugin.fhir_schedule.park]  # one section for each practice that has such a server
    base_url = "https://pms.example/fhir/r4"
    write_back = "json-patch"

    [plugin.fhir_schedule.park.access]
    kind = "smart-backend"
    client_id = "video"
    key = { file = "/run/secrets/fhir.pem" }
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

from vsdk.adapters.scheduling.fhir.connection import SOURCE, Connection, connect
from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.inspection import inspect
from vsdk.adapters.scheduling.fhir.source_settings import FhirScheduleSettings
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import ConfigurationError, InvalidAppointment, NotFound, PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.hooks import json_text
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Changes, Config, Http, Notification, Notified, SourcedAppointment


class FhirSchedule:
    """A ScheduleSource and NotifiedSource over one FHIR server for each practice."""

    name = SOURCE

    def __init__(self, connections: Mapping[PracticeId, Connection]) -> None:
        self._connections = connections
        self._format = FhirFormat()

    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        """Raises NotFound, InvalidAppointment, PartnerError."""
        server = self._server(practice_id)
        release = await server.client.release()
        try:
            resource = (await server.client.read(f"Appointment/{appointment_id}")).resource
        except NotFound:
            server.windows.known.does_not_find(appointment_id)
            raise
        server.windows.known.read(resource)
        try:
            json_text.interchangeable(resource)
        except ValueError as error:
            raise InvalidAppointment(str(error), code="not-json") from None
        appointment = self._format.read(resource, release=release, practice=server.practice)
        return SourcedAppointment(appointment, "R4" if release == "R4B" else release, resource, self.name)

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        """See `vsdk.adapters.scheduling.fhir.following.windows.Windows`."""
        server = self._server(practice_id)
        await server.inbox.ensure()
        return await server.windows.changes(cursor)

    async def notified(self, practice_id: PracticeId, notification: Notification) -> Notified:
        """See `vsdk.adapters.scheduling.fhir.following.notifications.Inbox`."""
        return await self._server(practice_id).inbox.notified(notification)

    async def write_back(
        self,
        practice_id: PracticeId,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> None:
        """The Appointment first, then its Encounter; each as far as the settings want it.

        Raises NotFound and PartnerError. Calling again does what is still missing.
        """
        server = self._server(practice_id)
        status = status if server.reports_status else None
        try:
            await _write(server, appointment_id, services, status)
        except PartnerError as error:
            if not error.retryable:
                await _report(server, appointment_id, status)
            raise
        await _report(server, appointment_id, status)

    def check(self, practice_id: PracticeId) -> AsyncIterator[str]:
        """See `vsdk.adapters.scheduling.fhir.inspection.inspect`."""
        return inspect(self._server(practice_id))

    def _server(self, practice_id: PracticeId) -> Connection:
        if practice_id not in self._connections:
            raise NotFound("there is no FHIR server for this practice")
        return self._connections[practice_id]


async def _write(
    server: Connection,
    appointment_id: AppointmentId,
    services: tuple[VirtualService, ...] | None,
    status: AppointmentStatus | None,
) -> None:
    if server.write_back and (services is not None or status is not None):
        try:
            read, written = await server.write_back.write(appointment_id, services, status)
        except NotFound:
            server.windows.known.does_not_find(appointment_id)
            raise
        if written.get("resourceType") == "Appointment":
            server.windows.known.wrote(read, written)
            await server.write_back.require_kept(written, services or ())


async def _report(
    server: Connection, appointment_id: AppointmentId, status: AppointmentStatus | None
) -> None:
    if server.encounters and status:
        await server.encounters.report(appointment_id, status)


@hookimpl
def vsdk_schedule_sources(config: Config, http: Http) -> Sequence[FhirSchedule]:
    sections = config.plugin("fhir_schedule", FhirScheduleSettings).root
    practices = {practice.id: practice for practice in config.practices}
    if not sections or not sections.keys() <= practices.keys():
        raise ConfigurationError("fhir_schedule: give a section for each practice that follows it, by its id")
    return [
        FhirSchedule(
            {
                PracticeId(id_): connect(practices[PracticeId(id_)], section, http, config.base_url, _now)
                for id_, section in sections.items()
            }
        )
    ]


def _now() -> datetime:
    return datetime.now(UTC)
