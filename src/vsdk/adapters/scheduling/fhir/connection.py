"""One practice's FHIR server: everything that is needed to work with it, made from the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsdk.adapters.scheduling.fhir import tls
from vsdk.adapters.scheduling.fhir.following.notifications import Inbox
from vsdk.adapters.scheduling.fhir.following.windows import Windows
from vsdk.adapters.scheduling.fhir.rest.access import (
    Access,
    BackendServices,
    ClientKey,
    FixedAccess,
    basic,
    bearer,
)
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.adapters.scheduling.fhir.source_settings import (
    BasicAccess,
    BearerAccess,
    SmartAccess,
    SourceSettings,
)
from vsdk.adapters.scheduling.fhir.writing.dialects import DIALECTS
from vsdk.adapters.scheduling.fhir.writing.encounter import Encounters
from vsdk.adapters.scheduling.fhir.writing.versioned import Versioned
from vsdk.adapters.scheduling.fhir.writing.write_back import WriteBack
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Http

SOURCE = "fhir"
"""name of the schedule source"""


@dataclass(frozen=True, slots=True)
class Connection:
    practice: Practice
    client: FhirClient
    windows: Windows
    inbox: Inbox
    write_back: WriteBack | None
    encounters: Encounters | None
    reports_status: bool
    public_keys: dict[str, list[dict[str, Any]]] | None
    """JWK Set (RFC 7517) by which the server knows our assertions, where there are any"""


def connect(
    practice: Practice, settings: SourceSettings, http: Http, address: str, now: Callable[[], datetime]
) -> Connection:
    """Asks the server nothing yet. ``address`` is ours. Raises ConfigurationError."""
    if settings.tls:
        http = http.over(tls.context(settings.tls))
    release = settings.fhir_version or ""
    access = _access(settings, http, now)
    client = FhirClient(http, settings.base_url, access, release)
    dialect = DIALECTS.get(settings.write_back)
    if dialect and (problem := dialect.problem(practice.fhir, release)):
        raise ConfigurationError(f"fhir_schedule, practice {practice.id}: {problem}")
    patches = settings.write_back in ("json-patch", "oracle")
    versioned = Versioned(client, DIALECTS["json-patch" if patches else "put"])
    return Connection(
        practice,
        client,
        Windows(client, practice, settings.search, SOURCE, now),
        Inbox(client, settings.notifications, address, practice),
        WriteBack(client, practice, dialect) if dialect else None,
        None if settings.encounters == "none" else Encounters(client, versioned, settings.encounters, now),
        settings.report_status,
        access.public_jwks() if isinstance(access, BackendServices) else None,
    )


def _access(settings: SourceSettings, http: Http, now: Callable[[], datetime]) -> Access:
    match settings.access:
        case BearerAccess(token=token):
            return bearer(token.get_secret_value())
        case BasicAccess(user=user, password=password):
            return basic(user, password.get_secret_value())
        case SmartAccess() as smart:
            return BackendServices(
                http,
                settings.base_url,
                client_id=smart.client_id,
                key=ClientKey(smart.key.get_secret_value(), smart.key_id),
                scope=smart.scope,
                now=now,
                token_endpoint=smart.token_endpoint,
            )
        case _:
            return FixedAccess()
