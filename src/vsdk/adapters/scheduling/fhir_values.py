"""Reading JSON values that may be missing, null, empty or of another type than FHIR says.

Nothing here raises: what cannot be understood reads as empty.
"""

from collections.abc import Iterator
from typing import Any

from vsdk.hooks.ports import Json


def as_object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[Json]:
    """The objects of a list; a single object counts as a list of one, as older releases write it."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """A string in one line, without control characters and lone surrogates; empty when it is no string."""
    if not isinstance(value, str):
        return ""
    printable = value if value.isprintable() else "".join(c if c.isprintable() else " " for c in value)
    return " ".join(printable.split())


def codings(concept: Any) -> Iterator[tuple[str, str]]:
    """``(system, code)`` of CodeableConcepts (one or many) or of R5's CodeableReferences."""
    for one in as_objects(concept):
        for coding in as_objects(as_object(one.get("concept", one)).get("coding")):
            yield as_text(coding.get("system")), as_text(coding.get("code"))


def extensions(element: Json, url: str) -> list[Json]:
    return [e for e in as_objects(element.get("extension")) if e.get("url") == url]
