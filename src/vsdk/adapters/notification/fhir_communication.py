"""Messages that a practice's own system sends or shows: resources created at its FHIR server (kind ``fhir``).

::

    [plugin.fhir_messages.park]  # one section for each practice
    base_url = "https://pms.example/fhir/r4"

    [plugin.fhir_messages.park.access]
    kind = "bearer"
    token = { env = "PARK_FHIR_TOKEN" }

Each is created on the condition that there is none with our identifier yet
(hl7.org/fhir/http.html#ccreate), so that a repeated attempt does not make a second one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, RootModel

from vsdk.adapters.notification.addressee import is_for_team, person_of
from vsdk.adapters.notification.communication import IDENTIFIER, Kind, communication
from vsdk.adapters.scheduling.fhir.connection import connect
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.adapters.scheduling.fhir.source_settings import (
    AccessSettings,
    Address,
    NoAccess,
    SmartAccess,
    SourceSettings,
    TlsSettings,
)
from vsdk.adapters.scheduling.fhir.values import as_objects, as_text
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError
from vsdk.domain.ids import PracticeId
from vsdk.domain.message import Message, Receipt
from vsdk.domain.practice import Practice
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Http, Json

_REFUSALS = frozenset({400, 404, 405, 410, 413, 415, 422})
"""statuses of a server that does not take this resource, or not this one"""


class FhirMessagesSettings(BaseModel):
    """``[plugin.fhir_messages.PRACTICE]``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: Address = Field(description="FHIR base address, the one that ends before /CommunicationRequest")
    fhir_version: Literal["STU3", "R4", "R4B", "R5"] | None = Field(
        None, description="without, the server's CapabilityStatement says it"
    )
    resource: Kind = Field(
        "CommunicationRequest",
        description="which the system is to send, or `Communication`, which it shows as sent",
    )
    organization: str = Field(
        "",
        pattern=r"^(Organization/.+)?$",
        description="reference of the practice there, for messages to its own team",
    )
    access: AccessSettings = NoAccess()
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class Target:
    client: FhirClient
    kind: Kind
    organization: str = ""


class FhirMessages:
    """A NotificationChannel over one FHIR server for each practice."""

    channel = "fhir"

    def __init__(self, targets: Mapping[PracticeId, Target], now: Callable[[], datetime]) -> None:
        self._targets = targets
        self._now = now

    async def deliver(self, message: Message) -> Receipt:
        """``provider_id`` is the reference of the resource, where the server tells it.

        Raises DeliveryFailed ``channel-not-set-up``, ``no-address`` and ``message-refused``, and what
        `FhirClient` raises.
        """
        target = self._targets.get(message.practice_id)
        if target is None:
            raise DeliveryFailed("the practice has no section in fhir_messages", code="channel-not-set-up")
        recipient = person_of(message) or (target.organization if is_for_team(message) else "")
        if not recipient:
            raise DeliveryFailed("the FHIR server knows no such person", code="no-address")
        release = await target.client.release()
        recipient = recipient.partition("/_history/")[0]
        body = communication(message, target.kind, release, recipient, self._now())
        try:
            return await _create(target, body, message.idempotency_key)
        except PartnerError as error:
            if error.status in _REFUSALS:
                raise DeliveryFailed(
                    f"the FHIR server does not take this {target.kind}", code="message-refused"
                ) from None
            raise


async def _create(target: Target, body: Json, key: str) -> Receipt:
    """Where the condition is met already, the server gives the existing one, or 412 for several.

    Some servers overlook the parameter, and then give one of somebody else.
    """
    condition = f"identifier={IDENTIFIER}|{quote(key, safe='')}"
    try:
        made = await target.client.send("POST", target.kind, body, headers={"if-none-exist": condition})
    except PartnerError as error:
        if error.status != 412:
            raise
        found = await target.client.search(target.kind, [("identifier", f"{IDENTIFIER}|{key}")])
        there = [one for one in found if _is_ours(one, key)]
    else:
        told = made.resource.get("resourceType") == target.kind
        if not told or made.status == 201:
            return _receipt(made.resource if told else {})
        there = [made.resource] if _is_ours(made.resource, key) else []
    if not there:
        raise DeliveryFailed(
            "the FHIR server takes the message for one that it has, and it is not", code="message-refused"
        )
    return _receipt(there[0])


def _receipt(resource: Json) -> Receipt:
    id_ = as_text(resource.get("id"))
    return Receipt(f"{resource['resourceType']}/{id_}" if id_ else "")


def _is_ours(resource: Json, key: str) -> bool:
    given = as_objects(resource.get("identifier"))
    return any(one.get("system") == IDENTIFIER and one.get("value") == key for one in given)


def _target(
    practice: Practice, settings: FhirMessagesSettings, http: Http, address: str, now: Callable[[], datetime]
) -> Target:
    access = settings.access
    if isinstance(access, SmartAccess) and "scope" not in access.model_fields_set:
        access = access.model_copy(update={"scope": f"system/{settings.resource}.cs"})
    server = SourceSettings(
        base_url=settings.base_url,
        fhir_version=settings.fhir_version,
        write_back="none",
        access=access,
        tls=settings.tls,
    )
    client = connect(practice, server, http, address, now).client
    return Target(client, settings.resource, settings.organization)


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> Sequence[FhirMessages]:
    sections = config.plugin("fhir_messages", RootModel[dict[str, FhirMessagesSettings]]).root
    practices = {practice.id: practice for practice in config.practices}
    if not sections or not sections.keys() <= practices.keys():
        raise ConfigurationError("fhir_messages: give a section for each practice that uses it, by its id")
    return [
        FhirMessages(
            {
                PracticeId(id_): _target(practices[PracticeId(id_)], section, http, config.base_url, _now)
                for id_, section in sections.items()
            },
            _now,
        )
    ]


def _now() -> datetime:
    return datetime.now(UTC)
