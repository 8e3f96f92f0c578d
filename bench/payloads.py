"""Messages of about 1 KB, as two browsers exchange them."""

import json

_FINGERPRINT = ":".join(["A5"] * 32)
_SDP = [
    "v=0",
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1 2",
    "a=msid-semantic: WMS",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:4ZcD",
    "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlCk",
    f"a=fingerprint:sha-256 {_FINGERPRINT}",
    "a=setup:actpass",
    "a=mid:0",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=rtcp-fb:111 transport-cc",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:4ZcD",
    "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlCk",
    f"a=fingerprint:sha-256 {_FINGERPRINT}",
    "a=setup:actpass",
    "a=mid:1",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtpmap:96 VP8/90000",
    "a=rtcp-fb:96 goog-remb",
    "a=rtcp-fb:96 transport-cc",
    "a=rtcp-fb:96 ccm fir",
    "a=rtcp-fb:96 nack",
    "a=rtcp-fb:96 nack pli",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=mid:2",
    "a=sctp-port:5000",
]
_CANDIDATE = (
    "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 192.0.2.17 rport 46154 "
    "generation 0 ufrag 4ZcD network-id 1 network-cost 10 "
)
_LONG = 700
"""A browser's candidate has about 150 characters; this one is padded, so that both messages weigh alike."""

KINDS = ("ice", "offer")


def message(kind: str, to: str) -> str:
    """One of `KINDS`, valid by docs/protocol.md."""
    body: dict[str, object] = {"type": kind, "to": to, "epoch": 1}
    if kind == "offer":
        body["sdp"] = "\r\n".join(_SDP) + "\r\n"
    else:
        padded = (_CANDIDATE + "extension value " * 60)[: len(_CANDIDATE) + _LONG].strip()
        body["candidate"] = {
            "candidate": padded,
            "sdpMid": "0",
            "sdpMLineIndex": 0,
            "usernameFragment": "4ZcD",
        }
    return json.dumps(body)
