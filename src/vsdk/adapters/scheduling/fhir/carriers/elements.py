"""Changing one element of a JSON object, without changing the object that was given."""

from collections.abc import Callable, Iterator
from typing import Any

from vsdk.adapters.scheduling.fhir.carriers.carrier import malformed
from vsdk.hooks.ports import Json


def listed(value: Any) -> list[Any]:
    """A list as it is, a single object as a list of one, anything else as an empty list."""
    if isinstance(value, list):
        return value
    return [value] if value and isinstance(value, dict) else []


def numbered(element: Json, name: str) -> Iterator[tuple[int, Json]]:
    """The objects in the list ``name``, with their places in it."""
    for index, entry in enumerate(listed(element.get(name))):
        if isinstance(entry, dict):
            yield index, entry


def put(
    element: Json, name: str, wanted: list[Json], *, instead_of: Callable[[Json], bool], path: str
) -> Json:
    """The element with ``wanted`` in the list ``name``: in the places of what they replace, else at its end.

    Those that are replaced and find no successor fall away, and with the last entry the list. An entry that
    says all that is wanted stays as it is: a server may have added an id to it. Raises InvalidAppointment
    ``link-place-malformed`` when something is wanted where no list is.
    """
    value = element.get(name)
    if wanted and value and not isinstance(value, (list, dict)):
        raise malformed(path)
    present, pending = listed(value), iter(wanted)
    result: list[Any] = []
    for entry in present:
        if not isinstance(entry, dict) or not instead_of(entry):
            result.append(entry)
        elif (new := next(pending, None)) is not None:
            result.append(entry if says(entry, new) else new)
    result.extend(pending)
    if len(result) == len(present) and all(a is b for a, b in zip(result, present, strict=True)):
        return element
    return with_element(element, name, result)


def with_element(element: Json, name: str, value: Any) -> Json:
    """The element with that value in its old place, or at the end; without it when the value is empty."""
    if value:
        return element | {name: value}
    return {key: other for key, other in element.items() if key != name}


def with_entry(element: Json, name: str, index: int, entry: Json) -> Json:
    """The element with another object at that place of the list ``name``."""
    entries = listed(element.get(name))
    changed = [*entries[:index], entry, *entries[index + 1 :]]
    return element | {name: changed if isinstance(element[name], list) else entry}


def says(present: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; objects may hold more, lists may not."""
    if isinstance(wanted, dict):
        return isinstance(present, dict) and all(says(present.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(present, list)
            and len(present) == len(wanted)
            and all(says(a, b) for a, b in zip(present, wanted, strict=True))
        )
    return bool(present == wanted)
