"""Phone numbers, mail addresses and languages as people type them."""

import pytest

from vsdk.adapters.scheduling.fhir import contact

BERLIN = "+493023125001"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+49 171 3920001", "+491713920001"),
        ("0171/3920001", "+491713920001"),
        ("0049 (0)171 - 39 20 001", "+491713920001"),
        ("+49 (0) 171 3920001", "+491713920001"),
        ("tel:+49-171-3920001", "+491713920001"),
        ("0033 6 39 98 00 22", "+33639980022"),
        ("+44 7700 900031", "+447700900031"),
        ("+49 0171 3920001", "+491713920001"),
        ("0049 0171 3920001", "+491713920001"),
        ("0171\u20133920001", "+491713920001"),
        ("+49\u2011171\u20113920001", "+491713920001"),
        ("+39 06 1234567", "+39061234567"),
        ("112", ""),
        ("1713920001", ""),
        ("+49 171 3920001 Tochter", ""),
        ("+0171 3920001", ""),
        ("+1234567890123456", ""),
        ("٠١٧١٣٩٢٠٠٠١", "+491713920001"),
        ("0171 3920001 / 030 1234567", ""),
        ("+49112", ""),
        ("", ""),
    ],
)
def test_a_number_becomes_e164_or_empty(typed: str, number: str) -> None:
    assert contact.phone(typed, BERLIN) == number


def test_a_national_number_follows_the_practice() -> None:
    assert contact.phone("06 39 98 00 22", "+33199000001") == "+33639980022"
    assert contact.phone("06 39 98 00 22", "") == ""


@pytest.mark.parametrize(
    ("typed", "practice", "number"),
    [
        ("(415) 555-0132", "+12025550100", "+14155550132"),
        ("1-415-555-0132", "+12025550100", "+14155550132"),
        ("555-0132", "+12025550100", ""),
        ("0491 570 006", "+61299990000", "+61491570006"),
        ("021 555 1234", "+6495550000", "+64215551234"),
        ("085 012 3456", "+35315550100", "+353850123456"),
        ("070-174 06 05", "+4684650000", "+46701740605"),
        ("20 12 34 56", "+4533150000", "+4520123456"),
        ("412 34 567", "+4721500000", "+4741234567"),
        ("0412 34 567", "+4721500000", ""),
        ("041 2345678", "+390612345678", "+390412345678"),
        ("600 123 456", "+34911234567", "+34600123456"),
        ("8 (912) 345-67-89", "+74951234567", "+79123456789"),
        ("0011 49 171 3920001", "+61299990000", "+491713920001"),
    ],
)
def test_national_numbers_of_many_countries_are_known(typed: str, practice: str, number: str) -> None:
    assert contact.phone(typed, practice) == number


@pytest.mark.parametrize(
    "typed", ["a@b", "a b@c.de", "@c.de", "a@c.de,b@c.de", "x" * 250 + "@c.de", "a@c.de\nBcc: x"]
)
def test_what_cannot_be_an_address_is_empty(typed: str) -> None:
    assert contact.email(typed) == ""


@pytest.mark.parametrize("prefix", ["", "mailto:", "MAILTO:"])
def test_an_address_is_kept(prefix: str) -> None:
    assert contact.email(f" {prefix}erika.muster@example.org ") == "erika.muster@example.org"


@pytest.mark.parametrize(
    ("tag", "read"),
    [
        ("de", "de"),
        ("de_CH", "de-CH"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("ger", "de"),
        ("ENG", "en"),
        ("tur", "tur"),
        ("Deutsch", ""),
        ("", ""),
    ],
)
def test_a_language_is_a_tag_or_empty(tag: str, read: str) -> None:
    assert contact.language(tag) == read
