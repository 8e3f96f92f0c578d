"""References within a transaction (hl7.org/fhir/http.html#transaction): to other entries, and by criteria."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from vsdk.domain.errors import Conflict

Find = Callable[[str], Awaitable[str | None]]
"""from the criteria after ``Appointment?`` to the reference of the one that they fit"""


async def resolved(resource: Any, entries: Mapping[str, str], find: Find) -> Any:
    """The resource with references to other entries' ``fullUrl``, and those by criteria, made plain ones.

    Raises Conflict ``reference-unresolved`` where the criteria fit nothing, or a type that is not kept here.
    """
    replacements = {}
    for reference in set(_references(resource)):
        if reference in entries:
            replacements[reference] = entries[reference]
        elif "?" in reference and "/" not in reference.partition("?")[0]:
            kind, _, criteria = reference.partition("?")
            plain = await find(criteria) if kind == "Appointment" else None
            if plain is None:
                raise Conflict("a reference by criteria fits nothing here", code="reference-unresolved")
            replacements[reference] = plain
    return _replaced(resource, replacements) if replacements else resource


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            if name == "reference" and isinstance(child, str):
                yield child
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _replaced(value: Any, replacements: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: replacements.get(child, child)
            if name == "reference" and isinstance(child, str)
            else _replaced(child, replacements)
            for name, child in value.items()
        }
    return [_replaced(child, replacements) for child in value] if isinstance(value, list) else value
