"""``/receipts/{plugin}`` and below: where gateways report what became of messages.

What such a report looks like, and how it proves where it comes from, is for the plugin's channel to know. It
is no part of the API for PMS vendors.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from vsdk.hooks.ports import Notification
from vsdk.service.messages import MessageService


def make_router(*, messages: MessageService, base_url: str) -> APIRouter:
    """Reports by GET and POST."""
    router = APIRouter(prefix="/receipts", include_in_schema=False)

    @router.api_route("/{plugin}", methods=["GET", "POST"])
    @router.api_route("/{plugin}/{path:path}", methods=["GET", "POST"])
    async def reported(plugin: str, request: Request, path: str = "") -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        below = f"/{path}" if path else ""
        url = f"{base_url}/receipts/{plugin}{below}{query}"
        headers = dict(request.headers)
        await messages.reported(
            plugin, Notification(request.method, path, headers, await request.body(), url)
        )
        return Response()

    return router
