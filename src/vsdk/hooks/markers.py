"""The markers for hook specifications and implementations, the version of the hook API, and what ends it."""

import pluggy

API_VERSION = (1, 1)
"""Major, minor. A plugin may state ``vsdk_api = (1, 1)`` on its module; a newer one is refused."""


class HookDeprecation(DeprecationWarning):
    """A plugin uses what the next major version of the hook API drops (docs/hook-api-changes.md)."""


hookspec = pluggy.HookspecMarker("vsdk")
hookimpl = pluggy.HookimplMarker("vsdk")
