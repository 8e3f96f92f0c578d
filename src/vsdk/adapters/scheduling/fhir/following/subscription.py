"""Our Subscription at a FHIR server: made when it is missing, renewed when the server has given it up.

STU3 and R4: hl7.org/fhir/R4/subscription.html. Topics: hl7.org/fhir/R5/subscription.html, and before R5 the
profile backport-subscription of hl7.org/fhir/uv/subscriptions-backport 1.1.
"""

import asyncio
import logging
import math
from typing import Any
from urllib.parse import parse_qsl

from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.rest.client import FHIR_JSON, FhirClient
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.errors import NotFound, PartnerError, UsageError, VsdkError
from vsdk.domain.ids import PracticeId
from vsdk.hooks.ports import Json

log = logging.getLogger(__name__)

CHECK_SECONDS = 300.0
"""between two looks at the Subscription, and so between two attempts to make it"""
MOST_DEAD = 3
"""of ours that the server has given up and does not let us renew, before we make no more"""
REASON = "Video visits follow appointments"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
CHANNEL_TYPE = {
    "system": "http://terminology.hl7.org/CodeSystem/subscription-channel-type",
    "code": "rest-hook",
}
_ALIVE = ("requested", "active")


class Subscriber:
    """Keeps one Subscription as the settings want it. It is known by its endpoint, below ``address``."""

    def __init__(
        self, client: FhirClient, settings: NotificationSettings, address: str, practice_id: PracticeId
    ) -> None:
        self._client = client
        self._settings = settings
        self._practice_id = practice_id
        self._endpoint = f"{address.rstrip('/')}/hooks/{practice_id}"
        self._next = -math.inf
        self._secret_is_there = False
        """at the server, as far as can be told"""

    def failed(self) -> None:
        """The server said that it notifies no more: looks at it again soon, but not all the time."""
        self._next = min(self._next, asyncio.get_running_loop().time() + CHECK_SECONDS / 10)

    async def ensure(self) -> None:
        """Never raises: without a Subscription, changes are found by asking, only later."""
        now = asyncio.get_running_loop().time()
        if self._settings.subscribe == "none" or now < self._next:
            return
        self._next = now + CHECK_SECONDS
        try:
            await self._ensure()
        except VsdkError as error:
            log.warning(
                "there is no subscription at the FHIR server",
                extra={"practice": self._practice_id, "code": error.code},
            )

    async def _ensure(self) -> None:
        wanted = subscription(self._settings, await self._client.release(), self._endpoint)
        refusal: VsdkError = NotFound("there is no subscription")
        ours = [found for found in await self._found() if _endpoint(found) == self._endpoint]
        alive = [found for found in ours if _is_alive(found) and _subject(found) == _subject(wanted)]
        if alive and (self._secret_is_there or any(_secret(found) == _secret(wanted) for found in alive)):
            return
        for found in alive or ours:
            id_ = as_text(found.get("id"))
            try:
                await self._client.send("PUT", f"Subscription/{id_}", wanted | {"id": id_})
            except (NotFound, PartnerError) as error:
                refusal = error
            else:
                self._secret_is_there = True
                return
        if alive:
            self._secret_is_there = not (isinstance(refusal, PartnerError) and refusal.retryable)
            return
        if len(ours) >= MOST_DEAD:
            raise refusal
        await self._client.send("POST", "Subscription", wanted)
        self._secret_is_there = True

    async def _found(self) -> list[Json]:
        """By search parameter ``url``; of a server that does not know it, all that it shows us."""
        try:
            return await self._client.search("Subscription", [("url", self._endpoint)])
        except PartnerError as error:
            if error.status != 400:
                raise
        return await self._client.search("Subscription", [])


def subscription(settings: NotificationSettings, release: str, endpoint: str) -> Json:
    """The resource that we ask for. Raises UsageError ``subscription-unsupported``."""
    if settings.subscribe == "topic" and release == "R5":
        return _of_r5(settings, endpoint)
    if settings.subscribe == "topic" and release in ("R4", "R4B"):
        return _of_backport(settings, endpoint)
    if settings.subscribe == "rest-hook" and release != "R5":
        return _of_criteria(settings, endpoint)
    raise UsageError(
        f"FHIR {release} has no subscription of the kind {settings.subscribe!r}",
        code="subscription-unsupported",
    )


def _of_criteria(settings: NotificationSettings, endpoint: str) -> Json:
    channel = {
        "type": "rest-hook",
        "endpoint": endpoint,
        "header": [f"{settings.header.title()}: {settings.header_value}"],
    }
    if settings.content != "empty":
        channel["payload"] = FHIR_JSON
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": REASON,
        "criteria": settings.criteria or "Appointment?",
        "channel": channel,
    }


def _of_backport(settings: NotificationSettings, endpoint: str) -> Json:
    plain = _of_criteria(settings, endpoint)
    content = {"url": f"{BACKPORT}/backport-payload-content", "valueCode": settings.content}
    channel = plain["channel"] | {"payload": FHIR_JSON, "_payload": {"extension": [content]}}
    if settings.heartbeat_seconds:
        channel["extension"] = [
            {
                "url": f"{BACKPORT}/backport-heartbeat-period",
                "valueUnsignedInt": settings.heartbeat_seconds,
            }
        ]
    topic = {
        "meta": {"profile": [f"{BACKPORT}/backport-subscription"]},
        "criteria": settings.topic,
        "channel": channel,
    }
    if settings.criteria:
        criteria = {"url": f"{BACKPORT}/backport-filter-criteria", "valueString": settings.criteria}
        topic["_criteria"] = {"extension": [criteria]}
    return plain | topic


def _of_r5(settings: NotificationSettings, endpoint: str) -> Json:
    filters = [
        {"resourceType": "Appointment", "filterParameter": name, "value": value}
        for name, value in parse_qsl(settings.criteria.partition("?")[2])
    ]
    resource: Json = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": REASON,
        "topic": settings.topic,
        "channelType": CHANNEL_TYPE,
        "endpoint": endpoint,
        "parameter": [{"name": settings.header.title(), "value": settings.header_value}],
        "contentType": FHIR_JSON,
        "content": settings.content,
    }
    if settings.heartbeat_seconds:
        resource["heartbeatPeriod"] = settings.heartbeat_seconds
    return resource | ({"filterBy": filters} if filters else {})


def _is_alive(found: Json) -> bool:
    return found.get("status") in _ALIVE


def _endpoint(found: Json) -> str:
    return as_text(found.get("endpoint")) or as_text(as_object(found.get("channel")).get("endpoint"))


def _subject(found: Json) -> tuple[str, ...]:
    """What must be alike for a Subscription to be the wanted one, but for its secret."""
    channel = as_object(found.get("channel"))
    contents = as_objects(as_object(channel.get("_payload")).get("extension"))
    return (
        as_text(found.get("criteria")) or as_text(found.get("topic")),
        as_text(found.get("content")) or "".join(as_text(entry.get("valueCode")) for entry in contents),
        str(bool(channel.get("payload"))),
    )


def _secret(found: Json) -> Any:
    """What it stands in. Where the server masks it, it is sent at each start: nobody sees which one it is."""
    return as_object(found.get("channel")).get("header") or found.get("parameter")
