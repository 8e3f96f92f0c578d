"""Appointments from a folder of FHIR files: for demonstrations, tests, and a PMS that can only export files.

``*.json`` holds an Appointment or a Bundle, ``*.ndjson`` one Appointment a line. The settings::

    [plugin.folder_schedule]
    directory = "appointments"  # with several practices: one sub-folder for each, named by its id
    fhir_version = "R4"  # or the files lie in sub-folders r4/, r4b/, r5/

A file that disappears says nothing: an appointment is cancelled by its status.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.reader import status_of
from vsdk.adapters.scheduling.folder_files import AppointmentFile, Entry, read_files
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import ConfigurationError, InvalidAppointment, NotFound, PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.practice import Practice
from vsdk.domain.progress import goes_on
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Changes, Config, SourcedAppointment


class FolderConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    directory: Path
    fhir_version: Literal["STU3", "R4", "R4B", "R5"] | None = None


class FolderSchedule:
    """A ScheduleSource over one folder per practice. Reading and writing happen in threads."""

    name = "folder"

    def __init__(self, folders: dict[PracticeId, tuple[Practice, Path]], release: str | None = None) -> None:
        self._folders = folders
        self._release = release
        self._format = FhirFormat()
        self._writing = asyncio.Lock()
        self._last: dict[PracticeId, tuple[str, dict[str, str]]] = {}

    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        """Raises NotFound, InvalidAppointment, or PartnerError when the folder cannot be read."""
        practice, folder = self._folder(practice_id)
        entry = await asyncio.to_thread(self._find, folder, appointment_id)
        return self._sourced(entry, practice)

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        """What is in files that changed; everything where the cursor is from before a restart.

        ``unreadable`` may also hold ``not-json`` and ``release-unknown``. Raises PartnerError when the folder
        cannot be read.
        """
        practice, folder = self._folder(practice_id)
        found = await asyncio.to_thread(self._files, folder)
        now = {str(file.path): file.digest for file in found}
        here = hashlib.sha256(repr(sorted(now.items())).encode()).hexdigest()
        known = {here: now} | dict([self._last.get(practice_id, (here, now))])
        before = known.get(cursor, {}) if cursor else {}
        self._last[practice_id] = (here, now)
        appointments: list[SourcedAppointment] = []
        unreadable: list[str] = []
        vanished: list[AppointmentId] = []
        for file in found:
            if before.get(str(file.path)) == file.digest:
                continue
            unreadable.extend(file.problems)
            for entry in file.entries:
                try:
                    appointments.append(self._sourced(entry, practice))
                except InvalidAppointment as error:
                    unreadable.append(error.code)
                    vanished.extend([error.called_off] if error.called_off else [])
        return Changes(tuple(appointments), here, tuple(unreadable), tuple(vanished))

    async def write_back(
        self,
        practice_id: PracticeId,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> None:
        """Rewrites the file, unless it says so already. A status goes forwards only.

        Raises NotFound, PartnerError, and InvalidAppointment such as ``foreign-link``.
        """
        practice, folder = self._folder(practice_id)
        async with self._writing:
            await asyncio.to_thread(self._write, practice, folder, appointment_id, services, status)

    def _folder(self, practice_id: PracticeId) -> tuple[Practice, Path]:
        if practice_id not in self._folders:
            raise NotFound("there is no folder for this practice")
        return self._folders[practice_id]

    def _files(self, folder: Path) -> list[AppointmentFile]:
        try:
            return read_files(folder, self._release)
        except OSError:
            raise PartnerError("the folder of appointments cannot be read", retryable=True) from None

    def _find(self, folder: Path, appointment_id: AppointmentId) -> Entry:
        for file in self._files(folder):
            for entry in file.entries:
                if entry.id == appointment_id:
                    return entry
        raise NotFound("the folder has no such appointment")

    def _sourced(self, entry: Entry, practice: Practice) -> SourcedAppointment:
        appointment = self._format.read(entry.resource, release=entry.release, practice=practice)
        release = "R4" if entry.release == "R4B" else entry.release
        return SourcedAppointment(appointment, release, entry.resource)

    def _write(
        self,
        practice: Practice,
        folder: Path,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> None:
        entry = self._find(folder, appointment_id)
        if status and not goes_on(status_of(entry.resource), status):
            status = None
        changed = self._format.write(
            entry.resource, release=entry.release, practice=practice, services=services, status=status
        )
        if changed != entry.resource:
            try:
                entry.replace(changed)
            except OSError:
                raise PartnerError("the file of the appointment cannot be written", retryable=True) from None


@hookimpl
def vsdk_schedule_sources(config: Config) -> Sequence[FolderSchedule]:
    section = config.plugin("folder_schedule", FolderConfig)
    alone = len(config.practices) == 1
    folders = {p.id: (p, section.directory if alone else section.directory / p.id) for p in config.practices}
    for practice_id, (_, folder) in folders.items():
        if not folder.is_dir():
            raise ConfigurationError(f"folder_schedule: no folder of appointments for practice {practice_id}")
    return [FolderSchedule(folders, section.fhir_version)]
