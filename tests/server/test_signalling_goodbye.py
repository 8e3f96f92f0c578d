"""What a browser says just before it goes is heard, whatever the server was telling it meanwhile."""

import asyncio
from typing import Any

import pytest
from tests.server.test_signalling_interruption import both


async def test_a_goodbye_ends_the_visit_though_its_socket_is_closed_already(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server still works on an earlier message, and what it then tells cannot be delivered."""
    _, patient, doctor = await both(server)
    get = server.video.visits.get

    async def slowly(visit_id: Any) -> Any:
        await asyncio.sleep(0.5)
        return await get(visit_id)

    monkeypatch.setattr(server.video.visits, "get", slowly)
    await doctor.send("interruption", state="begin", cause="hidden", kinds=["video"])
    await doctor.send("bye")
    await doctor.socket.close()
    ended = await patient.get("ended")
    assert ended["by"] == "practitioner"
