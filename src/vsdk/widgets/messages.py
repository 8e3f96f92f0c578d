"""The words of messages: SMS and mail, from the texts ``message.<template>.<part>``.

A message says with whom, when, and where to click. Nothing here could say why: the reason for the visit is
not among the values.
"""

from datetime import datetime
from math import ceil

from babel.dates import format_date, format_skeleton

from vsdk.domain.appointment import Appointment
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice
from vsdk.widgets.texts import Texts, fill, primary

_LOCALES = {"en": "en_GB"}
"""the locale of dates, where a language alone would mean another country's"""
_LONG_DATES = {"de": "EEEE, d. MMMM"}
_LONG_DATE = "EEEE d MMMM"


class Messages:
    """Makes subject and text of a message when it is sent, so that neither has to be kept."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def has(self, template: str) -> bool:
        """Whether any language has words for it."""
        return any(
            self._texts.has(language, f"message.{template}.{part}")
            for language in self._texts.languages
            for part in ("sms", "email-text")
        )

    def render(
        self,
        template: str,
        language: str,
        channel: str,
        *,
        practice: Practice,
        appointment: Appointment,
        participant: Participant,
        url: str | None,
        now: datetime,
    ) -> tuple[str, str]:
        """Subject and text; the subject of anything but a mail is empty.

        The language is the first that has the text: ``language``, the participant's, the practice's,
        English, any other. Texts may use ``{practitioner}``, ``{practice}``, ``{phone}``, ``{name}``,
        ``{date}``, ``{day}`` (short), ``{time}`` and ``{url}``; a line with ``{url}`` or ``{phone}`` is left
        out when there is none. Times are the local time of the practice.
        Raises ConfigurationError when no language has the text.
        """
        wishes = (language, participant.language, practice.language, "en", *self._texts.languages)
        parts = ("email-subject", "email-text") if channel == "email" else ("sms",)
        keys = [f"message.{template}.{part}" for part in parts]
        chosen = next((w for w in map(primary, wishes) if all(self._texts.has(w, k) for k in keys)), None)
        if chosen is None:
            raise ConfigurationError(f"no catalogue has the text {keys[-1]}")
        values = _values(chosen, practice, appointment, participant, url)
        values["begins"] = self._begins(chosen, appointment, now)
        words = [self._words(chosen, key, values) for key in keys]
        return ("" if len(words) == 1 else words[0], words[-1])

    def _begins(self, language: str, appointment: Appointment, now: datetime) -> str:
        minutes = ceil((appointment.start - now).total_seconds() / 60)
        if minutes <= 1:
            return self._texts.get(language, f"message.begins.{'now' if minutes < 1 else 'in-one'}")
        return self._texts.get(language, "message.begins.in", minutes=minutes)

    def _words(self, language: str, key: str, values: dict[str, str]) -> str:
        lines = self._texts.get(language, key).splitlines()
        return "\n".join(
            fill(line, values)
            for line in lines
            if all(values[v] or f"{{{v}}}" not in line for v in ("url", "phone"))
        )


def _values(
    language: str, practice: Practice, appointment: Appointment, participant: Participant, url: str | None
) -> dict[str, str]:
    locale = _LOCALES.get(language, language)
    start = appointment.start.astimezone(practice.time_zone)
    practitioner = appointment.first(Role.PRACTITIONER)
    values = {
        "practitioner": (practitioner.name if practitioner else "") or practice.name,
        "practice": practice.name,
        "phone": practice.phone,
        "name": participant.name,
        "date": format_date(start, _LONG_DATES.get(language, _LONG_DATE), locale=locale),
        "day": format_skeleton("MEd", start, locale=locale),
        "time": f"{start:%H:%M}",
        "url": url or "",
    }
    return {name: " ".join(value.split()) for name, value in values.items()}
