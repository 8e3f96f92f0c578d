"""Reading JSON values that may be missing, null, empty or of another type than FHIR says.

Nothing here raises: what cannot be understood reads as empty.
"""

from typing import Any

from vsdk.hooks.ports import Json


def as_object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[Json]:
    """The objects of a list; a single object counts as a list of one, as older releases write it.

    Not to be changed: it can be the very list that was given.
    """
    if isinstance(value, list):
        for item in value:
            if not isinstance(item, dict):
                return [one for one in value if isinstance(one, dict)]
        return value
    return [value] if isinstance(value, dict) else []


def as_text(value: Any) -> str:
    """A string in one line, without control characters and lone surrogates; empty when it is no string."""
    if not isinstance(value, str):
        return ""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(value.split()) if "  " in value else value.strip()


def as_key(value: Any) -> str:
    """A string as `as_text`, an integer in digits: systems give out numbers as ids. Empty for all else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**63:
        return str(value)
    return as_text(value)


def codings(concept: Any) -> list[tuple[str, str]]:
    """``(system, code)`` of CodeableConcepts (one or many) or of R5's CodeableReferences."""
    found = []
    for one in concept if isinstance(concept, list) else (concept,):
        if not isinstance(one, dict):
            continue
        given = as_object(one["concept"]).get("coding") if "concept" in one else one.get("coding")
        for coding in given if isinstance(given, list) else (given,):
            if isinstance(coding, dict) and isinstance(code := coding.get("code"), str):
                system = coding.get("system")
                found.append((system.strip() if isinstance(system, str) else "", code.strip()))
    return found


def extensions(element: Json, url: str) -> list[Json]:
    if "extension" not in element:
        return []
    return [e for e in as_objects(element["extension"]) if e.get("url") == url]
