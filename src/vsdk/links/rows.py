"""What ``vsdk links`` prints of a batch of resources: a row for each link, or one with the key ``error``.

What cannot be mapped becomes a row with a stable code and an explanation, and nothing of its content.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from vsdk.domain.errors import InvalidAppointment, Issue, VsdkError
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import SourcedAppointment
from vsdk.hooks.store import MirroredAppointment
from vsdk.links.documents import Found
from vsdk.sdk import VideoSdk
from vsdk.service.bulk import BulkScheduling, Outcome
from vsdk.service.scheduling import Scheduled

Row = dict[str, Any]


class Rows:
    """Reads resources of one release as appointments of one practice, and schedules them."""

    def __init__(self, video: VideoSdk, release: str, practice: Practice) -> None:
        self._scheduling = video.scheduling
        self._store = video.store
        self._format = video.appointment_format
        self._listeners = video.listeners
        self._bulk = BulkScheduling(video.scheduling, video.store, video.visits, video.clock)
        self._release = release
        self._practice = practice

    async def of(self, batch: Sequence[Found]) -> list[Row]:
        """In the order of the batch. What the rows tell is stored, and plugins have heard of it."""
        outcomes = await self._outcomes([self._read(resource, self._release) for _, resource in batch])
        await self._listeners.finish()
        rows: list[Row] = []
        for (place, resource), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, VsdkError):
                rows.append(_failure(place, resource, outcome))
            else:
                rows.extend(_links(outcome))
        return rows

    def _read(self, resource: Any, release: str) -> SourcedAppointment | VsdkError:
        if isinstance(resource, VsdkError):
            return resource
        try:
            appointment = self._format.read(resource, release=release, practice=self._practice)
        except VsdkError as error:
            return error
        return SourcedAppointment(appointment, "R4" if release == "R4B" else release, resource)

    async def _outcomes(self, read: Sequence[SourcedAppointment | VsdkError]) -> list[Outcome]:
        """What says no more than that it is called off takes its turn among the others."""
        no_longer = await self._no_longer_by_video([o for o in read if isinstance(o, SourcedAppointment)])
        outcomes: list[Outcome] = []
        ready: list[SourcedAppointment] = []
        places: list[int] = []
        for place, one in enumerate(read):
            outcomes.append(one if isinstance(one, VsdkError) else _no_video())
            if isinstance(one, SourcedAppointment):
                if one.appointment.is_video or one.appointment.id in no_longer:
                    ready.append(one)
                    places.append(place)
            elif isinstance(one, InvalidAppointment) and one.called_off:
                await self._schedule(ready, places, outcomes)
                ready, places = [], []
                await self._scheduling.vanished(self._practice.id, one.called_off)
        await self._schedule(ready, places, outcomes)
        return outcomes

    async def _schedule(
        self, ready: Sequence[SourcedAppointment], places: Sequence[int], outcomes: list[Outcome]
    ) -> None:
        for place, outcome in zip(places, await self._bulk.schedule(ready), strict=True):
            outcomes[place] = _checked(outcome)

    async def _no_longer_by_video(self, read: Sequence[SourcedAppointment]) -> set[AppointmentId]:
        """Those that nothing says are by video, while it was said before, here or in what we keep."""
        ids = {s.appointment.id for s in read if not s.appointment.is_video}
        if not ids:
            return ids
        known = await self._store.known(self._practice.id, sorted(ids))
        said = {id_ for id_, kept in known.items() if kept.mirrored and self._says_video(kept.mirrored)}
        return ids & (said | {s.appointment.id for s in read if s.appointment.is_video})

    def _says_video(self, kept: MirroredAppointment) -> bool:
        """Of its own; whoever handed it over may have said so instead, and that holds on."""
        if kept.deleted or not kept.appointment.is_video:
            return False
        again = self._read(kept.sourced.original, kept.sourced.release)
        return isinstance(again, SourcedAppointment) and again.appointment.is_video


def _no_video() -> InvalidAppointment:
    return InvalidAppointment(
        "nothing says that this appointment is by video",
        code="not-a-video-visit",
        issues=[Issue("not-a-video-visit", "Appointment", "none of the practice's rules says so")],
    )


def _checked(outcome: Outcome) -> Outcome:
    """The links, or why there are none."""
    if isinstance(outcome, VsdkError) or outcome.links:
        return outcome
    if not outcome.mirrored.appointment.is_video:
        return _no_video()
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
    if isinstance(resource, dict) and resource.get("resourceType") == "Appointment":
        row |= {"appointment": resource["id"]} if isinstance(resource.get("id"), str) else {}
    if isinstance(error, InvalidAppointment) and error.issues:
        row["issues"] = [issue._asdict() for issue in error.issues]
    return row
