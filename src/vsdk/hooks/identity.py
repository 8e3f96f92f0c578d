"""Identity: who may sign in for a practice."""

from collections.abc import Sequence

from vsdk.hooks.markers import hookspec
from vsdk.hooks.ports import Config, Http, IdentityProvider


@hookspec
def vsdk_identity_providers(config: Config, http: Http) -> Sequence[IdentityProvider]:  # type: ignore[empty-body]
    """Give ways to sign in.

    When: once, at start-up. Combination: by unique ``name``; each practice names one in the settings.
    Failure: start-up fails; at sign-in, nobody is let in.
    """
