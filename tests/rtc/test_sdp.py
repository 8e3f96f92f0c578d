import hashlib

import pytest
from aiortc import RTCPeerConnection
from hypothesis import given
from hypothesis import strategies as st

from vsdk.domain.errors import UsageError
from vsdk.rtc.media import MediaConnection
from vsdk.rtc.sdp import check_sdp


def fingerprint(algorithm: str = "sha256", name: str = "sha-256") -> str:
    raw = hashlib.new(algorithm, b"certificate").hexdigest().upper()
    return f"a=fingerprint:{name} " + ":".join(raw[n : n + 2] for n in range(0, len(raw), 2))


STRONG, WEAK = fingerprint(), fingerprint("sha1", "sha-1")


def transport(mid: int) -> list[str]:
    return [
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=ice-ufrag:Zk3p",
        "a=ice-pwd:u0T2mN1xkq9sLwVb7yRdEJfa",
        "a=ice-options:trickle",
        STRONG,
        "a=setup:actpass",
        f"a=mid:{mid}",
    ]


CHROMIUM = [
    "v=0",
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1 2 3",
    "a=extmap-allow-mixed",
    "a=msid-semantic: WMS 5b6c1d0a-7f0e-4b62-9f43-52f1f0a3c0de",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
    *transport(0),
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=sendrecv",
    "a=msid:5b6c1d0a-7f0e-4b62-9f43-52f1f0a3c0de 0f1d",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 39",
    *transport(1),
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=rtpmap:96 VP8/90000",
    "a=rtcp-fb:96 nack pli",
    "a=ssrc-group:FID 2231627014 632943048",
    "m=video 0 UDP/TLS/RTP/SAVPF 96 97 39",
    *transport(2),
    "a=bundle-only",
    "a=inactive",
    "a=rtcp-mux",
    "a=rtpmap:96 VP8/90000",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    *transport(3),
    "a=sctp-port:5000",
    "a=max-message-size:262144",
]
MINIMAL = ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", STRONG]


def joined(lines: list[str], end: str = "\r\n") -> str:
    return end.join(lines) + end


def code_of(sdp: str) -> str:
    with pytest.raises(UsageError) as caught:
        check_sdp(sdp)
    return caught.value.code


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("lines", [CHROMIUM, MINIMAL])
def test_an_encrypted_offer_passes(lines: list[str], end: str) -> None:
    check_sdp(joined(lines, end))
    check_sdp(end.join(lines))


async def test_offers_and_answers_of_aiortc_pass() -> None:
    async def on_state(_: str) -> None: ...

    sides = [MediaConnection("seat", 1, [], on_state, lambda kind: None) for _ in range(2)]
    offer = await sides[0].offer()
    answer = await sides[1].answer(offer)
    plain = RTCPeerConnection()
    plain.createDataChannel("chat")
    only_data = (await plain.createOffer()).sdp
    for sdp in (offer, answer, only_data):
        check_sdp(sdp)
        assert (
            code_of("\r\n".join(x for x in sdp.splitlines() if "fingerprint" not in x)) == "sdp-unencrypted"
        )
    await plain.close()
    for side in sides:
        await side.close()


@pytest.mark.parametrize(
    "profile", ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/RTP/AVP"]
)
def test_any_other_profile_is_refused_in_any_section(profile: str) -> None:
    for number, line in enumerate(CHROMIUM):
        if line.startswith("m="):
            kind, port, _, *formats = line.split()
            changed = [*CHROMIUM[:number], " ".join([kind, port, profile, *formats]), *CHROMIUM[number + 1 :]]
            assert code_of(joined(changed)) == "sdp-unencrypted"


def test_each_section_needs_a_fingerprint() -> None:
    unbundled = [line for line in CHROMIUM if not line.startswith("a=group")]
    check_sdp(joined(unbundled))
    places = [number for number, line in enumerate(unbundled) if line == STRONG]
    assert len(places) == 4
    for place in places:
        assert code_of(joined([*unbundled[:place], *unbundled[place + 1 :]])) == "sdp-unencrypted"


def test_a_fingerprint_of_the_session_counts_for_sections_that_have_none() -> None:
    bare = [line for line in CHROMIUM if line != STRONG]
    assert code_of(joined(bare)) == "sdp-unencrypted"
    check_sdp(joined(["v=0", STRONG, *bare[1:]]))
    assert code_of(joined(["v=0", WEAK, *bare[1:]])) == "sdp-unencrypted"
    assert code_of(joined(["v=0", STRONG, *MINIMAL[1:2], WEAK])) == "sdp-unencrypted"


def test_bundled_sections_take_the_fingerprint_of_the_first_one_of_their_group() -> None:
    def only(mid: int, group: str) -> str:
        section, kept = -1, []
        for line in CHROMIUM:
            section += line.startswith("m=")
            if line != STRONG or section == mid:
                kept.append(group if line.startswith("a=group") else line)
        return joined(kept)

    check_sdp(only(0, "a=group:BUNDLE 0 1 2 3"))
    for refused in (
        only(1, "a=group:BUNDLE 0 1 2 3"),
        only(0, "a=group:BUNDLE 0 1 2"),
        only(0, "a=group:LS 0 1 2 3"),
        only(0, "a=group:BUNDLE"),
        only(0, "a=group:BUNDLE 9 0 1 2 3"),
        only(0, "a=group:"),
    ):
        assert code_of(refused) == "sdp-unencrypted"


def test_a_rejected_section_needs_no_fingerprint_but_the_right_profile() -> None:
    check_sdp(joined([*MINIMAL, "m=video 0 UDP/TLS/RTP/SAVPF 96", "a=inactive"]))
    assert code_of(joined([*MINIMAL, "m=video 0 RTP/AVP 96"])) == "sdp-unencrypted"
    only_bundled = [*MINIMAL, "m=video 0 UDP/TLS/RTP/SAVPF 96", "a=bundle-only"]
    assert code_of(joined(only_bundled)) == "sdp-unencrypted"


@pytest.mark.parametrize(
    ("line", "passes"),
    [
        (fingerprint("sha256", "SHA-256"), True),
        (fingerprint("sha384", "sha-384"), True),
        (fingerprint("sha512", "sha-512"), True),
        (STRONG.lower(), True),
        (WEAK, False),
        (fingerprint("sha224", "sha-224"), False),
        (fingerprint("md5", "md5"), False),
        (fingerprint("sha1", "sha-256"), False),
        (STRONG + ":00", False),
        (STRONG.replace(":", "", 1), False),
        (STRONG[:-1] + "G", False),
        ("a=fingerprint:sha-256", False),
        ("a=fingerprint", False),
    ],
)
def test_the_fingerprint_is_sha_256_or_stronger_and_whole(line: str, passes: bool) -> None:
    sdp = joined([*MINIMAL[:2], line])
    if passes:
        check_sdp(sdp)
    else:
        assert code_of(sdp) == "sdp-unencrypted"


def test_one_strong_fingerprint_among_several_is_enough() -> None:
    check_sdp(joined([*MINIMAL[:2], WEAK, STRONG]))


def test_keys_in_the_sdp_are_refused() -> None:
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
    assert code_of(joined([*MINIMAL, key])) == "sdp-unencrypted"


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ["v=0"],
        ["v=1", *MINIMAL[1:]],
        MINIMAL[1:],
        [*MINIMAL, "", "a=mid:0"],
        [*MINIMAL, "nonsense"],
        [*MINIMAL, "A=mid:0"],
        [*MINIMAL, "a=mid:0\rm=audio 9 RTP/AVP 0"],
        [*MINIMAL, "a=mid:\0"],
        ["v=0", "m=audio", STRONG],
        ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF", STRONG],
        ["v=0", "m=audio nine UDP/TLS/RTP/SAVPF 111", STRONG],
        ["v=0", "m=audio 999999 UDP/TLS/RTP/SAVPF 111", STRONG],
        ["v=0", "m=audio 9  UDP/TLS/RTP/SAVPF 111", STRONG],
    ],
)
def test_what_is_no_sdp_is_malformed(lines: list[str]) -> None:
    assert code_of(joined(lines)) == "sdp-malformed"


def test_a_separator_that_only_python_knows_does_not_hide_a_line() -> None:
    for separator in "\x0b\x0c\x1c\x85\u2028":
        check_sdp(joined([*MINIMAL, f"a=note:x{separator}m=audio 9 RTP/AVP 0"]))
        assert code_of(joined([*MINIMAL[:2], f"a=note:x{separator}{STRONG}"])) == "sdp-unencrypted"


def test_the_error_shows_nothing_of_the_sdp() -> None:
    with pytest.raises(UsageError) as caught:
        check_sdp(joined(["v=0", "s=Erika-Markername", "m=audio 9 RTP/AVP 0"]))
    assert "Markername" not in str(caught.value)


WORDS = st.sampled_from(
    [*CHROMIUM, STRONG, WEAK, "a=mid:0", "m=audio 9 RTP/AVP 0", "a=group:BUNDLE", "m=", ""]
)


@given(st.one_of(st.text(), st.lists(st.one_of(WORDS, st.text(max_size=20)), max_size=30).map(joined)))
def test_whatever_comes_nothing_but_a_usage_error_is_raised(sdp: str) -> None:
    try:
        check_sdp(sdp)
    except UsageError as error:
        assert error.code in ("sdp-malformed", "sdp-unencrypted")  # noqa: PT017


@given(st.lists(WORDS, max_size=30), st.lists(WORDS, max_size=30))
def test_a_plain_section_is_refused_wherever_it_stands(before: list[str], after: list[str]) -> None:
    assert code_of(joined(["v=0", *before, "m=audio 9 RTP/AVP 0", *after])) in (
        "sdp-malformed",
        "sdp-unencrypted",
    )
