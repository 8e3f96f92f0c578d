"""The markers for hook specifications and implementations, and the version of the hook API."""

import pluggy

API_VERSION = (1, 0)
"""Major, minor. A plugin may state ``vsdk_api = (1, 0)`` on its module; a newer one is refused."""

hookspec = pluggy.HookspecMarker("vsdk")
hookimpl = pluggy.HookimplMarker("vsdk")
