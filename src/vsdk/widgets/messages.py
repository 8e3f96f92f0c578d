"""The words of messages: SMS, push and mail, from the texts ``message.<template>.<part>``.

A message says with whom, when, and where to click. Nothing here could say why: the reason for the visit is
not among the values. ``docs/messages.md`` lists templates and placeholders; a test compares the two.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from vsdk.domain.appointment import Appointment
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.message import MessageText
from vsdk.domain.participant import Participant
from vsdk.domain.practice import Practice
from vsdk.domain.sms import SmsLength, measure, simplified
from vsdk.widgets import own_texts
from vsdk.widgets.calendar import entry
from vsdk.widgets.mail import LABELS, Mail
from vsdk.widgets.sample import sample
from vsdk.widgets.texts import Texts, fill, primary
from vsdk.widgets.wording import Wording, kept, values_of

_PARTS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "email": [("email-subject", "email-text")],
    "push": [("push",), ("sms",)],
}
"""by the channel's kind, the parts that it takes; the first that a language has all of"""
_OTHER_PARTS = [("sms",)]


class Messages:
    """Makes the words of a message when it is sent, so that they need not be kept."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._mail = Mail()

    def has(self, template: str) -> bool:
        """Whether any catalogue has words for it."""
        return template in own_texts.templates(self._texts)

    def render(
        self,
        template: str,
        language: str,
        kind: str,
        *,
        practice: Practice,
        appointment: Appointment,
        participant: Participant | None,
        url: str | None,
        list_url: str,
        now: datetime,
        values: Mapping[str, str],
        sequence: int,
    ) -> MessageText:
        """The words for a channel of that kind: ``email``, ``push``, ``sms``; any other gets those of an SMS.

        The language is the first that has them: ``language``, the participant's, the practice's, English, any
        other. ``participant`` is None where the message is for the practice's own team. ``values`` are
        placeholders beside those of `vsdk.widgets.wording`, and what some of those are made of: ``minutes``,
        ``code``, ``what``. A line with ``{url}``, ``{list_url}`` or ``{phone}`` is left out when there is
        none. ``sequence`` grows with every change of the appointment, for calendars.
        Raises ConfigurationError when no language has the words.
        """
        wording = self._wording(practice)
        wishes = (language, participant.language if participant else "", practice.language, "en")
        chosen, parts = _choice(wording, template, kind, (*wishes, *wording.languages))
        filled = values_of(
            wording,
            chosen,
            practice=practice,
            appointment=appointment,
            participant=participant,
            url=url,
            list_url=list_url,
            now=now,
            given=values,
        )
        texts = [wording.get(chosen, f"message.{template}.{part}") for part in parts]
        text = fill(kept(texts[-1], filled), filled)
        if kind == "email":
            subject = " ".join(fill(texts[0], filled).split())
            labels = {key: wording.get(chosen, f"message.mail.{key}") for key in LABELS}
            stop = stop_address(filled["url"], practice)
            html = self._mail.html(chosen, subject, texts[-1], filled, labels, stop)
            text += f"\n\n{labels['stop']} {stop}" if stop else ""
            summary = fill(wording.get(chosen, "message.calendar.summary"), filled)
            calendar = entry(
                template, appointment, summary, filled["practice"], chosen, filled["url"], now, sequence
            )
            return MessageText(text + "\n", subject, html, calendar, language=chosen)
        if kind == "sms":
            text = simplified(text)
            return MessageText(text, segments=measure(text).segments, language=chosen)
        return MessageText(text, language=chosen)

    def calendar(
        self,
        language: str,
        *,
        practice: Practice,
        appointment: Appointment,
        url: str,
        now: datetime,
        sequence: int,
    ) -> str:
        """The appointment for a calendar, as it comes with an invitation by mail."""
        return self.render(
            "invitation",
            language,
            "email",
            practice=practice,
            appointment=appointment,
            participant=None,
            url=url,
            list_url="",
            now=now,
            values={},
            sequence=sequence,
        ).calendar

    def every(self, practice: Practice) -> Iterator[tuple[str, str, str, str]]:
        """Template, part, language and text of all words in effect for the practice, placeholders in place.

        Words that several templates share come too, such as ``begins``, ``in``.
        """
        for language, key, text in self._wording(practice):
            template, _, part = key.removeprefix("message.").partition(".")
            yield template, part, language, text

    def check(self, practice: Practice) -> None:
        """Raises ConfigurationError for a text of the practice's own that could not be sent as it is."""
        own_texts.check(practice, self._wording(practice))

    def lengths(self, practice: Practice) -> list[tuple[str, str, SmsLength]]:
        """Template, language and length of every SMS, with names and links as long as they usually are."""
        wording = self._wording(practice)
        return [
            (template, language, measure(self.render(template, language, "sms", **sample(practice)).text))
            for template in own_texts.templates(self._texts)
            for language in wording.languages
            if wording.has(language, f"message.{template}.sms")
        ]

    def _wording(self, practice: Practice) -> Wording:
        return Wording(self._texts, practice.messaging.texts)


def stop_address(url: str, practice: Practice) -> str:
    """Where the person of that link can refuse messages: ``…/j#HANDLE`` -> ``…/m#HANDLE``."""
    address = practice.fhir.link_address
    if not address.endswith("/j#") or not url.startswith(address):
        return ""
    return f"{address.removesuffix('j#')}m#{url.removeprefix(address)}"


def _choice(wording: Wording, template: str, kind: str, wishes: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    for language in map(primary, wishes):
        for parts in _PARTS.get(kind, _OTHER_PARTS):
            if all(wording.has(language, f"message.{template}.{part}") for part in parts):
                return language, parts
    missing = _PARTS.get(kind, _OTHER_PARTS)[-1][-1]
    raise ConfigurationError(f"no catalogue has the text message.{template}.{missing}")
