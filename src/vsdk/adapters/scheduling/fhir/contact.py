"""Phone numbers, mail addresses and languages as people type them, in the form that channels need."""

import re

_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+\.[^\s@<>,;:\"()\[\]]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", re.ASCII)

_SHORTER = {"deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "eng": "en"}
"""ISO 639-2 of the languages that there are texts in; BCP 47 has them shorter, and systems write both."""

_SIGNS = dict.fromkeys(map(ord, "-\u2010\u2011\u2012\u2013/.()"))
"""what stands between digits; the hyphens and dashes are those that word processors put"""

TRUNK_ZERO = ("+49", "+43", "+41", "+33", "+44", "+32", "+31", "+46", "+358", "+353", "+61", "+64")
"""Calling codes of countries whose national numbers begin with a 0 that falls away (ITU-T E.164)."""

_CODES = "|".join(code[1:] for code in TRUNK_ZERO)
_E164 = re.compile(rf"\+(?!({_CODES})0)[1-9]\d{{6,14}}", re.ASCII)

_KEPT_ZERO = re.compile(rf"^\+({_CODES})0")
"""a 0 that should have fallen away, as in +49 0171"""

NATIONAL = dict.fromkeys(TRUNK_ZERO, re.compile(r"0([1-9]\d+)", re.ASCII)) | {
    "+1": re.compile(r"1?([2-9]\d{9})", re.ASCII),
    "+45": re.compile(r"([2-9]\d{7})", re.ASCII),
    "+47": re.compile(r"([2-9]\d{7})", re.ASCII),
}
"""What a national number looks like by calling code, with the part that stays (ITU-T E.164 and E.129)."""

_ABROAD = re.compile(r"00(11)?")
"""what is dialled before a calling code: in Australia 0011, else 00"""


def phone(value: str, practice_phone: str) -> str:
    """The number as E.164, or empty. A national number is read in the country of the practice's own, where
    `NATIONAL` has it."""
    number = "".join(value.split())
    if _E164.fullmatch(number):
        return number
    if not number[1:].isdigit():
        number = number[4:] if number[:4].lower() == "tel:" else number
        number = number.replace("(0)", "").translate(_SIGNS)
    if not number.startswith("+"):
        number = _international(number, practice_phone)
    number = _KEPT_ZERO.sub(r"+\1", number)
    return number if _E164.fullmatch(number) else ""


def _international(number: str, practice_phone: str) -> str:
    if abroad := _ABROAD.match(number):
        return "+" + number[abroad.end() :]
    for code, national in NATIONAL.items():
        if practice_phone.startswith(code) and (found := national.fullmatch(number)):
            return code + found[1]
    return ""


def email(value: str) -> str:
    """The address, or empty when it cannot be one."""
    address = value.strip()
    if ":" in address and address[:7].lower() == "mailto:":
        address = address[7:]
    return address if len(address) <= 254 and _EMAIL.fullmatch(address) else ""


def language(value: str) -> str:
    """The tag (BCP 47) with hyphens, or empty when it cannot be one."""
    if not _LANGUAGE.fullmatch(value):
        return ""
    return _SHORTER.get(value.lower()) or value.replace("_", "-")
