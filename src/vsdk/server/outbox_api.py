"""``/api/v1/outbox``: what was given up, for the practice's pages and for PMS vendors."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Notify
from vsdk.domain.errors import NotFound
from vsdk.domain.messaging import PRACTICE
from vsdk.domain.participant import Participant, Role
from vsdk.domain.visit import FINAL, Visit, VisitState
from vsdk.hooks.store import DeadLetter
from vsdk.server import schemas as s
from vsdk.server.api import PROBLEMS, Authorization
from vsdk.server.message_api import Organisers
from vsdk.service.messages import MessageService
from vsdk.service.scheduling import SchedulingService
from vsdk.service.visits import VisitService


def make_router(
    *,
    organisers: Organisers,
    messages: MessageService,
    visits: VisitService,
    scheduling: SchedulingService,
) -> APIRouter:
    router = APIRouter(prefix="/api/v1/outbox", responses=PROBLEMS)

    @router.get("", summary="What was given up: messages, and write-backs to the PMS")
    async def given_up(authorization: Authorization = "") -> s.OutboxReply:
        letters = await messages.dead_letters(organisers.practice_of(authorization))
        return s.OutboxReply(entries=[_reply(letter, *await about(letter)) for letter in letters])

    async def about(letter: DeadLetter) -> tuple[Visit | None, Appointment | None]:
        effect = letter.entry.effect
        try:
            if isinstance(effect, Notify):
                visit = await visits.get(effect.visit_id)
                return visit, await visits.appointment(visit)
            current = await scheduling.current(effect.practice_id, effect.appointment_id, even_deleted=True)
            return current.visit, current.mirrored.appointment
        except NotFound:
            return None, None

    @router.post("/{entry}/retry", status_code=HTTPStatus.NO_CONTENT, summary="Try it once more")
    async def retry(entry: str, authorization: Authorization = "") -> Response:
        await messages.retry(organisers.practice_of(authorization), entry)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.post("/{entry}/drop", status_code=HTTPStatus.NO_CONTENT, summary="Remove it for good")
    async def drop(entry: str, authorization: Authorization = "") -> Response:
        """It is not tried again. What became of a message stays known at its visit."""
        await messages.drop(organisers.practice_of(authorization), entry)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


def _reply(letter: DeadLetter, visit: Visit | None, appointment: Appointment | None) -> s.OutboxEntryReply:
    effect, record = letter.entry.effect, letter.record
    person = _whom(letter, appointment)
    message = effect if isinstance(effect, Notify) else None
    return s.OutboxEntryReply(
        id=letter.entry.id,
        kind="message" if message else "write-back",
        template=message.template if message else None,
        visit=visit.id if visit else None,
        name=person.name if person else "",
        role=(person.role if person else Role.STAFF).value if message else None,
        start=appointment.start if appointment else None,
        over=_is_over(letter, visit),
        recipient=record.recipient if record else "",
        channel=record.channel if record else "",
        code=letter.reason,
        since=record.updated if record else letter.entry.created,
        attempts=record.attempts if record else letter.entry.attempts,
    )


def _whom(letter: DeadLetter, appointment: Appointment | None) -> Participant | None:
    effect = letter.entry.effect
    if appointment is None or not isinstance(effect, Notify):
        return appointment.first(Role.PATIENT) if appointment else None
    if effect.participant_id == PRACTICE:
        return None
    return next((p for p in appointment.participants if p.id == effect.participant_id), None)


def _is_over(letter: DeadLetter, visit: Visit | None) -> bool:
    """Whether a message is of no use any more. The PMS needs to be told of a visit that is over too."""
    effect = letter.entry.effect
    if not isinstance(effect, Notify):
        return False
    tells_why = effect.template == "cancelled" and visit and visit.state is VisitState.CANCELLED
    return not tells_why and (visit is None or visit.state in FINAL)
