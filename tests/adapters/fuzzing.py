"""What both fuzzers of the FHIR format share: where they begin, how they break it, what must hold."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from vsdk.adapters.scheduling.fhir.carriers.choice import CARRIERS
from vsdk.adapters.scheduling.fhir.format import RELEASES, FhirFormat
from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.participant import Role
from vsdk.domain.practice import Practice
from vsdk.testing.factories import a_practice

REPOSITORY = Path(__file__).parents[2]
REAL = REPOSITORY.parent / "shared/data/appointments"
FORMAT = FhirFormat()

HOME = a_practice().fhir
PRACTICES: list[Practice] = [
    a_practice(
        fhir=replace(
            HOME,
            carrier=name,
            carrier_url="https://pms.example/link" if name == "extension" else "",
            practitioner_links=links,
        )
    )
    for name in CARRIERS
    for links in (False, True)
]
SERVICES = [
    VirtualService(f"{HOME.link_address}p4tient", Role.PATIENT, "Patient/1"),
    VirtualService(f"{HOME.link_address}c0mpanion", Role.COMPANION, "RelatedPerson/1"),
    VirtualService(f"{HOME.link_address}d0ctor", Role.PRACTITIONER, "Practitioner/2"),
]
_NAME = re.compile(r"[A-Za-z]+")


@cache
def seeds() -> tuple[bytes, ...]:
    """Our examples, the real Appointments if they are at hand, and one with links in every place."""
    files = [
        *sorted((REPOSITORY / "examples/appointments").glob("r*/*.json")),
        *sorted(REAL.glob("*/*.json")),
    ]
    texts = [file.read_bytes() for file in files]
    return (*texts, json.dumps(_with_links_everywhere(json.loads(texts[0]))).encode())


def _with_links_everywhere(original: dict[str, Any]) -> dict[str, Any]:
    everywhere = copy.deepcopy(original)
    for practice in PRACTICES:
        release = "R5" if practice.fhir.carrier == "virtual-service" else "R4"
        written = FORMAT.write(original, release=release, practice=practice, services=SERVICES)
        for name, value in written.items():
            if isinstance(value, list) and value != original.get(name):
                everywhere[name] = [*everywhere.get(name, []), *value]
            else:
                everywhere[name] = value
    return everywhere


def nested(depth: int) -> Any:
    value: Any = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"extension": value}
    return value


def junk(random: Random) -> Any:
    """A value that does not belong where it is put; a fresh one each time."""
    plain = [None, True, False, 0, -1, 17, 10**30, -(10**400), 0.5, 1e308, float("nan"), float("inf")]
    texts = ["", " ", "\x00", "\ud800", "\udfff\ud800", "#", "/", "|", "Patient/", "Patient//1", "x" * 3000]
    texts += ["m4rker value", "2026-13-45T25:61:61+99:99", "9999-12-31T23:59:60-14:00", "virtual", "https://"]
    texts += [SERVICES[0].url, "https://zoom.example/j/1?pwd=s3cret", "urn:vsdk:virtual-service-type"]
    values: list[Any] = [
        *plain,
        *texts,
        [],
        {},
        [None],
        [[]],
        [{}],
        {"": ""},
        {"\ud800": 1},
        {"extension": [None]},
    ]
    if random.random() < 0.2:
        return nested(random.choice([3, 400]))
    return copy.deepcopy(random.choice(values))


def mutated(value: Any, random: Random, times: int) -> Any:
    """A copy with so many changes: drop, replace, duplicate, nest, move elsewhere, rename."""
    whole = [copy.deepcopy(value)]
    for _ in range(times):
        if not whole:
            return None
        places = list(_places(whole))
        container, key = random.choice(places)
        _change(container, key, random, places)
    return whole[0] if whole else None


def check(resource: Any) -> None:
    """Reading and writing, in every release and by every carrier: a result, or InvalidAppointment."""
    for release in RELEASES:
        _explained(resource, partial(_read, release))
    turn = len(resource) if isinstance(resource, dict) else 0
    for number, practice in enumerate(PRACTICES, start=turn):
        release = RELEASES[number % len(RELEASES)]
        for services in (SERVICES, [], None):
            _explained(resource, partial(_write, release, practice, services))


def _read(release: str, resource: Any) -> None:
    found = FORMAT.read(resource, release=release, practice=PRACTICES[0])
    assert isinstance(found, Appointment)
    assert found.id
    assert found.end > found.start
    assert found.participants
    everything = (found.id, *found.identifiers, *(p.reference + p.name + p.phone for p in found.participants))
    "".join(everything).encode()


def _write(release: str, practice: Practice, services: list[VirtualService] | None, resource: Any) -> None:
    status = AppointmentStatus.CHECKED_IN
    FORMAT.write(resource, release=release, practice=practice, services=services, status=status)
    if isinstance(resource, dict):
        FORMAT.links(resource, practice=practice)


def _explained(resource: Any, action: Callable[[Any], None]) -> None:
    """Words that an explanation happens to have like the resource are no repetition of it: it repeats a
    value only if another one in its place comes back too."""
    text = _explanation(resource, action)
    for value in list(_values(resource)):
        if value in text and _comes_back(resource, value, action):
            raise AssertionError(f"an error repeats a value of the resource: {value!r} in {text}")


def _comes_back(resource: Any, value: str, action: Callable[[Any], None]) -> bool:
    whole, other = [resource], f"{value} m4rk"
    places = [(container, key) for container, key in _places(whole) if container[key] == value]
    for container, key in places:
        container[key] = other
    text = _explanation(whole[0], action)
    for container, key in places:
        container[key] = value
    return other in text


def _explanation(resource: Any, action: Callable[[Any], None]) -> str:
    """All that the error says, or nothing when there is none."""
    try:
        action(resource)
    except InvalidAppointment as error:
        complete = all(issue.code and issue.path and issue.detail for issue in error.issues)
        if not (error.code and error.issues and complete):
            raise AssertionError("an error without an explanation") from error
        return f"{error!r} {error} {error.detail} {error.issues!r}"
    return ""


def _values(resource: Any) -> Iterator[str]:
    """Its texts, but for short ones and words, which explanations have by themselves."""
    for container, key in _places([resource]):
        value = container[key]
        if isinstance(value, str) and len(value) > 5 and not _NAME.fullmatch(value):
            yield value


def _places(root: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys, without recursion."""
    waiting: list[Any] = [root]
    while waiting:
        container = waiting.pop()
        for key in container if isinstance(container, dict) else range(len(container)):
            yield container, key
            if isinstance(container[key], (dict, list)):
                waiting.append(container[key])


def _copied(value: Any) -> Any:
    """What grew too deep by being moved into itself again and again is left out."""
    try:
        return copy.deepcopy(value)
    except RecursionError:
        return None


def _change(container: Any, key: Any, random: Random, places: list[tuple[Any, Any]]) -> None:
    kind = random.choice(["drop", "replace", "replace", "duplicate", "list", "object", "move", "rename"])
    value = container[key]
    if kind == "drop":
        del container[key]
    elif kind == "replace":
        container[key] = junk(random)
    elif kind == "duplicate" and isinstance(container, list):
        container.append(_copied(value))
    elif kind in ("duplicate", "list"):
        container[key] = [value, _copied(value)]
    elif kind == "object":
        container[key] = {random.choice(["extension", "concept", "actor", "coding"]): value}
    elif kind == "move":
        other, place = random.choice(places)
        container[key] = _copied(other[place])
    elif isinstance(container, dict):
        container[random.choice(["virtualService", "contained", "identifier", "patientInstruction"])] = (
            container.pop(key)
        )
