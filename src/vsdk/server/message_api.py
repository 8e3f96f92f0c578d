"""``/api/v1``: messages and delays, for the practice's pages and for PMS vendors."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from fastapi import APIRouter

from vsdk.domain.appointment import Appointment
from vsdk.domain.errors import NotFound, Refused, UsageError
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.messaging import PRACTICE
from vsdk.domain.participant import Capability, Participant, Role
from vsdk.hooks.store import MessageRecord
from vsdk.server import schemas as s
from vsdk.server.api import PROBLEMS, Authorization, PracticeKeys, bearer
from vsdk.server.message_summary import ON_ITS_WAY
from vsdk.service.clock import Clock
from vsdk.service.join import JoinService
from vsdk.service.messages import MessageService
from vsdk.service.visits import VisitService

JUST_NOW = timedelta(seconds=10)
"""within which the same message to the same person is a double click"""
FindRecord = Callable[[str], Awaitable[MessageRecord | None]]


class Organisers:
    """Who may look after the messages of which practice: its PMS, and whoever may see its list."""

    def __init__(self, keys: PracticeKeys, join: JoinService) -> None:
        self._keys = keys
        self._join = join

    def practice_of(self, authorization: str) -> PracticeId:
        """Takes an API key or an access grant for the list. Raises Refused ``grant-invalid``,
        ``grant-expired`` or ``not-permitted``."""
        try:
            return self._keys.practice_of(authorization)
        except Refused:
            grant = self._join.read(bearer(authorization))
        if grant.visit_id is not None or not grant.permits(Capability.LIST):
            raise Refused("this access grant is not for the practice's list", code="not-permitted")
        return grant.practice_id


def make_router(
    *,
    organisers: Organisers,
    messages: MessageService,
    visits: VisitService,
    find: FindRecord,
    clock: Clock,
) -> APIRouter:
    """``find`` gives the record of a message of any practice."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    one_at_a_time = asyncio.Lock()

    async def listed(practice_id: PracticeId, visit_id: VisitId) -> s.MessagesReply:
        records = await messages.of_visit(practice_id, visit_id)
        appointment = await visits.appointment(await visits.get(visit_id))
        return s.MessagesReply(messages=[_reply(record, appointment) for record in records])

    @router.get("/visits/{visit}/messages", summary="What became of the messages of a visit")
    async def of_visit(visit: str, authorization: Authorization = "") -> s.MessagesReply:
        return await listed(organisers.practice_of(authorization), VisitId(visit))

    @router.post("/visits/{visit}/messages", summary="Send a message to the people of a visit")
    async def send(visit: str, body: s.SendRequest, authorization: Authorization = "") -> s.MessagesReply:
        """A `delay` needs `minutes`, goes to everyone who comes by a link, and counts as announced."""
        practice_id, visit_id = organisers.practice_of(authorization), VisitId(visit)
        if (body.template == "delay") != (body.minutes is not None):
            raise UsageError("minutes belong to a delay, and to nothing else", code="request-invalid")
        if body.template == "delay" and body.participant is not None:
            raise UsageError("a delay is announced to everyone", code="request-invalid")
        async with one_at_a_time:
            records = await messages.of_visit(practice_id, visit_id)
            people = _addressed(await visits.appointment(await visits.get(visit_id)), body.participant)
            _refuse_repetition(records, body.template, people, clock.now())
            if body.minutes is not None:
                await messages.announce_delay(practice_id, visit_id, body.minutes)
            else:
                for person in people:
                    await messages.send(practice_id, visit_id, person, body.template, {})
        return await listed(practice_id, visit_id)

    @router.post("/messages/{message}/again", summary="Send a message once more")
    async def again(message: str, authorization: Authorization = "") -> s.MessagesReply:
        """One that was given up is tried anew; of any other, another one is sent in words of now."""
        practice_id = organisers.practice_of(authorization)
        record = await find(message)
        if record is None or record.practice_id != practice_id:
            raise NotFound("there is no such message", code="message-unknown")
        async with one_at_a_time:
            given_up = await messages.dead_letters(practice_id)
            if message in [letter.entry.id for letter in given_up]:
                await messages.retry(practice_id, message)
            else:
                records = await messages.of_visit(practice_id, record.visit_id)
                _refuse_repetition(records, record.template, [record.participant_id], clock.now())
                await messages.send_again(practice_id, message)
        return await listed(practice_id, record.visit_id)

    @router.post("/visits/{visit}/delay", summary="Announce that a visit begins later")
    async def delay(visit: str, body: s.DelayRequest, authorization: Authorization = "") -> s.DelayReply:
        """Everyone who comes by a link gets a message, and reads it in the waiting room at once."""
        practice_id, visit_id = organisers.practice_of(authorization), VisitId(visit)
        async with one_at_a_time:
            records = await messages.of_visit(practice_id, visit_id)
            if (await visits.get(visit_id)).delay_minutes == body.minutes:
                people = [record.participant_id for record in records]
                _refuse_repetition(records, "delay", people, clock.now())
            changed = await messages.announce_delay(practice_id, visit_id, body.minutes)
        return s.DelayReply(visit=changed.id, delay_minutes=changed.delay_minutes)

    return router


def _addressed(appointment: Appointment, participant: str | None) -> list[ParticipantId]:
    """Raises NotFound ``participant-unknown``."""
    people = appointment.participants
    if participant is None:
        return [p.id for p in people if Capability.WAIT in appointment.capabilities(p)]
    if participant not in [p.id for p in people]:
        raise NotFound("there is no such participant in this visit", code="participant-unknown")
    return [ParticipantId(participant)]


def _refuse_repetition(
    records: Sequence[MessageRecord], template: str, people: Sequence[ParticipantId], now: datetime
) -> None:
    """Raises Refused ``message-just-sent``. What failed meanwhile may be sent again at once."""
    for record in records:
        same = record.template == template and record.participant_id in people
        if same and record.state in ON_ITS_WAY and now - record.created < JUST_NOW:
            raise Refused("this message was sent to this person a moment ago", code="message-just-sent")


def _reply(record: MessageRecord, appointment: Appointment) -> s.MessageReply:
    return s.MessageReply(
        id=record.id,
        template=record.template,
        participant=record.participant_id,
        role=_role(_person(record.participant_id, appointment), record.participant_id),
        channel=record.channel,
        plugin=record.plugin,
        recipient=record.recipient,
        state=record.state.value,
        code=record.code,
        created=record.created,
        updated=record.updated,
        segments=record.segments,
        attempts=record.attempts,
    )


def _person(participant_id: ParticipantId, appointment: Appointment) -> Participant | None:
    return next((p for p in appointment.participants if p.id == participant_id), None)


def _role(person: Participant | None, participant_id: ParticipantId) -> str:
    """Empty for someone who is in the appointment no more."""
    if person:
        return person.role.value
    return Role.STAFF.value if participant_id == PRACTICE else ""
