"""Templates of requests, with placeholders in braces, and paths into answers, such as ``messages.0.id``."""

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from pydantic import SecretStr

Words = Mapping[str, str | int | None]

IN_HEADERS = frozenset({"key", "practice", "expires", "ttl_seconds"})
"""what a header can hold: nothing personal, and nothing but ASCII"""
IN_BODY = IN_HEADERS | {"recipient", "recipient_digits", "text", "sender", "receipts"}


class _Nothing:
    """Stands where a placeholder has no value."""


_NOTHING = _Nothing()


def problems(template: Any, known: frozenset[str], where: str) -> Iterator[str]:
    """What is wrong with it, each with the key where it stands."""
    match template:
        case Mapping():
            for key, inner in template.items():
                yield from problems(inner, known, f"{where}.{key}")
        case list():
            for number, inner in enumerate(template):
                yield from problems(inner, known, f"{where}.{number}")
        case str():
            try:
                unknown = [name for name in _names(template) if name not in known]
            except ValueError:
                yield f"{where}: braces that do not fit; a brace itself is written twice"
            else:
                yield from (f"{where}: there is no placeholder {{{name}}} here" for name in unknown)
        case SecretStr() | int() | float():
            return
        case _:
            yield f"{where}: only text, numbers, true and false, lists, tables and secrets are possible"


def uses(template: Any, placeholder: str) -> bool:
    match template:
        case Mapping():
            return any(uses(inner, placeholder) for inner in template.values())
        case list():
            return any(uses(inner, placeholder) for inner in template)
        case str():
            return placeholder in _names(template)
        case _:
            return False


def filled(template: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """The same with values for placeholders. A field whose placeholder has none is left out.

    A text that is nothing but a placeholder becomes its value, which may be a number.
    """
    made = {key: _filled(inner, words) for key, inner in template.items()}
    return {key: value for key, value in made.items() if value is not _NOTHING}


def _filled(template: Any, words: Words) -> Any:
    match template:
        case Mapping():
            return filled(template, words)
        case list():
            return [value for inner in template if (value := _filled(inner, words)) is not _NOTHING]
        case SecretStr():
            return template.get_secret_value()
        case str():
            names = _names(template)
            if any(words.get(name) is None for name in names):
                return _NOTHING
            return words[names[0]] if template == f"{{{''.join(names)}}}" else template.format_map(words)
        case _:
            return template


def _names(template: str) -> list[str]:
    """Of the placeholders in it. Raises ValueError where braces do not fit."""
    names = []
    for _, name, form, conversion in Formatter().parse(template):
        if form or conversion:
            raise ValueError("a placeholder is only a name")
        if name is not None:
            names.append(name)
    return names


def found(value: Any, path: str) -> Any:
    """What stands at the end of the path, or None: names of JSON, and numbers in lists."""
    for step in path.split(".") if path else ():
        match value:
            case Mapping():
                value = value.get(step)
            case list() if step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            case _:
                return None
    return value


def as_word(value: Any) -> str:
    """A text or number as it is written in JSON, ``true`` and ``false``; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
