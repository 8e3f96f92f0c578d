"""Phone numbers, mail addresses and languages as people type them, in the form that channels need."""

import re

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+\.[^\s@<>,;:\"()\[\]]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", re.ASCII)

_SIGNS = dict.fromkeys(map(ord, "-/.()"))

TRUNK_ZERO = ("+49", "+43", "+41", "+33", "+44", "+32", "+31", "+46", "+47", "+358")
"""Calling codes of countries whose national numbers begin with a 0 that falls away (ITU-T E.164)."""


def phone(value: str, practice_phone: str) -> str:
    """The number as E.164, or empty. A national number is read in the country of the practice's own."""
    number = "".join(value.split())
    if _E164.fullmatch(number):
        return number
    if not number[1:].isdigit():
        number = number[4:] if number[:4].lower() == "tel:" else number
        number = number.replace("(0)", "").translate(_SIGNS)
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0"):
        country = next((code for code in TRUNK_ZERO if practice_phone.startswith(code)), "")
        number = country + number[1:]
    return number if _E164.fullmatch(number) else ""


def email(value: str) -> str:
    """The address, or empty when it cannot be one."""
    address = value.strip()
    if ":" in address and address[:7].lower() == "mailto:":
        address = address[7:]
    return address if len(address) <= 254 and _EMAIL.fullmatch(address) else ""


def language(value: str) -> str:
    """The tag (BCP 47) with hyphens, or empty when it cannot be one."""
    return value.replace("_", "-") if _LANGUAGE.fullmatch(value) else ""
