"""The texts of messages that are in effect for one practice, and what stands for their placeholders."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import ceil

from babel.dates import format_date, format_skeleton

from vsdk.domain.appointment import Appointment
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice
from vsdk.widgets.texts import Texts, fill, primary

GENERAL = ("practitioner", "practice", "phone", "name", "date", "day", "time", "begins", "url", "list_url")
"""placeholders of every text"""
SPECIAL: Mapping[str, tuple[str, ...]] = {
    "delay": ("minutes", "expected", "late"),
    "patient-waiting": ("minutes", "since"),
    "failed-delivery": ("what", "why", "code"),
    "sign-in-code": ("code",),
}
"""further ones, by template"""
LONGEST_NAME = 120
"""characters of a name that are sent"""

_OPTIONAL = ("url", "list_url", "phone")
"""a line is left out where it would name one of these, and there is none"""
_LOCALES = {"en": "en_GB"}
"""the locale of dates, where a language alone would mean another country's"""
_LONG_DATES = {"de": "EEEE, d. MMMM"}
_LONG_DATE = "EEEE d MMMM"
_MINUTES = re.compile(r"[0-9]{1,4}")
_JOINERS = "\u200c\u200d"
"""characters without a shape that some scripts are written with"""


@dataclass(frozen=True, slots=True)
class Wording:
    """The practice's own texts where it has any, else those of the catalogues."""

    texts: Texts
    own: Mapping[str, Mapping[str, str]]
    """by language, then by key"""

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that have texts, without repetition: ours first."""
        return tuple(dict.fromkeys((*self.texts.languages, "en", *self.own)))

    def has(self, language: str, key: str) -> bool:
        """Whether that very language has the text."""
        return key in self.own.get(primary(language), {}) or self.texts.has(language, key)

    def get(self, language: str, key: str) -> str:
        """The text in that language, else in English, with its placeholders."""
        own = self.own.get(primary(language), {}).get(key)
        return self.texts.get(language, key) if own is None else own

    def all_of(self, language: str) -> dict[str, str]:
        """The words of messages that this very language has, by key."""
        return self.texts.messages(language) | dict(self.own.get(primary(language), {}))

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        """Language, key and text of all of them."""
        for language in self.languages:
            for key, text in self.all_of(language).items():
                yield language, key, text


def kept(text: str, values: Mapping[str, str]) -> str:
    """The text without the lines that would say nothing, its placeholders still in place."""
    lines = [
        line for line in text.splitlines() if all(values.get(v) or f"{{{v}}}" not in line for v in _OPTIONAL)
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def values_of(
    wording: Wording,
    language: str,
    *,
    practice: Practice,
    appointment: Appointment,
    participant: Participant | None,
    url: str | None,
    list_url: str,
    now: datetime,
    given: Mapping[str, str],
) -> dict[str, str]:
    """What stands for each placeholder; ``given`` are further ones. Times are the practice's local time.

    No value has a line break, or a character that turns the direction of writing.
    """

    def counted(key: str, minutes: int | None, none: str, one: str, many: str, unknown: str = "") -> str:
        form = unknown if minutes is None else many if minutes > 1 else one if minutes == 1 else none
        return fill(wording.get(language, f"message.{key}.{form}"), {"minutes": minutes})

    def named(key: str, code: str) -> str:
        known = f"message.{key}.{code}"
        return fill(
            wording.get(language, known if wording.has(language, known) else f"message.{key}.other"), given
        )

    locale = _LOCALES.get(language, language)
    zone = practice.time_zone
    start = appointment.start.astimezone(zone)
    practitioner = appointment.first(Role.PRACTITIONER)
    called = _name(practice.messaging.name or practice.name)
    minutes = int(given["minutes"]) if _MINUTES.fullmatch(given.get("minutes", "")) else None
    until_start = ceil((appointment.start - now).total_seconds() / 60)
    late = timedelta(minutes=minutes or 0)
    expected = appointment.start + late if appointment.start + late > now else now + late
    values = {
        **given,
        "practitioner": _name(practitioner.name if practitioner else "") or called,
        "practice": called,
        "phone": practice.phone,
        "name": _name(participant.name if participant else ""),
        "date": format_date(start, _LONG_DATES.get(language, _LONG_DATE), locale=locale),
        "day": format_skeleton("MEd", start, locale=locale),
        "time": f"{start:%H:%M}",
        "expected": f"{expected.astimezone(zone):%H:%M}",
        "begins": counted("begins", until_start, "now", "in-one", "in"),
        "since": counted("since", minutes, "none", "one", "many", "unknown"),
        "late": counted("late", minutes, "none", "one", "many", "none"),
        "what": named("what", given.get("what", "")),
        "why": named("why", given.get("code", "")),
        "url": url or "",
        "list_url": list_url,
    }
    return {name: one_line(value) for name, value in values.items()}


def day_and_time(language: str, at: datetime, zone: tzinfo) -> str:
    """``Montag, 2. März, 10:00``, in that zone and that language."""
    local = at.astimezone(zone)
    date = format_date(local, _LONG_DATES.get(language, _LONG_DATE), locale=_LOCALES.get(language, language))
    return f"{date}, {local:%H:%M}"


def _name(value: str) -> str:
    return one_line(value[: 10 * LONGEST_NAME])[:LONGEST_NAME]


def one_line(value: str) -> str:
    """Without line breaks and control characters, those that turn the direction of writing among them."""
    shown = (
        character
        for character in value
        if character.isspace()
        or character in _JOINERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join("".join(shown).split())
