"""All settings: one file, one model, unknown keys refused, secrets only by reference.

``vsdk.toml``::

    base_url = "https://praxis.example/video"
    plugins = ["console_messages", "kbv_compliance"]

    [[practices]]
    id = "park"
    name = "Praxis am Park"
    api_key = { env = "PARK_API_KEY" }

    [plugin.acme_sms]
    token = { file = "/run/secrets/acme" }

``docs/configuration.md`` describes each key; a test compares the two.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from vsdk.domain.errors import ConfigurationError
from vsdk.domain.ids import PracticeId
from vsdk.domain.messaging import Messaging, QuietHours
from vsdk.domain.practice import FhirConventions, Practice
from vsdk.hooks.ports import M

CONFIG_VARIABLE = "VSDK_CONFIG"
TRACE_VARIABLE = "VSDK_TRACE_HOOKS"


def _only_by_reference(value: object) -> object:
    if isinstance(value, SecretStr):
        return value
    raise ValueError('a secret is given as { env = "NAME" } or { file = "path" }, never in the file itself')


Secret = Annotated[SecretStr, BeforeValidator(_only_by_reference)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnSettings(_Section):
    """The practice's own TURN server (coturn with ``use-auth-secret``)."""

    urls: list[str] = Field(min_length=1, description="such as turn:turn.praxis.example:3478?transport=udp")
    secret: Secret = Field(description="coturn's static-auth-secret")


VideoRule = Literal["virtual-service", "codes", "class", "location", "delivery-channel", "everything"]


class FhirSettings(_Section):
    """How the practice's system writes Appointments (docs/fhir.md)."""

    video: list[VideoRule] = Field(
        ["virtual-service", "codes", "class", "location", "delivery-channel"],
        min_length=1,
        description="what marks a video visit: one of these must hold",
    )
    video_codes: list[str] = Field([], description="further codes for the rule `codes`, as system|code")
    carrier: Literal[
        "virtual-service",
        "virtual-service-contact",
        "participant-virtual-service",
        "contained-healthcare-service",
        "contained-endpoint",
        "extension",
        "patient-instruction",
        "none",
    ] = Field("virtual-service", description="where links are written")
    carrier_url: str = Field("", description="address of the extension, for the carrier `extension`")
    practitioner_links: bool = Field(
        False, description="write the practitioner's link too; only where no patient reads the resource"
    )
    strict: bool = Field(False, description="refuse what is not valid FHIR, though it could be understood")

    @model_validator(mode="after")
    def _has_url(self) -> Self:
        if (self.carrier == "extension") != bool(self.carrier_url):
            raise ValueError("carrier_url belongs to the carrier 'extension', which needs it")
        return self


class MessageSettings(_Section):
    """What a practice has settled about messages (docs/messages.md)."""

    name: str = Field("", description="what messages call the practice, where its name would say too much")
    staff_email: str = Field("", description="where the practice itself reads messages")
    staff_phone: str = Field("", description="the same by SMS; E.164")
    quiet_from: time | None = Field(None, description="local time from which nothing is sent that can wait")
    quiet_until: time | None = Field(None, description="local time until which it waits")
    at_most: int = Field(12, ge=1, description="messages to one person about one visit")
    unwanted: list[str] = Field([], description="templates that are not sent, such as moved")
    texts: dict[str, dict[str, str]] = Field(
        {}, description="own words: by language, then by name, such as invitation.sms"
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None) or (
            self.quiet_from and self.quiet_from == self.quiet_until
        ):
            raise ValueError("quiet_from and quiet_until belong together, and differ")
        return self

    def messaging(self) -> Messaging:
        quiet = (
            QuietHours(self.quiet_from, self.quiet_until) if self.quiet_from and self.quiet_until else None
        )
        texts = {
            language: {f"message.{key}": text for key, text in words.items()}
            for language, words in self.texts.items()
        }
        return Messaging(
            self.name,
            self.staff_email,
            self.staff_phone,
            quiet,
            self.at_most,
            frozenset(self.unwanted),
            texts,
        )


class ClientSettings(_Section):
    """A program that uses the FHIR face of its practice with access tokens (SMART Backend Services)."""

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$", description="unique over all practices")
    scopes: list[str] = Field(min_length=1, description="what it may do, such as system/Appointment.rs")
    jwks_file: Path | None = Field(None, description="its public keys: a file with a JWK Set")
    secret: Secret | None = Field(None, description="instead of keys, for Basic at the token endpoint")

    @model_validator(mode="after")
    def _proves_itself(self) -> Self:
        if (self.jwks_file is None) == (self.secret is None):
            raise ValueError("a client has either jwks_file or a secret")
        return self


class PracticeSettings(_Section):
    """One practice, the tenant of everything."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="appears in addresses")
    name: str = Field(min_length=1, description="what patients read")
    phone: str = Field("", description="E.164; offered to patients whenever something does not work")
    language: str = Field("de", description="for people whose own language is not known")
    time_zone: str = Field("Europe/Berlin", description="IANA name; reads times that carry no zone")
    schedule_source: str | None = Field(None, description="name of the schedule source to follow")
    identity_provider: str | list[str] | None = Field(
        None,
        description="name of the provider that people sign in with, or several; the page offers the first",
    )
    channels: list[str] = Field(["sms", "email"], description="how to reach people, in this order")
    api_key: Secret | None = Field(None, description="what the PMS sends as bearer token")
    report_noshow: bool = Field(False, description="tell the PMS when nobody came")
    fhir: FhirSettings = Field(FhirSettings(), description="[practices.fhir], see below")
    clients: list[ClientSettings] = Field([], description="[[practices.clients]], see below")
    messages: MessageSettings = Field(MessageSettings(), description="[practices.messages], see below")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("this is not an IANA time zone, such as Europe/Berlin")
        return value

    def practice(self, base_url: str, former_base_urls: Sequence[str] = ()) -> Practice:
        conventions = FhirConventions(
            tuple(self.fhir.video),
            tuple(self.fhir.video_codes),
            self.fhir.carrier,
            self.fhir.carrier_url,
            self.fhir.practitioner_links,
            self.fhir.strict,
            link_address=f"{base_url}/j#",
            list_address=f"{base_url}/practice/{self.id}",
            former_link_addresses=tuple(f"{former}/j#" for former in former_base_urls),
            former_list_addresses=tuple(f"{former}/practice/{self.id}" for former in former_base_urls),
        )
        return Practice(
            PracticeId(self.id),
            self.name,
            self.phone,
            self.language,
            ZoneInfo(self.time_zone),
            conventions,
            self.report_noshow,
            self.messages.messaging(),
        )


class Settings(_Section):
    """The whole configuration. See ``docs/configuration.md``."""

    base_url: str = Field("http://localhost:8000", description="where patients reach this server")
    former_base_urls: list[str] = Field([], description="where they reached it before: links there are ours")
    database: str = Field("sqlite+aiosqlite:///vsdk.sqlite3", description="SQLAlchemy address, async driver")
    signing_key: Secret | None = Field(
        None, description="at least 32 characters; without it, a key file is kept beside the database"
    )
    plugins: list[str] = Field([], description="enabled plugins, by entry point name; the order matters")
    plugin: dict[str, dict[str, Any]] = Field({}, description="[plugin.NAME]: sections that plugins validate")
    practices: list[PracticeSettings] = Field(
        [PracticeSettings(id="practice", name="Practice")], min_length=1, description="[[practices]]"
    )
    languages: list[str] = Field(["de", "fr", "en"], min_length=1, description="offered on pages")
    embed_origins: list[str] = Field([], description="origins of the PMS whose pages may embed the widgets")
    compliance_required: bool = Field(False, description="deny where no policy rule has anything to say")
    grant_minutes: int = Field(10, ge=1, le=60, description="how long an access grant lives")
    exchanges_per_minute: int = Field(30, ge=1, description="join and sign-in attempts from one address")
    poll_seconds: float = Field(5, gt=0, description="how often schedule sources are asked for changes")
    trusted_proxies: list[str] = Field([], description="addresses whose X-Forwarded-For is believed")
    trace_hooks: bool = Field(False, description="show on standard error what is asked of plugins")
    turn: TurnSettings | None = Field(None, description="[turn]: relay for those who cannot connect directly")

    @model_validator(mode="before")
    @classmethod
    def _traced_from_a_terminal(cls, data: Any) -> Any:
        traced = os.environ.get(TRACE_VARIABLE) == "1" and isinstance(data, dict)
        return {**data, "trace_hooks": True} if traced else data

    @field_validator("base_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        return _base_address("base_url", value)

    @field_validator("former_base_urls")
    @classmethod
    def _all_absolute(cls, values: list[str]) -> list[str]:
        return [_base_address("each of former_base_urls", value) for value in values]

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("the signing key needs at least 32 characters")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [p.id for p in self.practices]
        if len(set(ids)) != len(ids):
            raise ValueError("two practices have the same id")
        if unused := set(self.plugin) - set(self.plugins):
            raise ValueError(f"settings for plugins that are not enabled: {', '.join(sorted(unused))}")
        return self

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Settings":
        """Reads a TOML file: ``path``, else $VSDK_CONFIG, else ``vsdk.toml`` if it is there, else defaults.

        Raises ConfigurationError with the key and what is wrong with it, never with a value.
        """
        chosen = path or os.environ.get(CONFIG_VARIABLE)
        file = Path(chosen) if chosen else Path("vsdk.toml")
        if not chosen and not file.exists():
            return cls()
        try:
            with file.open("rb") as stream:
                data = tomllib.load(stream)
        except OSError as error:
            raise ConfigurationError(f"cannot read {file}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ConfigurationError(f"{file} is not text in UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{file} is not valid TOML: {error}") from error
        return cls.of(data)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Settings":
        """From plain data, with secret references resolved."""
        return _validate(cls, _resolve(data, "settings"), "settings")


def _base_address(name: str, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{name} is an absolute http(s) address without query or fragment")
    return value.rstrip("/")


class PluginConfig:
    """What plugins may know of the settings (port `vsdk.hooks.ports.Config`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.base_url = settings.base_url
        self.practices = tuple(
            p.practice(settings.base_url, settings.former_base_urls) for p in settings.practices
        )

    def plugin(self, name: str, model: type[M]) -> M:
        return _validate(model, self._settings.plugin.get(name, {}), f"plugin.{name}")


def _validate(model: type[M], data: Any, where: str) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or where}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"in {where}: {problems}") from None


def _resolve(value: Any, where: str) -> Any:
    """Replaces ``{ env = "NAME" }`` and ``{ file = "path" }`` by the secret that they point to."""
    if isinstance(value, list):
        return [_resolve(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    match dict(value):
        case {"env": str(name), **rest} if not rest:
            if name not in os.environ:
                raise ConfigurationError(f"{where}: the environment variable {name} is not set")
            return SecretStr(os.environ[name])
        case {"file": str(path), **rest} if not rest:
            try:
                return SecretStr(Path(path).read_text(encoding="utf-8").strip())
            except OSError as error:
                raise ConfigurationError(f"{where}: cannot read {path}: {error.strerror}") from error
            except UnicodeDecodeError:
                raise ConfigurationError(f"{where}: {path} is not text in UTF-8") from None
        case mapping:
            return {key: _resolve(item, f"{where}.{key}") for key, item in mapping.items()}
