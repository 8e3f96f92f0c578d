"""The settings of `vsdk.adapters.identity.oidc`."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator


class OidcClient(BaseModel):
    """How one practice is known to its OpenID provider."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    scopes: list[str] = ["openid", "profile"]
    roles_claim: str = "roles"
    practitioner: list[str] = []
    staff: list[str] = []

    @field_validator("issuer")
    @classmethod
    def _over_tls(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("an issuer has an https address (OpenID Connect Discovery 1.0, 4.3)")
        return issuer.rstrip("/")


class OidcConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    practices: dict[str, OidcClient]
