"""Following the servers of others, end to end: their server, our source, services and database, no fakes.

Somebody books, moves, cancels and deletes at their server; what is looked at is the visit and its links here,
and the link there. sekmet-fhir notifies over the loopback; Medplum's router can only be asked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.peers.resources import an_r4_appointment
from tests.peers.servers import Peer
from tests.ports import free_port
from tests.service.conftest import BASE_URL, PRACTICE, World

from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.connection import connect
from vsdk.adapters.scheduling.fhir.following import subscription as subscription_module
from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.following.window_settings import SearchSettings
from vsdk.adapters.scheduling.fhir.source import FhirSchedule
from vsdk.adapters.scheduling.fhir.source_settings import SourceSettings
from vsdk.domain.errors import NotFound
from vsdk.domain.ids import AppointmentId
from vsdk.domain.visit import Visit, VisitState
from vsdk.server import hooks
from vsdk.server.app import make_app
from vsdk.service.following import FollowingService
from vsdk.testing.fakes import FakeClock

SECRET = "quiet-otters-swim-home"
BOOKED = "http://sekmet.dev/fhir/SubscriptionTopic/appointment-booked"


@dataclass
class Site:
    """One practice that follows a server of others, by the appointments of one doctor."""

    peer: Peer
    world: World
    doctor: str
    start: datetime

    def book(self, **changes: Any) -> str:
        people = [
            {"actor": {"reference": "Patient/p17", "display": "Erika Muster"}, "status": "accepted"},
            {"actor": {"reference": self.doctor, "display": "Dr. Arzt"}, "status": "accepted"},
        ]
        return self.peer.create(an_r4_appointment(participant=people, **(times(self.start) | changes)))

    async def follow(self) -> int:
        """Asks once, and writes back what follows from it."""
        taken = await self.world.following.follow_once()
        await self.world.perform()
        return taken

    async def visit(self, id_: str) -> Visit | None:
        try:
            return (await self.world.scheduling.current(PRACTICE, AppointmentId(id_))).visit
        except NotFound:
            return None

    async def state(self, id_: str) -> VisitState | None:
        visit = await self.visit(id_)
        return visit.state if visit else None

    async def links(self, id_: str) -> set[str]:
        return {
            link.url for link in (await self.world.scheduling.current(PRACTICE, AppointmentId(id_))).links
        }

    def linked(self, id_: str) -> bool:
        return f"{BASE_URL}/j#" in str(self.peer.read("Appointment", id_))


def times(start: datetime) -> dict[str, str]:
    return {
        "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{start + timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ}",
    }


MakeSite = Callable[..., Awaitable[Site]]


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[MakeSite]:
    async with AsyncExitStack() as stack:
        http = HttpClient()
        stack.push_async_callback(http.close)

        async def make(peer: Peer, address: str = BASE_URL, doctor: str = "", **notifications: Any) -> Site:
            clock = FakeClock(datetime.now(UTC).replace(microsecond=0))
            doctor = doctor or f"Practitioner/{uuid4()}"
            world = World(f"sqlite+aiosqlite:///{tmp_path}/{uuid4()}.sqlite3", clock)
            settings = SourceSettings(
                base_url=peer.base,
                search=SearchSettings(by="practitioner", actors=[doctor]),
                notifications=NotificationSettings(**notifications),
            )
            connection = connect(world.practice, settings, http, address, clock.now)
            world.source = cast("Any", FhirSchedule({PRACTICE: connection}))
            world._wire()
            await world.store.open()
            stack.push_async_callback(world.store.close)
            return Site(peer, world, doctor, clock.now() + timedelta(days=1))

        yield make


@pytest.fixture(params=["sekmet", "sekmet_open", "medplum"])
def peer(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


# asking


async def test_booked_there_is_a_visit_here_and_its_link_is_there(peer: Peer, make_site: MakeSite) -> None:
    site = await make_site(peer)
    id_ = site.book()
    assert await site.follow() == 1
    assert await site.state(id_) is VisitState.PLANNED
    assert len(await site.links(id_)) == 2
    assert site.linked(id_)
    assert await site.follow() == 0, "what we wrote ourselves is no change"


async def test_moved_a_little_the_visit_and_its_links_stay(peer: Peer, make_site: MakeSite) -> None:
    site = await make_site(peer)
    id_ = site.book()
    await site.follow()
    before, links = await site.visit(id_), await site.links(id_)
    peer.change("Appointment", id_, **times(site.start + timedelta(minutes=10)))
    assert await site.follow() == 1
    after = await site.visit(id_)
    assert before
    assert after
    assert after.id == before.id
    assert after.window.opens == before.window.opens + timedelta(minutes=10)
    assert await site.links(id_) == links


async def test_moved_just_before_we_write_our_link_it_is_moved_here_too(
    peer: Peer, make_site: MakeSite
) -> None:
    site = await make_site(peer)
    id_ = site.book()
    await site.world.following.follow_once()
    before = await site.visit(id_)
    peer.change("Appointment", id_, **times(site.start + timedelta(minutes=10)))
    await site.world.perform()
    await site.follow()
    after = await site.visit(id_)
    assert before
    assert after
    assert after.window.opens == before.window.opens + timedelta(minutes=10)
    assert site.linked(id_)


@pytest.mark.parametrize("days", [3, 60])
async def test_moved_far_the_links_are_new(peer: Peer, make_site: MakeSite, days: int) -> None:
    """Also to where the search does not look."""
    site = await make_site(peer)
    id_ = site.book()
    await site.follow()
    links = await site.links(id_)
    peer.change("Appointment", id_, **times(site.start + timedelta(days=days)))
    assert await site.follow() == 1
    assert not links & await site.links(id_)
    assert len(await site.links(id_)) == 2
    assert site.linked(id_)


async def test_cancelled_there_the_links_are_revoked(peer: Peer, make_site: MakeSite) -> None:
    site = await make_site(peer)
    id_ = site.book()
    await site.follow()
    peer.change("Appointment", id_, status="cancelled")
    await site.follow()
    assert await site.state(id_) is VisitState.CANCELLED
    assert await site.links(id_) == set()
    assert not site.linked(id_)


async def test_deleted_there_it_is_cancelled_once_the_server_says_so(peer: Peer, make_site: MakeSite) -> None:
    site = await make_site(peer)
    id_ = site.book()
    await site.follow()
    peer.call("DELETE", f"Appointment/{id_}")
    await site.follow()
    assert await site.state(id_) is VisitState.CANCELLED
    assert await site.links(id_) == set()


async def test_deleted_while_we_were_away(peer: Peer, make_site: MakeSite) -> None:
    site = await make_site(peer)
    id_ = site.book()
    await site.follow()
    peer.call("DELETE", f"Appointment/{id_}")
    again = await make_site(peer, doctor=site.doctor)
    again.world.url = site.world.url
    again.world._wire()
    await again.world.store.open()
    try:
        await again.follow()
        assert await again.state(id_) is VisitState.CANCELLED
    finally:
        await again.world.store.close()


async def test_what_another_doctor_does_is_not_ours(peer: Peer, make_site: MakeSite) -> None:
    site = await make_site(peer)
    other = await make_site(peer)
    other.book()
    assert await site.follow() == 0


async def test_a_server_that_cannot_be_reached_cancels_nothing(sekmet: Peer, make_site: MakeSite) -> None:
    site = await make_site(sekmet)
    id_ = site.book()
    await site.follow()
    gone = await make_site(Peer(f"http://127.0.0.1:{free_port()}/fhir"), doctor=site.doctor)
    gone.world.url = site.world.url
    gone.world._wire()
    await gone.world.store.open()
    try:
        assert await gone.follow() == 0
        assert await gone.state(id_) is VisitState.PLANNED
    finally:
        await gone.world.store.close()


# being told


class Receiver:
    """Our router on a port of its own; what it takes goes to the service given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, int]] = []
        """method, path and status of each"""
        self.following: FollowingService | None = None
        self._app: ASGIApp = make_app(
            routers=[hooks.make_router(following=cast("Any", self))],
            site=cast("Any", SimpleNamespace(base_url="http://127.0.0.1")),
            signalling=cast("Any", None),
            headers={},
            embed_origins=[],
            version="0",
        )

    async def notified(self, practice_id: Any, notification: Any) -> None:
        assert self.following
        await self.following.notified(practice_id, notification)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.calls.append((scope["method"], scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, counted)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    config = uvicorn.Config(receiver, "127.0.0.1", 0, lifespan="off", log_config=None, access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield receiver, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()


@asynccontextmanager
async def told(make_site: MakeSite, peer: Peer, **notifications: Any) -> AsyncIterator[tuple[Site, Receiver]]:
    """A practice that asks once and then only when it is told to."""
    async with listening() as (receiver, address):
        doctor = f"Practitioner/{uuid4()}"
        if "criteria" not in notifications:
            notifications["criteria"] = f"Appointment?actor={doctor}"
        site = await make_site(peer, address, doctor, secret=SecretStr(SECRET), **notifications)
        source = cast("Any", site.world.source)
        receiver.following = FollowingService(
            site.world.scheduling, site.world.lost_links, {PRACTICE: source}, 3600
        )
        following = asyncio.create_task(receiver.following.run())
        try:
            await until(lambda: ours(peer, address))
            yield site, receiver
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            for subscription in await asyncio.to_thread(all_of, peer, address):
                await asyncio.to_thread(peer.call, "DELETE", f"Subscription/{subscription['id']}")


def all_of(peer: Peer, address: str) -> list[dict[str, Any]]:
    found = peer.call("GET", f"Subscription?url={address}/hooks/practice").json().get("entry", [])
    return [entry["resource"] for entry in found]


async def ours(peer: Peer, address: str) -> bool:
    """Whether our Subscription is there and active."""
    found = await asyncio.to_thread(all_of, peer, address)
    return [s["status"] for s in found] == ["active"]


async def until(holds: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.05)


def is_state(site: Site, id_: str, state: VisitState) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return await site.state(id_) is state

    return holds


@pytest.mark.parametrize("content", ["full-resource", "empty"])
async def test_a_rest_hook_makes_a_visit_at_once(sekmet: Peer, make_site: MakeSite, content: str) -> None:
    async with told(make_site, sekmet, subscribe="rest-hook", content=content) as (site, receiver):
        id_ = await asyncio.to_thread(site.book)
        await until(is_state(site, id_, VisitState.PLANNED))
        await asyncio.to_thread(sekmet.change, "Appointment", id_, status="cancelled")
        await until(is_state(site, id_, VisitState.CANCELLED))
    below = f"/hooks/practice/Appointment/{id_}"
    call = ("PUT", below, 200) if content == "full-resource" else ("POST", "/hooks/practice", 200)
    assert set(receiver.calls) == {call}


async def test_our_own_writing_is_told_to_us_and_goes_no_further(sekmet: Peer, make_site: MakeSite) -> None:
    async with told(make_site, sekmet, subscribe="rest-hook") as (site, receiver):
        id_ = await asyncio.to_thread(site.book)
        await until(is_state(site, id_, VisitState.PLANNED))
        await site.world.perform()
        assert await asyncio.to_thread(site.linked, id_)
        version = await asyncio.to_thread(lambda: sekmet.read("Appointment", id_)["meta"]["versionId"])

        async def told_twice() -> bool:
            return len(receiver.calls) >= 2

        await until(told_twice)
        await asyncio.sleep(0.5)
        await site.world.perform()
        later = await asyncio.to_thread(lambda: sekmet.read("Appointment", id_)["meta"]["versionId"])
        assert (later, len(receiver.calls)) == (version, 2), "writing it again would never end"


async def test_a_topic_shakes_hands_and_names_what_was_booked(sekmet: Peer, make_site: MakeSite) -> None:
    async with told(make_site, sekmet, subscribe="topic", topic=BOOKED) as (site, receiver):
        assert receiver.calls == [("POST", "/hooks/practice", 200)], "the handshake"
        source = cast("Any", site.world.source)
        id_ = await asyncio.to_thread(site.book)
        await until(is_state(site, id_, VisitState.PLANNED))
        assert receiver.calls == [("POST", "/hooks/practice", 200)] * 2
        far = await asyncio.to_thread(lambda: site.book(**times(site.start + timedelta(days=200))))
        await until(is_state(site, far, VisitState.PLANNED))
        assert source


async def test_a_heartbeat_is_taken(sekmet: Peer, make_site: MakeSite) -> None:
    topic = {"subscribe": "topic", "topic": BOOKED, "heartbeat_seconds": 1}
    async with told(make_site, sekmet, **topic) as (_, receiver):

        async def beaten() -> bool:
            return len(receiver.calls) >= 2

        await until(beaten)
    assert set(receiver.calls) == {("POST", "/hooks/practice", 200)}


async def test_a_subscription_that_the_server_gave_up_is_renewed(
    sekmet: Peer, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "CHECK_SECONDS", 0.0)
    async with told(make_site, sekmet, subscribe="rest-hook") as (site, receiver):
        connection = cast("Any", site.world.source)._connections[PRACTICE]
        endpoint = connection.inbox._subscriber._endpoint
        address = f"{urlsplit(endpoint).scheme}://{urlsplit(endpoint).netloc}"
        (subscription,) = await asyncio.to_thread(all_of, sekmet, address)
        await asyncio.to_thread(sekmet.change, "Subscription", subscription["id"], status="error")
        await site.world.following.follow_once()
        await until(lambda: ours(sekmet, address))
        id_ = await asyncio.to_thread(site.book)
        await until(is_state(site, id_, VisitState.PLANNED))
        assert receiver.calls
        await asyncio.to_thread(sekmet.call, "DELETE", f"Subscription/{subscription['id']}")
        await site.world.following.follow_once()
        await until(lambda: ours(sekmet, address))
