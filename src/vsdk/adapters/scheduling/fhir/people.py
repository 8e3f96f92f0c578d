"""Participants of a FHIR Appointment: who of its actors is a person, and what they are to the visit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsdk.adapters.scheduling.fhir import person
from vsdk.adapters.scheduling.fhir.values import as_key, as_object, as_objects, as_text, codings
from vsdk.domain.ids import ParticipantId
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

_ROLES = {
    "Patient": Role.PATIENT,
    "Practitioner": Role.PRACTITIONER,
    "PractitionerRole": Role.PRACTITIONER,
    "RelatedPerson": Role.COMPANION,
}
_TYPES = frozenset(_ROLES) | {"CareTeam", "Device", "Group", "HealthcareService", "Location", "Organization"}

_SPELLED = {kind.lower(): kind for kind in _TYPES}

_IDENTIFIED = {
    **dict.fromkeys(("LANR", "NPI", "IDNPS", "RPPS", "PRN"), "Practitioner"),
    **dict.fromkeys(("KVZ10", "INS-NIR", "MR", "PI", "PT"), "Patient"),
}
"""What an actor is whom only an identifier names, by Identifier.type (HL7 v2-0203 and national additions)."""

_INTERPRETING = frozenset({"translator", "interpreter"})
"""``translator`` is of terminology.hl7.org/CodeSystem/participant-type; the other is seen in feeds."""

_PERFORMING = frozenset({"ADM", "ATND", "CON", "DIS", "PPRF", "SPRF", "PRF"})
"""v3-ParticipationType codes of those who treat; they tell the role of an actor without a reference."""

_INFORMED = "information-only"
_NOBODY: Json = {}


@dataclass(slots=True, repr=False)
class Actor:
    """A Reference with what the appointment itself holds of its target."""

    reference: str
    kind: str
    """resource type of the target, empty when it cannot be told"""
    display: str
    resource: Json
    """the contained resource, or empty"""


Attendee = tuple[Json, Actor]
"""an entry of ``Appointment.participant``, and whom it is about"""


def contained_in(resource: Json) -> Mapping[str, Json]:
    """The contained resources by their ids, with or without the ``#`` that some systems put before them."""
    if not resource.get("contained"):
        return _NOBODY
    found: dict[str, Json] = {}
    for one in as_objects(resource["contained"]):
        found.setdefault(as_key(one.get("id")).lstrip("#"), one)
    return found


def actor_of(reference: Json, contained: Mapping[str, Json] = _NOBODY) -> Actor:
    """Reads ``Patient/1``, absolute addresses, versions (``/_history/2``), contained ``#id``, identifiers."""
    target = as_text(reference.get("reference"))
    kind, slash, _ = target.partition("/")
    resource = _NOBODY
    if not slash or kind not in _TYPES:
        kind, resource = _target(reference, target, contained)
    return Actor(target, kind, as_text(reference.get("display")), resource)


def attendees(resource: Json) -> list[Attendee]:
    """Every participant who did not decline, with its actor: persons, places, devices."""
    contained = contained_in(resource)
    return [
        (entry, actor_of(as_object(entry.get("actor")), contained))
        for entry in as_objects(resource.get("participant"))
        if entry.get("status") == "accepted" or not _declined(entry)
    ]


def people(
    resource: Json, attending: Sequence[Attendee], practice: Practice, at: datetime | None
) -> tuple[Participant, ...]:
    """The persons among the attendees as ``p1``, ``p2`` … in the order of appearance, each once.

    What is no person is left out (Location, Device, HealthcareService …), and so is who is only informed of
    what others meet for. Names and numbers are those in use ``at`` the time of the appointment.
    """
    found = [(role, actor) for entry, actor in attending if (role := _role(actor, entry))]
    if len(found) > 2 and (informed := [a for e, a in attending if _is_only_informed(e.get("required"))]):
        meeting = [(role, actor) for role, actor in found if actor not in informed]
        found = meeting if len(meeting) > 1 else found
    if len({actor.reference for _, actor in found}) < len(found):
        found = list(_once(found))
    if "subject" in resource and (subject := _subject(resource, [role for role, _ in found])):
        found.insert(0, (Role.PATIENT, subject))
    return tuple(
        [_participant(n, role, actor, practice, at) for n, (role, actor) in enumerate(found, start=1)]
    )


def problems(resource: Json) -> Iterator[tuple[str, str]]:
    """Code and FHIRPath for each participant of whom the visit cannot make anything."""
    entries = resource.get("participant")
    entries = entries if isinstance(entries, list) else as_objects(entries)
    contained = contained_in(resource)
    for place, entry in enumerate(entries):
        path = f"Appointment.participant[{place}]"
        if not isinstance(entry, dict):
            yield "participant-not-object", path
        elif not as_object(entry.get("actor")):
            yield "participant-without-actor", f"{path}.actor"
        elif _declined(entry):
            yield "participant-declined", f"{path}.status"
        elif actor_of(entry["actor"], contained).kind:
            yield "participant-no-person", f"{path}.actor"
        else:
            yield "participant-kind-unknown", f"{path}.actor"


def _subject(resource: Json, roles: list[Role]) -> Actor | None:
    """R5's ``subject``, where it is the patient of a practitioner and no participant is.

    A subject who is to be there should be a participant too, and systems forget that. Between practitioners
    it is whom they talk about (hl7.org/fhir/R5/appointment-definitions.html#Appointment.subject).
    """
    if Role.PATIENT in roles or roles.count(Role.PRACTITIONER) > 1:
        return None
    contained = contained_in(resource)
    entries = as_objects(resource.get("participant"))
    if any(actor_of(as_object(entry.get("actor")), contained).kind == "Patient" for entry in entries):
        return None
    subject = actor_of(as_object(resource["subject"]), contained)
    return subject if subject.kind == "Patient" else None


def _once(found: Iterable[tuple[Role, Actor]]) -> Iterator[tuple[Role, Actor]]:
    """Without those who come again in the same role. Who has no reference cannot be known again."""
    seen: dict[str, list[Role]] = {}
    for role, actor in found:
        roles = seen.setdefault(actor.reference, [])
        if not actor.reference or role not in roles:
            roles.append(role)
            yield role, actor


def _target(reference: Json, target: str, contained: Mapping[str, Json]) -> tuple[str, Json]:
    """Type and contained resource: by that resource, the reference, its ``type``, that of its identifier."""
    resource = _NOBODY
    if target:
        if target[0] == "#" and target[1:] in contained:
            resource = contained[target[1:]]
            if (kind := as_text(resource.get("resourceType"))) in _TYPES:
                return kind, resource
        path = target.partition("?")[0].partition("/_history")[0].rstrip("/").split("/")
        if len(path) > 1 and (kind := _kind(path[-2].lstrip("#"))):
            return kind, resource
    return _kind(as_text(reference.get("type")).rpartition("/")[2]) or _identified(reference), resource


def _kind(name: str) -> str:
    """The resource type in its right spelling, or empty: some systems write ``patient``."""
    return _SPELLED.get(name.lower(), "")


def _identified(reference: Json) -> str:
    if "identifier" not in reference:
        return ""
    identified = codings(as_object(reference["identifier"]).get("type"))
    return next((_IDENTIFIED[code] for _, code in identified if code in _IDENTIFIED), "")


def _declined(entry: Json) -> bool:
    """Whether this participant said no, in any spelling. Without a status nobody said so."""
    status = entry.get("status")
    return isinstance(status, str) and status.strip().lower() == "declined"


def _is_only_informed(required: Any) -> bool:
    """Whether the appointment is about this participant, not for it: R4's ``information-only``
    (hl7.org/fhir/R4/valueset-participantrequired.html). R5 has only true and false here. Some systems say it
    of the very patient, which is why it takes two others to believe it."""
    if not isinstance(required, str) or required in ("required", "optional"):
        return False
    return required.strip().lower() == _INFORMED


def _role(actor: Actor, entry: Json) -> Role | None:
    if actor.kind == "Patient":
        return Role.PATIENT
    role = _ROLES.get(actor.kind)
    if role is None and (actor.kind or not as_object(entry.get("actor"))):
        return None
    for _, code in codings(entry["type"]) if "type" in entry else ():
        if code in _INTERPRETING:
            return Role.INTERPRETER
        if not actor.kind and code in _PERFORMING:
            role = Role.PRACTITIONER
    return role


def _participant(
    number: int, role: Role, actor: Actor, practice: Practice, at: datetime | None
) -> Participant:
    id_, resource = ParticipantId(f"p{number}"), actor.resource
    if not resource:
        return Participant(id_, role, actor.reference, actor.display)
    name = actor.display or person.name(resource, at)
    phone, email = person.reach(resource, practice, at)
    return Participant(id_, role, actor.reference, name, phone, email, person.language(resource))
