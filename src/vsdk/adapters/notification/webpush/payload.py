"""What a push says, as JSON for the page's service worker; pure functions.

``title`` and ``body`` are shown, ``url`` is opened on a click, ``lang`` says in which language, and ``tag``
makes a notification replace an older one of the same tag on the screen (WHATWG Notifications API).
"""

import re
import unicodedata

from vsdk.domain.errors import DeliveryFailed
from vsdk.hooks.json_text import write

LARGEST_BODY = 4096
"""bytes of a request that every push service takes (RFC 8030, 7.2)"""
OVERHEAD = 86 + 17
"""bytes that encryption adds: header with salt, record size and key (RFC 8188, 2.1), delimiter and tag"""
LARGEST_PAYLOAD = LARGEST_BODY - OVERHEAD

_LINK = re.compile(r"https?://[^\s<>\"']+")
_CUT = "…"
_JOINER = "\u200d"
_SKIN = range(0x1F3FB, 0x1F400)
"""what gives the emoji before it a colour"""


def payload(title: str, text: str, *, language: str, tag: str, largest: int = LARGEST_PAYLOAD) -> bytes:
    """The first link in ``text`` becomes ``url`` and is no longer in ``body``.

    Where it is too much, the body is cut, then the title, never the link. Raises DeliveryFailed
    ``push-too-large`` when the rest is too much still.
    """
    body, url = parted(text)
    parts = {"title": title, "body": body, "lang": language, "tag": tag}
    if url:
        parts["url"] = url
    parts = {name: value.encode(errors="replace").decode() for name, value in parts.items()}
    for name in ("body", "title"):
        parts[name] = parts[name][: largest + 1]  # a character takes a byte at least
        while (excess := len(write(parts)) - largest) > 0 and parts[name]:
            parts[name] = _shortened(parts[name], excess)
    written = write(parts)
    if len(written) > largest:
        raise DeliveryFailed("a push cannot hold this message", code="push-too-large")
    return written


def parted(text: str) -> tuple[str, str]:
    """The text without its first link, and the link; both may be empty."""
    found = _LINK.search(text)
    if not found:
        return text.strip(), ""
    url = found[0].rstrip(".,;:!?)")
    lines = (text[: found.start()] + text[found.start() + len(url) :]).splitlines()
    kept = [line.rstrip() for line in lines if any(c.isalnum() for c in line)]
    return "\n".join(kept).strip(), url


def _shortened(text: str, excess: int) -> str:
    """With at least ``excess`` bytes less, or empty; not cut within what people see as one character."""
    kept, removed = text.removesuffix(_CUT), 0
    while kept and (removed < excess + len(_CUT.encode()) or _goes_on(kept, text)):
        removed += len(write(kept[-1])) - 2
        kept = kept[:-1]
    return kept.rstrip() + _CUT if kept else ""


def _goes_on(kept: str, text: str) -> bool:
    """Whether the character after ``kept`` belongs to the last one of it."""
    following = text[len(kept) : len(kept) + 1] or " "
    return (
        _JOINER in (kept[-1], following)
        or ord(following) in _SKIN
        or unicodedata.category(following).startswith("M")
    )
