"""The plugin that is looked at: its distribution, its source, its project folder and its tests."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from vsdk.domain.errors import ConfigurationError, UsageError
from vsdk.service.registry import installed

_NOT_OURS = {".venv", "venv", "node_modules", "build", "dist", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Source:
    """One module of the plugin."""

    file: Path
    name: str
    """where it lies, for people"""
    tree: ast.Module

    def place(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    entry: EntryPoint
    distribution: Distribution
    root: Path
    """the package's folder, or the file of a plugin that is one module"""
    sources: tuple[Source, ...]
    project: Path | None
    """where it is developed; known for an editable install"""
    tests: Path | None
    """folder with its tests"""
    test_sources: tuple[Source, ...]

    @property
    def readme(self) -> str:
        """As it is in the project, else as it was when it was built; empty where there is none."""
        if self.project:
            for file in sorted(self.project.glob("README*")):
                return file.read_text(encoding="utf-8", errors="replace")
        description = self.distribution.metadata.json.get("description", "")
        return description if isinstance(description, str) else "\n".join(description)

    @property
    def is_package(self) -> bool:
        return self.root.is_dir()


def find(name: str, tests: str | None = None) -> Subject:
    """Without importing it. Raises ConfigurationError ``plugin-not-installed`` and ``plugin-broken``, and
    UsageError ``plugin-built-in`` and ``tests-not-found``."""
    entry = installed().get(name)
    if entry is None or entry.dist is None:
        known = ", ".join(sorted(installed())) or "none"
        raise ConfigurationError(
            f"plugin {name!r} is not installed; install its package, or correct the name (installed are: "
            f"{known})",
            code="plugin-not-installed",
        )
    if entry.module.partition(".")[0] == "vsdk":
        raise UsageError(
            f"{name} is a part of vsdk and tested with it; this looks at plugins of others",
            code="plugin-built-in",
        )
    root = _root(name, entry)
    project = _project(entry.dist)
    folder = _tests(tests, project)
    return Subject(
        name,
        entry,
        entry.dist,
        root,
        tuple(_read(name, root)),
        project,
        folder,
        tuple(_read(name, folder)) if folder else (),
    )


def _root(name: str, entry: EntryPoint) -> Path:
    spec = find_spec(entry.module.partition(".")[0])
    if spec is None or not (spec.submodule_search_locations or spec.origin):
        raise ConfigurationError(
            f"plugin {name!r} cannot be imported: there is no module {entry.module}", code="plugin-broken"
        )
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(str(spec.origin))


def _project(distribution: Distribution) -> Path | None:
    """The folder of an editable install, from ``direct_url.json`` (PEP 610)."""
    record = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not record.get("dir_info", {}).get("editable"):
        return None
    folder = Path(url2pathname(urlsplit(record["url"]).path))
    return folder if folder.is_dir() else None


def _tests(given: str | None, project: Path | None) -> Path | None:
    if given is not None:
        if not Path(given).is_dir():
            raise UsageError(f"there is no folder {given}", code="tests-not-found")
        return Path(given).absolute()
    if project is None:
        return None
    return project / "tests" if (project / "tests").is_dir() else project


def _read(name: str, root: Path) -> Iterator[Source]:
    files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
    for file in files:
        inside = file.relative_to(root.parent)
        if _NOT_OURS & set(inside.parts):
            continue
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError) as error:
            raise ConfigurationError(
                f"plugin {name!r}: {inside.as_posix()} is not valid Python", code="plugin-broken"
            ) from error
        yield Source(file, inside.as_posix(), tree)
