"""Identity: who may sign in for a practice."""

from collections.abc import Sequence

from vsdk.hooks.markers import hookspec
from vsdk.hooks.ports import Config, Http, IdentityProvider
from vsdk.hooks.sign_ins import AccountStore


@hookspec
def vsdk_identity_providers(  # type: ignore[empty-body]
    config: Config, http: Http, accounts: AccountStore
) -> Sequence[IdentityProvider]:
    """Give ways to sign in. ``accounts`` are those that the practice itself keeps.

    When: once, at start-up. Combination: by unique ``name``; each practice names one in the settings.
    Failure: start-up fails; at sign-in, nobody is let in.
    """
