"""``/api/v1``: what those who get messages decide: whether they want any, and where they are pushed to."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from vsdk.domain.errors import NotFound, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import PushChannel
from vsdk.server import schemas as s
from vsdk.server.api import PROBLEMS, Authorization, address_of, bearer
from vsdk.server.limits import AttemptLimit
from vsdk.service.join import JoinService
from vsdk.service.messages import MessageService


def make_router(
    *,
    join: JoinService,
    messages: MessageService,
    practices: Mapping[PracticeId, Practice],
    attempts: AttemptLimit,
    push: PushChannel | None,
) -> APIRouter:
    """``push`` is None where no channel for Web Push is enabled."""
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

    async def preferences_of(handle: str) -> s.PreferencesReply:
        invitation = await join.look(handle)
        practice = practices[invitation.visit.practice_id]
        addresses, out = await messages.addresses(invitation.visit.id, invitation.participant.id)
        return s.PreferencesReply(
            practice=s.PracticeReply(id=practice.id, name=practice.name, phone=practice.phone),
            addresses=addresses,
            opted_out=out,
        )

    @router.post("/messages/preferences", summary="Where the person of a join link gets messages")
    async def preferences(body: s.HandleRequest, request: Request) -> s.PreferencesReply:
        """Asking changes nothing. It works with a link that no longer opens, too."""
        await attempts.count(address_of(request))
        return await preferences_of(body.handle)

    @router.post("/messages/opt-out", summary="Whether the person of a join link wants messages")
    async def opt_out(body: s.OptOutRequest, request: Request) -> s.PreferencesReply:
        """Holds for all messages of this practice to these addresses."""
        await attempts.count(address_of(request))
        invitation = await join.look(body.handle)
        await messages.opt_out(invitation.visit.id, invitation.participant.id, out=body.out)
        return await preferences_of(body.handle)

    def offered() -> PushChannel:
        if push is None:
            raise NotFound("Web Push is not enabled here", code="push-not-offered")
        return push

    @router.get("/push/key", summary="The key for subscribing to Web Push")
    async def push_key() -> s.PushKeyReply:
        return s.PushKeyReply(key=offered().key)

    @router.post(
        "/push/subscriptions", status_code=HTTPStatus.NO_CONTENT, summary="Push messages to this browser"
    )
    async def subscribe(body: s.PushSubscriptionRequest, authorization: Authorization = "") -> Response:
        """With the access grant of a visit: to its holder, about this visit."""
        validate = offered().validate_subscription
        grant = join.read(bearer(authorization))
        if grant.visit_id is None:
            raise Refused("this access grant is for a list, not for a visit", code="not-permitted")
        await messages.subscribe(grant.visit_id, grant.participant_id, validate(body.subscription))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router
