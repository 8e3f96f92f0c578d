"""What tracing shows of calls to plugins, what it never shows, and that it changes nothing."""

import asyncio
import inspect
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hooks.conftest import Plugins

from vsdk.domain import events as on
from vsdk.domain.errors import DeliveryFailed, PartnerError, Refused
from vsdk.domain.ids import AppointmentId, ParticipantId, PracticeId, VisitId
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.domain.participant import Role
from vsdk.domain.policy import Finding, Join, Outcome
from vsdk.hooks import ports
from vsdk.hooks.lifecycle import Happened
from vsdk.service.listeners import Listeners
from vsdk.service.tracing import PORTS, Tracer, shown
from vsdk.settings import Settings
from vsdk.testing.factories import NOON, PATIENT, a_sourced_appointment

PRACTICE = PracticeId("park")
NAME, PHONE, EMAIL = "Nina-Name-Marker", "+491719876543", "mail-marker@example.org"
HANDLE, BEARER, REASON, COOKIE = "h4ndle-marker", "b3arer-marker", "reason-marker", "c00kie-marker"
URL = f"https://praxis.example/video/j#{HANDLE}"
MARKERS = (NAME, PHONE, PHONE[1:], PHONE[3:], EMAIL, HANDLE, BEARER, REASON, COOKIE)

MESSAGE = Message(
    recipient=PHONE,
    text=f"{NAME}: {URL}",
    idempotency_key="0123456789abcdefghijkl",
    template="link-at-time",
    language="de",
    subject=NAME,
    html=f"<p>{NAME}</p>",
    calendar=f"ATTENDEE:mailto:{EMAIL}",
    practice_id=PRACTICE,
    visit_id=VisitId("v1"),
    appointment_id=AppointmentId("a1"),
    reference=f"Patient/{NAME}",
    role="patient",
)
CALLED = ports.Notification(
    "POST",
    f"receipts/{BEARER}",
    {"authorization": BEARER, "cookie": COOKIE},
    PHONE.encode(),
    f"{URL}?to={PHONE}",
)


class Source:
    name = "pms"

    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> ports.SourcedAppointment:
        patient = replace(PATIENT, name=NAME, phone=PHONE, email=EMAIL)
        return a_sourced_appointment(id=appointment_id, participants=(patient,))

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> ports.Changes:
        appointments = tuple([await self.get(practice_id, AppointmentId(f"a{n}")) for n in range(7)])
        return ports.Changes(appointments, f"{URL}?_since={BEARER}", unreadable=("fhir-invalid",))

    async def write_back(
        self, practice_id: PracticeId, appointment_id: AppointmentId, services: Any, status: Any
    ) -> None:
        raise PartnerError(f"{URL} said {NAME}", retryable=True)


class TalkativeSource(Source):
    async def notified(self, practice_id: PracticeId, notification: ports.Notification) -> ports.Notified:
        return ports.Notified(everything=True)

    async def check(self, practice_id: PracticeId) -> AsyncIterator[str]:
        yield f"reached {URL}"
        yield f"found {NAME}"


class Channel:
    channel = "sms"
    token = BEARER

    async def deliver(self, message: Message) -> Receipt:
        return Receipt(provider_id=PHONE[1:])


class ReportingChannel(Channel):
    async def reported(self, notification: ports.Notification) -> list[DeliveryReport]:
        return [
            DeliveryReport(MessageState.UNDELIVERED, MESSAGE.idempotency_key, PHONE[1:], "number-unknown")
        ]


class Refusing(Channel):
    async def deliver(self, message: Message) -> Receipt:
        raise DeliveryFailed(f"{PHONE} is no number of {NAME}", code=NAME)


class Provider:
    name = "door"

    async def begin(self, practice_id: PracticeId, return_to: str) -> ports.Redirect:
        return ports.Redirect(f"{URL}?state={BEARER}")

    async def complete(self, practice_id: PracticeId, params: Any) -> ports.Identity | None:
        if "wrong" in params:
            raise Refused(f"{NAME} gave {BEARER}", code="sign-in-refused")
        return ports.Identity(subject=EMAIL, role=Role.STAFF, practice_id=practice_id, name=NAME)


class Rule:
    id = "no-staff"
    clause = "house rule 1"
    applies_to = frozenset({Join})

    def evaluate(self, question: Any) -> Finding:
        return Finding(self.id, self.clause, "2026", Outcome.VIOLATED, reason="staff", evidence=NAME)


class Page:
    path = "hours"
    title = NAME

    async def body(self, language: str) -> str:
        return f"<p>{NAME}</p>"


OBJECTS: list[tuple[Any, type[Any]]] = [
    (Source(), ports.ScheduleSource),
    (TalkativeSource(), ports.ScheduleSource),
    (Channel(), ports.NotificationChannel),
    (ReportingChannel(), ports.NotificationChannel),
    (Provider(), ports.IdentityProvider),
    (Rule(), ports.PolicyRule),
    (Page(), ports.PageSource),
]
PROTOCOLS = [
    member
    for member in vars(ports).values()
    if getattr(member, "_is_runtime_protocol", False) and member is not ports.AppointmentFormat
]


def traced(item: Any) -> Any:
    kind = next(kind for kind in PORTS if isinstance(item, kind))
    return Tracer().object("acme", item, kind)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was written, without how long it took, which is there in each line."""
    text = capsys.readouterr().err
    assert all(re.search(r", \d+\.\d ms$", line) for line in text.splitlines())
    return [line.rpartition(", ")[0] for line in text.splitlines()]


def kind_of_function(function: Any) -> tuple[bool, bool]:
    return inspect.iscoroutinefunction(function), inspect.isasyncgenfunction(function)


def test_every_port_of_plugins_is_traced() -> None:
    assert {port for kinds in PORTS.values() for port in kinds} == set(PROTOCOLS)


@pytest.mark.parametrize(("item", "kind"), OBJECTS, ids=lambda value: type(value).__name__)
def test_a_traced_object_satisfies_the_same_ports_and_no_others(item: Any, kind: type[Any]) -> None:
    wrapped = Tracer().object("acme", item, kind)
    assert wrapped is not item
    assert type(wrapped).__name__ == type(item).__name__
    assert [p for p in PROTOCOLS if isinstance(wrapped, p)] == [p for p in PROTOCOLS if isinstance(item, p)]
    public = {name for name in dir(item) if not name.startswith("_")}
    assert {name for name in dir(wrapped) if not name.startswith("_")} == public
    for name in public:
        mine, theirs = getattr(wrapped, name), getattr(item, name)
        assert mine == theirs or kind_of_function(mine) == kind_of_function(theirs)


def test_what_a_plugin_changes_later_is_seen_through_the_wrapping() -> None:
    channel = Channel()
    wrapped = traced(channel)
    channel.later = "now"  # type: ignore[attr-defined]
    channel.channel = "push"
    assert (wrapped.later, wrapped.channel) == ("now", "push")
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = wrapped.nothing_of_that_name


def test_an_object_without_a_place_for_attributes_can_be_traced() -> None:
    class Slotted:
        __slots__ = ()
        channel = "sms"

        async def deliver(self, message: Message) -> Receipt:
            return Receipt()

    assert isinstance(traced(Slotted()), ports.NotificationChannel)


async def test_a_delivery_is_shown_with_what_it_was_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert (await traced(Channel()).deliver(MESSAGE)).provider_id == PHONE[1:]
    assert lines(capsys) == [
        "hook acme deliver(message=Message(idempotency_key=012…kl, template=link-at-time, language=de, "
        "practice_id=park, visit_id=v1, appointment_id=a1, role=patient)) -> Receipt(provider_id=491…43)"
    ]


async def test_a_failure_is_shown_with_its_code_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PartnerError, match=NAME):
        await traced(Source()).write_back(PRACTICE, AppointmentId("a1"), services=(), status=None)
    with pytest.raises(Refused):
        await traced(Provider()).complete(PRACTICE, {"wrong": BEARER})
    assert lines(capsys) == [
        "hook acme write_back(practice_id=park, appointment_id=a1, services=nothing, status=None) "
        "!! PartnerError partner-error, may pass",
        "hook acme complete(practice_id=park, params=dict of 1) !! Refused sign-in-refused",
    ]


async def test_a_code_that_is_none_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeliveryFailed):
        await traced(Refusing()).deliver(MESSAGE)
    assert lines(capsys)[0].endswith(" !! DeliveryFailed …")


async def test_a_delivery_that_is_cancelled_is_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    class Slow(Channel):
        async def deliver(self, message: Message) -> Receipt:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await traced(Slow()).deliver(MESSAGE)
    assert lines(capsys)[0].endswith(" !! CancelledError")


async def test_reports_of_a_gateway_are_shown_with_their_states(capsys: pytest.CaptureFixture[str]) -> None:
    await traced(ReportingChannel()).reported(CALLED)
    assert lines(capsys) == [
        "hook acme reported(notification=Notification()) -> "
        "[DeliveryReport(state=undelivered, idempotency_key=012…kl, provider_id=491…43, code=number-unknown)]"
    ]


async def test_many_are_counted_and_a_check_is_told_sentence_by_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = traced(TalkativeSource())
    await source.changed_since(PRACTICE, None)
    assert [sentence async for sentence in source.check(PRACTICE)] == [f"reached {URL}", f"found {NAME}"]
    assert lines(capsys) == [
        "hook acme changed_since(practice_id=park, cursor=None) -> "
        "Changes(appointments=7 SourcedAppointment, unreadable=1 str)",
        "hook acme check(practice_id=park) -> 2 str",
    ]


def test_an_answer_of_a_rule_is_shown_with_its_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert traced(Rule()).evaluate(Join(Role.STAFF, NAME)).evidence == NAME
    assert lines(capsys) == [
        "hook acme evaluate(question=Join(role=staff)) -> "
        "Finding(rule=no-staff, outcome=violated, reason=staff)"
    ]


async def test_a_wrong_call_is_the_error_that_it_would_be_without(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError):
        await traced(Channel()).deliver(MESSAGE, 2)
    assert lines(capsys) == ["hook acme deliver(…) !! TypeError"]


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError("closed")])
async def test_a_trace_that_nobody_can_read_holds_up_no_message(
    error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    monkeypatch.setattr("sys.stderr", Gone())
    assert (await traced(Channel()).deliver(MESSAGE)).provider_id


PLUGIN = """
@hookimpl
def vsdk_notification_channels(config, http):
    return [Channel("sms"), Channel("email")]

@hookimpl
def vsdk_visit_plans():
    return []

@hookimpl
async def vsdk_event(event):
    if event.visit_id == "v2":
        raise RuntimeError(event.visit_id)
"""


async def test_hooks_are_shown_when_they_are_called(
    plugins: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins.install("acme", PLUGIN)
    plugins.install("other", "@hookimpl\ndef vsdk_event(): ...")
    registry = plugins.load("acme", "other", trace=True)
    assert lines(capsys) == [
        "hook acme vsdk_notification_channels(config, http) -> 2 Channel",
        "hook acme vsdk_visit_plans() -> nothing",
    ]
    listeners = Listeners(registry.listeners)
    for visit in ("v1", "v2"):
        progressed = on.MessageProgressed("reminder", ParticipantId("p1"), MessageState.SENT)
        await listeners.tell(Happened(PRACTICE, VisitId(visit), progressed, NOON))
    shown_event = (
        "(event=Happened(practice_id=park, visit_id={}, event="
        "MessageProgressed(template=reminder, participant=p1, state=sent)))"
    )
    assert sorted(lines(capsys)) == [
        f"hook acme vsdk_event{shown_event.format('v1')} -> heard",
        f"hook acme vsdk_event{shown_event.format('v2')} !! RuntimeError",
        f"hook other vsdk_event{shown_event.format('v1')} -> heard",
        f"hook other vsdk_event{shown_event.format('v2')} -> heard",
    ]
    assert listeners.failures == {"acme": 1}


def test_a_hook_that_fails_at_start_up_is_shown_before_the_refusal(
    plugins: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins.install("acme", f"@hookimpl\ndef vsdk_policy_rules(config):\n    raise OSError({NAME!r})")
    with pytest.raises(Exception, match="vsdk_policy_rules failed"):
        plugins.load("acme", trace=True)
    assert lines(capsys) == ["hook acme vsdk_policy_rules(config) !! OSError"]


async def test_without_tracing_objects_are_the_plugins_own_and_nothing_is_written(
    plugins: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins.install(
        "acme", "made = [Channel('sms')]\n@hookimpl\ndef vsdk_notification_channels(): return made"
    )
    registry = plugins.load("acme")
    module = __import__(plugins.modules["acme"])
    assert registry.channels[0].channel is module.made[0]
    await registry.channels[0].channel.deliver(MESSAGE)
    assert capsys.readouterr().err == ""


async def test_nothing_personal_is_shown_whatever_happens(capsys: pytest.CaptureFixture[str]) -> None:
    """All that a visit asks of plugins, with markers wherever people, secrets and addresses stand."""
    source, provider = traced(TalkativeSource()), traced(Provider())
    found = await source.get(PRACTICE, AppointmentId("a1"))
    await source.changed_since(PRACTICE, f"{URL}?cursor={BEARER}")
    await source.notified(PRACTICE, CALLED)
    _ = [sentence async for sentence in source.check(PRACTICE)]
    attempts = [
        source.write_back(PRACTICE, AppointmentId("a1"), (found.appointment,), found.appointment.status),
        provider.begin(PRACTICE, f"{URL}?back={BEARER}"),
        provider.complete(PRACTICE, {"code": BEARER}),
        provider.complete(PRACTICE, {"wrong": NAME}),
        traced(Channel()).deliver(MESSAGE),
        traced(Channel()).deliver(replace(MESSAGE, template=NAME, language=NAME, role=PHONE)),
        traced(Refusing()).deliver(MESSAGE),
        traced(ReportingChannel()).reported(CALLED),
        traced(Page()).body(NAME),
    ]
    await asyncio.gather(*attempts, return_exceptions=True)
    traced(Rule()).evaluate(Join(Role.PATIENT, NAME))
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 5 + len(attempts)
    assert not [marker for marker in MARKERS if marker in text]
    assert "#" not in text
    assert "@" not in text


@given(st.text(), st.sampled_from(["recipient", "text", "subject", "html", "calendar", "reference"]))
def test_no_text_of_a_message_is_shown(text: str, field: str) -> None:
    assert "§" not in shown(replace(MESSAGE, **{field: f"§{text}"}))  # type: ignore[arg-type]


@given(st.text(), st.sampled_from(["template", "language", "role", "idempotency_key", "visit_id"]))
def test_a_text_that_is_not_what_its_field_should_hold_is_hidden(text: str, field: str) -> None:
    assert "§" not in shown(replace(MESSAGE, **{field: f"{text}§"}))  # type: ignore[arg-type]


def test_of_objects_that_are_not_ours_only_the_type_is_shown() -> None:
    class Stranger(Message):
        pass

    secret = Stranger(PHONE, NAME, "key", "reminder", "de")
    assert [shown(value) for value in (secret, object(), 4917, timedelta(1), b"x", NAME)] == [
        "Stranger",
        "object",
        "int",
        "timedelta",
        "bytes",
        "…",
    ]


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("VSDK_TRACE_HOOKS", raising=False)
    return monkeypatch


@pytest.mark.parametrize(("value", "traced"), [("1", True), ("0", False), ("", False), (None, False)])
def test_the_environment_can_turn_it_on(
    variable: pytest.MonkeyPatch, value: str | None, traced: bool
) -> None:
    if value is not None:
        variable.setenv("VSDK_TRACE_HOOKS", value)
    assert Settings().trace_hooks is traced
    assert Settings.of({"poll_seconds": 1}).trace_hooks is traced
    assert Settings.of({"trace_hooks": True}).trace_hooks
