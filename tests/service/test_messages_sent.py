"""Who gets a message, when, by which channel, and what becomes of it."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from tests.service.conftest import OTHER, PRACTICE, MakeWorld, World

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import DeliveryFailed, NotFound, PartnerError, Refused, UsageError
from vsdk.domain.events import DelayAnnounced, MessageProgressed
from vsdk.domain.ids import AppointmentId, ParticipantId, VisitId
from vsdk.domain.message import DeliveryReport, Message, MessageState, Receipt
from vsdk.domain.messaging import PRACTICE as TEAM
from vsdk.domain.messaging import Messaging, QuietHours
from vsdk.domain.participant import Role
from vsdk.domain.plan import VisitPlan, WaitingNotice
from vsdk.domain.visit import VisitState
from vsdk.hooks.ports import Notification
from vsdk.hooks.store import MessageRecord
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER
from vsdk.testing.fakes import RecordingChannel

P1, P2 = ParticipantId("p1"), ParticipantId("p2")
MINUTE = timedelta(minutes=1)
STAFF = Messaging(staff_email="team@praxis.example", staff_phone="+4930111")


class Gateway(RecordingChannel):
    """A channel with reports: the body of a notification is ``state key provider_id code``."""

    async def deliver(self, message: Message) -> Receipt:
        await super().deliver(message)
        return Receipt(f"gw-{len(self.messages)}")

    async def reported(self, notification: Notification) -> list[DeliveryReport]:
        state, key, provider_id, code = notification.body.decode().split(" ")
        return [DeliveryReport(MessageState(state), key, provider_id, code)]


def report(state: MessageState, key: str = "", provider_id: str = "", code: str = "") -> Notification:
    return Notification("POST", "", {}, f"{state} {key} {provider_id} {code}".encode())


async def settled(world: World, **changes: Any) -> None:
    """The practice with these ways of messaging."""
    world.practice = replace(world.practice, messaging=replace(world.practice.messaging, **changes))
    await world.restart()


async def send(world: World, template: str = "hello", to: ParticipantId = P1, **values: str) -> MessageRecord:
    if await world.store.appointment(PRACTICE, AppointmentId("a1")) is None:
        await world.planned()
    visit = await world.visit()
    return await world.messages.send(PRACTICE, visit.id, to, template, values)


async def outcome(world: World, record: MessageRecord) -> tuple[MessageState, str]:
    await world.perform()
    kept = await world.store.message(record.id)
    assert kept
    return kept.state, kept.code


# what is kept of a message


async def test_a_message_is_recorded_from_the_moment_it_is_asked_for(world: World) -> None:
    record = await send(world, minutes="15")
    assert (record.state, record.template) == (MessageState.QUEUED, "hello")
    assert record.details == {"minutes": "15"}
    await world.perform()
    (kept,) = await world.messages.of_visit(PRACTICE, record.visit_id)
    assert kept == replace(
        record,
        state=MessageState.SENT,
        channel="sms",
        plugin="a_sms",
        recipient="+49 … 01",
        provider_id="1",
        segments=1,
        attempts=1,
    )
    assert MessageProgressed("hello", P1, MessageState.SENT) in world.events()


async def test_what_waits_for_another_attempt_says_why(world: World) -> None:
    world.sms.error = PartnerError("away", retryable=True, code="partner-error")
    record = await send(world)
    assert await outcome(world, record) == (MessageState.QUEUED, "partner-error")
    world.sms.error = None
    world.clock.advance(seconds=2)
    assert await outcome(world, record) == (MessageState.SENT, "")


async def test_another_practice_sees_nothing(world: World) -> None:
    record = await send(world)
    for work in (
        world.messages.of_visit(OTHER, record.visit_id),
        world.messages.send_again(OTHER, record.id),
        world.messages.send(OTHER, record.visit_id, P1, "hello", {}),
        world.messages.announce_delay(OTHER, record.visit_id, 5),
        world.messages.retry(OTHER, record.id),
        world.messages.drop(OTHER, record.id),
    ):
        with pytest.raises(NotFound):
            await work


# whether it is still sent


async def test_a_reminder_after_the_start_is_dropped_and_never_late(world: World) -> None:
    record = await send(world, "reminder")
    world.clock._now = NOON
    assert await outcome(world, record) == (MessageState.EXPIRED, "message-expired")
    assert world.sms.messages == []
    assert "message-left-out" in await world.trail()


async def test_what_a_dead_gateway_keeps_beyond_its_time_is_given_up(world: World) -> None:
    """It does not come late when the gateway is back."""
    world.clock._now = NOON - 10 * MINUTE
    world.sms.error = world.email.error = PartnerError("away", retryable=True)
    record = await send(world, "reminder")
    for _ in range(200):
        await world.perform()
        world.clock.advance(seconds=5)
    world.sms.error = world.email.error = None
    assert await outcome(world, record) == (MessageState.FAILED, "partner-error")
    assert world.sms.messages == world.email.messages == []


async def test_nobody_gets_more_than_the_practice_wants(world: World) -> None:
    await settled(world, at_most=2)
    states = [await outcome(world, await send(world, f"hello-{n}")) for n in range(3)]
    assert states[2] == (MessageState.SUPPRESSED, "message-too-many")
    assert len(world.sms.messages) == 2


async def test_a_template_that_the_practice_does_not_want_is_left_out(world: World) -> None:
    await settled(world, unwanted=frozenset({"moved"}))
    await world.planned()
    await world.schedule(start=NOON + 30 * MINUTE, end=NOON + 50 * MINUTE)
    await world.perform()
    assert world.sms.messages == []
    (record,) = await world.messages.of_visit(PRACTICE, (await world.visit()).id)
    assert (record.state, record.code) == (MessageState.SUPPRESSED, "message-not-wanted")


async def test_who_moves_an_appointment_tells_those_who_would_come(world: World) -> None:
    await world.planned()
    await world.schedule(start=NOON + 30 * MINUTE, end=NOON + 50 * MINUTE)
    await world.perform()
    assert [(m.template, m.recipient) for m in world.sms.messages] == [("moved", PATIENT.phone)]
    assert (await world.links())["p1"] in world.sms.messages[0].text


async def test_an_invitation_is_sent_where_a_plan_wants_it_and_to_who_is_added_later(
    make_world: MakeWorld,
) -> None:
    world = await make_world(plan=VisitPlan("p", 10 * MINUTE, 60 * MINUTE, invites=True))
    await world.planned()
    assert [(m.template, m.recipient) for m in world.sms.messages] == [("invitation", PATIENT.phone)]
    aunt = replace(PATIENT, id=ParticipantId("p3"), role=Role.COMPANION, reference="RelatedPerson/1")
    aunt = replace(aunt, phone="+4915100000003")
    await world.schedule(participants=(PATIENT, PRACTITIONER, aunt))
    await world.perform()
    assert [m.recipient for m in world.sms.messages] == [PATIENT.phone, aunt.phone]


@pytest.mark.parametrize(("template", "waits"), [("invitation", True), ("link-at-time", False)])
async def test_in_quiet_hours_only_what_cannot_wait_is_sent(world: World, template: str, waits: bool) -> None:
    """NOON is 13:00 in Berlin, the next day's visit at 13:00 too."""
    await settled(world, quiet=QuietHours(time(21), time(7, 30)))
    await world.planned(start=NOON + timedelta(days=1), end=NOON + timedelta(days=1, minutes=20))
    world.clock._now = NOON + timedelta(hours=9)
    record = await send(world, template)
    expected = (MessageState.QUEUED, "quiet-hours") if waits else (MessageState.SENT, "")
    assert await outcome(world, record) == expected
    world.clock._now = NOON + timedelta(hours=18, minutes=30)
    assert await outcome(world, record) == (MessageState.SENT, "")
    assert len(world.sms.messages) == 1


async def test_what_quiet_hours_would_make_useless_is_sent_at_once(world: World) -> None:
    await settled(world, quiet=QuietHours(time(8), time(20)))
    world.clock._now = NOON - MINUTE
    record = await send(world, "reminder")
    assert await outcome(world, record) == (MessageState.SENT, "")


# which way it goes


async def test_a_channel_that_stays_away_gives_way_to_the_next(world: World) -> None:
    world.sms.error = PartnerError("away", retryable=True)
    record = await send(world)
    for _ in range(10):
        await world.perform()
        world.clock.advance(minutes=3)
    assert [m.recipient for m in world.email.messages] == [PATIENT.email]
    kept = await world.store.message(record.id)
    assert kept
    assert (kept.channel, kept.state, kept.attempts) == ("email", MessageState.SENT, 4)


async def test_with_one_channel_only_it_is_tried_until_its_time_is_over(world: World) -> None:
    world.sms.error = PartnerError("away", retryable=True)
    await world.planned(participants=(replace(PATIENT, email=""), PRACTITIONER))
    record = await send(world)
    for _ in range(5):
        await world.perform()
        world.clock.advance(minutes=3)
    world.sms.error = None
    world.clock.advance(minutes=12)
    assert await outcome(world, record) == (MessageState.SENT, "")


async def test_two_kinds_of_one_plugin_are_two_ways(world: World) -> None:
    """A patient without a phone is reached by mail."""
    await world.planned(participants=(replace(PATIENT, phone=""), PRACTITIONER))
    await send(world)
    await world.perform()
    assert [m.recipient for m in world.email.messages] == [PATIENT.email]


async def test_push_goes_to_each_browser_until_one_takes_it_and_forgets_those_that_are_gone(
    world: World,
) -> None:
    class Push(RecordingChannel):
        async def deliver(self, message: Message) -> Receipt:
            if "gone" in message.recipient:
                raise DeliveryFailed("gone", code="push-subscription-gone")
            return await super().deliver(message)

    push = Push("push")
    world.channels[:] = [push, world.sms]
    await world.restart()
    visit_id = await world.planned()
    for endpoint in ("https://push.example/old", "https://push.example/gone"):
        await world.messages.subscribe(visit_id, P1, {"endpoint": endpoint})
    await send(world, "invited-back")
    await world.perform()
    assert [m.recipient for m in push.messages] == ['{"endpoint": "https://push.example/old"}']
    assert world.sms.messages == []
    assert await world.store.subscriptions(visit_id, P1) == ['{"endpoint": "https://push.example/old"}']


async def test_without_a_subscription_the_next_channel_is_used(world: World) -> None:
    world.channels[:] = [RecordingChannel("push"), world.sms]
    await world.restart()
    await send(world)
    await world.perform()
    assert len(world.sms.messages) == 1


async def test_what_is_for_the_team_alone_never_goes_to_a_patient(world: World) -> None:
    team = RecordingChannel("team")
    world.channels[:] = [team]
    await world.restart()
    record = await send(world)
    assert await outcome(world, record) == (MessageState.FAILED, "no-address")
    assert [m.template for m in team.messages] == ["failed-delivery"]


# those who want none


async def test_who_wants_no_messages_gets_none_until_they_want_them_again(world: World) -> None:
    visit_id = await world.planned()
    await world.messages.opt_out(visit_id, P1, out=True)
    assert await world.messages.addresses(visit_id, P1) == (["+49 … 01", "e … @example.org"], True)
    assert await outcome(world, await send(world)) == (MessageState.SUPPRESSED, "recipient-opted-out")
    assert world.sms.messages == world.email.messages == []
    await world.messages.opt_out(visit_id, P1, out=False)
    assert (await outcome(world, await send(world)))[0] is MessageState.SENT
    assert [entry for entry in await world.trail() if entry.startswith("messages-")] == [
        "messages-refused",
        "messages-wanted",
    ]


async def test_who_told_the_gateway_to_stop_is_not_asked_again_by_it(world: World) -> None:
    world.sms.error = DeliveryFailed("stop", code="recipient-opted-out")
    await send(world)
    await world.perform()
    assert len(world.email.messages) == 1, "the mail address said nothing of the kind"
    world.sms.error = None
    await send(world, "another")
    await world.perform()
    assert world.sms.messages == []
    assert len(world.email.messages) == 2


# the practice itself


async def test_the_practice_learns_of_a_message_that_did_not_arrive(world: World) -> None:
    await settled(world, staff_email="team@praxis.example")
    world.sms.error = DeliveryFailed("no", code="number-invalid")
    await world.planned(participants=(replace(PATIENT, email=""), PRACTITIONER))
    record = await send(world)
    await world.perform()
    assert await outcome(world, record) == (MessageState.FAILED, "number-invalid")
    (told,) = world.email.messages
    assert (told.recipient, told.template, told.role) == ("team@praxis.example", "failed-delivery", "staff")
    assert "what=hello code=number-invalid" in told.text


async def test_a_failure_to_tell_the_practice_is_not_told_to_the_practice(world: World) -> None:
    await settled(world, staff_phone="+4930111", staff_email="team@praxis.example")
    world.sms.error = world.email.error = DeliveryFailed("no", code="number-invalid")
    await send(world)
    await world.perform()
    records = await world.messages.of_visit(PRACTICE, (await world.visit()).id)
    assert [r.template for r in records] == ["hello", "failed-delivery"]


# while a patient waits (D12, D13)


WAITING = WaitingNotice("waiting", most=3)


@pytest.fixture
async def waiting(make_world: MakeWorld) -> World:
    world = await make_world(plan=VisitPlan("p", 15 * MINUTE, 60 * MINUTE, waiting=(WAITING,)))
    await settled(world, staff_phone="+4930111")
    return world


async def minutes_pass(world: World, minutes: int) -> list[str]:
    """To whom patient-waiting went meanwhile."""
    before = len(world.sms.messages)
    for _ in range(minutes * 2):
        await world.deadlines.report_due()
        await world.perform()
        world.clock.advance(seconds=30)
    return [m.recipient for m in world.sms.messages[before:] if m.template == "patient-waiting"]


async def test_d12_d13_the_practice_is_told_at_once_and_again_every_two_minutes(waiting: World) -> None:
    visit_id = await waiting.planned()
    await waiting.visits.arrive(visit_id, P1)
    assert await minutes_pass(waiting, 1) == ["+4930111"]
    assert await minutes_pass(waiting, 2) == ["+4930111"]
    assert await minutes_pass(waiting, 20) == ["+4930111"], "three times at most"


async def test_the_practitioner_is_told_where_the_appointment_knows_how(waiting: World) -> None:
    doctor = replace(PRACTITIONER, phone="+4915100000009")
    visit_id = await waiting.planned(participants=(PATIENT, doctor))
    await waiting.visits.arrive(visit_id, P1)
    assert await minutes_pass(waiting, 1) == [doctor.phone]


async def test_reminders_stop_when_the_patient_is_let_in_or_goes(waiting: World) -> None:
    visit_id = await waiting.planned()
    await waiting.visits.arrive(visit_id, P1)
    assert len(await minutes_pass(waiting, 1)) == 1
    await waiting.visits.admit(visit_id, P1, Role.PRACTITIONER)
    assert await minutes_pass(waiting, 10) == []
    await waiting.visits.left(visit_id, P1, anyone_else=False)
    await waiting.visits.arrive(visit_id, P1)
    assert len(await minutes_pass(waiting, 1)) == 1, "who comes again is told again"
    await waiting.visits.left(visit_id, P1, anyone_else=False)
    assert await minutes_pass(waiting, 10) == []


async def test_nothing_disturbs_a_practitioner_who_is_in_a_visit(waiting: World) -> None:
    first = await waiting.planned()
    await waiting.visits.arrive(first, P1)
    await waiting.visits.admit(first, P1, Role.PRACTITIONER)
    second = await waiting.planned(id=AppointmentId("a2"))
    await waiting.visits.arrive(second, P1)
    assert await minutes_pass(waiting, 6) == []
    await waiting.visits.close(first, Role.PRACTITIONER)
    assert len(await minutes_pass(waiting, 3)) >= 1


async def test_a_visit_of_someone_else_disturbs_nobody(waiting: World) -> None:
    first = await waiting.planned()
    await waiting.visits.arrive(first, P1)
    await waiting.visits.admit(first, P1, Role.PRACTITIONER)
    colleague = replace(PRACTITIONER, reference="Practitioner/2")
    second = await waiting.planned(id=AppointmentId("a2"), participants=(PATIENT, colleague))
    await waiting.visits.arrive(second, P1)
    assert len(await minutes_pass(waiting, 1)) == 1


async def test_without_a_way_to_the_practice_nothing_is_even_tried(make_world: MakeWorld) -> None:
    world = await make_world(plan=VisitPlan("p", 15 * MINUTE, 60 * MINUTE, waiting=(WAITING,)))
    visit_id = await world.planned()
    await world.visits.arrive(visit_id, P1)
    await minutes_pass(world, 6)
    assert await world.messages.of_visit(PRACTICE, visit_id) == []


async def test_reminders_survive_a_restart(waiting: World) -> None:
    visit_id = await waiting.planned()
    await waiting.visits.arrive(visit_id, P1)
    await waiting.restart()
    assert len(await minutes_pass(waiting, 1)) == 1
    await waiting.restart()
    assert len(await minutes_pass(waiting, 2)) == 1


# a delay, D14 and D15


async def test_d14_a_delay_is_told_with_one_action(world: World) -> None:
    visit_id = await world.planned()
    visit = await world.messages.announce_delay(PRACTICE, visit_id, 15)
    await world.perform()
    assert visit.delay_minutes == 15
    assert [(m.template, m.recipient) for m in world.sms.messages] == [("delay", PATIENT.phone)]
    assert "minutes=15" in world.sms.messages[0].text
    assert DelayAnnounced(15) in world.events()
    assert (await world.messages.announce_delay(PRACTICE, visit_id, 0)).delay_minutes == 0
    await world.perform()
    assert len(world.sms.messages) == 1, "taking it back tells nobody"


async def test_a_delay_ends_when_the_appointment_is_moved(world: World) -> None:
    visit_id = await world.planned()
    await world.messages.announce_delay(PRACTICE, visit_id, 15)
    await world.schedule(start=NOON + 30 * MINUTE, end=NOON + 50 * MINUTE)
    assert (await world.visits.get(visit_id)).delay_minutes == 0


@pytest.mark.parametrize("minutes", [-1, 181, 10_000])
async def test_a_delay_that_makes_no_sense_is_refused(world: World, minutes: int) -> None:
    visit_id = await world.planned()
    with pytest.raises(UsageError) as caught:
        await world.messages.announce_delay(PRACTICE, visit_id, minutes)
    assert caught.value.code == "delay-invalid"


async def test_nothing_is_sent_by_hand_about_a_visit_that_is_over(world: World) -> None:
    visit_id = await world.planned()
    await world.schedule(status=AppointmentStatus.CANCELLED)
    for work in (
        world.messages.send(PRACTICE, visit_id, P1, "link-at-time", {}),
        world.messages.announce_delay(PRACTICE, visit_id, 5),
    ):
        with pytest.raises(Refused) as caught:
            await work
        assert caught.value.code == "visit-state"


async def test_a_message_to_nobody_of_the_visit_is_refused(world: World) -> None:
    await world.planned()
    with pytest.raises(NotFound) as caught:
        await send(world, to=ParticipantId("p9"))
    assert caught.value.code == "participant-unknown"


async def test_sending_again_is_a_message_of_its_own(world: World) -> None:
    record = await send(world, minutes="5")
    await world.perform()
    again = await world.messages.send_again(PRACTICE, record.id)
    await world.perform()
    first, second = world.sms.messages
    assert first.text == second.text
    assert first.idempotency_key != second.idempotency_key
    assert (again.template, again.details) == (record.template, record.details)


# those that were given up


async def test_a_dead_letter_can_be_tried_again_and_then_arrives_once(world: World) -> None:
    world.sms.error = world.email.error = DeliveryFailed("no", code="gateway-credit")
    record = await send(world)
    await world.perform()
    (letter,) = await world.messages.dead_letters(PRACTICE)
    assert (letter.entry.id, letter.reason) == (record.id, "gateway-credit")
    world.sms.error = None
    await world.messages.retry(PRACTICE, record.id)
    assert await outcome(world, record) == (MessageState.SENT, "")
    assert await world.messages.dead_letters(PRACTICE) == []
    assert world.sms.messages[0].idempotency_key == record.id, "a gateway that has it knows it again"


async def test_a_dead_letter_can_be_dropped_and_what_became_of_it_stays(world: World) -> None:
    world.sms.error = world.email.error = DeliveryFailed("no", code="number-invalid")
    record = await send(world)
    await world.perform()
    await world.messages.drop(PRACTICE, record.id)
    assert await world.messages.dead_letters(PRACTICE) == []
    assert await outcome(world, record) == (MessageState.FAILED, "number-invalid")
    with pytest.raises(NotFound):
        await world.messages.drop(PRACTICE, record.id)


async def test_a_write_back_that_was_given_up_is_a_dead_letter_too(world: World) -> None:
    await world.planned()
    world.source.error = PartnerError("no", retryable=False, code="write-refused")
    await world.schedule(end=NOON + 40 * MINUTE)
    await world.perform()
    (letter,) = await world.messages.dead_letters(PRACTICE)
    assert (letter.reason, letter.practice_id, letter.record) == ("write-refused", PRACTICE, None)
    assert await world.messages.dead_letters(OTHER) == []
    world.source.error = None
    await world.messages.retry(PRACTICE, letter.entry.id)
    await world.perform()
    assert await world.visits.not_written_back(PRACTICE, [AppointmentId("a1")]) == {}


# what gateways report


@pytest.fixture
async def reporting(world: World) -> World:
    world.sms = Gateway("sms")
    world.channels[:] = [world.sms, world.email]
    await world.restart()
    return world


async def test_a_report_is_known_by_our_key_or_by_the_name_the_gateway_gave(reporting: World) -> None:
    first, second = await send(reporting, "one"), await send(reporting, "two")
    await reporting.perform()
    await reporting.messages.reported("a_sms", report(MessageState.DELIVERED, key=first.id))
    await reporting.messages.reported("a_sms", report(MessageState.DELIVERED, provider_id="gw-2"))
    for record in (first, second):
        assert await outcome(reporting, record) == (MessageState.DELIVERED, "")
    assert MessageProgressed("one", P1, MessageState.DELIVERED) in reporting.events()


async def test_what_was_taken_and_did_not_arrive_goes_by_the_next_channel_once(reporting: World) -> None:
    record = await send(reporting)
    await reporting.perform()
    lost = report(MessageState.UNDELIVERED, key=record.id, code="number-unreachable")
    for _ in range(3):
        await reporting.messages.reported("a_sms", lost)
        await reporting.perform()
    assert await outcome(reporting, record) == (MessageState.UNDELIVERED, "number-unreachable")
    assert [m.recipient for m in reporting.email.messages] == [PATIENT.email]
    assert len(reporting.sms.messages) == 1
    assert "message-undelivered" in await reporting.trail()


async def test_what_no_channel_can_bring_is_told_to_the_practice(reporting: World) -> None:
    await settled(reporting, staff_email="team@praxis.example")
    await reporting.planned(participants=(replace(PATIENT, email=""), PRACTITIONER))
    record = await send(reporting)
    await reporting.perform()
    await reporting.messages.reported("a_sms", report(MessageState.UNDELIVERED, key=record.id))
    await reporting.perform()
    (letter,) = await reporting.messages.dead_letters(PRACTICE)
    assert letter.reason == "message-undelivered"
    assert [m.template for m in reporting.email.messages] == ["failed-delivery"]


async def test_reports_lead_forwards_only(reporting: World) -> None:
    record = await send(reporting)
    await reporting.perform()
    for state in (MessageState.DELIVERED, MessageState.SENT, MessageState.UNDELIVERED):
        await reporting.messages.reported("a_sms", report(state, key=record.id))
    assert await outcome(reporting, record) == (MessageState.DELIVERED, "")
    assert reporting.email.messages == []


async def test_a_report_that_comes_before_we_noted_the_sending_counts(reporting: World) -> None:
    record = await send(reporting)
    await reporting.messages.reported("a_sms", report(MessageState.DELIVERED, key=record.id))
    assert await outcome(reporting, record) == (MessageState.DELIVERED, "")


async def test_a_report_of_another_plugin_or_on_an_unknown_message_changes_nothing(reporting: World) -> None:
    record = await send(reporting)
    await reporting.perform()
    await reporting.messages.reported("a_sms", report(MessageState.UNDELIVERED, key="0" * 32))
    with pytest.raises(NotFound):
        await reporting.messages.reported("a_email", report(MessageState.UNDELIVERED, key=record.id))
    assert await outcome(reporting, record) == (MessageState.SENT, "")


async def test_the_state_of_a_visit_is_not_touched_by_messages(world: World) -> None:
    record = await send(world)
    await world.perform()
    visit = await world.visits.get(VisitId(record.visit_id))
    assert (visit.state, visit.version) == (VisitState.PLANNED, 1)
    assert TEAM not in [p.id for p in (await world.current()).mirrored.appointment.participants]
