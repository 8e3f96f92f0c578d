"""Phone numbers, mail addresses and languages as people type them, in the form that channels need."""

import re
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult
from phonenumbers.phonenumberutil import ndd_prefix_for_region

_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+\.[^\s@<>,;:\"()\[\]]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", re.ASCII)

_SHORTER = {"deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "eng": "en"}
"""ISO 639-2 of the languages that there are texts in; BCP 47 has them shorter, and systems write both."""

_DIALLED = re.compile(r"[+\d\s\-\u2010-\u2013/.()]+")
"""digits and what stands between them; the hyphens and dashes are those that word processors put"""
_AS_IT_IS = re.compile(r"\+[1-9](?!\d{0,2}0)\d{6,14}", re.ASCII)
"""E.164 without a 0 where one may have been left that belongs into national numbers"""


def phone(value: str, practice_phone: str) -> str:
    """The number as E.164, or empty. Without a country code it is read as dialled where the practice is.

    Where national numbers begin with a 0, one without is not understood: it might be another town's.
    """
    number = "".join(value.split())
    if _AS_IT_IS.fullmatch(number):
        return number
    number = number[4:] if number[:4].lower() == "tel:" else number
    region = _region(practice_phone)
    if not _DIALLED.fullmatch(number) or not _is_whole(number, region):
        return ""
    try:
        parsed = phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return ""
    is_possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if is_possible else ""


@cache
def _region(practice_phone: str) -> str:
    """Its country (ISO 3166-1), or empty."""
    try:
        code = phonenumbers.parse(practice_phone).country_code
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_country_code(code or 0)


def _is_whole(number: str, region: str) -> bool:
    """Whether it has a country code, or the prefix that national numbers have there. North America's 1 may
    be missing."""
    if number[0] == "+" or not region:
        return True
    prefix = ndd_prefix_for_region(region, True)
    return prefix in (None, "1") or phonenumbers.normalize_digits_only(number).startswith(prefix)


def email(value: str) -> str:
    """The address, or empty when it cannot be one."""
    address = value.strip()
    if ":" in address and address[:7].lower() == "mailto:":
        address = address[7:]
    return address if len(address) <= 254 and _EMAIL.fullmatch(address) else ""


@lru_cache(1000)
def language(value: str) -> str:
    """The tag (BCP 47) with hyphens, or empty when it cannot be one."""
    if not _LANGUAGE.fullmatch(value):
        return ""
    return _SHORTER.get(value.lower()) or value.replace("_", "-")
