import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from vsdk.domain.errors import PartnerError
from vsdk.rtc.peer import HeadlessPeer

LIMIT = 20
"""seconds within which two peers have to see each other"""


@asynccontextmanager
async def two_in_a_visit(relay: Any) -> AsyncIterator[tuple[HeadlessPeer, HeadlessPeer]]:
    async with (
        asyncio.timeout(LIMIT),
        HeadlessPeer(relay.url, "patient") as patient,
        HeadlessPeer(relay.url, "doctor") as doctor,
    ):
        await patient.waiting()
        person = await doctor.someone_waits()
        await doctor.admit(person["participant"])
        await asyncio.gather(patient.admitted(), doctor.admitted())
        yield patient, doctor


@pytest.mark.parametrize("impolite", ["doctor", "patient"])
async def test_two_peers_see_and_hear_each_other(relay: Any, impolite: str) -> None:
    relay.impolite = impolite
    async with two_in_a_visit(relay) as (patient, doctor):
        await asyncio.gather(patient.connected(), doctor.connected())
        for peer in (patient, doctor):
            frames = await peer.sees_and_hears()
            assert frames["audio"] > 0
            assert frames["video"] > 0
        for peer in (patient, doctor):
            [connection] = peer.media.values()
            while not connection.switched:
                await asyncio.sleep(0.05)
            assert connection.switched == {"t": "media", "microphone": True, "camera": True}

    polite = "patient" if impolite == "doctor" else "doctor"
    [offer], [answer] = relay.of(impolite, "offer"), relay.of(polite, "answer")
    assert (offer["epoch"], answer["epoch"]) == (1, 1)
    assert relay.of(polite, "offer") == relay.of(impolite, "answer") == []
    sections = [line.split()[0] for line in offer["sdp"].splitlines() if line.startswith("m=")]
    assert sections == ["m=audio", "m=video", "m=video", "m=application"]
    directions = [line for line in answer["sdp"].splitlines() if line in ("a=sendrecv", "a=inactive")]
    assert directions == ["a=sendrecv", "a=sendrecv", "a=inactive"]
    for name in ("doctor", "patient"):
        assert len(relay.of(name, "connected")) == 1


async def test_hanging_up_ends_it_for_both(relay: Any) -> None:
    async with two_in_a_visit(relay) as (patient, doctor):
        await doctor.connected()
        await doctor.hang_up()
        await patient.ended()
        await doctor.ended()
        assert doctor.close_code == 1000


async def test_the_same_seat_again_changes_nothing_and_a_new_one_starts_anew(relay: Any) -> None:
    async with two_in_a_visit(relay) as (patient, doctor):
        await asyncio.gather(patient.connected(), doctor.connected())
        before = doctor.media["patient"]
        await relay.announce()
        await relay.send("doctor", type="error", code="mark", detail="…", ref=None)
        while not doctor.errors:
            await asyncio.sleep(0.01)
        assert doctor.media["patient"] is before

        async with HeadlessPeer(relay.url, "patient") as reloaded:
            await reloaded.welcomed()
            await relay.announce()
            await reloaded.sees_and_hears()
            assert doctor.media["patient"] is not before
            assert doctor.media["patient"].seat == reloaded.seat


async def test_messages_of_an_older_epoch_are_dropped_and_a_higher_one_rebuilds(relay: Any) -> None:
    async with two_in_a_visit(relay) as (patient, doctor):
        await asyncio.gather(patient.connected(), doctor.connected())
        before = patient.media["doctor"]
        [offer] = relay.of("doctor", "offer")
        stale = offer | {"from": "doctor", "epoch": 0, "sdp": "v=0"}
        await relay.send("patient", **stale)
        await relay.send("patient", **offer | {"from": "doctor", "epoch": 2})
        while len(relay.of("patient", "answer")) < 2:
            await asyncio.sleep(0.05)
        assert [answer["epoch"] for answer in relay.of("patient", "answer")] == [1, 2]
        assert patient.media["doctor"] is not before


async def test_a_refused_grant_is_an_error_with_the_code_of_the_server(relay: Any) -> None:
    async with asyncio.timeout(LIMIT), HeadlessPeer(relay.url, "nobody") as peer:
        with pytest.raises(PartnerError) as caught:
            await peer.welcomed()
        assert caught.value.code == "grant-invalid"
        assert peer.close_code == 4401


async def test_a_newer_grant_replaces_the_older_one(relay: Any) -> None:
    async with asyncio.timeout(LIMIT), HeadlessPeer(relay.url, "patient", seat="s" * 16) as peer:
        await peer.waiting()
        await relay.send("patient", type="grant", grant="newer", expires="…")
        await relay.send("patient", type="something-new")
        await relay.send("patient", type="ended", by="practice", come_back_until=None)
        await peer.ended()
        assert peer.grant == "newer"
    assert relay.of("patient", "hello")[0]["seat"] == "s" * 16


async def test_no_public_server_is_asked_for_candidates(relay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def default() -> list[Any]:
        raise AssertionError("aiortc falls back on its public STUN server")

    monkeypatch.setattr("aiortc.rtcicetransport.RTCIceGatherer.getDefaultIceServers", default)
    async with two_in_a_visit(relay) as (_, doctor):
        await doctor.connected()
        [offer] = relay.of("doctor", "offer")
        assert "typ host" in offer["sdp"]
        assert "typ srflx" not in offer["sdp"]


@pytest.mark.parametrize("module", ["vsdk.rtc", "vsdk.rtc.ice", "vsdk.rtc.sdp", "vsdk.rtc.peer"])
def test_importing_does_not_load_aiortc(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('aiortc', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
