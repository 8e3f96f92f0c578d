import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from vsdk.rtc.media import MediaConnection
from vsdk.rtc.tracks import MovingBars

LOCAL = "3f0e2c0e-0000-4000-8000-000000000000.local"
NAMED = f"candidate:9 1 udp 2122260223 {LOCAL} 50000 typ host"


class Side:
    def __init__(self) -> None:
        self.states: list[str] = []
        self.frames: Counter[str] = Counter()
        self.connected = asyncio.Event()
        self.media = MediaConnection("seat", 1, [], self._state, self._frame)

    async def _state(self, state: str) -> None:
        self.states.append(state)
        if state == "connected":
            self.connected.set()

    def _frame(self, kind: str) -> None:
        self.frames[kind] += 1


MakeSide = Callable[[], Side]


@pytest.fixture
async def side() -> AsyncIterator[MakeSide]:
    """Makes sides, and closes them whatever happens: aiortc's threads outlive a test that fails."""
    made: list[Side] = []

    def make() -> Side:
        made.append(Side())
        return made[-1]

    yield make
    for one in made:
        await one.media.close()
        assert one.states[-1:] in ([], ["closed"])


def trickled(sdp: str) -> tuple[str, list[dict[str, Any] | None]]:
    """An SDP as a browser sends it, and its candidates, which come later."""
    lines = sdp.splitlines()
    candidates = [line.removeprefix("a=") for line in lines if line.startswith("a=candidate:")]
    bare = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    later = [{"candidate": c, "sdpMid": "0", "sdpMLineIndex": 0} for c in dict.fromkeys(candidates)]
    return "\r\n".join(bare) + "\r\n", [*later, {"candidate": ""}, None]


@pytest.mark.parametrize("hidden", ["neither", "offerer", "answerer"])
async def test_candidates_may_come_later_and_one_side_may_hide_its_own(side: MakeSide, hidden: str) -> None:
    offerer, answerer = side(), side()
    named: list[dict[str, Any] | None] = [{"candidate": NAMED, "sdpMid": "0"}, None]
    offer, from_offerer = trickled(await offerer.media.offer())
    answer, from_answerer = trickled(await answerer.media.answer(offer))
    await offerer.media.answered(answer)
    for candidate in named if hidden == "offerer" else from_offerer:
        await answerer.media.candidate(candidate)
    for candidate in named if hidden == "answerer" else from_answerer:
        await offerer.media.candidate(candidate)
    async with asyncio.timeout(20):
        await asyncio.gather(offerer.connected.wait(), answerer.connected.wait())
        while not (offerer.frames["video"] and answerer.frames["audio"]):
            await asyncio.sleep(0.05)


async def test_an_offer_with_local_names_only_waits_for_better_candidates(side: MakeSide) -> None:
    offerer, answerer = side(), side()
    bare, later = trickled(await offerer.media.offer())
    hidden = bare.replace("a=mid:0\r\n", f"a=mid:0\r\na={NAMED}\r\na=end-of-candidates\r\n")
    assert LOCAL in hidden
    await offerer.media.answered(await answerer.media.answer(hidden))
    for candidate in later:
        await answerer.media.candidate(candidate)
    async with asyncio.timeout(20):
        await asyncio.gather(offerer.connected.wait(), answerer.connected.wait())


async def test_a_screen_that_is_shared_later_is_accepted(side: MakeSide) -> None:
    offerer, browser = side(), RTCPeerConnection()
    await browser.setRemoteDescription(RTCSessionDescription(await offerer.media.offer(), "offer"))
    await browser.setLocalDescription()
    await offerer.media.answered(browser.localDescription.sdp)
    screen = browser.getTransceivers()[2]
    before = screen.currentDirection
    screen.sender.replaceTrack(MovingBars())
    screen.direction = "sendonly"
    await browser.setLocalDescription()
    answer = await offerer.media.answer(browser.localDescription.sdp)
    await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    assert (before, screen.currentDirection) == ("inactive", "sendonly")
    await browser.close()


async def test_an_answer_that_nobody_waits_for_is_dropped(side: MakeSide) -> None:
    offerer, answerer = side(), side()
    answer = await answerer.media.answer(await offerer.media.offer())
    await offerer.media.answered(answer)
    assert offerer.media.can_answer
    await offerer.media.answered("v=0")


async def test_while_an_own_offer_is_open_no_other_can_be_answered(side: MakeSide) -> None:
    offerer = side()
    before = offerer.media.can_answer
    await offerer.media.offer()
    after = offerer.media.can_answer
    assert (before, after) == (True, False)
