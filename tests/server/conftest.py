"""A whole server around a temporary database: as an ASGI application, and on a real port of this machine."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
import websockets
from pydantic import SecretStr
from starlette.testclient import TestClient

from vsdk.sdk import VideoSdk
from vsdk.serving import server_options
from vsdk.settings import Settings
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

KEY = "park-key-0123456789"
OTHER_KEY = "mitte-key-0123456789"
CODE = "quiet-otter-swims-home"
XVER = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService"
PATIENT_NAME, PRACTITIONER_NAME = "Marlene Sommerfeld", "Dr. Katharina Berg"


def actor(kind: str, id_: str, name: str) -> dict[str, Any]:
    return {"actor": {"reference": f"{kind}/{id_}", "display": name}, "status": "accepted"}


def r4(
    id_: str = "a1", *, start: datetime = NOON, patient: str = PATIENT_NAME, **changes: Any
) -> dict[str, Any]:
    """A booked video visit of twenty minutes as FHIR R4, the patient with a phone number."""
    resource = {
        "resourceType": "Appointment",
        "id": id_,
        "status": "booked",
        "contained": [
            {
                "resourceType": "Patient",
                "id": "patient",
                "name": [{"text": patient}],
                "telecom": [{"system": "phone", "value": "+49 171 3920001", "use": "mobile"}],
            }
        ],
        "serviceType": [{"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}]}],
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=20)).isoformat(),
        "participant": [
            {"actor": {"reference": "#patient", "display": patient}, "status": "accepted"},
            actor("Practitioner", "berg", PRACTITIONER_NAME),
        ],
    }
    return resource | changes


def r5(id_: str = "a1", *, start: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """The same as FHIR R5."""
    resource = r4(id_, start=start)
    del resource["serviceType"]
    virtual = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
    return resource | {"class": [{"coding": [virtual]}]} | changes


def bearer(key: str = KEY) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def handle_of(url: str) -> str:
    return url.partition("#")[2]


def assert_problem(reply: Any, status: int, code: str) -> dict[str, Any]:
    """RFC 9457: the members that we promise, and that the status is said twice and alike."""
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = reply.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["type"] == f"urn:vsdk:error:{code}"
    assert problem["title"]
    assert problem["detail"]
    return problem


MakeVideo = Callable[..., VideoSdk]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "vsdk.sqlite3"


def new_video(
    database: Path,
    clock: Any = None,
    hold_times: Any = None,
    clients: Mapping[str, Sequence[dict[str, Any]]] | None = None,
    **settings: Any,
) -> VideoSdk:
    """A server with two practices, ``park`` and ``mitte``; keywords are settings, ``clients`` by practice."""
    data = {
        "database": f"sqlite+aiosqlite:///{database}",
        "plugins": ["standard_plan", "console_messages", "local_login"],
        "plugin": {"local_login": {"codes": {"park": SecretStr(CODE)}}},
        "embed_origins": ["https://pms.example"],
        "exchanges_per_minute": 10_000,
        "practices": [
            {
                "id": "park",
                "name": "Praxis am Park",
                "phone": "+493012345670",
                "identity_provider": "local",
                "api_key": SecretStr(KEY),
            },
            {"id": "mitte", "name": "Praxis Mitte", "language": "fr", "api_key": SecretStr(OTHER_KEY)},
        ],
    }
    merged = data | settings
    merged["practices"] = [p | {"clients": (clients or {}).get(p["id"], [])} for p in merged["practices"]]
    return VideoSdk(Settings.of(merged), clock=clock, hold_times=hold_times)


@pytest.fixture
def make_video(database: Path) -> MakeVideo:
    """`new_video` on this test's own database."""
    return partial(new_video, database)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that all tests of a module share, for those that change nothing."""
    video = new_video(tmp_path_factory.mktemp("standing") / "vsdk.sqlite3", FakeClock())
    with TestClient(video, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def video(make_video: MakeVideo, clock: FakeClock) -> VideoSdk:
    return make_video(clock)


@pytest.fixture
def http(video: VideoSdk) -> Iterator[TestClient]:
    """The application without a network; failures of the server are answers, not exceptions."""
    with TestClient(video, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def plan(http: TestClient) -> Callable[..., dict[str, Any]]:
    """Plans a visit for `r4` with these changes, and gives the answer."""

    def post(*args: Any, key: str = KEY, **changes: Any) -> dict[str, Any]:
        reply = http.post("/api/v1/visits", json={"appointment": r4(*args, **changes)}, headers=bearer(key))
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    return post


def rows(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


@dataclass(eq=False)
class Page:
    """One browser's WebSocket. ``seen`` holds everything that came, in order."""

    socket: websockets.ClientConnection
    seen: list[dict[str, Any]] = field(default_factory=list)
    pings: int = 0

    async def send(self, type_: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type_} | fields))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        self.seen.append(message)
        return message

    async def get(self, type_: str) -> dict[str, Any]:
        """The next message of that type; those before it are kept in ``seen``."""
        while True:
            message = await self.next()
            if message["type"] == type_:
                return message

    async def queue(self, fits: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The entries of the newest queue, as soon as they are what is expected."""
        while True:
            for message in reversed(self.seen):
                if message["type"] == "queue":
                    entries: list[dict[str, Any]] = message["entries"]
                    if fits(entries):
                        return entries
                    break
            await self.get("queue")

    async def settle(self) -> list[dict[str, Any]]:
        """All that the server had to say by now."""
        start = len(self.seen)
        await self.send("ping")
        await self.get("pong")
        return self.seen[start:-1]

    async def closed(self) -> int:
        """The close code, after reading what still comes."""
        while True:
            try:
                await self.next()
            except websockets.ConnectionClosed:
                return int(self.socket.close_code or 0)

    def types(self) -> list[str]:
        return [message["type"] for message in self.seen]


@dataclass(eq=False)
class Server:
    """A server on a port of its own, and the pages that talk to it."""

    video: VideoSdk
    url: str
    http: httpx2.AsyncClient
    pages: AsyncExitStack

    async def open(self, **options: Any) -> Page:
        options = {"subprotocols": ["vsdk.v1"], "max_size": None} | options
        address = self.url.replace("http", "ws") + "/signal"
        return Page(await self.pages.enter_async_context(websockets.connect(address, **options)))

    async def hello(self, grant: str, seat: str = "") -> Page:
        page = await self.open()
        await page.send("hello", grant=grant, seat=seat or f"seat-of-{id(page):024d}")
        return page

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        headers = bearer(key) if key else {}
        reply = await self.http.post(f"/api/v1{path}", json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def plan(self, *args: Any, key: str = KEY, **changes: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.post("/visits", {"appointment": r4(*args, **changes)}, key=key)
        return found

    async def grant(self, planned: dict[str, Any], role: str = "patient") -> str:
        """The grant that the first join link of that role is exchanged for."""
        url = next(link["join_url"] for link in planned["links"] if link["role"] == role)
        return str((await self.post("/join", {"handle": handle_of(url)}))["grant"])

    async def patient(self, planned: dict[str, Any], seat: str = "") -> Page:
        return await self.hello(await self.grant(planned), seat)

    async def doctor(self, planned: dict[str, Any], seat: str = "") -> Page:
        return await self.hello(await self.grant(planned, "practitioner"), seat)

    async def list(self, planned: dict[str, Any]) -> Page:
        return await self.hello(planned["grant"])

    async def together(self, planned: dict[str, Any]) -> tuple[Page, Page]:
        """Patient and doctor, admitted, with all of that read."""
        patient, doctor = await self.patient(planned), await self.doctor(planned)
        await patient.get("waiting")
        await doctor.send("admit", participant="p1")
        await patient.get("admitted")
        await doctor.get("admitted")
        for page in (patient, doctor):
            await page.settle()
            page.seen.clear()
        return patient, doctor

    async def state(self, planned: dict[str, Any]) -> str:
        return (await self.video.visits.get(planned["visit"])).state.value


class Serve:
    """Starts servers; ``await serve(video)``."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def __call__(self, video: VideoSdk) -> Server:
        options = server_options(video.settings) | {"timeout_graceful_shutdown": 1}
        config = uvicorn.Config(video, "127.0.0.1", 0, **options)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        assert server.started, "the server did not start"
        self._stack.push_async_callback(server.shutdown)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        http = await self._stack.enter_async_context(httpx2.AsyncClient(base_url=url))
        pages = await self._stack.enter_async_context(AsyncExitStack())
        return Server(video, url, http, pages)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:
        yield Serve(stack)


@pytest.fixture
async def server(serve: Serve, video: VideoSdk) -> Server:
    return await serve(video)
