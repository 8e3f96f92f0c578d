"""The list shows what became of messages, and a delay reaches the waiting room at once."""

from datetime import timedelta
from typing import Any

from tests.server.conftest import KEY, OTHER_KEY, bearer
from tests.server.sending import Channels

from vsdk.testing.factories import NOON

LATER = NOON + timedelta(hours=3)


async def send(server: Any, planned: dict[str, Any], template: str = "invitation") -> None:
    await server.post(f"/visits/{planned['visit']}/messages", {"template": template}, key=KEY)


async def delay(server: Any, planned: dict[str, Any], minutes: int) -> None:
    await server.post(f"/visits/{planned['visit']}/delay", {"minutes": minutes}, key=KEY)


async def test_each_entry_says_what_was_sent_last_and_lives(server: Any) -> None:
    Channels(server.video)
    planned = await server.plan(start=LATER)
    board = await server.list(planned)
    entries = await board.queue(lambda entries: bool(entries))
    assert entries[0]["messages"] == {"total": 0, "latest": None, "problem": None}
    await send(server, planned)
    (entry,) = await board.queue(lambda entries: entries[0]["messages"]["total"] == 1)
    (entry,) = await board.queue(lambda entries: entries[0]["messages"]["latest"]["state"] == "sent")
    latest = {"template": "invitation", "state": "sent", "at": entry["messages"]["latest"]["at"]}
    assert entry["messages"] == {"total": 1, "latest": latest, "problem": None}
    assert entry["delay_minutes"] == 0


async def test_what_was_given_up_is_a_problem_until_it_was_made_good(server: Any) -> None:
    channels = Channels(server.video)
    channels.refuse()
    planned = await server.plan(start=LATER)
    other = await server.plan("b1", start=LATER, key=OTHER_KEY)
    board, others = await server.list(planned), await server.list(other)
    await send(server, planned)
    (entry,) = await board.queue(lambda entries: entries[0]["messages"]["problem"] == "number-invalid")
    assert entry["messages"]["latest"]["state"] == "failed"
    assert [m["given_up"] for m in board.seen if m["type"] == "queue"][-1] == 1
    channels.failure = None
    await send(server, planned, "link-at-time")
    await board.queue(lambda entries: entries[0]["messages"]["problem"] is None)
    letters = (await server.http.get("/api/v1/outbox", headers=bearer())).json()["entries"]
    await server.http.post(f"/api/v1/outbox/{letters[0]['id']}/drop", headers=bearer())
    while [m["given_up"] for m in board.seen if m["type"] == "queue"][-1]:
        await board.get("queue")
    await others.settle()
    assert {m["given_up"] for m in others.seen if m["type"] == "queue"} == {0}


async def test_a_delay_reaches_the_waiting_room_and_the_list_at_once(server: Any) -> None:
    planned = await server.plan()
    board, patient, doctor = (
        await server.list(planned),
        await server.patient(planned),
        await server.doctor(planned),
    )
    assert (await patient.get("waiting"))["delay_minutes"] == 0
    await delay(server, planned, 20)
    assert (await patient.get("waiting"))["delay_minutes"] == 20
    await board.queue(lambda entries: entries[0]["delay_minutes"] == 20)
    (entry,) = await doctor.queue(lambda entries: entries[0]["delay_minutes"] == 20)
    assert entry["messages"] is None
    await delay(server, planned, 0)
    assert (await patient.get("waiting"))["delay_minutes"] == 0
    await board.queue(lambda entries: entries[0]["delay_minutes"] == 0)


async def test_whoever_comes_later_reads_of_the_delay_too(server: Any) -> None:
    planned = await server.plan()
    await delay(server, planned, 15)
    assert (await (await server.patient(planned)).get("waiting"))["delay_minutes"] == 15
