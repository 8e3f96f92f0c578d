"""Whether an async method of the plugin waits in a way that stops everything else."""

import ast
from collections.abc import Iterator

from vsdk.commands.quality.loading import Loaded
from vsdk.commands.quality.reading import some
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Verdict, missing, ok

_BLOCKING = (
    "time.sleep",
    "requests",
    "urllib.request",
    "urllib3",
    "http.client",
    "smtplib",
    "socket.create_connection",
    "subprocess",
    "os.system",
    "input",
)


def not_blocking(subject: Subject, plugin: Loaded) -> Verdict:
    found = [
        f"{name} ({source.place(call)})"
        for source in subject.sources
        for name, call in _blocking(source.tree)
    ]
    if found:
        return missing(f"wait with await, or in asyncio.to_thread, where now all visits stop: {some(found)}")
    return ok("no async method waits in a way that stops all others")


def _blocking(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    names = _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            for call in _own_calls(node):
                name = _dotted(call.func, names)
                if any(name == blocking or name.startswith(f"{blocking}.") for blocking in _BLOCKING):
                    yield name, call


def _names(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, such as ``{"pause": "time.sleep"}``."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _own_calls(function: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """Without those of functions within: they may run in a thread."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else ""
