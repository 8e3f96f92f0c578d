"""Checks that read the plugin's source: what it imports, and how it goes out to other systems.

They are heuristics, here and in `privacy` and `blocking`: they find what is usual, not all that is possible.
"""

import ast
from collections.abc import Iterator

import vsdk
from vsdk.commands.quality.loading import Loaded
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Verdict, missing, ok

_PERMITTED = ("vsdk.hooks", "vsdk.domain")
_NETWORK = (
    "aiohttp",
    "aiosmtplib",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "urllib.request",
    "urllib3",
)
"""libraries with which a plugin could go around the port Http"""
_MOST = 5
"""places that are named; the rest is counted"""


def imports(subject: Subject, plugin: Loaded) -> Verdict:
    wrong = [
        f"{name} ({source.place(node)})"
        for source in subject.sources
        for name, node in _imported(source.tree)
        if not _may_import(name)
    ]
    if wrong:
        return missing(f"import only vsdk, vsdk.hooks and vsdk.domain, not {some(wrong)}")
    return ok("only vsdk, vsdk.hooks and vsdk.domain")


def time_limits(subject: Subject, plugin: Loaded) -> Verdict:
    own = ", ".join(sorted(own_ways_out(subject)))
    if not own:
        return ok("it goes out through Http, which has time limits, or not at all")
    if any("timeout" in word for source in subject.sources for word in _words(source.tree)):
        return ok(f"it goes out with {own}, and names a time-out")
    return missing(f"it goes out with {own}: take Http, or give each call a time-out")


def repeatable(subject: Subject, plugin: Loaded) -> Verdict:
    if "vsdk_notification_channels" not in plugin.hooks:
        return ok("it sends no messages")
    if any("idempotency_key" in _words(source.tree) for source in subject.sources):
        return ok("the idempotency key goes along, so that a repeated message can be known again")
    return missing("hand message.idempotency_key on, so that a repeated message can be known again")


def own_ways_out(subject: Subject) -> set[str]:
    return {
        library
        for source in subject.sources
        for name, _ in _imported(source.tree)
        for library in _NETWORK
        if name == library or name.startswith(f"{library}.")
    }


def takes_http(subject: Subject) -> bool:
    return any(name.endswith(".Http") for source in subject.sources for name, _ in _imported(source.tree))


def some(places: list[str]) -> str:
    more = len(places) - _MOST
    return ", ".join(places[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _imported(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Whole names, so that ``from vsdk import sdk`` is ``vsdk.sdk``; relative ones are the plugin's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def _may_import(name: str) -> bool:
    if name != "vsdk" and not name.startswith("vsdk."):
        return True
    public = name == "vsdk" or name.removeprefix("vsdk.") in (*vsdk.__all__, "__version__")
    return public or any(name == part or name.startswith(f"{part}.") for part in _PERMITTED)


def _words(tree: ast.AST) -> Iterator[str]:
    """Names of attributes, of keywords, and of what is simply there."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=word) | ast.keyword(arg=str(word)) | ast.Name(id=word):
                yield word
