"""``/hooks/{practice}`` and below: where the systems of practices tell that an appointment changed.

A FHIR server calls it by its Subscription; what the calls look like is for the practice's schedule source to
know, and so is the secret that they carry. It is no part of the API for PMS vendors.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from vsdk.domain.ids import PracticeId
from vsdk.hooks.ports import Notification
from vsdk.service.following import FollowingService


def make_router(*, following: FollowingService) -> APIRouter:
    """Notifications by POST and PUT. Taken is taken: what is named in one is read after the answer."""
    router = APIRouter(prefix="/hooks", include_in_schema=False)

    @router.api_route("/{practice}", methods=["POST", "PUT"])
    @router.api_route("/{practice}/{path:path}", methods=["POST", "PUT"])
    async def notified(practice: str, request: Request, path: str = "") -> Response:
        notification = Notification(request.method, path, dict(request.headers), await request.body())
        await following.notified(PracticeId(practice), notification)
        return Response()

    return router
