"""Names, numbers and reasons reach those who may see them and nobody else: no log, address, header, error."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import websockets
from tests.server.conftest import OTHER_KEY, XVER, Page, bearer, handle_of, rows
from tests.server.draining import drained

from vsdk.server import logs
from vsdk.testing.factories import NOON

NAME, DOCTOR = "Nina-Name-Marker", "Dora-Doctor-Marker"
PHONE, EMAIL, REASON = "+491719876543", "mail-marker@example.org", "reason-marker"
SECRETS = (NAME, PHONE, PHONE[3:], EMAIL, REASON)

APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "contained": [
        {
            "resourceType": "Patient",
            "id": "patient",
            "name": [{"text": NAME}],
            "telecom": [{"system": "phone", "value": PHONE}, {"system": "email", "value": EMAIL}],
        }
    ],
    "serviceType": [{"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}]}],
    "reasonCode": [{"text": REASON}],
    "reason": [{"concept": {"text": REASON}}],
    "description": REASON,
    "comment": REASON,
    "note": [{"text": REASON}],
    "patientInstruction": REASON,
    "start": NOON.isoformat(),
    "end": (NOON + timedelta(minutes=20)).isoformat(),
    "participant": [
        {"actor": {"reference": "#patient", "display": NAME}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/1", "display": DOCTOR}, "status": "accepted"},
    ],
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the process logs, down to DEBUG, as ``vsdk serve`` would print it."""
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(n) for n in ("uvicorn.error", *logs._QUIET))]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    stream = io.StringIO()
    logs.configure(stream, logging.DEBUG)
    yield stream
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


class Recorder:
    """Plays all parts over HTTP and keeps every address, header and body."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.addresses: list[str] = []
        self.headers: list[str] = []
        self.errors: list[str] = []

    async def __call__(self, method: str, path: str, **options: Any) -> Any:
        reply = await self.server.http.request(method, path, **options)
        self.addresses.append(f"{reply.request.url} {reply.headers.get('location', '')}")
        self.headers.append(str(reply.headers))
        if reply.status_code >= 400:
            self.errors.append(reply.text)
        return reply


async def story(server: Any) -> tuple[Recorder, dict[str, Page]]:
    """Planned, joined, admitted, connected, lost, ended, invited back, cancelled; and many mistakes."""
    call = Recorder(server)
    body = {"appointment": APPOINTMENT}
    planned = (await call("POST", "/api/v1/visits", json=body, headers=bearer())).json()
    path = "/fhir/R4/Appointment/a1"
    await call("PUT", path, json=APPOINTMENT, headers=bearer() | {"If-Match": 'W/"9"'})
    await call("PUT", path, json=APPOINTMENT | {"status": REASON}, headers=bearer())
    await call("PUT", path, json=APPOINTMENT | {"start": NAME}, headers=bearer())
    await call("PUT", path, json=APPOINTMENT | {"id": REASON}, headers=bearer())
    await call("PUT", "/fhir/R4/Appointment/a1", content=f'{{"x": "{NAME}', headers=bearer())
    await call("POST", "/api/v1/visits", json={"appointment": NAME, "fhir_version": REASON}, headers=bearer())
    await call("POST", "/api/v1/join", json={"handle": NAME})
    await call("POST", "/api/v1/sign-in", json={"practice": NAME, "params": {"code": NAME}})
    await call("GET", "/fhir/R4/Appointment/a1", headers=bearer(OTHER_KEY))
    pages: dict[str, Page] = {"list": await server.list(planned)}
    for link in planned["links"]:
        handle = handle_of(link["join_url"])
        await call("GET", "/j")
        await call("POST", "/api/v1/join/preview", json={"handle": handle})
        grant = (await call("POST", "/api/v1/join", json={"handle": handle})).json()["grant"]
        pages[link["role"]] = await server.hello(grant)
    patient, doctor = pages["patient"], pages["practitioner"]
    await patient.get("waiting")
    await patient.socket.send(f'{{"type": "{NAME}", "id": "1"}}')
    await patient.socket.send(f'{{"type": "offer", "to": "{NAME}", "epoch": "{REASON}"')
    await patient.send("check", camera=NAME, microphone=REASON, connection=PHONE)
    await patient.settle()
    await doctor.send("admit", participant="p1")
    await patient.get("admitted")
    await doctor.get("admitted")
    await patient.send("offer", to="p2", epoch=1, sdp=f"v=0\r\ns={REASON}\r\nm=audio 9 RTP/AVP 0\r\n")
    assert (await patient.get("error"))["code"] == "sdp-unencrypted"
    for page in (patient, doctor):
        await page.send("connected")
        await page.settle()
    patient.socket.transport.abort()
    await doctor.get("lost")
    await doctor.send("bye")
    await doctor.closed()
    await pages["list"].send("invite", visit=planned["visit"], participant="p1")
    await pages["list"].settle()
    await drained(server.video)
    await call(
        "POST",
        "/api/v1/visits",
        json={"appointment": APPOINTMENT | {"status": "cancelled"}},
        headers=bearer(),
    )
    await drained(server.video)
    return call, pages


async def test_a_whole_visit_leaves_no_trace_of_who_and_why(
    server: Any, database: Path, log: io.StringIO
) -> None:
    call, pages = await story(server)
    text = log.getvalue()
    assert "visit changed" in text
    assert all(json.loads(line) for line in text.splitlines())
    handles = [page["grant"] for p in pages.values() for page in p.seen if page["type"] == "grant"]
    for where, what in (
        ("log", text),
        ("addresses", "\n".join(call.addresses)),
        ("headers", "\n".join(call.headers)),
        ("errors", "\n".join(call.errors)),
        ("database", str({k: v for k, v in rows(database).items() if k != "appointment"})),
    ):
        for secret in (*SECRETS, DOCTOR, *handles):
            assert secret not in what, (where, secret)
    assert len(call.errors) == 9
    assert NAME in str(rows(database)["appointment"])


async def test_names_go_only_to_those_who_may_see_them_and_reasons_to_nobody(server: Any) -> None:
    _, pages = await story(server)
    for role, page in pages.items():
        seen = json.dumps(page.seen)
        for secret in (PHONE, EMAIL, REASON):
            may_call = (role, secret) == ("practitioner", PHONE)
            assert may_call or secret not in seen, (role, secret)
    numbers = [m["type"] for m in pages["practitioner"].seen if PHONE in json.dumps(m)]
    assert set(numbers) == {"queue"}, "D11: whoever lets people in can phone them when the line breaks"
    told = [m["type"] for m in pages["practitioner"].seen if NAME in json.dumps(m)]
    assert set(told) == {"queue", "admitted"}
    assert {m["type"] for m in pages["patient"].seen if NAME in json.dumps(m)} == {"welcome"}


async def test_a_website_address_in_the_log_is_no_persons(server: Any, log: io.StringIO) -> None:
    await (await server.open()).socket.close()
    with pytest.raises(websockets.InvalidStatus):
        await server.open(origin="https://evil.example")
    assert "127.0.0.1" not in log.getvalue()
    assert "WebSocket" in log.getvalue()


async def test_a_crash_is_logged_with_its_place_and_without_its_message(
    server: Any, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = await server.plan()
    page = await server.patient(planned)
    await page.get("waiting")

    async def crash(*_: object, **__: object) -> None:
        raise ValueError(NAME)

    monkeypatch.setattr(server.video.scheduling, "schedule", crash)
    monkeypatch.setattr(server.video.visits, "get", crash)
    reply = await server.http.post("/api/v1/visits", json={"appointment": APPOINTMENT}, headers=bearer())
    assert (reply.status_code, reply.json()["code"]) == (500, "internal-error")
    await page.send("check", camera="good", microphone="good", connection="good", id="c")
    error = await page.get("error")
    assert (error["code"], error["ref"]) == ("internal-error", "c")
    text = log.getvalue()
    assert NAME not in reply.text + json.dumps(page.seen[1:]) + text
    crashes = [json.loads(line) for line in text.splitlines() if "ValueError" in line]
    assert {line["logger"] for line in crashes} == {"uvicorn.error", "vsdk.server.signalling"}
    assert all(any(place.startswith("crash:") for place in line["at"]) for line in crashes)


async def test_effects_that_fail_are_logged_without_what_they_carried(
    server: Any, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    async def crash(message: Any) -> None:
        raise ValueError(f"{message.recipient} {message.text}")

    for registered in server.video.registry.channels:
        monkeypatch.setattr(registered.channel, "deliver", crash)
    await server.post("/visits", {"appointment": APPOINTMENT}, key="park-key-0123456789")
    async with asyncio.timeout(5):
        while "effect failed" not in log.getvalue():
            await asyncio.sleep(0.05)
    kept = str({k: v for k, v in rows(database).items() if k != "appointment"})
    for secret in (*SECRETS, DOCTOR, "/j#"):
        assert secret not in log.getvalue()
        assert secret not in kept


async def test_the_link_in_the_appointment_is_the_only_handle_in_the_database(
    server: Any, database: Path
) -> None:
    planned = await server.plan()
    await server.patient(planned)
    await drained(server.video)
    for link in planned["links"]:
        assert handle_of(link["join_url"]) not in str(rows(database))
    assert XVER not in str(rows(database)["visit"])
