"""How a practice's FHIR server is reached: ``[plugin.fhir_schedule.PRACTICE]``."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    model_validator,
)

from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.following.window_settings import SearchSettings


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _is_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("this is an absolute http(s) address without query or fragment")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no user and no password; these belong to access")
    return value.rstrip("/")


def _fits_a_header(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or text != text.strip() or not text.isascii() or not text.isprintable():
        raise ValueError("a token is printable ASCII, without blanks around it")
    return value


Address = Annotated[str, AfterValidator(_is_address)]


class NoAccess(_Section):
    """The server asks for nothing, or the certificate in ``tls`` says it all."""

    kind: Literal["none"] = "none"


class BearerAccess(_Section):
    """A token that does not expire."""

    kind: Literal["bearer"]
    token: Annotated[SecretStr, AfterValidator(_fits_a_header)]


class BasicAccess(_Section):
    """User and password."""

    kind: Literal["basic"]
    user: str = Field(min_length=1, pattern=r"^[^:]+$")
    password: SecretStr


class SmartAccess(_Section):
    """SMART Backend Services: `vsdk.adapters.scheduling.fhir.rest.access.BackendServices`."""

    kind: Literal["smart-backend"]
    client_id: str = Field(min_length=1, description="what the server knows us by")
    key: SecretStr = Field(description="our private key, RSA or EC P-384, as PEM or JWK")
    key_id: str = Field("", description="`kid`; else that of the JWK, else its thumbprint")
    scope: str = Field("system/Appointment.rus", min_length=1, description="separated by blanks")
    token_endpoint: Address | Literal[""] = Field(
        "", description="needed where it is not on the origin of base_url; else the server is asked"
    )


AccessSettings = Annotated[NoAccess | BearerAccess | BasicAccess | SmartAccess, Field(discriminator="kind")]


class TlsSettings(_Section):
    """Mutual TLS (RFC 8705), and authorities of one's own; PEM files."""

    certificate: Path | None = Field(None, description="ours, with the intermediate ones")
    key: Path | None = Field(None, description="its private key; without, it is in the same file")
    authority: Path | None = Field(None, description="whom to trust, instead of the system's authorities")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.certificate is None and self.authority is None:
            raise ValueError("tls needs a certificate or an authority")
        if self.key is not None and self.certificate is None:
            raise ValueError("a key belongs to a certificate")
        return self


class SourceSettings(_Section):
    """One practice's server."""

    base_url: Address = Field(description="FHIR base address, the one that ends before /Appointment")
    fhir_version: Literal["STU3", "R4", "R4B", "R5"] | None = Field(
        None, description="without, the server's CapabilityStatement says it"
    )
    write_back: Literal["put", "json-patch", "oracle", "fhirpath-patch", "none"] = Field(
        "put", description="how links and status are written into appointments"
    )
    report_status: bool = Field(True, description="whether arrived, checked-in and fulfilled are written")
    encounters: Literal["none", "update", "create"] = Field(
        "none", description="whether the appointment's Encounter is kept up to date, or made too"
    )
    access: AccessSettings = NoAccess()
    tls: TlsSettings | None = None
    search: SearchSettings = SearchSettings()
    notifications: NotificationSettings = NotificationSettings()

    @model_validator(mode="after")
    def _has_a_status(self) -> Self:
        if self.encounters != "none" and not self.report_status:
            raise ValueError("encounters follow the status: they need report_status")
        return self


class FhirScheduleSettings(RootModel[dict[str, SourceSettings]]):
    """``[plugin.fhir_schedule]``: by practice."""
