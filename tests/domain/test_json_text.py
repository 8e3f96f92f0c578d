"""What counts as JSON here."""

import pytest

from vsdk.domain.json_text import interchangeable, parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        '{"a": Infinity}',
        '["\\ud800"]',
        "[" * 100_000,
        b"\xff\xfe",
        "[" * 900 + "1" + "]" * 900,
    ],
    ids=["nothing", "open", "nan", "infinity", "half", "deep-open", "not-utf-8", "deep"],
)
def test_what_others_could_not_read_is_refused(text: str | bytes) -> None:
    try:
        value = parse(text)
    except ValueError:
        return
    assert value == interchangeable(value)
    assert text == "[" * 900 + "1" + "]" * 900, "only this one may be within this interpreter's depth"


@pytest.mark.parametrize("text", ["null", '{"ä": [1, 2.5, "😀", true]}', '"\\ud83d\\ude00"'])
def test_what_all_can_read_is_read(text: str) -> None:
    assert parse(text) == parse(text.encode())
