"""Writes links and status back into Appointments on a FHIR server."""

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.reader import status_of
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.adapters.scheduling.fhir.writing.dialects import Dialect
from vsdk.adapters.scheduling.fhir.writing.versioned import Versioned
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import InvalidAppointment, PartnerError
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.domain.progress import goes_on
from vsdk.hooks.ports import Json


class WriteBack:
    """One practice's server and dialect."""

    def __init__(self, client: FhirClient, practice: Practice, dialect: Dialect) -> None:
        self._client = client
        self._practice = practice
        self._dialect = dialect
        self._versioned = Versioned(client, dialect)
        self._format = FhirFormat()

    async def write(
        self,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> tuple[Json, Json]:
        """The appointment as it was read for that, and as the server gave it back.

        The latter is empty when nothing was sent, or nothing came back.

        Raises NotFound and PartnerError. When the practice's carrier cannot hold the links, that is not
        retryable and has the carrier's code, ``foreign-link`` …; whenever the links cannot be written, the
        status is written all the same.
        """
        try:
            return await self._change(appointment_id, services, status)
        except InvalidAppointment as error:
            refusal = PartnerError(error.detail, retryable=False, code=error.code)
        except PartnerError as error:
            if error.retryable:
                raise
            refusal = error
        if services is not None and status is not None:
            await self._change(appointment_id, None, status)
        raise refusal

    async def require_kept(self, written: Json, services: tuple[VirtualService, ...]) -> None:
        """Raises PartnerError ``link-not-kept`` where the server took the appointment, but not our links."""
        try:
            wanted = self._format.write(
                written, release=await self._client.release(), practice=self._practice, services=services
            )
        except InvalidAppointment:
            return
        wanted_links, kept = (
            self._format.own_links(one, practice=self._practice) for one in (wanted, written)
        )
        if not wanted_links <= kept:
            raise PartnerError(
                "the FHIR server took the appointment, and left our link out: choose another carrier",
                retryable=False,
                code="link-not-kept",
            )

    async def _change(
        self,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> tuple[Json, Json]:
        release = await self._client.release()
        read: Json = {}

        def edit(resource: Json) -> Json:
            nonlocal read
            read = resource
            return self._format.write(
                resource,
                release=release,
                practice=self._practice,
                services=services,
                status=self._next(resource, status),
            )

        written = await self._versioned.change(f"Appointment/{appointment_id}", edit)
        return read, written

    def _next(self, resource: Json, wanted: AppointmentStatus | None) -> AppointmentStatus | None:
        """The status to write; None to leave it."""
        now = status_of(resource)
        if wanted is None or now is None or not goes_on(now, wanted):
            return None
        onwards = self._dialect.next_status(now, wanted)
        return None if onwards is now else onwards
