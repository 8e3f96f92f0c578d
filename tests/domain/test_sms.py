"""How long an SMS is, by 3GPP TS 23.038, and that simpler letters never make it longer or say less."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from vsdk.domain.sms import BASIC, EXTENSION, measure, simplified

TABLE = {
    0x00: "@£$¥èéùìòÇ\nØø\rÅå",
    0x10: "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ",
    0x20: " !\"#¤%&'()*+,-./",
    0x30: "0123456789:;<=>?",
    0x40: "¡ABCDEFGHIJKLMNO",
    0x50: "PQRSTUVWXYZÄÖÑÜ§",
    0x60: "¿abcdefghijklmno",
    0x70: "pqrstuvwxyzäöñüà",
}
"""3GPP TS 23.038, 6.2.1, row by row; 0x1b leads to the extension table"""
EXTENDED = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
            0x40: "|", 0x65: "€"}  # fmt: skip
"""3GPP TS 23.038, 6.2.1.1"""

TEXTS = st.text(max_size=400) | st.text(st.sampled_from([*BASIC, *EXTENSION]), max_size=700)
WRITTEN = st.text(st.sampled_from("abcÄßéçêŁłóśžÆœİığ …’“”–—\u00a0\u202f€{~жйλ语🙂\u0301"), max_size=200)
LINK = "https://praxis-łąka.example/video/j#AbC_-…’x"


def in_parts(text: str, single: int, part: int, pair: str) -> list[list[str]]:
    """What a phone would get: units of one character are kept together."""
    units = [[f"{character}1", f"{character}2"] if character in pair else [character] for character in text]
    if sum(map(len, units)) <= single:
        return [[unit for pair_ in units for unit in pair_]]
    parts: list[list[str]] = [[]]
    for unit in units:
        if len(parts[-1]) + len(unit) > part:
            parts.append([])
        parts[-1] += unit
    return parts


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert all(len(row) == 16 for row in TABLE.values())
    assert set("".join(TABLE.values())) - {"\x1b"} == BASIC
    assert len(BASIC) == 127
    assert set(EXTENDED.values()) == EXTENSION


@pytest.mark.parametrize(
    ("text", "encoding", "units", "limit", "segments"),
    [
        ("", "GSM-7", 0, 160, 1),
        ("Grüße: äöüÄÖÜß éèàù §", "GSM-7", 21, 160, 1),
        ("a" * 160, "GSM-7", 160, 160, 1),
        ("a" * 161, "GSM-7", 161, 153, 2),
        ("a" * 306, "GSM-7", 306, 153, 2),
        ("a" * 307, "GSM-7", 307, 153, 3),
        ("€" * 80, "GSM-7", 160, 160, 1),
        ("€" * 81, "GSM-7", 162, 153, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 153, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 153, 2),
        ("ç", "UCS-2", 1, 70, 1),
        ("\x1b", "UCS-2", 1, 70, 1),
        ("ł" * 70, "UCS-2", 70, 70, 1),
        ("ł" * 71, "UCS-2", 71, 67, 2),
        ("ł" * 134, "UCS-2", 134, 67, 2),
        ("ł" * 135, "UCS-2", 135, 67, 3),
        ("🙂" * 35, "UCS-2", 70, 70, 1),
        ("🙂" * 36, "UCS-2", 72, 67, 2),
        ("ł" * 66 + "🙂" + "ł" * 66, "UCS-2", 134, 67, 3),
        ("\ud83d", "UCS-2", 1, 70, 1),
    ],
)
def test_length_of_a_text(text: str, encoding: str, units: int, limit: int, segments: int) -> None:
    length = measure(text)
    assert (length.encoding, length.units, length.limit, length.segments) == (
        encoding,
        units,
        limit,
        segments,
    )


@given(TEXTS)
def test_segments_are_those_that_a_phone_would_put_together(text: str) -> None:
    length = measure(text)
    if length.encoding == "GSM-7":
        assert set(text) <= BASIC | EXTENSION
        parts = in_parts(text, 160, 153, "".join(EXTENSION))
    else:
        assert not set(text) <= BASIC | EXTENSION
        assert length.units == len(text.encode("utf-16-le")) // 2
        parts = in_parts(text, 70, 67, "".join(c for c in set(text) if ord(c) > 0xFFFF))
    assert length.units == sum(map(len, parts))
    assert length.segments == len(parts)
    assert all(len(part) <= length.limit for part in parts)


@given(TEXTS | WRITTEN)
def test_a_simplified_text_is_never_longer_and_is_simple_for_good(text: str) -> None:
    simple = simplified(text)
    assert measure(simple).segments <= measure(text).segments
    assert simplified(simple) == simple


@given(st.text(st.sampled_from([*BASIC, *EXTENSION]), max_size=400))
def test_what_is_in_the_alphabet_stays_as_it_is(text: str) -> None:
    assert simplified(text) == text


@given(WRITTEN, WRITTEN)
def test_a_link_stays_as_it_is(before: str, after: str) -> None:
    assert LINK in simplified(f"{before} {LINK} {after}").split(" ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n’aura pas lieu… « demain » – 14\u202fh\u00a030", 'n\'aura pas lieu... " demain " - 14 h 30'),
        ("„Guten Tag“ — ‚ja‘", "\"Guten Tag\" - 'ja'"),
        ("Cafe\u0301 um 12:00 Uhr", "Café um 12:00 Uhr"),
        ("Video\u00adsprech\u200bstunde", "Videosprechstunde"),
    ],
)
def test_typographic_characters_become_plain_ones(text: str, expected: str) -> None:
    assert simplified(text) == expected


def test_diacritics_are_kept_where_dropping_them_saves_nothing() -> None:
    short = "Dr. Łucja Święcicka: 14:30"
    assert simplified(short) == short
    long = f"Videosprechstunde mit Dr. Łucja Święcicka: Mo., 2.3. um 14:30 Uhr, François ê Œ. {'a' * 60}"
    assert simplified(long) == long.translate(str.maketrans("ŁŚęçê", "LSece")).replace("Œ", "OE")
    assert (measure(long).segments, measure(simplified(long)).segments) == (3, 1)


def test_umlauts_and_the_accents_of_the_alphabet_are_kept_when_others_are_dropped() -> None:
    long = f"Größe, Ärztin Łoś, été à où {'a' * 60}"
    assert simplified(long).startswith("Größe, Ärztin Los, été à où")


@pytest.mark.parametrize(
    "text", ["Видеоприём у д-ра Жукова — завтра " * 4, "视频就诊…" * 30, "جلسة فيديو’" * 20, "Ώρα…" * 40]
)
def test_other_scripts_stay_as_they_are(text: str) -> None:
    assert simplified(text) == text


def test_plain_characters_are_not_used_where_they_would_make_it_longer() -> None:
    assert simplified("…" * 60) == "…" * 60
