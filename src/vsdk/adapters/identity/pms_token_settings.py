"""The settings of `vsdk.adapters.identity.pms_token`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator


class PmsIssuer(BaseModel):
    """Who signs for one practice."""

    model_config = ConfigDict(extra="forbid")

    issuer: str
    jwks_uri: str | None = None
    jwks_file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "PmsIssuer":
        if (self.jwks_uri is None) == (self.jwks_file is None):
            raise ValueError("name either jwks_uri or jwks_file")
        return self


class PmsTokenConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    practices: dict[str, PmsIssuer]
