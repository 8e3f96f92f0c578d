"""Participants of a FHIR Appointment: who of its actors is a person, and how to reach them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vsdk.adapters.scheduling import contact
from vsdk.adapters.scheduling.fhir_values import as_object, as_objects, as_text, codings
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

_IDENTIFIED = {
    **dict.fromkeys(("LANR", "NPI", "IDNPS", "RPPS"), "Practitioner"),
    **dict.fromkeys(("KVZ10", "INS-NIR", "MR"), "Patient"),
}
"""What an actor is whom only an identifier names, by Identifier.type (HL7 v2-0203 and national additions)."""

_INTERPRETING = frozenset({"translator", "interpreter"})
"""``translator`` is of terminology.hl7.org/CodeSystem/participant-type; the other is seen in feeds."""

_PERFORMING = frozenset({"ADM", "ATND", "CON", "DIS", "PPRF", "SPRF", "PRF"})
"""v3-ParticipationType codes of those who treat; they tell the role of an actor without a reference."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A Reference with what the appointment itself holds of its target."""

    reference: str
    kind: str
    """resource type of the target, empty when it cannot be told"""
    display: str
    resource: Json
    """the contained resource, or empty"""


def actor_of(reference: Json, contained: Iterable[Json]) -> Actor:
    """Reads ``Patient/1``, absolute addresses, versions (``/_history/2``), contained ``#id``, identifiers."""
    target = as_text(reference.get("reference"))
    resource: Json = {}
    if target.startswith("#"):
        resource = next((c for c in contained if f"#{as_text(c.get('id')).lstrip('#')}" == target), {})
    path = target.split("?")[0].split("/_history")[0].split("/")
    identified = codings(as_object(reference.get("identifier")).get("type"))
    kinds = (
        as_text(resource.get("resourceType")),
        path[-2] if len(path) > 1 else "",
        as_text(reference.get("type")),
        *(_IDENTIFIED.get(code, "") for _, code in identified),
    )
    kind = next((k for k in kinds if k in _TYPES), "")
    return Actor(target, kind, as_text(reference.get("display")), resource)


def people(resource: Json, practice: Practice) -> tuple[Participant, ...]:
    """The persons of the appointment as ``p1``, ``p2`` … in the order of appearance, each once.

    Who declined is left out, and so is what is no person (Location, Device, HealthcareService …). R5's
    ``subject`` is the patient where no participant is one.
    """
    contained = as_objects(resource.get("contained"))
    found = list(_actors(resource, contained))
    subject = actor_of(as_object(resource.get("subject")), contained)
    if subject.kind == "Patient" and not any(role is Role.PATIENT for role, _ in found):
        found.insert(0, (Role.PATIENT, subject))
    once: dict[tuple[Role, str], Actor] = {}
    for place, (role, actor) in enumerate(found):
        once.setdefault((role, actor.reference or f"unnamed {place}"), actor)
    return tuple(
        _participant(ParticipantId(f"p{number}"), role, actor, practice)
        for number, ((role, _), actor) in enumerate(once.items(), start=1)
    )


def _actors(resource: Json, contained: list[Json]) -> Iterator[tuple[Role, Actor]]:
    for entry in as_objects(resource.get("participant")):
        actor = actor_of(as_object(entry.get("actor")), contained)
        role = _role(actor, {code for _, code in codings(entry.get("type"))}, entry)
        if role and entry.get("status") != "declined":
            yield role, actor


def _role(actor: Actor, codes: set[str], entry: Json) -> Role | None:
    named = actor.kind in _ROLES or (not actor.kind and bool(as_object(entry.get("actor"))))
    if named and actor.kind != "Patient" and codes & _INTERPRETING:
        return Role.INTERPRETER
    if actor.kind:
        return _ROLES.get(actor.kind)
    return Role.PRACTITIONER if named and codes & _PERFORMING else None


def _participant(id_: ParticipantId, role: Role, actor: Actor, practice: Practice) -> Participant:
    telecom = as_objects(actor.resource.get("telecom"))
    return Participant(
        id=id_,
        role=role,
        reference=actor.reference,
        name=actor.display or _name(actor.resource),
        phone=_phone(telecom, practice),
        email=_first(contact.email(v) for v in _values(telecom, "email")),
        language=_language(actor.resource),
    )


def _name(resource: Json) -> str:
    """A HumanName in one line; of several the official one, else the first."""
    names = sorted(as_objects(resource.get("name")), key=lambda name: name.get("use") != "official")
    for name in names:
        given = name.get("given")
        parts = [as_text(part) for part in (given if isinstance(given, list) else [given])]
        whole = as_text(name.get("text")) or " ".join(p for p in (*parts, as_text(name.get("family"))) if p)
        if whole:
            return whole
    return as_text(as_object(resource.get("practitioner")).get("display"))


def _phone(telecom: list[Json], practice: Practice) -> str:
    """Where an SMS can go: what is meant for it first, then mobile numbers, then any."""
    mobile = [point for point in telecom if point.get("use") == "mobile"]
    ordered = (*_values(telecom, "sms"), *_values(mobile, "phone"), *_values(telecom, "phone"))
    return _first(contact.phone(value, practice.phone) for value in ordered)


def _values(telecom: list[Json], system: str) -> list[str]:
    """The values of one system that are in use (ContactPoint.use ``old`` is not)."""
    return [as_text(p.get("value")) for p in telecom if p.get("system") == system and p.get("use") != "old"]


def _language(resource: Json) -> str:
    spoken = sorted(as_objects(resource.get("communication")), key=lambda c: c.get("preferred") is not True)
    tags = [code for entry in spoken for _, code in codings(entry.get("language"))]
    return _first(contact.language(tag) for tag in (*tags, as_text(resource.get("language"))))


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")
