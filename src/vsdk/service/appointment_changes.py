"""What a change of an appointment means for its visit; pure functions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.effects import Effect, Notify
from vsdk.domain.ids import ParticipantId
from vsdk.domain.participant import Capability
from vsdk.domain.plan import Window
from vsdk.domain.visit import ACTIVE, FINAL, Visit, VisitState
from vsdk.hooks.ports import Json, SourcedAppointment
from vsdk.hooks.store import MirroredAppointment

CALLED_OFF = (AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR)


def takes_over_from_someone(visit: Visit, mirrored: MirroredAppointment, appointment: Appointment) -> bool:
    """Whether someone would inherit the arrival, and even the admission, of the one in whose place they are.

    Participants are numbered by their place in the appointment, so another patient gets the same id.
    """
    before, after = _who(mirrored.appointment), _who(appointment)
    here = (arrival.participant for arrival in visit.arrivals)
    return visit.state in ACTIVE and not all(_are_one(before.get(p), after.get(p)) for p in here)


def says_the_same(one: SourcedAppointment, other: SourcedAppointment) -> bool:
    """Whether they differ in ``meta`` at most: a new version alone, such as that of our own writing, is no
    change."""
    return replace(one, original={}) == replace(other, original={}) and (
        _without_meta(one.original) == _without_meta(other.original)
    )


def with_status(mirrored: MirroredAppointment, status: AppointmentStatus) -> SourcedAppointment:
    """The appointment as it is mirrored, but for its status."""
    return replace(
        mirrored.sourced,
        appointment=replace(mirrored.appointment, status=status),
        original=mirrored.sourced.original | {"status": status.value},
    )


def told_of_cancelling(visit: Visit, appointment: Appointment, now: datetime) -> Iterator[Effect]:
    """Everyone who would come through a link; not for what merely is no longer by video, or is past."""
    if appointment.status in CALLED_OFF and now < appointment.end:
        for participant in appointment.participants:
            if Capability.WAIT in appointment.capabilities(participant):
                yield Notify(visit.id, participant.id, "cancelled")


def is_someone_missing(before: Appointment, after: Appointment) -> bool:
    """Whether someone is no longer there, or no longer in the same place: their link would be another's."""
    there = _who(after)
    return not all(_are_one(person, there.get(place)) for place, person in _who(before).items())


def _who(appointment: Appointment) -> dict[ParticipantId, str]:
    """Who stands in which place, by reference, else by name."""
    return {p.id: p.reference or p.name for p in appointment.participants}


def _are_one(one: str | None, other: str | None) -> bool:
    """A reference may come with the server's address or without, and with any version
    (hl7.org/fhir/references.html#literal)."""
    if one is None or other is None:
        return one is other
    one, other = (reference.partition("/_history/")[0] for reference in (one, other))
    shorter, longer = sorted((one, other), key=len)
    return one == other or ("/" in shorter and longer.endswith(f"/{shorter}"))


def starts_anew(visit: Visit, window: Window) -> bool:
    """Whether an appointment that still takes place needs another visit than this, which is over."""
    if visit.state is VisitState.ENDED:
        return not window.overlaps(visit.window)
    return visit.state is VisitState.CANCELLED or (visit.state in FINAL and visit.window != window)


def _without_meta(original: Json) -> Json:
    return {name: value for name, value in original.items() if name != "meta"}
