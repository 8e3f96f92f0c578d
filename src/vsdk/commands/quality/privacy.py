"""Whether the plugin's source prints, or puts people, texts or secrets into logs or errors."""

import ast
from collections.abc import Iterator, Sequence

from vsdk.commands.quality.loading import Loaded
from vsdk.commands.quality.reading import some
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Verdict, missing, ok

_PRIVATE = frozenset(
    {
        *("recipient", "text", "subject", "html", "calendar", "phone", "email"),
        *("body", "content", "params", "json", "get_secret_value"),
    }
)
"""attributes of messages, people, requests, answers and secrets"""
_PEOPLE = frozenset({"message", "participant", "patient", "practitioner", "identity", "question"})
"""whose name is private, and whose whole self"""
_LOGGING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "warn"})


def private_data(subject: Subject, plugin: Loaded) -> Verdict:
    shown = [source.place(node) for source in subject.sources for node in _shown(source.tree)]
    if shown:
        return missing(
            f"print nothing, and keep people, texts and secrets out of logs and errors: {some(shown)}"
        )
    return ok("nothing is printed, and no log line or error takes what is private")


def _shown(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node
            case ast.Call(func=ast.Attribute(attr=name)) if name in _LOGGING and _is_private(node):
                yield node
            case ast.Raise(exc=ast.Call() as error) if _is_private(error):
                yield node


def _is_private(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return _takes_people(given) or any(_is_private_part(node) for value in given for node in ast.walk(value))


def _takes_people(values: Sequence[ast.expr]) -> bool:
    return any(isinstance(value, ast.Name) and value.id in _PEOPLE for value in values)


def _is_private_part(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="name", value=ast.Name(id=owner) | ast.Attribute(attr=owner)):
            return owner in _PEOPLE
        case ast.Attribute(attr=name):
            return name in _PRIVATE
        case ast.FormattedValue(value=value):
            return _takes_people([value])
    return False
