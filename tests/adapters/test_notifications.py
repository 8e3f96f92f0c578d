"""Notifications in all their forms, and the Subscription that makes them come."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from vsdk.adapters.http import Reply, failure
from vsdk.adapters.scheduling.fhir.following import subscription as subscription_module
from vsdk.adapters.scheduling.fhir.following.event_numbers import EventNumbers
from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.following.notifications import Inbox
from vsdk.adapters.scheduling.fhir.following.subscription import subscription
from vsdk.adapters.scheduling.fhir.rest.access import FixedAccess
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.domain.errors import PartnerError, Refused, UsageError
from vsdk.hooks.ports import Json, Notification, Notified
from vsdk.testing.factories import a_practice
from vsdk.testing.fakes import FakeHttp

SECRET = "quiet-otters-swim-home"
TOPIC = "https://pms.example/topics/appointment"
ENDPOINT = "https://praxis.example/video/hooks/practice"
BASE = "https://pms.example/fhir"
NOTHING, EVERYTHING = Notified(), Notified(everything=True)


def some(**changes: Any) -> NotificationSettings:
    return NotificationSettings(**({"secret": SecretStr(SECRET)} | changes))


def an_inbox(http: Any = None, release: str = "R4", **changes: Any) -> Inbox:
    client = FhirClient(http or FakeHttp(), BASE, FixedAccess(), release)
    return Inbox(client, some(**changes), "https://praxis.example/video", a_practice())


def a_call(body: Any = b"", path: str = "", method: str = "POST", **headers: str) -> Notification:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Notification(method, path, {"authorization": f"Bearer {SECRET}"} | headers, content)


def named(*ids: str, everything: bool = False) -> Notified:
    return Notified(tuple(ids), everything)  # type: ignore[arg-type]


def in_parameters(type_: str, total: Any, *events: Json, status: str = "active", **names: str) -> Json:
    """R4: Parameters in a history."""
    parameters: list[Json] = [
        {"name": "subscription", "valueReference": {"reference": f"{BASE}/Subscription/s1"}},
        {"name": "topic", "valueCanonical": TOPIC},
        {"name": "status", "valueCode": status},
        {"name": "type", "valueCode": type_},
        {"name": "events-since-subscription-start", "valueString": str(total)},
    ]
    for event in events:
        parts: list[Json] = []
        if "eventNumber" in event:
            parts.append({"name": "event-number", "valueInteger64": str(event["eventNumber"])})
        if "focus" in event:
            parts.append({"name": "focus", "valueReference": event["focus"]})
        parts += [
            {"name": "additional-context", "valueReference": r} for r in event.get("additionalContext", [])
        ]
        parameters.append({"name": "notification-event", "part": parts})
    first = {"resource": {"resourceType": "Parameters", "parameter": parameters}}
    return {"resourceType": "Bundle", "type": "history", "entry": [first]}


def in_camel_case(type_: str, total: Any, *events: Json, status: str = "active") -> Json:
    """R4 as some write it: the names of R5 in Parameters."""
    bundle = in_parameters(type_, total, *events, status=status)
    written = json.dumps(bundle)
    for old, new in {
        "events-since-subscription-start": "eventsSinceSubscriptionStart",
        "notification-event": "notificationEvent",
        "event-number": "eventNumber",
        "additional-context": "additionalContext",
    }.items():
        written = written.replace(f'"name": "{old}"', f'"name": "{new}"')
    found: Json = json.loads(written)
    return found


def in_status(kind: str) -> Callable[..., Json]:
    def make(type_: str, total: Any, *events: Json, status: str = "active") -> Json:
        resource = {
            "resourceType": "SubscriptionStatus",
            "status": status,
            "type": type_,
            "eventsSinceSubscriptionStart": str(total),
            "notificationEvent": list(events),
            "subscription": {"reference": "Subscription/s1"},
            "topic": TOPIC,
        }
        return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource}]}

    return make


in_r4b, in_r5 = in_status("history"), in_status("subscription-notification")
FORMS = pytest.mark.parametrize("form", [in_parameters, in_camel_case, in_r4b, in_r5])


def event(number: Any, reference: str | None = "Appointment/17", **more: Any) -> Json:
    return {"eventNumber": number} | ({"focus": {"reference": reference}} if reference else {}) | more


# who may notify


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": SECRET},
        {"authorization": f"Bearer {SECRET}x"},
        {"authorization": f"Bearer {SECRET[:-1]}"},
        {"authorization": f"Basic {SECRET}"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer \xff\ud800"},
    ],
)
async def test_without_the_secret_it_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        await an_inbox().notified(a_call(**headers))
    assert caught.value.code == "notification-refused"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", f"Bearer {SECRET}"])
async def test_where_no_secret_is_agreed_on_everything_is_refused(given: str) -> None:
    with pytest.raises(Refused):
        await an_inbox(secret=None).notified(a_call(authorization=given))


async def test_a_header_of_ones_own_holds_the_bare_secret() -> None:
    inbox = an_inbox(header="X-Hook-Secret")
    assert await inbox.notified(a_call(**{"x-hook-secret": SECRET})) == EVERYTHING
    for headers in ({}, {"x-hook-secret": f"Bearer {SECRET}"}):
        with pytest.raises(Refused):
            await inbox.notified(a_call(**headers))


async def test_the_scheme_is_read_as_rfc_9110_says() -> None:
    assert await an_inbox().notified(a_call(authorization=f"bearer   {SECRET} ")) == EVERYTHING


# rest-hook


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (a_call(), EVERYTHING),
        (a_call(b"  \n"), EVERYTHING),
        (a_call({"resourceType": "Appointment", "id": "17"}), named("17")),
        (a_call({"resourceType": "Appointment", "id": 17}), named("17")),
        (a_call({"resourceType": "Appointment"}), EVERYTHING),
        (a_call({"resourceType": "Patient", "id": "17"}), EVERYTHING),
        (a_call(path="Appointment/17"), named("17")),
        (a_call(path="Appointment/17/_history/3"), named("17")),
        (a_call(path="Appointment/a/b"), named("a/b")),
        (a_call(path="Appointment"), EVERYTHING),
        (a_call(path="Patient/17"), EVERYTHING),
        (a_call({"resourceType": "Appointment", "id": "17"}, "Appointment/17", "PUT"), named("17")),
        (a_call(b"<Appointment/>", "Appointment/17", "PUT"), named("17")),
        (a_call({"resourceType": "Bundle", "type": "searchset"}), EVERYTHING),
        (a_call(path=f"Appointment/{'1' * 255}"), named("1" * 255)),
        (a_call(path=f"Appointment/{'1' * 256}"), EVERYTHING),
        (a_call(authorization=f"bearer {SECRET}"), EVERYTHING),
    ],
)
async def test_the_form_of_stu3_and_r4_is_understood(call: Notification, expected: Notified) -> None:
    assert await an_inbox().notified(call) == expected


async def test_a_bundle_of_appointments_names_each_once() -> None:
    one, other = {"resourceType": "Appointment", "id": "1"}, {"resourceType": "Appointment", "id": "2"}
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": r} for r in (one, other, one)],
    }
    assert await an_inbox().notified(a_call(bundle)) == named("1", "2")
    bundle["entry"].append({"resource": {"resourceType": "Slot", "id": "3"}})  # type: ignore[attr-defined]
    assert await an_inbox().notified(a_call(bundle)) == named("1", "2", everything=True)


# topics


@FORMS
async def test_a_topic_names_what_it_is_about(form: Callable[..., Json]) -> None:
    inbox = an_inbox()
    assert await inbox.notified(a_call(form("handshake", 0, status="requested"))) == NOTHING
    assert await inbox.notified(a_call(form("event-notification", 1, event(1)))) == named("17")
    several = form(
        "event-notification",
        3,
        event(2, "https://pms.example/fhir/Appointment/18/_history/2"),
        event(3, "AppointmentResponse/9", additionalContext=[{"reference": "Appointment/19"}]),
    )
    assert await inbox.notified(a_call(several)) == named("18", "19")
    assert await inbox.notified(a_call(form("heartbeat", 3))) == NOTHING


@FORMS
async def test_what_does_not_say_which_means_everything(form: Callable[..., Json]) -> None:
    inbox = an_inbox()
    assert await inbox.notified(a_call(form("event-notification", 1, event(1, None)))) == EVERYTHING
    assert await inbox.notified(a_call(form("event-notification", 2, event(2, "urn:uuid:1")))) == EVERYTHING
    mixed = form("event-notification", 4, event(3), event(4, "Patient/1"))
    assert await inbox.notified(a_call(mixed)) == named("17", everything=True)
    assert await inbox.notified(a_call(form("event-notification", 4))) == EVERYTHING
    for type_ in ("query-status", "query-event"):
        assert await inbox.notified(a_call(form(type_, 4))) == EVERYTHING


@FORMS
async def test_what_says_no_type_and_has_events_is_a_notification_of_them(form: Callable[..., Json]) -> None:
    assert await an_inbox().notified(a_call(form("", 1, event(1)))) == named("17")


async def test_where_no_event_says_which_the_resources_that_come_along_do() -> None:
    bundle = in_r4b("event-notification", 1, event(1, None))
    bundle["entry"].append({"resource": {"resourceType": "Appointment", "id": "66"}})
    assert await an_inbox().notified(a_call(bundle)) == named("66", everything=True)


@FORMS
async def test_a_gap_means_everything_once(form: Callable[..., Json]) -> None:
    inbox = an_inbox()
    assert await inbox.notified(a_call(form("handshake", 5))) == NOTHING
    gap = await inbox.notified(a_call(form("event-notification", 7, event(7))))
    assert gap == named("17", everything=True), "what it names may be where nobody asks"
    assert await inbox.notified(a_call(form("event-notification", 6, event(6)))) == named("17"), "late"
    assert await inbox.notified(a_call(form("event-notification", 7, event(7)))) == named("17"), "twice"
    assert await inbox.notified(a_call(form("heartbeat", 9))) == EVERYTHING
    assert await inbox.notified(a_call(form("heartbeat", 9))) == NOTHING
    again = await inbox.notified(a_call(form("event-notification", 2, event(2))))
    assert again == named("17", everything=True), "began again"
    assert await inbox.notified(a_call(form("event-notification", 3, event(3)))) == named("17")


@FORMS
@pytest.mark.parametrize("status", ["error", "off"])
async def test_a_subscription_that_died_means_everything(form: Callable[..., Json], status: str) -> None:
    assert await an_inbox().notified(a_call(form("heartbeat", 1, status=status))) == EVERYTHING


async def test_events_without_numbers_are_counted() -> None:
    inbox = an_inbox()
    await inbox.notified(a_call(in_r4b("handshake", 0)))
    without = {"focus": {"reference": "Appointment/17"}}
    assert await inbox.notified(a_call(in_r4b("event-notification", 1, without))) == named("17")
    gap = await inbox.notified(a_call(in_r4b("event-notification", 4, without)))
    assert gap == named("17", everything=True)


async def test_subscriptions_are_counted_apart() -> None:
    inbox = an_inbox()
    other = in_r5("event-notification", 40, event(40))
    other["entry"][0]["resource"]["subscription"]["reference"] = "Subscription/s2"
    assert await inbox.notified(a_call(in_r5("event-notification", 1, event(1)))) == named("17")
    assert await inbox.notified(a_call(other)) == named("17")
    assert await inbox.notified(a_call(in_r5("event-notification", 2, event(2)))) == named("17")


async def test_a_resource_that_comes_along_is_not_believed() -> None:
    inbox, bundle = an_inbox(), in_r4b("event-notification", 1, event(1))
    bundle["entry"].append({"resource": {"resourceType": "Appointment", "id": "66", "status": "cancelled"}})
    assert await inbox.notified(a_call(bundle)) == named("17")


@pytest.mark.parametrize("total", [None, "", "-1", "1.5", "x", True, 10**30, [1], {"a": 1}])
async def test_numbers_that_are_none_break_nothing(total: Any) -> None:
    bundle = in_r5("event-notification", 1, event(total))
    bundle["entry"][0]["resource"]["eventsSinceSubscriptionStart"] = total
    assert (await an_inbox().notified(a_call(bundle))).appointments == ("17",)


# what is no notification


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b"\xff\xfe",
        b"<Bundle/>",
        b'{"resourceType": 5}',
        b'{"resourceType": "Appointment", "x": NaN}',
        b"[" * 100_000,
        json.dumps(in_r4b("surprise", 1)).encode(),
        json.dumps(in_r4b("", 1)).encode(),
        json.dumps(
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Parameters"}}]}
        ).encode(),
    ],
)
async def test_what_cannot_be_understood_is_said_to_be_so(body: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        await an_inbox().notified(a_call(body))
    assert caught.value.code == "notification-invalid"


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["Appointment", "Appointment/17", "event-notification", "error", "\ud800", "9" * 5000])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "reference", "resource", "entry", "name", "part", "valueString", "id"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@st.composite
def bent(draw: st.DrawFn) -> Any:
    """A notification in which something, somewhere, is anything."""
    form = draw(st.sampled_from([in_parameters, in_camel_case, in_r4b, in_r5]))
    bundle = json.loads(json.dumps(form("event-notification", 3, event(2), event(3, None))))
    for _ in range(draw(st.integers(1, 3))):
        place = bundle
        while True:
            keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 4)):
                place = place[key]
            else:
                place[key] = draw(ANYTHING)
                break
    return bundle


@given(
    body=st.binary(max_size=200)
    | ANYTHING.map(lambda v: json.dumps(v).encode())
    | bent().map(lambda v: json.dumps(v).encode()),
    path=st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(["Appointment/", "x/Appointment/y"]),
)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_nothing_else_is_ever_raised(body: bytes, path: str) -> None:
    inbox = an_inbox()
    for _ in range(2):
        try:
            notified = await inbox.notified(a_call(body, path))
        except UsageError as error:
            assert error.code == "notification-invalid"  # noqa: PT017
        else:
            assert all(id_.isprintable() and id_ for id_ in notified.appointments)


@given(st.lists(st.integers(1, 30), max_size=60))
def test_an_event_that_never_came_is_noticed(numbers: list[int]) -> None:
    """Whatever is lost, sent twice or late: after a last heartbeat nothing is missing, or a gap was told."""
    events, told, came = EventNumbers(), False, {0}
    assert events.is_complete("s", 0, [])
    for number in numbers:
        told = not events.is_complete("s", number, [number]) or told
        came.add(number)
    highest = max(came)
    told = not events.is_complete("s", highest, []) or told
    assert told or came == set(range(highest + 1))


def test_what_was_late_once_is_not_late_again() -> None:
    events = EventNumbers()
    answers = [events.is_complete("s", number, [number]) for number in (1, 3, 2, 2)]
    assert answers == [True, False, True, False], "the last may be the second event of a new beginning"


def test_counting_needs_bounded_memory() -> None:
    events = EventNumbers()
    for number in range(1000):
        events.is_complete(f"s{number}", 10**17, [])
        events.is_complete(f"s{number}", 10**18 - 1, [])
    for number in range(100):
        events.is_complete("s", number * 10**6, [])
    assert len(events._last) <= 100
    assert all(len(missing) <= 2000 for missing in events._missing.values())


# the Subscription


class Server:
    """The port Http with Subscriptions behind. ``refuses`` holds methods and statuses."""

    def __init__(self, *found: Json) -> None:
        self.subscriptions: dict[str, Json] = {f"s{n}": r | {"id": f"s{n}"} for n, r in enumerate(found)}
        self.calls: list[str] = []
        self.sent: list[Json] = []
        self.refuses: dict[str, int] = {}

    async def request(self, method: str, url: str, **options: Any) -> Reply:
        self.calls.append(method)
        id_ = url.removeprefix(f"{BASE}/Subscription").strip("/")
        if status := self.refuses.get(f"{method} {options.get('params')}", self.refuses.get(method)):
            raise failure("pms.example", status, {})
        if method == "GET":
            entry = [{"resource": resource} for resource in self.subscriptions.values()]
            return self._answer({"resourceType": "Bundle", "type": "searchset", "entry": entry})
        resource = json.loads(options["content"])
        self.sent.append(resource)
        id_ = id_ or f"n{len(self.subscriptions)}"
        self.subscriptions[id_] = resource | {"id": id_}
        return self._answer(self.subscriptions[id_])

    def _answer(self, resource: Json) -> Reply:
        return Reply("pms.example", 200, {}, json.dumps(resource).encode())


def as_wanted(release: str = "R4", **changes: Any) -> Json:
    return subscription(some(**changes), release, ENDPOINT)


HOOK: dict[str, Any] = {"subscribe": "rest-hook"}
ABOUT: dict[str, Any] = {"subscribe": "topic", "topic": TOPIC}


@pytest.mark.parametrize(
    ("release", "changes"), [("STU3", HOOK), ("R4", HOOK), ("R4", ABOUT), ("R4B", ABOUT), ("R5", ABOUT)]
)
async def test_our_subscription_is_made_once(
    monkeypatch: pytest.MonkeyPatch, release: str, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    server = Server(as_wanted(release, **changes) | {"endpoint": "https://else.example", "channel": {}})
    inbox = an_inbox(server, release, **changes)
    for _ in range(3):
        await inbox.ensure()
    assert server.calls.count("POST") == 1
    assert len(server.subscriptions) == 2
    made = server.subscriptions["n1"]
    assert f"Bearer {SECRET}" in json.dumps(made)
    assert ENDPOINT in json.dumps(made)


async def test_it_is_not_looked_at_all_the_time() -> None:
    server = Server()
    inbox = an_inbox(server, **HOOK)
    for _ in range(3):
        await inbox.ensure()
    assert server.calls == ["GET", "POST"]


async def test_without_a_wish_for_one_nobody_is_asked() -> None:
    server = Server()
    await an_inbox(server).ensure()
    assert server.calls == []


@pytest.mark.parametrize("status", ["error", "off"])
async def test_one_that_the_server_gave_up_is_renewed(status: str) -> None:
    server = Server(as_wanted(**HOOK) | {"status": status})
    await an_inbox(server, **HOOK).ensure()
    assert [s["status"] for s in server.subscriptions.values()] == ["requested"]


async def test_the_one_that_lives_gets_the_new_secret() -> None:
    dead = as_wanted(**HOOK) | {"status": "off"}
    alive = as_wanted(**HOOK, secret="the-former-secret-of-ours") | {"status": "active"}
    server = Server(dead, alive)
    await an_inbox(server, **HOOK).ensure()
    assert [s["status"] for s in server.subscriptions.values()] == ["off", "requested"]
    assert SECRET in json.dumps(server.subscriptions["s1"])


async def test_a_change_names_the_subscription_as_fhir_wants_it() -> None:
    server = Server(as_wanted(**HOOK) | {"status": "off"})
    await an_inbox(server, **HOOK).ensure()
    assert [sent["id"] for sent in server.sent] == ["s0"]


async def test_a_secret_that_was_sent_is_not_sent_again_where_it_is_masked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    server = Server()
    inbox = an_inbox(server, **HOOK)
    for _ in range(3):
        await inbox.ensure()
        server.subscriptions = json.loads(json.dumps(server.subscriptions).replace(SECRET, "***"))
    assert server.calls == ["GET", "POST", "GET", "GET"]


async def test_one_that_brings_more_or_less_than_is_wanted_is_changed() -> None:
    server = Server(as_wanted(**HOOK) | {"status": "active"})
    await an_inbox(server, content="empty", **HOOK).ensure()
    assert ["payload" in s["channel"] for s in server.subscriptions.values()] == [False]


async def test_one_that_says_something_else_than_the_settings_is_changed() -> None:
    server = Server(as_wanted(criteria="Appointment?actor=Practitioner/1", **HOOK) | {"status": "active"})
    await an_inbox(server, criteria="Appointment?actor=Practitioner/2", **HOOK).ensure()
    assert [s["criteria"] for s in server.subscriptions.values()] == ["Appointment?actor=Practitioner/2"]


@pytest.mark.parametrize(("release", "changes"), [("R4", HOOK), ("R4", ABOUT), ("R5", ABOUT)])
async def test_a_new_secret_is_sent_once_after_a_start(
    monkeypatch: pytest.MonkeyPatch, release: str, changes: dict[str, Any]
) -> None:
    """The server may mask it, so that nobody sees which one it has."""
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    former = as_wanted(release, **changes, secret="the-former-secret-of-ours") | {"status": "active"}
    server = Server(former)
    inbox = an_inbox(server, release, **changes)
    for _ in range(3):
        await inbox.ensure()
        masked = json.dumps(server.subscriptions).replace(SECRET, "***").replace("requested", "active")
        server.subscriptions, sent = json.loads(masked), server.subscriptions
        assert SECRET in json.dumps(sent) or server.calls.count("PUT") == 1
    assert server.calls == ["GET", "PUT", "GET", "GET"]


async def test_where_a_new_secret_cannot_be_sent_the_subscription_stays(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    server = Server(as_wanted(**HOOK, secret="the-former-secret-of-ours") | {"status": "active"})
    server.refuses["PUT"] = 503
    inbox = an_inbox(server, **HOOK)
    await inbox.ensure()
    server.refuses["PUT"] = 405
    for _ in range(3):
        await inbox.ensure()
    assert server.calls == ["GET", "PUT", "GET", "PUT", "GET", "GET"], "what may pass is tried again"
    assert caplog.records == []


async def test_where_it_cannot_be_renewed_another_is_made_but_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    server = Server(as_wanted(**HOOK) | {"status": "error"})
    server.refuses["PUT"] = 405
    inbox = an_inbox(server, **HOOK)
    for _ in range(10):
        await inbox.ensure()
        server.subscriptions = {id_: s | {"status": "error"} for id_, s in server.subscriptions.items()}
    assert len(server.subscriptions) == 3


async def test_a_server_that_cannot_search_by_endpoint_is_asked_for_all() -> None:
    server = Server(as_wanted(**HOOK) | {"status": "active"})
    server.refuses[f"GET {[('url', ENDPOINT)]}"] = 400
    await an_inbox(server, **HOOK).ensure()
    assert server.calls == ["GET", "GET"]


@pytest.mark.parametrize("refuses", [{"GET": 403}, {"GET": 503}, {"POST": 422}])
async def test_failing_to_subscribe_stops_no_poll_and_tells_no_secret(
    refuses: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    server.refuses = refuses
    await an_inbox(server, **HOOK).ensure()
    assert len(server.calls) == (2 if "POST" in refuses else 1), "a refusal to search says nothing of how"
    (record,) = caplog.records
    assert (record.message, record.__dict__["practice"]) == (
        "there is no subscription at the FHIR server",
        "practice",
    )
    assert SECRET not in caplog.text


@pytest.mark.parametrize(("release", "changes"), [("R5", HOOK), ("STU3", ABOUT)])
async def test_what_a_release_does_not_have_is_logged(
    release: str, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    await an_inbox(server, release, **changes).ensure()
    assert [r.__dict__["code"] for r in caplog.records] == ["subscription-unsupported"]
    assert server.calls == []


async def test_news_of_its_death_makes_us_look_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    inbox = an_inbox(server, **ABOUT)
    await inbox.ensure()
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    await inbox.notified(a_call(in_parameters("heartbeat", 1, status="error")))
    await inbox.ensure()
    assert server.calls == ["GET", "POST", "GET"]


@pytest.mark.parametrize(("release", "changes"), [("R4", HOOK), ("R4", ABOUT), ("R4B", ABOUT), ("R5", ABOUT)])
def test_what_we_ask_for_is_valid(release: str, changes: dict[str, Any]) -> None:
    from fhir.resources.R4B.subscription import Subscription as R4BSubscription
    from fhir.resources.subscription import Subscription as R5Subscription

    model: Any = R5Subscription if release == "R5" else R4BSubscription
    criteria = {"criteria": "Appointment?actor=Practitioner/1", "heartbeat_seconds": 60}
    model.model_validate(as_wanted(release, **changes, **criteria))


def test_what_a_notification_holds_is_asked_for_as_the_settings_say() -> None:
    assert "payload" not in as_wanted(content="empty", **HOOK)["channel"]
    assert as_wanted(**HOOK)["channel"]["payload"] == "application/fhir+json"
    assert as_wanted("R5", content="empty", **ABOUT)["content"] == "empty"
    backport = as_wanted(content="full-resource", heartbeat_seconds=60, **ABOUT)["channel"]
    assert backport["_payload"]["extension"][0]["valueCode"] == "full-resource"
    assert backport["extension"][0]["valueUnsignedInt"] == 60


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "short"},
        {"secret": "with a\nline break in it"},
        {"secret": " blanks around the secret "},
        {"secret": None, "subscribe": "rest-hook"},
        {"subscribe": "topic"},
        {"topic": TOPIC},
        {"header": "not a header"},
        {"header": ""},
        {"criteria": "Patient?name=x"},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_work_are_refused_without_a_value(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        some(**changes)
    secret = changes.get("secret")
    assert not secret or secret not in str(caught.value)


def test_the_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(some())
    assert SECRET not in repr(a_call())
    assert "PartnerError" in repr(PartnerError("x", retryable=True))
