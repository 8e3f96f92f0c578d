"""What counts as JSON here."""

import copy
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsdk.hooks.json_text import MOST_LEVELS, interchangeable, parse, parse_leniently, write

TOO_LARGE = ["1e400", "-1e309", "1E+400", "1e0400", "12.5e308", "2" * 309 + ".5", "9" * 230 + "e99"]
"""for a float; RFC 7493, section 2.2, wants numbers that a float can hold"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        '{"a": Infinity}',
        '["\\ud800"]',
        '"\ud800"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        "[" * 100_000,
        '{"a":' * 100_000,
        b"\xff\xfe",
        "{}".encode("utf-16"),
        "1" * 5000,
        "[" * 900 + "1" + "]" * 900,
    ],
    ids=[
        *["nothing", "open", "nan", "infinity", "half", "half-plain", "not-utf-8", "half-in-utf-8"],
        *["deep-open", "deep-objects", "mark-alone", "utf-16", "endless-number", "deep"],
    ],
)
def test_what_others_could_not_read_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize("text", ["null", '{"ä": [1, 2.5, "😀", true]}', '"\\ud83d\\ude00"', '{"a":1,"a":2}'])
def test_what_all_can_read_is_read(text: str) -> None:
    assert parse(text) == parse(text.encode()) == json.loads(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("inside", ["", "1", '["a"]'])
def test_so_many_levels_are_read_and_no_more(opening: str, closing: str, inside: str) -> None:
    if opening != "[" and not inside:
        inside = "null"
    levels = MOST_LEVELS - inside.count("[")
    assert parse(opening * levels + inside + closing * levels) is not None
    with pytest.raises(ValueError, match="levels"):
        parse(opening * (levels + 1) + inside + closing * (levels + 1))


def test_many_lists_beside_each_other_are_not_many_levels() -> None:
    assert parse("[" + ",".join(["[{}]"] * 1000) + "]") == [[{}]] * 1000
    assert parse(f'"{"[" * 1000}"') == "[" * 1000


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse(b"\xef\xbb\xbf{}") == parse("\ufeff{}") == {}


@pytest.mark.parametrize("number", TOO_LARGE)
@pytest.mark.parametrize("around", ["{}", '{{"a": [1, {} ]}}', '{{"a":{}}}', "[{},1]", "[{}\n]"])
def test_a_number_that_is_too_large_is_refused(number: str, around: str) -> None:
    with pytest.raises(ValueError):
        parse(around.format(number))


@pytest.mark.parametrize(
    "text",
    ["1e300", "1e-400", "1" * 400, '"1e400"', '"1e400, "', '"b6e39355-8a61"', f'"{"1" * 400}.5"', "0e400"],
)
def test_what_only_looks_like_that_is_read(text: str) -> None:
    assert parse(text) == json.loads(text)


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,330})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(["{}", "[1, {}]", '{{"a":{}}}']),
)
def test_no_number_is_read_as_infinity(number: str, around: str) -> None:
    if math.isfinite(float(number)) or number.lstrip("-").isdigit():
        assert parse(around.format(number)) == json.loads(around.format(number))
    else:
        with pytest.raises(ValueError):
            parse(around.format(number))


@pytest.mark.parametrize("value", [float("inf"), [float("nan")], {"a": "\ud800"}, {"\ud800": 1}])
def test_a_value_that_cannot_be_written_is_no_json(value: object) -> None:
    with pytest.raises(ValueError):
        interchangeable(value)


def test_a_value_that_can_be_written_stays_the_same() -> None:
    value = {"ä": [1, 2.5, "😀", None]}
    assert interchangeable(value) is value


@pytest.mark.parametrize(
    "number", ["1.10", "-0.0", "1e2", "12345678901234567890.123", "0.10E-7", "7", "9" * 30]
)
def test_numbers_are_written_as_they_were_read(number: str) -> None:
    text = f'{{"a":[{number},"ä"]}}'
    for value in (parse(text), parse_leniently(text), copy.deepcopy(parse(text))):
        assert value == json.loads(text)
        assert write(value) == text.encode()
        assert parse(write(value, indent=2)) == value
        assert number.encode() in write(value, indent=2)


@pytest.mark.parametrize("text", ["NaN", '["\\ud800"]', "1e400", "[" * 300 + "]" * 300])
def test_what_was_read_leniently_is_looked_at_before_it_is_written(text: str) -> None:
    with pytest.raises(ValueError):
        interchangeable(parse_leniently(text))


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse_leniently("\ufeff{}") == parse("\ufeff{}") == {}


def test_what_is_no_json_value_is_not_written() -> None:
    with pytest.raises(TypeError):
        write({"a": object()})
