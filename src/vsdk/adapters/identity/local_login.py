"""Signing in with an access code that a practice shares among its practitioners. The settings::

[plugin.local_login.codes]
park = { env = "PARK_CODE" }  # practice id = its code, 16 characters or more
"""

import hmac
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from vsdk.domain.errors import ConfigurationError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Identity, Redirect

SHORTEST = 16


class LocalLoginConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    codes: dict[str, SecretStr]

    @field_validator("codes")
    @classmethod
    def _long_enough(cls, codes: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for practice_id, code in codes.items():
            if len(code.get_secret_value()) < SHORTEST:
                raise ValueError(f"the code of practice {practice_id} needs at least {SHORTEST} characters")
        return codes


class LocalLogin:
    """An IdentityProvider: the page asks for the code, and whoever knows it is a practitioner there."""

    name = "local"
    asks = ("code",)

    def __init__(self, codes: Mapping[str, SecretStr]) -> None:
        self._codes = codes

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        """Nothing but the page itself is needed."""
        return Redirect(return_to)

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        """``params`` holds ``code``. Raises Refused, ``sign-in-refused``."""
        if "code" not in params:
            return None
        known = self._codes.get(practice_id)
        code = known.get_secret_value() if known else ""
        given = params["code"].strip().encode(errors="replace")
        if not hmac.compare_digest(given, code.encode(errors="replace")) or not code:
            raise Refused("this access code is not the practice's", code="sign-in-refused")
        return Identity(subject="local", role=Role.PRACTITIONER, practice_id=practice_id)


@hookimpl
def vsdk_identity_providers(config: Config) -> Sequence[LocalLogin]:
    codes = config.plugin("local_login", LocalLoginConfig).codes
    if unknown := codes.keys() - {practice.id for practice in config.practices}:
        raise ConfigurationError(f"local_login: no such practice: {', '.join(sorted(unknown))}")
    return [LocalLogin(codes)]
