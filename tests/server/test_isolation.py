"""Two servers in one process share nothing."""

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient
from tests.server.conftest import PATIENT_NAME, bearer, handle_of, new_video, r4
from tests.server.draining import drained

from vsdk.testing.fakes import FakeClock


async def test_visits_links_grants_and_lists_of_two_servers_are_apart(serve: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = await serve(new_video(tmp_path / "one" / "vsdk.sqlite3", FakeClock()))
    two = await serve(new_video(tmp_path / "two" / "vsdk.sqlite3", FakeClock()))
    planned = await one.plan()
    other = await two.plan("a9", patient="Someone Else")
    handle = handle_of(planned["links"][0]["join_url"])
    reply = await two.http.post("/api/v1/join", json={"handle": handle})
    assert reply.json()["code"] == "join-link-unknown"
    page = await two.hello(await one.grant(planned))
    assert (await page.next())["code"] == "grant-invalid"
    assert await page.closed() == 4401
    board = await two.list(other)
    await (await one.patient(planned)).get("waiting")
    await board.settle()
    assert PATIENT_NAME not in str(board.seen)
    assert planned["visit"] == other["visit"]  # predictable clocks: even then, nothing is mixed up
    assert await two.state(other) == "planned"


def test_messages_and_limits_of_two_servers_are_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    videos = [
        new_video(tmp_path / name / "vsdk.sqlite3", FakeClock(), exchanges_per_minute=2)
        for name in ("one", "two")
    ]
    with TestClient(videos[0]) as one, TestClient(videos[1]) as two:
        one.post("/api/v1/visits", json={"appointment": r4()}, headers=bearer())
        one.portal.call(videos[0].deadlines.report_due)  # type: ignore[union-attr]
        one.portal.call(drained, videos[0])  # type: ignore[union-attr]
        page = "/plugins/console_messages/messages"
        assert "/j#" in one.get(page).text
        assert "/j#" not in two.get(page).text
        for _ in range(3):
            last = one.post("/api/v1/join", json={"handle": "guess"})
        assert last.status_code == 429
        assert two.post("/api/v1/join", json={"handle": "guess"}).status_code == 404
