"""WebRTC on the server's side: relay credentials, what may pass as an SDP, and a headless participant.

Media never passes through here. `vsdk.rtc.ice` and `vsdk.rtc.sdp` need the standard library only;
`vsdk.rtc.peer` needs aiortc (``pip install vsdk[rtc]``) and loads it when a peer is started.
"""
