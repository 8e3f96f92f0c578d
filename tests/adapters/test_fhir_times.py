"""Instants as they are really written."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsdk.adapters.scheduling.fhir.times import instant

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00z",
        "2026-11-23t08:00:00.000z",
        "2026-11-23T08:00:00.1234567Z",
        "2026-11-23T09:00:00+01:00",
        "2026-11-23T09:00:00+0100",
        "2026-11-23T09:00:00+01",
        "2026-11-23T03:00:00 -05:00",
        "2026-11-23T09:00:00",
        "2026-11-23T09:00",
        "2026-11-23 09:00",
        " 2026-11-23T09:00:00+01:00 ",
        "2026-11-23T07:59:60Z",
    ],
)
def test_a_time_is_understood(text: str) -> None:
    assert instant(text, BERLIN) == EIGHT


def test_summer_time_is_the_practices_own() -> None:
    assert instant("2026-07-01T09:00", BERLIN) == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    assert instant("2026-10-25T02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant("2026-10-25T02:30:00+01:00", BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_time_that_is_skipped_is_as_much_later() -> None:
    assert instant("2026-03-29T02:30", BERLIN) == instant("2026-03-29T03:30", BERLIN)
    assert instant("2026-03-29T02:30", BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_result_is_in_utc_and_to_the_second() -> None:
    for text in ("2026-11-23T09:00:00+01:00", "2026-11-23T08:00:00.999Z", "2026-11-23T09:00"):
        found = instant(text, BERLIN)
        assert found == EIGHT
        assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-11-23",
        "2026-13-01T09:00:00Z",
        "2026-11-31T09:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:00:61Z",
        "2026-11-23T25:00:00+01:00",
        "2026-11-23T09:00:00+24:00",
        "2026-11-23T0",
        "\ud800",
        "2026-11-23T09:00:00+25:00",
        "2026-11-23T09:00:00+01:75",
        "2026-11-23T09:00:00-01:60",
        "2026-11-23T09:00:00+0175",
        "2026-11-23T09:00:00+14:01",
        "2026-11-23T09:00:00-15:00",
        "2026-11-23T09:00:00-23:59",
        "2026-11-23T09:00 +15",
        "2026-11-23T09:00:00+01:00[Europe/Berlin]",
        "0001-01-01T00:00:00+14:00",
        "1066-10-14T09:00:00Z",
        "2620-01-01T09:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٦-11-23T09:00:00Z",
        "2026-W47-1T09:00:00Z",
        "20261123T090000Z",
        "2026-11-23T09:00.00Z",
        "2026-11-23T09:00:00+05.30",
        1795420800,
        True,
        None,
        ["2026-11-23T09:00:00Z"],
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert instant(value, BERLIN) is None


@given(
    st.datetimes(datetime(1901, 1, 1), datetime(2198, 12, 31)),  # noqa: DTZ001 - zones are drawn separately
    st.integers(-14 * 60, 14 * 60),
)
def test_any_offset_gives_the_same_instant(local: datetime, minutes: int) -> None:
    sign, hours, rest = "-" if minutes < 0 else "+", *divmod(abs(minutes), 60)
    text = f"{local:%Y-%m-%dT%H:%M:%S}{sign}{hours:02d}:{rest:02d}"
    expected = local.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=minutes)
    assert instant(text, BERLIN) == expected


@given(
    st.sampled_from(["2026-11-23T09:00:00Z", "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00.12345"]),
    st.lists(st.tuples(st.integers(0, 24), st.sampled_from("0123456789-:+.,TtZzW 2é٢")), max_size=3),
)
def test_the_usual_form_is_read_in_the_same_way_as_any_other(
    text: str, changes: list[tuple[int, str]]
) -> None:
    for place, sign in changes:
        text = text[:place] + sign + text[place + 1 :]
    assert instant(text, BERLIN) == instant(f" {text}", BERLIN), (
        "what begins with a blank is not the usual form"
    )
