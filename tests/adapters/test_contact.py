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
        ("112", ""),
        ("1713920001", ""),
        ("+49 171 3920001 Tochter", ""),
        ("+0171 3920001", ""),
        ("+1234567890123456", ""),
        ("٠١٧١٣٩٢٠٠٠١", ""),
        ("", ""),
    ],
)
def test_a_number_becomes_e164_or_empty(typed: str, number: str) -> None:
    assert contact.phone(typed, BERLIN) == number


def test_a_national_number_follows_the_practice() -> None:
    assert contact.phone("06 39 98 00 22", "+33199000001") == "+33639980022"
    assert contact.phone("06 39 98 00 22", "") == ""


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
    [("de", "de"), ("de_CH", "de-CH"), ("zh-Hant-TW", "zh-Hant-TW"), ("Deutsch", ""), ("", "")],
)
def test_a_language_is_a_tag_or_empty(tag: str, read: str) -> None:
    assert contact.language(tag) == read
