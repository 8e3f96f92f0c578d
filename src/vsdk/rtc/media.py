"""One media connection of the headless participant, on aiortc, as docs/protocol.md describes it.

aiortc neither trickles nor restarts ICE: what is sent is complete, after gathering, and an ICE restart of the
other side is answered but not followed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp

from vsdk.rtc.sdp import resolvable
from vsdk.rtc.tracks import MovingBars, Tone

OnState = Callable[[str], Awaitable[None]]
OnFrame = Callable[[str], None]


class MediaConnection:
    """A connection to one seat of one peer.

    ``on_state`` hears each new connectionState (W3C WebRTC 4.3.3), ``on_frame`` the kind of each frame.
    """

    def __init__(
        self,
        seat: str,
        epoch: int,
        ice_servers: Sequence[dict[str, Any]],
        on_state: OnState,
        on_frame: OnFrame,
    ) -> None:
        self.seat = seat
        self.epoch = epoch
        self.switched: dict[str, Any] = {}
        """what the other side last said of its microphone and camera"""
        self._on_frame = on_frame
        self._readers: set[asyncio.Task[None]] = set()
        self._control: RTCDataChannel | None = None
        self._sending = False
        # An empty list, not None: without one, aiortc would ask a public STUN server.
        servers = [RTCIceServer(s["urls"], s.get("username"), s.get("credential")) for s in ice_servers]
        self._pc = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._pc.on("track", self._read)

        async def state_changed() -> None:
            await on_state(self._pc.connectionState)

        self._pc.on("connectionstatechange", state_changed)

    @property
    def can_answer(self) -> bool:
        """Whether no offer of our own is open: the impolite side ignores one that collides with it."""
        return str(self._pc.signalingState) == "stable"

    async def offer(self) -> str:
        """The impolite side's first offer: audio, video, and a video section for a shared screen."""
        self._sending = True
        self._pc.addTransceiver(Tone(), direction="sendrecv")
        self._pc.addTransceiver(MovingBars(), direction="sendrecv")
        self._pc.addTransceiver("video", direction="inactive")
        self._open_control()
        await self._pc.setLocalDescription()
        return str(self._pc.localDescription.sdp)

    async def answer(self, offer: str) -> str:
        """Takes an offer, the first one or a later one, such as that of a screen to be shared."""
        await self._pc.setRemoteDescription(RTCSessionDescription(resolvable(offer), "offer"))
        for transceiver in self._pc.getTransceivers():
            if transceiver.direction == "inactive":
                transceiver.direction = "recvonly"
        if self._pc.sctp and self._control is None:
            self._open_control()
        if not self._sending:
            self._sending = True
            for kind, make in (("audio", Tone), ("video", MovingBars)):
                first = next((t for t in self._pc.getTransceivers() if t.kind == kind), None)
                if first:
                    first.sender.replaceTrack(make())
                    first.direction = "sendrecv"
        await self._pc.setLocalDescription()
        return str(self._pc.localDescription.sdp)

    async def answered(self, answer: str) -> None:
        """Takes the answer to our offer. One that nobody waits for is dropped."""
        if self._pc.signalingState == "have-local-offer":
            await self._pc.setRemoteDescription(RTCSessionDescription(resolvable(answer), "answer"))

    async def candidate(self, candidate: dict[str, Any] | None) -> None:
        """Takes an RTCIceCandidateInit.

        The end of candidates (None, or an empty one) is not passed on: aiortc would give up at once when all
        the others were ``.local`` names, although the browser's own checks are still to come.
        """
        line = (candidate or {}).get("candidate") or ""
        if candidate is None or not line or ".local " in line:
            return
        parsed = candidate_from_sdp(line.removeprefix("candidate:"))
        parsed.sdpMid = candidate.get("sdpMid")
        parsed.sdpMLineIndex = candidate.get("sdpMLineIndex")
        await self._pc.addIceCandidate(parsed)

    async def close(self) -> None:
        await self._pc.close()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def _open_control(self) -> None:
        control = self._pc.createDataChannel("ctl", negotiated=True, id=0)
        self._control = control

        def opened() -> None:
            control.send(json.dumps({"t": "media", "microphone": True, "camera": True}))

        def told(text: str) -> None:
            message = json.loads(text)
            if message.get("t") == "media":
                self.switched = message

        control.on("open", opened)
        control.on("message", told)

    def _read(self, track: MediaStreamTrack) -> None:
        reader = asyncio.create_task(self._count_frames(track))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def _count_frames(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
                self._on_frame(track.kind)
        except MediaStreamError:
            return
