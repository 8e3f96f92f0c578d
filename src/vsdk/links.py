"""``vsdk links``: Appointments in, one line per participant out.

Reads one Appointment, a Bundle, or NDJSON, and writes JSON lines as it goes. What cannot be mapped becomes a
line with a stable code and an explanation, and nothing of its content.
"""

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from vsdk.domain import json_text
from vsdk.domain.errors import InvalidAppointment, VsdkError
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import SourcedAppointment
from vsdk.sdk import VideoSdk
from vsdk.service.scheduling import Scheduled

STANDARD_INPUT = "-"


def resources(names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """``(place, resource)`` for each Appointment of the files; a VsdkError instead of what cannot be read."""
    for name in names:
        try:
            text = sys.stdin.read() if name == STANDARD_INPUT else Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            yield name, InvalidAppointment(f"cannot be read: {reason}", code="file-unreadable")
            continue
        yield from _in_text(name, text)


def _in_text(name: str, text: str) -> Iterator[tuple[str, Any]]:
    try:
        yield from _unpacked(name, json_text.parse(text))
        return
    except ValueError:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) < 2:
        yield name, InvalidAppointment("this is not JSON", code="not-json")
        return
    for number, line in lines:
        try:
            yield from _unpacked(f"{name}:{number}", json_text.parse(line))
        except ValueError:
            yield f"{name}:{number}", InvalidAppointment("this line is not JSON", code="not-json")


def _unpacked(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The Appointments of a Bundle; anything else as it is."""
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        yield place, value
        return
    entries = value.get("entry")
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Appointment":
            yield f"{place}#Bundle.entry[{i}]", resource


async def rows(
    video: VideoSdk, names: Iterable[str], *, release: str, practice: Practice, strict: bool
) -> AsyncIterator[dict[str, Any]]:
    """What is printed, line by line. A line about a failure has the key ``error``."""
    for place, resource in resources(names):
        try:
            if isinstance(resource, VsdkError):
                raise resource
            scheduled = await _plan(video, resource, release, practice, strict)
        except VsdkError as error:
            yield _failure(place, resource, error)
            continue
        for row in _success(scheduled):
            yield row


async def _plan(video: VideoSdk, resource: Any, release: str, practice: Practice, strict: bool) -> Scheduled:
    appointment = video.appointment_format.read(resource, release=release, practice=practice)
    if strict:
        from vsdk.adapters.scheduling.fhir_strict import issues

        if found := issues(resource, release):
            raise InvalidAppointment(f"not valid FHIR {release}", code="fhir-invalid", issues=found)
    if not appointment.is_video:
        raise InvalidAppointment(
            "nothing says that this appointment is by video",
            code="not-a-video-visit",
            issues=[("Appointment", "")],
        )
    if not appointment.status.takes_place:
        await video.scheduling.schedule(SourcedAppointment(appointment, release, resource))
        raise InvalidAppointment(
            f"its status is {appointment.status}, so it has no link", code="appointment-cancelled"
        )
    scheduled = await video.scheduling.schedule(SourcedAppointment(appointment, release, resource))
    if not scheduled.links:
        raise InvalidAppointment("its time has passed", code="appointment-over")
    return scheduled


def _success(scheduled: Scheduled) -> Iterator[dict[str, Any]]:
    for link in scheduled.links:
        yield {
            "appointment": scheduled.mirrored.appointment.id,
            "participant": link.participant.reference,
            "role": link.participant.role.value,
            "join_url": link.url,
            "opens": link.window.opens.isoformat(),
            "expires": link.window.closes.isoformat(),
        }


def _failure(place: str, resource: Any, error: VsdkError) -> dict[str, Any]:
    row: dict[str, Any] = {"source": place, "error": error.code, "detail": error.detail}
    if isinstance(resource, dict) and isinstance(resource.get("id"), str):
        row["appointment"] = resource["id"]
    if isinstance(error, InvalidAppointment) and error.issues:
        row["issues"] = [{"path": path, "detail": text} for path, text in error.issues]
    return row


COLUMNS = ("appointment", "participant", "role", "opens", "expires", "join_url")


def print_table(found: list[dict[str, Any]], out: TextIO) -> None:
    """For people: links in columns, then what could not be mapped."""
    links = [row for row in found if "error" not in row]
    widths = {c: max([len(c), *(len(str(row[c])) for row in links)]) for c in COLUMNS}
    if links:
        print("  ".join(c.upper().ljust(widths[c]) for c in COLUMNS).rstrip(), file=out)
    for row in links:
        print("  ".join(str(row[c]).ljust(widths[c]) for c in COLUMNS).rstrip(), file=out)
    for row in found:
        if "error" in row:
            print(f"{row['source']}: {row['error']}: {row['detail']}", file=out)
