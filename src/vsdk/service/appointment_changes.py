"""What a change of an appointment means for its visit; pure functions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count

from vsdk.domain.appointment import Appointment, AppointmentStatus
from vsdk.domain.effects import Effect, Notify
from vsdk.domain.ids import ParticipantId
from vsdk.domain.participant import Capability, Participant
from vsdk.domain.plan import Window
from vsdk.domain.visit import ACTIVE, FINAL, Visit, VisitState
from vsdk.hooks.ports import Json, SourcedAppointment
from vsdk.hooks.store import MirroredAppointment

CALLED_OFF = (AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR)


def takes_over_from_someone(visit: Visit, mirrored: MirroredAppointment, appointment: Appointment) -> bool:
    """Whether someone would inherit the arrival, and even the admission, of the one in whose place they are.

    Whoever is new may have the id of someone who is no longer in the appointment.
    """
    before, after = _who(mirrored.appointment), _who(appointment)
    here = (arrival.participant for arrival in visit.arrivals)
    return visit.state in ACTIVE and not all(_are_one(before.get(p), after.get(p)) for p in here)


def with_known_ids(sourced: SourcedAppointment, before: Appointment) -> SourcedAppointment:
    """With everybody under the id that they had, wherever they stand in the appointment now.

    Sources number participants by their place, which changes when a system reorders them or puts someone in
    between, while links and arrivals belong to ids.
    """
    left, ids = list(before.participants), dict[int, ParticipantId]()
    for place, person in enumerate(sourced.appointment.participants):
        known = next(
            (one for one in left if one.role is person.role and _are_one(_name(one), _name(person))), None
        )
        if known:
            left.remove(known)
            ids[place] = known.id
    taken = set(ids.values())
    free = (id_ for n in count(1) if (id_ := ParticipantId(f"p{n}")) not in taken)
    for place, person in enumerate(sourced.appointment.participants):
        if place not in ids:
            ids[place] = person.id if person.id not in taken else next(free)
            taken.add(ids[place])
    people = tuple(replace(p, id=ids[n]) for n, p in enumerate(sourced.appointment.participants))
    return replace(sourced, appointment=replace(sourced.appointment, participants=people))


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
        yield from told(visit, appointment, "cancelled")


def told(visit: Visit, appointment: Appointment, template: str) -> Iterator[Notify]:
    """One message to everyone who comes through a link."""
    for participant in appointment.participants:
        if Capability.WAIT in appointment.capabilities(participant):
            yield Notify(visit.id, participant.id, template)


def is_someone_missing(before: Appointment, after: Appointment) -> bool:
    """Whether someone is no longer there, whose id and link would be another's."""
    there = _who(after)
    return not all(_are_one(person, there.get(id_)) for id_, person in _who(before).items())


def _who(appointment: Appointment) -> dict[ParticipantId, str]:
    return {person.id: _name(person) for person in appointment.participants}


def _name(person: Participant) -> str:
    """By what a person is known again: the reference, else the name."""
    return person.reference or person.name


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
