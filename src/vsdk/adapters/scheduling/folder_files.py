"""Files with FHIR Appointments: what is in them, and replacing one appointment in its file."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsdk.adapters.scheduling.fhir.values import as_object, as_objects
from vsdk.hooks import json_text
from vsdk.hooks.ports import Json

RELEASES = {"stu3": "STU3", "r4": "R4", "r4b": "R4B", "r5": "R5"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One Appointment in a file. ``replace`` rewrites the file with another one in its place."""

    release: str
    resource: Json
    replace: Callable[[Json], None]

    @property
    def id(self) -> str:
        return str(self.resource.get("id"))


@dataclass(frozen=True, slots=True)
class AppointmentFile:
    path: Path
    digest: str
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    """``not-json``, ``not-json-object``, ``wrong-resource-type``, ``release-unknown``, ``file-unreadable``"""


def read_files(folder: Path, release: str | None) -> list[AppointmentFile]:
    """All ``*.json`` and ``*.ndjson`` below the folder, in the order of their names.

    ``release`` None takes it from the name of a folder on the way to the file. Raises OSError when the
    folder is not there; a file that cannot be read only has problems.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".ndjson") and p.is_file())
    if not paths and not folder.is_dir():
        raise FileNotFoundError
    return [_read(path, release or _release(folder, path)) for path in paths]


def _release(folder: Path, path: Path) -> str | None:
    on_the_way = (folder.name, *path.relative_to(folder).parts[:-1])
    return next((RELEASES[p.lower()] for p in reversed(on_the_way) if p.lower() in RELEASES), None)


def _read(path: Path, release: str | None) -> AppointmentFile:
    try:
        content = path.read_bytes()
    except OSError:
        return AppointmentFile(path, "", (), ("file-unreadable",))
    digest = hashlib.sha256(content).hexdigest()
    if release is None:
        return AppointmentFile(path, digest, (), ("release-unknown",))
    read = _lines if path.suffix == ".ndjson" else _document
    entries, problems = read(path, content, release)
    return AppointmentFile(path, digest, tuple(entries), tuple(problems))


def _document(path: Path, content: bytes, release: str) -> tuple[list[Entry], list[str]]:
    document, problem = _parsed(content)
    if problem:
        return [], [problem]
    if document["resourceType"] == "Appointment":
        return [Entry(release, document, lambda new: _write_document(path, new))], []
    entries = []
    for holder in as_objects(document.get("entry")):
        if as_object(holder.get("resource")).get("resourceType") == "Appointment":

            def replace(new: Json, holder: Json = holder) -> None:
                holder["resource"] = new
                _write_document(path, document)

            entries.append(Entry(release, holder["resource"], replace))
    return entries, []


def _lines(path: Path, content: bytes, release: str) -> tuple[list[Entry], list[str]]:
    lines, entries, problems = content.split(b"\n"), list[Entry](), list[str]()
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        resource, problem = _parsed(line)
        if problem:
            problems.append(problem)
            continue

        def replace(new: Json, number: int = number) -> None:
            written = json_text.write(new)
            _write(path, b"\n".join([*lines[:number], written, *lines[number + 1 :]]))

        if resource["resourceType"] == "Appointment":
            entries.append(Entry(release, resource, replace))
    return entries, problems


def _parsed(content: bytes) -> tuple[Any, str]:
    """The Appointment, Bundle or other resource, and why there is none."""
    try:
        document = json_text.parse(content)
    except ValueError:
        return None, "not-json"
    if not isinstance(document, dict):
        return None, "not-json-object"
    if document.get("resourceType") not in ("Appointment", "Bundle"):
        return None, "wrong-resource-type"
    return document, ""


def _write_document(path: Path, document: Json) -> None:
    _write(path, json_text.write(document, indent=2) + b"\n")


def _write(path: Path, content: bytes) -> None:
    """All or nothing: a new file beside the old one takes its place."""
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False
    ) as new:
        try:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
            shutil.copymode(path, new.name)
            Path(new.name).replace(path)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
