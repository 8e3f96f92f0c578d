"""``/api/v1/probe``: what a device check measures the connection with, for holders of a link or a grant."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from vsdk.domain.errors import NotFound
from vsdk.server import schemas as s
from vsdk.server.api import PROBLEMS, address_of
from vsdk.server.limits import AttemptLimit
from vsdk.service.join import JoinService

if TYPE_CHECKING:
    from vsdk.rtc.probe import Probes

TestServers = Callable[[str], list[dict[str, Any]]]
"""ICE servers whose credentials live for a test, for an opaque subject"""


class Echoes:
    """The echo of `vsdk.rtc.probe`, loaded when somebody first needs it: aiortc takes time and memory."""

    def __init__(self) -> None:
        self._probes: Probes | None = None
        self.available = find_spec("aiortc") is not None

    async def answer(self, subject: str, sdp: str) -> str:
        """Raises NotFound ``probe-unavailable``, and what `vsdk.rtc.probe.Probes.echo` raises."""
        if not self.available:
            raise NotFound("this server has no echo: pip install vsdk[rtc]", code="probe-unavailable")
        if self._probes is None:
            from vsdk.rtc.probe import Probes

            self._probes = Probes()
        return await self._probes.echo(subject, sdp)

    async def stop(self) -> None:
        if self._probes:
            await self._probes.stop()


def make_router(
    *, join: JoinService, attempts: AttemptLimit, servers: TestServers, echoes: Echoes
) -> APIRouter:
    router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

    async def subject_of(body: s.ProbeRequest, request: Request) -> str:
        """Who measures. A link that does not open yet is good enough; one that never will again is not."""
        await attempts.count(address_of(request))
        if body.grant:
            grant = join.read(body.grant)
            return f"{grant.visit_id or grant.practice_id}/{grant.participant_id}"
        invitation = await join.look_ahead(body.handle or "")
        return f"{invitation.visit.id}/{invitation.participant.id}"

    @router.post("/probe", summary="What a connection check may use")
    async def probe(body: s.ProbeRequest, request: Request) -> s.ProbeReply:
        """The practice's TURN server, with credentials for ten minutes, and whether there is an echo."""
        return s.ProbeReply(ice_servers=servers(await subject_of(body, request)), echo=echoes.available)

    @router.post("/probe/echo", summary="Send sound and data back to this browser")
    async def echo(body: s.ProbeOffer, request: Request) -> s.ProbeAnswer:
        """The offer is complete, with one audio section and data; it ends by itself after 15 seconds."""
        subject = await subject_of(body, request)
        return s.ProbeAnswer(sdp=await echoes.answer(subject, body.sdp))

    return router
