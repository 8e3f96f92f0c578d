"""What ``vsdk links`` prints of a batch of resources: a row for each link, or one with the key ``error``.

What cannot be mapped becomes a row with a stable code and an explanation, and nothing of its content.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from vsdk.domain.errors import InvalidAppointment, Issue, VsdkError
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import SourcedAppointment
from vsdk.links.documents import Found
from vsdk.sdk import VideoSdk
from vsdk.service.bulk import BulkScheduling, Outcome
from vsdk.service.scheduling import Scheduled

Row = dict[str, Any]


class Rows:
    """Reads resources of one release as appointments of one practice, and schedules them."""

    def __init__(self, video: VideoSdk, release: str, practice: Practice) -> None:
        self._scheduling = video.scheduling
        self._format = video.appointment_format
        self._listeners = video.listeners
        self._bulk = BulkScheduling(video.scheduling, video.store, video.visits, video.clock)
        self._release = release
        self._practice = practice

    async def of(self, batch: Sequence[Found]) -> list[Row]:
        """In the order of the batch. What the rows tell is stored, and plugins have heard of it."""
        read = [self._read(resource) for _, resource in batch]
        appointments = [one for one in read if isinstance(one, SourcedAppointment)]
        outcomes = iter(await self._bulk.schedule(appointments))
        await self._listeners.finish()
        rows: list[Row] = []
        for (place, resource), one in zip(batch, read, strict=True):
            outcome = one if isinstance(one, VsdkError) else _checked(next(outcomes))
            if isinstance(outcome, InvalidAppointment) and outcome.called_off:
                await self._scheduling.vanished(self._practice.id, outcome.called_off)
            if isinstance(outcome, VsdkError):
                rows.append(_failure(place, resource, outcome))
            else:
                rows.extend(_links(outcome))
        return rows

    def _read(self, resource: Any) -> SourcedAppointment | VsdkError:
        if isinstance(resource, VsdkError):
            return resource
        try:
            appointment = self._format.read(resource, release=self._release, practice=self._practice)
        except VsdkError as error:
            return error
        if not appointment.is_video:
            return InvalidAppointment(
                "nothing says that this appointment is by video",
                code="not-a-video-visit",
                issues=[Issue("not-a-video-visit", "Appointment", "none of the practice's rules says so")],
            )
        return SourcedAppointment(appointment, self._release, resource)


def _checked(outcome: Outcome) -> Outcome:
    """The links, or why there are none."""
    if isinstance(outcome, VsdkError) or outcome.links:
        return outcome
    status = outcome.mirrored.appointment.status
    if not status.takes_place:
        return InvalidAppointment(f"its status is {status}, so it has no link", code="appointment-cancelled")
    return InvalidAppointment("its time has passed", code="appointment-over")


def _links(scheduled: Scheduled) -> Iterator[Row]:
    for link in scheduled.links:
        yield {
            "appointment": scheduled.mirrored.appointment.id,
            "participant": link.participant.reference,
            "role": link.participant.role.value,
            "join_url": link.url,
            "opens": link.window.opens.isoformat(),
            "expires": link.window.closes.isoformat(),
        }


def _failure(place: str, resource: Any, error: VsdkError) -> Row:
    row: Row = {"source": place, "error": error.code, "detail": error.detail}
    if isinstance(resource, dict) and isinstance(resource.get("id"), str):
        row["appointment"] = resource["id"]
    if isinstance(error, InvalidAppointment) and error.issues:
        row["issues"] = [issue._asdict() for issue in error.issues]
    return row
