"""How long an SMS is, and the same words in fewer parts; pure functions.

Alphabets and lengths are those of 3GPP TS 23.038 (6.2.1, the default alphabet; 6.2.1.1, its extension table;
6.2.3, UCS2) and of concatenated messages in TS 23.040 (9.2.3.24.1): 160 septets in one message and 153 in
each of several, or 70 and 67 units of UTF-16.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""characters that are written as an escape and another one: two septets"""

_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_PART = {"GSM-7": 153, "UCS-2": 67}
_LINK = re.compile(r"(https?://\S+)")
_TYPOGRAPHIC = str.maketrans(
    dict.fromkeys("‘’‚‛′´`‹›", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " ")
    | dict.fromkeys("\u202f\u205f\u3000", " ")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "")
    | {"…": "...", "•": "-", "·": "-", "×": "x"}
)
_LETTERS = {
    "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Ħ": "H", "ħ": "h", "ı": "i", "Œ": "OE",
    "œ": "oe", "Þ": "Th", "þ": "th", "ẞ": "SS",
}  # fmt: skip
"""Latin letters that Unicode does not take apart into a letter and a diacritic"""


@dataclass(frozen=True, slots=True)
class SmsLength:
    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    """septets, or units of UTF-16"""
    limit: int
    """how many units fit into each of the segments"""
    segments: int
    """how many SMS it takes; an empty text takes one"""


def measure(text: str) -> SmsLength:
    """What a gateway sends for that text. A character of two units never begins in one segment and ends in
    the next, so that the last unit of a segment may stay empty."""
    encoding: Literal["GSM-7", "UCS-2"] = "GSM-7" if _is_gsm(text) else "UCS-2"
    sizes = [_size(character, encoding) for character in text]
    units = sum(sizes)
    if units <= _SINGLE[encoding]:
        return SmsLength(encoding, units, _SINGLE[encoding], 1)
    limit = _PART[encoding]
    segments, filled = 1, 0
    for size in sizes:
        if filled + size > limit:
            segments, filled = segments + 1, 0
        filled += size
    return SmsLength(encoding, units, limit, segments)


def simplified(text: str) -> str:
    """The same words for fewer SMS: in the default alphabet, if that is possible, and never in more segments.

    Quotation marks, dashes and spaces become plain ones wherever that is enough. Latin letters lose their
    diacritics only where that saves a segment. Links, and texts in other scripts, stay as they are.
    """
    before = measure(text)
    plain = _outside_links(text, lambda part: unicodedata.normalize("NFC", part).translate(_TYPOGRAPHIC))
    if _is_gsm(plain):
        return plain if measure(plain).segments <= before.segments else text
    bare = _outside_links(plain, _without_diacritics)
    if _is_gsm(bare) and measure(bare).segments < before.segments:
        return bare
    return text


def _is_gsm(text: str) -> bool:
    return all(character in BASIC or character in EXTENSION for character in text)


def _size(character: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def _outside_links(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if _LINK.fullmatch(part) else change(part) for part in _LINK.split(text))


def _without_diacritics(text: str) -> str:
    letters: list[str] = []
    for character in text:
        decomposed = unicodedata.normalize("NFD", character)
        base, marks = decomposed[0], decomposed[1:]
        if character in BASIC:
            letters.append(character)
        elif character in _LETTERS:
            letters.append(_LETTERS[character])
        elif marks and base.isascii() and base.isalpha():
            letters.append(base)
        elif not (unicodedata.combining(character) and letters and letters[-1] in BASIC):
            letters.append(character)
    return "".join(letters)
