"""Plugins made of source text, installed as entry points for the length of one test."""

import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from vsdk.service import registry
from vsdk.service.registry import Registry, load
from vsdk.testing.fakes import FakeConfig, FakeHttp

IMPORTS = """
from datetime import timedelta
from pathlib import Path
from vsdk.hooks.markers import hookimpl
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.message import Receipt
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice, VisitPlan
from vsdk.domain.policy import Finding, Join, Outcome
from vsdk.hooks.ports import Changes, Identity, Panel, Redirect

class Source:
    def __init__(self, name): self.name = name
    async def get(self, practice_id, appointment_id): ...
    async def changed_since(self, practice_id, cursor): return Changes((), "c")
    async def write_back(self, practice_id, appointment_id, services, status): ...

class Channel:
    def __init__(self, channel): self.channel = channel
    async def deliver(self, message): return Receipt("1")

class Provider:
    def __init__(self, name): self.name = name
    async def begin(self, practice_id, return_to): return Redirect(return_to)
    async def complete(self, practice_id, params): return None

class Rule:
    clause = "§ 1"
    applies_to = frozenset({Join})
    def __init__(self, id): self.id = id
    def evaluate(self, question): return Finding(self.id, self.clause, "2024", Outcome.SATISFIED)

class Page:
    title = "A page"
    def __init__(self, path): self.path = path
    async def body(self, language): return f"<p>{language}</p>"
"""
"""What a plugin's source may use."""

_numbers = count()


class Plugins:
    """``plugins.install(name, source)`` and ``plugins.load(*names)``."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.modules: dict[str, str] = {}
        self._folder = folder
        self._entries: list[EntryPoint] = []
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setattr(registry, "entry_points", self._entry_points)

    def _entry_points(self, *, group: str) -> list[EntryPoint]:
        return [entry for entry in self._entries if entry.group == group]

    def install(self, name: str, source: str, *, group: str = "vsdk") -> None:
        module = f"a_plugin_{next(_numbers)}"
        (self._folder / f"{module}.py").write_text(IMPORTS + textwrap.dedent(source), encoding="utf-8")
        self._entries.append(EntryPoint(name, module, group))
        self.modules[name] = module

    def is_imported(self, name: str) -> bool:
        return self.modules[name] in sys.modules

    def load(self, *names: str, config: Any = None, http: Any = None, trace: bool = False) -> Registry:
        return load(names, config or FakeConfig(), http or FakeHttp(), None, trace=trace)


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    made = Plugins(tmp_path, monkeypatch)
    yield made
    for module in made.modules.values():
        sys.modules.pop(module, None)
