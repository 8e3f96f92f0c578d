"""Checks that load the plugin: its hooks, and what it can be told."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from vsdk.adapters.http import HttpClient
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Verdict, missing, ok
from vsdk.domain.errors import ConfigurationError
from vsdk.hooks.markers import API_VERSION
from vsdk.hooks.ports import Config, M
from vsdk.service.registry import load

_SECRET = re.compile(r"token|secret|password|passphrase|credential|api_?key|private_?key")
_NO_SECRET = re.compile(r"_(url|uri|endpoint|file|path|id|name|header|seconds|minutes)$")
"""what only leads to a secret, or speaks of one"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """``problem`` is why it did not start: often only that a setting is missing."""

    hooks: frozenset[str]
    api: Any
    sections: tuple[tuple[str, type[BaseModel]], ...]
    """names and models of the settings that it asked for"""
    problem: ConfigurationError | None

    @property
    def models(self) -> list[type[BaseModel]]:
        found: list[type[BaseModel]] = []
        waiting = [model for _, model in self.sections]
        while waiting:
            model = waiting.pop()
            if model not in found:
                found.append(model)
                waiting += [m for field in model.model_fields.values() for m in _inner(field.annotation)]
        return found


class _Asked:
    """The settings, and who asked for what."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.base_url, self.practices = config.base_url, config.practices
        self.sections: list[tuple[str, type[BaseModel]]] = []

    def plugin(self, name: str, model: type[M]) -> M:
        self.sections.append((name, model))
        return self._config.plugin(name, model)


def loaded(subject: Subject, config: Config) -> Loaded:
    """The plugin, started alone."""
    asked, http, problem = _Asked(config), HttpClient(), None
    try:
        load([subject.name], asked, http, None)
    except ConfigurationError as error:
        problem = error
    finally:
        asyncio.run(http.close())
    try:
        plugin = subject.entry.load()
    except Exception:  # `load` has told why
        plugin = None
    hooks = (name for name in dir(plugin) if hasattr(getattr(plugin, name, None), "vsdk_impl"))
    return Loaded(frozenset(hooks), getattr(plugin, "vsdk_api", None), tuple(asked.sections), problem)


def loads(subject: Subject, plugin: Loaded) -> Verdict:
    if plugin.problem is None:
        return ok(f"it starts, with {_listed(plugin.hooks) or 'no hook'}")
    if plugin.problem.code != ConfigurationError.default_code:
        return missing(f"{plugin.problem.code}: {plugin.problem.detail}")
    return ok(f"without settings it says what it needs: {plugin.problem.detail}")


def hook_api(subject: Subject, plugin: Loaded) -> Verdict:
    now = f"({API_VERSION[0]}, {API_VERSION[1]})"
    if plugin.api is None:
        return missing(f"state `vsdk_api = {now}` in {subject.entry.module}")
    return ok(f"written for version {'.'.join(map(str, plugin.api))}")


def settings_model(subject: Subject, plugin: Loaded) -> Verdict:
    if not plugin.sections:
        return ok("it has no settings")
    faults = [
        f"read the section {subject.name!r}, not {name!r}"
        for name, _ in plugin.sections
        if name != subject.name
    ]
    for model in plugin.models:
        if model.model_config.get("extra") != "forbid":
            faults.append(f'give {model.__name__} ConfigDict(extra="forbid"), so that typing errors are seen')
        faults += [
            f"make {model.__name__}.{name} a SecretStr"
            for name, field in model.model_fields.items()
            if _SECRET.search(name) and not _NO_SECRET.search(name) and not _holds_secret(field.annotation)
        ]
    if faults:
        return missing("; ".join(faults))
    return ok(f"{_listed(m.__name__ for m in plugin.models)}: unknown keys are refused, secrets are hidden")


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _holds_secret(annotation: Any) -> bool:
    """Also a flag that only says whether there is one."""
    return any(part is SecretStr or part is bool for part in _parts(annotation))


def _inner(annotation: Any) -> list[type[BaseModel]]:
    return [part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
