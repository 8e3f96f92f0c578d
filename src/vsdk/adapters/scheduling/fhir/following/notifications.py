"""What the notifications of FHIR Subscriptions ask us to read again.

Understood are those of STU3 and R4 (rest-hook: with the resource or without, at the address or below it) and
those of topics: R5's own, and its backport to R4 and R4B (hl7.org/fhir/uv/subscriptions-backport 1.1).
Nothing in them is believed but which appointments they name: those are read again.
"""

import hmac

from vsdk.adapters.scheduling.fhir.following.event_numbers import EventNumbers
from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.following.subscription import Subscriber
from vsdk.adapters.scheduling.fhir.following.topic_notification import TopicNotification, status_of
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.errors import Refused, UsageError
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.hooks import json_text
from vsdk.hooks.ports import Json, Notification, Notified

EVERYTHING = Notified(everything=True)
LONGEST_ID = 255
"""FHIR says 64 (hl7.org/fhir/R4/datatypes.html#id), which not all servers keep to"""


class Inbox:
    """The notifications of one FHIR server for one practice, and the Subscription that makes them come.

    ``address`` is where this server is reached, the settings' ``base_url``: notifications come to
    ``/hooks/{practice}`` there.
    """

    def __init__(
        self, client: FhirClient, settings: NotificationSettings, address: str, practice: Practice
    ) -> None:
        self._settings = settings
        self._events = EventNumbers()
        self._subscriber = Subscriber(client, settings, address, practice.id)

    async def ensure(self) -> None:
        """Keeps our Subscription alive at the server, if that is wanted. Never raises, and mostly waits."""
        await self._subscriber.ensure()

    async def notified(self, n: Notification) -> Notified:
        """Raises Refused ``notification-refused``, UsageError ``notification-invalid``."""
        self._authenticate(n)
        named = _id_of(n.path)
        if named:
            return Notified((named,))
        if not n.body.strip():
            return EVERYTHING
        try:
            body = json_text.parse(n.body)
        except ValueError:
            raise _invalid("its body is not JSON") from None
        if not isinstance(body, dict) or not as_text(body.get("resourceType")):
            raise _invalid("its body is no FHIR resource")
        if body["resourceType"] == "Bundle":
            status = status_of(body)
            return _resources(body) if status is None else self._topic(status, body)
        id_ = _resource_id(body)
        return Notified((id_,)) if id_ else EVERYTHING

    def _authenticate(self, n: Notification) -> None:
        expected, given = self._settings.header_value, n.headers.get(self._settings.header, "").strip()
        scheme, _, token = given.partition(" ")
        if self._settings.header == "authorization" and scheme.lower() == "bearer":
            given = f"Bearer {token.strip()}"
        if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()) or not expected:
            raise Refused(
                "the notification does not carry the secret of this practice", code="notification-refused"
            )

    def _topic(self, status: TopicNotification, bundle: Json) -> Notified:
        if not status.is_known:
            raise _invalid("its type is unknown")
        complete = self._events.is_complete(status.subscription, status.total, status.numbers)
        if status.is_failure:
            self._subscriber.failed()
        lost = status.is_failure or not complete or status.type in ("query-status", "query-event")
        if status.type != "event-notification":
            return EVERYTHING if lost else Notified()
        ids = [_id_of(reference) for event in status.references for reference in event]
        understood = all(any(_id_of(reference) for reference in event) for event in status.references)
        named = tuple(dict.fromkeys(id_ for id_ in ids if id_))
        if not understood or not named:
            return Notified(named or _resources(bundle).appointments, everything=True)
        return Notified(named, everything=lost)


def _resources(bundle: Json) -> Notified:
    """The Appointments in a Bundle that is no notification of a topic."""
    found = [_resource_id(as_object(entry.get("resource"))) for entry in as_objects(bundle.get("entry"))]
    ids = tuple(dict.fromkeys(id_ for id_ in found if id_))
    return Notified(ids) if ids and all(found) else Notified(ids, everything=True)


def _resource_id(resource: Json) -> AppointmentId | None:
    if resource.get("resourceType") != "Appointment":
        return None
    id_ = resource.get("id")
    return _id_of(f"Appointment/{id_ if isinstance(id_, int) else as_text(id_)}")


def _id_of(reference: str) -> AppointmentId | None:
    """``17`` of ``Appointment/17``, of an absolute address, and of one with a version; else None."""
    path = reference.split("?")[0].split("#")[0].partition("/_history")[0]
    _, _, id_ = f"/{path}".partition("/Appointment/")
    id_ = id_.strip("/")
    return AppointmentId(id_) if id_ and len(id_) <= LONGEST_ID and id_.isprintable() else None


def _invalid(why: str) -> UsageError:
    return UsageError(f"the notification cannot be understood: {why}", code="notification-invalid")
