"""Loads the enabled plugins, checks what they registered, and freezes it. The only caller of pluggy.

Enabled is not installed: entry points of the group ``vsdk`` are loaded by name, in the order of the
settings, and others are never imported. A wrapper could silence another plugin's compliance rules, and
``tryfirst`` would make the result depend on more than the settings, so both are refused.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pluggy

from vsdk.domain.errors import ConfigurationError
from vsdk.domain.plan import VisitPlan, combine
from vsdk.hooks import compliance, identity, lifecycle, notification, presentation, scheduling
from vsdk.hooks.markers import API_VERSION, HookDeprecation
from vsdk.hooks.ports import (
    Config,
    Http,
    IdentityProvider,
    NotificationChannel,
    PageSource,
    Panel,
    PolicyRule,
    ScheduleSource,
)
from vsdk.hooks.sign_ins import AccountStore
from vsdk.service.tracing import Tracer

GROUP = "vsdk"
SPECIFICATIONS = (scheduling, notification, identity, compliance, presentation, lifecycle)


@dataclass(frozen=True, slots=True)
class RegisteredChannel:
    """A channel, and the plugin that gave it."""

    plugin: str
    channel: NotificationChannel


@dataclass(frozen=True, slots=True)
class RegisteredPanel:
    """A panel, and the plugin that gave it."""

    plugin: str
    panel: Panel


@dataclass(frozen=True, slots=True)
class Registry:
    """What the enabled plugins gave. Nobody touches pluggy after this exists."""

    plugins: tuple[str, ...]
    schedule_sources: Mapping[str, ScheduleSource]
    plan: VisitPlan
    channels: tuple[RegisteredChannel, ...]
    catalogs: tuple[Path, ...]
    identity_providers: Mapping[str, IdentityProvider]
    rules: tuple[PolicyRule, ...]
    panels: tuple[RegisteredPanel, ...]
    pages: Mapping[tuple[str, str], PageSource]
    """by plugin and path"""
    listeners: tuple[tuple[str, Callable[..., Any]], ...]


def installed() -> dict[str, EntryPoint]:
    """The plugins that could be enabled, by name. None of them is imported."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load(
    names: Sequence[str],
    config: Config,
    http: Http,
    accounts: AccountStore | None = None,
    *,
    trace: bool = False,
) -> Registry:
    """Imports and checks the named plugins. Raises ConfigurationError saying what to do about it.

    ``accounts`` is None where nobody signs in, as in a check of a plugin by itself. ``trace`` shows on
    standard error what is asked of them from now on (`vsdk.service.tracing`).
    """
    manager = pluggy.PluginManager(GROUP)
    for specification in SPECIFICATIONS:
        manager.add_hookspecs(specification)
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"plugin {name!r} is enabled twice; name it once", code="plugin-invalid")
        _register(manager, name)
    _check(manager)
    calls = _Calls(
        manager, {"config": config, "http": http, "accounts": accounts}, Tracer() if trace else None
    )
    sources = calls.objects(
        "vsdk_schedule_sources", ScheduleSource, "get", "changed_since", "write_back", "notified"
    )
    channels = calls.objects("vsdk_notification_channels", NotificationChannel, "deliver", "reported")
    providers = calls.objects("vsdk_identity_providers", IdentityProvider, "begin", "complete")
    pages = calls.objects("vsdk_pages", PageSource, "body", "answer")
    panels = calls.objects("vsdk_panels", Panel)
    _unique("panel", [panel.name for _, panel in panels])
    rules = [rule for _, rule in calls.objects("vsdk_policy_rules", PolicyRule)]
    _unique("policy rule", [rule.id for rule in rules])
    for rule in rules:
        _check_rule(rule)
    return Registry(
        plugins=tuple(names),
        schedule_sources=_by_name("schedule source", [source for _, source in sources]),
        plan=combine([plan for _, plan in calls.objects("vsdk_visit_plans", VisitPlan)]),
        channels=tuple(RegisteredChannel(plugin, channel) for plugin, channel in channels),
        catalogs=tuple(folder for _, folder in calls.objects("vsdk_message_catalogs", Path)),
        identity_providers=_by_name("identity provider", [provider for _, provider in providers]),
        rules=tuple(rules),
        panels=tuple(RegisteredPanel(plugin, panel) for plugin, panel in panels),
        pages=MappingProxyType(_pages(pages)),
        listeners=tuple(calls.listeners()),
    )


def _register(manager: pluggy.PluginManager, name: str) -> None:
    entry = installed().get(name)
    if entry is None:
        known = ", ".join(sorted(installed())) or "none"
        raise ConfigurationError(
            f"plugin {name!r} is enabled but not installed; install its package, or correct the name "
            f"(installed are: {known})",
            code="plugin-not-installed",
        )
    try:
        plugin = entry.load()
    except Exception as error:
        raise ConfigurationError(
            f"plugin {name!r} cannot be imported: {error}", code="plugin-broken"
        ) from error
    wanted = getattr(plugin, "vsdk_api", API_VERSION)
    if tuple(wanted) > API_VERSION:
        raise ConfigurationError(
            f"plugin {name!r} needs version {wanted[0]}.{wanted[1]} of the hook API and this vsdk has "
            f"{API_VERSION[0]}.{API_VERSION[1]}; upgrade vsdk or install an older release of the plugin",
            code="plugin-api-too-new",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HookDeprecation)  # from pluggy, naming neither plugin nor hook
            manager.register(plugin, name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise ConfigurationError(f"plugin {name!r}: {error}", code="plugin-invalid") from error


def _check(manager: pluggy.PluginManager) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = str(error).partition(" in plugin ")[0]
        raise ConfigurationError(
            f"plugin {manager.get_name(error.plugin)!r}: {unknown}; "
            "the hooks that exist are listed in docs/hooks.md",
            code="plugin-unknown-hook",
        ) from error
    for name, plugin in manager.list_name_plugin():
        for caller in manager.get_hookcallers(plugin) or []:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    _check_implementation(name, caller.name, implementation)
                    _warn_of_deprecations(name, caller, implementation)


def _check_implementation(plugin: str, hook: str, implementation: pluggy.HookImpl) -> None:
    where = f"plugin {plugin!r}, {hook}"
    if implementation.wrapper or implementation.hookwrapper:
        raise ConfigurationError(
            f"{where}: wrappers are refused because they could change what others registered; "
            "return your own objects instead",
            code="plugin-wrapper",
        )
    if implementation.tryfirst or implementation.trylast:
        raise ConfigurationError(
            f"{where}: tryfirst and trylast are refused; the order is that of plugins in the settings",
            code="plugin-order",
        )
    if implementation.kwargnames:
        raise ConfigurationError(
            f"{where}: a parameter with a default ({', '.join(implementation.kwargnames)}) is never "
            "filled in; remove the default",
            code="plugin-default-parameter",
        )
    if hook != "vsdk_event" and inspect.iscoroutinefunction(implementation.function):
        raise ConfigurationError(
            f"{where}: hooks are plain functions called once at start-up; make it `def`, and put what "
            "takes time into the methods of the objects that it returns",
            code="plugin-async-hook",
        )


def _warn_of_deprecations(plugin: str, caller: pluggy.HookCaller, implementation: pluggy.HookImpl) -> None:
    specification = caller.spec
    if specification is None:
        return
    found = [specification.warn_on_impl] if specification.warn_on_impl else []
    deprecated = specification.warn_on_impl_args or {}
    found += [warning for name, warning in deprecated.items() if name in implementation.argnames]
    code = implementation.function.__code__
    for warning in found:
        text = f"plugin {plugin!r}, {caller.name}: {warning}"
        warnings.warn_explicit(text, HookDeprecation, code.co_filename, code.co_firstlineno)


class _Calls:
    """Calls each implementation by itself, in the order of the settings, so that failures name the plugin."""

    def __init__(
        self, manager: pluggy.PluginManager, arguments: dict[str, Any], tracer: Tracer | None
    ) -> None:
        self._manager = manager
        self._arguments = arguments
        self._tracer = tracer

    def _implementations(self, hook: str) -> Iterator[tuple[str, pluggy.HookImpl]]:
        found = {impl.plugin_name: impl for impl in getattr(self._manager.hook, hook).get_hookimpls()}
        return ((name, found[name]) for name, _ in self._manager.list_name_plugin() if name in found)

    def objects(self, hook: str, kind: type[Any], *coroutines: str) -> list[tuple[str, Any]]:
        """What all implementations returned, with the plugin's name, each checked to be a ``kind``.

        ``coroutines`` are methods that must be ``async def``, where an object has them.
        """
        results = []
        for plugin, implementation in self._implementations(hook):
            arguments = {name: self._arguments[name] for name in implementation.argnames}
            function: Callable[..., Any] = implementation.function
            try:
                if self._tracer:
                    returned = self._tracer.called(plugin, hook, function, arguments)
                else:
                    returned = [*function(**arguments)]
            except ConfigurationError:
                raise
            except Exception as error:
                raise ConfigurationError(
                    f"plugin {plugin!r}, {hook} failed: {type(error).__name__}: {error}", code="plugin-broken"
                ) from error
            for item in returned:
                _check_object(f"plugin {plugin!r}, {hook}", item, kind, coroutines)
                results.append((plugin, self._tracer.object(plugin, item, kind) if self._tracer else item))
        return results

    def listeners(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        for plugin, implementation in self._implementations("vsdk_event"):
            listen = _accepting_event(implementation)
            yield plugin, self._tracer.listener(plugin, listen) if self._tracer else listen


def _accepting_event(implementation: pluggy.HookImpl) -> Callable[..., Any]:
    """An implementation may omit parameters."""
    if "event" in implementation.argnames:
        return implementation.function
    return lambda event: implementation.function()


def _check_object(where: str, item: Any, kind: type[Any], coroutines: Sequence[str]) -> None:
    if not isinstance(item, kind):
        raise ConfigurationError(
            f"{where} returned a {type(item).__name__}, which is not a {kind.__name__}: see docs/hooks.md "
            "for what it must have",
            code="plugin-wrong-object",
        )
    for name in coroutines:
        method = getattr(item, name, None)
        if method is not None and not inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"{where}: {type(item).__name__}.{name} must be `async def`; a plain method would stop "
                "all visits while it waits",
                code="plugin-sync-method",
            )


def _check_rule(rule: PolicyRule) -> None:
    if inspect.iscoroutinefunction(rule.evaluate):
        raise ConfigurationError(
            f"policy rule {rule.id!r}: evaluate must be a plain `def`; rules are pure and answer at once",
            code="plugin-wrong-object",
        )


def _unique(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"two plugins bring a {what} named {name!r}; disable one of them", code="plugin-duplicate"
            )


def _by_name(what: str, items: Sequence[Any]) -> Mapping[str, Any]:
    _unique(what, [item.name for item in items])
    return MappingProxyType({item.name: item for item in items})


def _pages(pages: Sequence[tuple[str, PageSource]]) -> dict[tuple[str, str], PageSource]:
    keys = [(plugin, page.path) for plugin, page in pages]
    _unique("page", [f"{plugin}/{path}" for plugin, path in keys])
    return {(plugin, page.path): page for plugin, page in pages}
