"""What the settings choose among that which plugins bring."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from vsdk.domain.errors import ConfigurationError
from vsdk.domain.ids import PracticeId
from vsdk.hooks.ports import IdentityProvider, PushChannel, ReportingChannel
from vsdk.service import registry as plugins
from vsdk.service.delivery import Way
from vsdk.settings import ClientSettings, PracticeSettings, Settings


def key_set(client: ClientSettings) -> dict[str, Any]:
    """The public keys of a client that proves itself by a signature; empty where it has a secret."""
    if client.jwks_file is None:
        return {}
    try:
        return dict(json.loads(client.jwks_file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise ConfigurationError(f"client {client.id!r}: its jwks_file is no JWK Set") from None


def chosen(settings: Settings, key: str, available: Mapping[str, Any]) -> dict[PracticeId, Any]:
    """What each practice named in its settings, checked to exist."""
    chosen = {}
    for practice in settings.practices:
        name = getattr(practice, key)
        if name is None:
            continue
        if name not in available:
            raise ConfigurationError(
                f"practice {practice.id!r} names the {key} {name!r}, and no enabled plugin brings it "
                f"(available: {', '.join(sorted(available)) or 'none'})"
            )
        chosen[PracticeId(practice.id)] = available[name]
    return chosen


def identity_providers(
    settings: Settings, available: Mapping[str, IdentityProvider]
) -> dict[PracticeId, tuple[IdentityProvider, ...]]:
    """Those that a practice named, in its order."""
    found: dict[PracticeId, tuple[IdentityProvider, ...]] = {}
    for practice in settings.practices:
        named = practice.identity_provider
        names = [named] if isinstance(named, str) else named or []
        for name in names:
            if name not in available:
                raise ConfigurationError(
                    f"practice {practice.id!r} names the identity_provider {name!r}, and no enabled plugin "
                    f"brings it (available: {', '.join(sorted(available)) or 'none'})"
                )
        if names:
            found[PracticeId(practice.id)] = tuple(available[name] for name in names)
    return found


def ways(
    settings: Settings, available: tuple[plugins.RegisteredChannel, ...]
) -> dict[PracticeId, tuple[Way, ...]]:
    """A practice names kinds of channels, or single plugins."""

    def of(practice: PracticeSettings) -> tuple[Way, ...]:
        chosen = (
            Way(c.plugin, c.channel)
            for name in practice.channels
            for c in available
            if name in (c.channel.channel, c.plugin)
        )
        return tuple(dict.fromkeys(chosen))

    return {PracticeId(practice.id): of(practice) for practice in settings.practices}


def push(available: tuple[plugins.RegisteredChannel, ...]) -> PushChannel | None:
    """The channel for Web Push, where one is enabled."""
    return next((c.channel for c in available if isinstance(c.channel, PushChannel)), None)


def push_keys(settings: Settings, available: tuple[plugins.RegisteredChannel, ...]) -> dict[PracticeId, str]:
    """What browsers subscribe with, for the practices that send by Web Push."""
    return {
        practice_id: way.channel.key
        for practice_id, of_practice in ways(settings, available).items()
        for way in of_practice
        if isinstance(way.channel, PushChannel)
    }


def reporting(
    available: tuple[plugins.RegisteredChannel, ...],
) -> dict[str, tuple[ReportingChannel, ...]]:
    """Channels whose gateways report, by plugin."""
    found: dict[str, tuple[ReportingChannel, ...]] = {}
    for registered in available:
        if isinstance(registered.channel, ReportingChannel):
            found[registered.plugin] = (*found.get(registered.plugin, ()), registered.channel)
    return found


def foreign_origins(settings: Settings, registry: plugins.Registry) -> frozenset[str]:
    """Origins from which panels would load their modules, other than our own."""
    own = urlsplit(settings.base_url)
    modules = (urlsplit(given.panel.module) for given in registry.panels)
    return frozenset(f"{m.scheme}://{m.netloc}" for m in modules if m.netloc and m.netloc != own.netloc)
