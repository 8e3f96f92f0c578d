"""How a practice wants messages sent, and until when each is of use."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from vsdk.domain.messaging import KINDS, QuietHours, expires, kind_of, masked, send_at
from vsdk.domain.plan import Window
from vsdk.testing.factories import NOON

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
WINDOW = Window(NOON - HOUR, NOON + 2 * HOUR)


@pytest.mark.parametrize(
    ("recipient", "shown"), [("+491713920001", "+49 … 01"), ("12345", "…"), ("", "…"), ("a@b.c", "a … @b.c")]
)
def test_a_recipient_is_masked(recipient: str, shown: str) -> None:
    assert masked(recipient) == shown


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "begin", "end", "until"),
    [
        ("2026-03-02 20:59", "21:00", "07:30", None),
        ("2026-03-02 21:00", "21:00", "07:30", "2026-03-03 07:30"),
        ("2026-03-03 00:00", "21:00", "07:30", "2026-03-03 07:30"),
        ("2026-03-03 07:29", "21:00", "07:30", "2026-03-03 07:30"),
        ("2026-03-03 07:30", "21:00", "07:30", None),
        ("2026-03-02 12:30", "12:00", "14:00", "2026-03-02 14:00"),
        ("2026-03-02 14:00", "12:00", "14:00", None),
        ("2026-03-02 11:59", "12:00", "14:00", None),
        ("2026-03-28 23:00", "21:00", "07:30", "2026-03-29 07:30"),  # the clocks go forward
    ],
)
def test_quiet_hours_are_those_of_the_practices_clock(
    now: str, begin: str, end: str, until: str | None
) -> None:
    quiet = QuietHours(time.fromisoformat(begin), time.fromisoformat(end))
    found = quiet.end_after(local(now).astimezone(UTC), BERLIN)
    assert found == (local(until) if until else None)


@pytest.mark.parametrize("template", KINDS)
def test_only_what_can_wait_waits_and_never_beyond_its_use(template: str) -> None:
    quiet = QuietHours(time(21), time(7))
    night, morning = local("2026-03-02 23:00"), local("2026-03-03 07:00")
    waits = kind_of(template).waits
    assert send_at(template, night, morning + HOUR, quiet, BERLIN) == (morning if waits else night)
    assert send_at(template, night, morning, quiet, BERLIN) == night
    assert send_at(template, night, morning + HOUR, None, BERLIN) == night


@pytest.mark.parametrize(
    ("template", "until"),
    [
        ("reminder", NOON),
        ("cancelled", NOON + HOUR / 3),
        ("patient-waiting", NOON - HOUR + timedelta(minutes=10)),
        ("link-at-time", WINDOW.closes),
        ("of-a-plugin", WINDOW.closes),
    ],
)
def test_each_kind_of_message_has_an_end(template: str, until: datetime) -> None:
    end = NOON + HOUR / 3
    assert expires(template, asked=NOON - HOUR, start=NOON, end=end, window=WINDOW) == until
