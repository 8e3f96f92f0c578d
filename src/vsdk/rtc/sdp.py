"""What may pass as an offer or an answer: only media that DTLS encrypts from end to end.

RFC 8827 § 6.5: DTLS-SRTP for every media channel, no keys in the SDP (SDES). RFC 8122 § 5: the fingerprint,
per session or per media section. RFC 9143 § 7: a section of a BUNDLE group takes it from the first section of
the group. The rest of the SDP is the browsers' business and is not read.
"""

import re
from dataclasses import dataclass, field

from vsdk.domain.errors import UsageError

PROFILES = frozenset({"UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP"})
_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_LINE = re.compile(r"[a-z]=[^\r\0]*")
_MEDIA = re.compile(r"m=[!-~]+ (?P<port>[0-9]+)(/[0-9]+)? (?P<profile>[!-~]+)( [!-~]+)+ *")
_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")


@dataclass(slots=True)
class _Section:
    """The session part of an SDP (``profile`` is empty), or one of its media sections."""

    profile: str = ""
    port: int = 0
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    @property
    def rejected(self) -> bool:
        """Port 0 turns a section off (RFC 3264 § 6), unless it lives on another one's port (RFC 9143)."""
        return self.port == 0 and not self.values("bundle-only")


def check_sdp(sdp: str) -> None:
    """Raises UsageError: ``sdp-malformed``, or ``sdp-unencrypted`` when a media section is not protected."""
    session, sections = _parse(sdp)
    first = {mid: section for section in reversed(sections) for mid in section.values("mid")}
    leaders: dict[str, _Section] = {}
    for group in session.values("group"):
        kind, *mids = group.split() or [""]
        if kind == "BUNDLE" and mids and mids[0] in first:
            leaders.update(dict.fromkeys(mids, first[mids[0]]))
    for section in sections:
        if section.profile not in PROFILES:
            raise _unencrypted("a media section has a profile without DTLS")
        if section.values("crypto"):
            raise _unencrypted("a media section has its keys in the SDP")
        mid = next(iter(section.values("mid")), "")
        if not section.rejected and not _fingerprinted(section, leaders.get(mid), session):
            raise _unencrypted("a media section has no DTLS fingerprint of SHA-256 or stronger")


def resolvable(sdp: str) -> str:
    """Without ``.local`` candidates (multicast DNS), and then without the claim that the list is complete."""
    lines = sdp.splitlines()
    kept = [line for line in lines if not (line.startswith("a=candidate:") and ".local " in line)]
    if len(kept) < len(lines):
        kept = [line for line in kept if line != "a=end-of-candidates"]
    return "\r\n".join(kept) + "\r\n"


def _parse(sdp: str) -> tuple[_Section, list[_Section]]:
    lines = [line.removesuffix("\r") for line in sdp.removesuffix("\n").split("\n")]
    if lines[0] != "v=0":
        raise _malformed("it does not begin with v=0")
    session = current = _Section()
    sections: list[_Section] = []
    for line in lines:
        if not _LINE.fullmatch(line):
            raise _malformed("a line is not of the form x=…")
        if line.startswith("m="):
            media = _MEDIA.fullmatch(line)
            if media is None or len(media["port"]) > 5:
                raise _malformed("a media line cannot be read")
            current = _Section(media["profile"], int(media["port"]))
            sections.append(current)
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            current.attributes.append((name.lower(), value))
    if not sections:
        raise _malformed("it has no media section")
    return session, sections


def _fingerprinted(section: _Section, leader: _Section | None, session: _Section) -> bool:
    """The most specific level that has fingerprints at all is the one that counts."""
    for level in (section, leader, session):
        if level and (found := level.values("fingerprint")):
            return any(_strong(fingerprint) for fingerprint in found)
    return False


def _strong(fingerprint: str) -> bool:
    algorithm, _, digest = fingerprint.strip().partition(" ")
    length = _BYTES.get(algorithm.lower())
    return length is not None and len(digest) == 3 * length - 1 and _PAIRS.fullmatch(digest) is not None


def _malformed(why: str) -> UsageError:
    return UsageError(f"the SDP is malformed: {why}", code="sdp-malformed")


def _unencrypted(why: str) -> UsageError:
    return UsageError(f"the SDP was not passed on: {why}", code="sdp-unencrypted")
