"""A whole story with marked personal data, and a search for the marks where none may be."""

import logging
import sqlite3
import traceback
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.service.conftest import PRACTICE, MakeWorld, Rule, World

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import DeliveryFailed, PartnerError, VsdkError
from vsdk.domain.ids import ParticipantId, VisitId
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice, VisitPlan
from vsdk.domain.policy import Join, Outcome
from vsdk.hooks.ports import SourcedAppointment
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_sourced_appointment

NAME, PHONE, MAIL, REASON = "M4rkName", "+4917M4rkPhone", "m4rkmail@example.org", "M4rkReason"
DOCTOR = "Dr. M4rkDoctor"
MARKS = ("m4rkname", "m4rkphone", "m4rkmail", "m4rkreason", "m4rkdoctor")
MINUTE = timedelta(minutes=1)
P1, P2 = ParticipantId("p1"), ParticipantId("p2")
PLAN = VisitPlan("plan", 15 * MINUTE, 60 * MINUTE, (Notice("link", "link-at-time", 10 * MINUTE),))


def marked(**changes: Any) -> SourcedAppointment:
    people = (replace(PATIENT, name=NAME, phone=PHONE, email=MAIL), replace(PRACTITIONER, name=DOCTOR))
    sourced = a_sourced_appointment(participants=people, **changes)
    return replace(sourced, original={**sourced.original, "description": REASON, "comment": REASON})


def found(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.lower()]


def dump(world: World) -> dict[str, str]:
    """What each table holds."""
    with sqlite3.connect(world.url.removeprefix("sqlite+aiosqlite:///")) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = {name: repr(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables}
    connection.close()
    return rows


class Errors:
    """Runs what must fail, and keeps how that looks."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def of(self, doing: Any) -> None:
        with pytest.raises(VsdkError) as caught:
            await doing
        error = caught.value
        self.seen += [repr(error), str(error), error.detail, error.code, repr(error.__dict__)]
        self.seen += traceback.format_exception(error)


def deny(question: Join) -> Outcome:
    if question.role is Role.PRACTITIONER:
        raise RuntimeError(f"this rule fails about {question.name}")
    return Outcome.SATISFIED


async def story(world: World, errors: Errors) -> None:
    """Everything goes wrong once, and then it goes well."""
    schedule, visits = world.scheduling.schedule, world.visits
    await schedule(marked())
    world.sms.error = PartnerError(f"cannot reach {PHONE}", retryable=True)
    world.email.error = DeliveryFailed(f"no such box: {MAIL}")
    world.source.error = PartnerError(f"{NAME} is locked", retryable=True)
    await world.deadlines.report_due()
    await world.perform()
    world.sms.error = DeliveryFailed(f"wrong number {PHONE}")
    world.source.error = KeyError(NAME)
    world.clock.advance(seconds=5)
    await world.perform()
    world.sms.error = world.email.error = world.source.error = None
    world.clock.advance(minutes=1)
    await world.perform()
    visit_id = (await world.visit()).id

    await errors.of(schedule(marked(start=NOON + MINUTE), if_version=99))
    await errors.of(world.join.exchange("unknown"))
    await errors.of(world.join.exchange(await world.handle("p2")))
    await errors.of(visits.admit(visit_id, P1, Role.PRACTITIONER))
    await errors.of(visits.admit(visit_id, ParticipantId("p9"), Role.PRACTITIONER))
    await errors.of(visits.arrive(VisitId("nothing"), P1))
    await errors.of(world.sign_ins.complete(PRACTICE, {"code": NAME}))

    await world.join.exchange(await world.handle())
    await visits.arrive(visit_id, P1)
    await visits.admit(visit_id, P1, Role.PRACTITIONER)
    await visits.connected(visit_id)
    await visits.left(visit_id, P1, anyone_else=True)
    await visits.connected(visit_id)
    await visits.hang_up(visit_id, Role.PATIENT)
    await visits.invite_back(visit_id, P1)
    await world.perform()
    old = await world.handle()
    await world.scheduling.replace_links(PRACTICE, visit_id)
    await errors.of(world.join.exchange(old))
    world.source.appointments = [marked(start=NOON + 5 * MINUTE)]
    await world.following.follow_once()
    world.source.error = KeyError(NAME)
    await world.following.follow_once()
    world.source.error = None
    await schedule(marked(start=NOON + 5 * MINUTE, status=AppointmentStatus.CANCELLED))
    await errors.of(world.join.exchange(old))
    world.sms.error = DeliveryFailed(f"wrong number {PHONE}")
    await schedule(marked(start=NOON + 6 * MINUTE))
    await world.deadlines.report_due()
    await world.perform()


async def test_no_name_number_or_reason_is_anywhere_but_in_the_mirror(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    heard: list[str] = []

    def crash(event: object) -> None:
        heard.append(repr(event))
        raise RuntimeError(NAME)

    world = await make_world(plan=PLAN, rules=[Rule(Join, deny)], listeners=[("crashing", crash)])
    errors = Errors()
    await story(world, errors)

    assert found(world.sms.messages[0].text) == ["m4rkname"], "the mark does reach the texts"
    tables = dump(world)
    assert found(tables.pop("appointment")) == list(MARKS), "and the mirror"
    assert {"visit", "join_link", "outbox", "deadline", "audit"} <= tables.keys()
    assert {name for name, rows in tables.items() if found(rows)} == set()
    assert all(tables[name] != "[]" for name in ("visit", "join_link", "audit", "outbox"))

    ours = [record for record in caplog.records if record.name.startswith("vsdk")]
    assert {record.message for record in ours} >= {"effect failed", "visit changed", "schedule source failed"}
    for record in caplog.records:
        assert found(repr(record.__dict__) + record.getMessage()) == [], record.name
    assert len(errors.seen) > 9 * 5
    assert [found(text) for text in errors.seen if found(text)] == []
    assert found("".join(heard)) == []
    scheduled = await world.current()
    for thing in (
        scheduled,
        scheduled.mirrored,
        *scheduled.links,
        *world.sms.messages,
        *await world.effects(),
    ):
        assert found(repr(thing) + str(thing)) == []
