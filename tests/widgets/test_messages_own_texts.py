"""A practice's own words win, and cannot be such that a message would be wrong."""

from pathlib import Path

import pytest

from vsdk import Settings
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.messaging import Messaging
from vsdk.domain.practice import Practice
from vsdk.testing.factories import a_practice
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import LANGUAGES, Texts

from .messages_of import LIST_URL, MESSAGES, URL, message, with_texts

TURKISH = {
    "message.invitation.sms": "Video: {practitioner}, {day} {time}\n{url}",
    "message.cancelled.sms": "İptal: {day} {time}",
}


def with_own(language: str = "de", **texts: str) -> Practice:
    """``__`` in keys stands for a dot, ``_`` for a hyphen."""
    own = {f"message.{key.replace('__', '.').replace('_', '-')}": text for key, text in texts.items()}
    return a_practice(messaging=Messaging(texts={language: own}))


def test_own_words_win_over_catalogues_in_their_language_only() -> None:
    practice = with_own(invitation__sms="Bis {day}! {url}", calendar__summary="Termin bei {practice}")
    MESSAGES.check(practice)
    assert message("invitation", "de", "sms", practice=practice).text == f"Bis Mo., 2.3.! {URL}"
    french = message("invitation", "fr", "sms", practice=practice).text
    assert french == message("invitation", "fr", "sms").text
    assert "SUMMARY:Termin bei Praxis am Park" in message("moved", "de", "email", practice=practice).calendar


def test_own_words_are_used_by_every_part_that_falls_back_to_them() -> None:
    practice = with_own(reminder__sms="Gleich {time} {url}")
    assert message("reminder", "de", "push", practice=practice).text == f"Gleich 13:00 {URL}"


def test_a_practice_speaks_a_language_that_no_catalogue_has() -> None:
    practice = a_practice(messaging=Messaging(texts={"tr": TURKISH}))
    MESSAGES.check(practice)
    assert message("invitation", "tr", "sms", practice=practice).text == (
        f"Video: Dr. Jonas Muster, 2/03 Pzt 13:00\n{URL}"
    )
    assert "Wartezimmer" not in message("reminder", "tr-TR", "sms", practice=practice).text
    assert ("invitation", "tr") in [(t, language) for t, language, _ in MESSAGES.lengths(practice)]
    assert ("cancelled", "sms", "tr", "İptal: {day} {time}") in MESSAGES.every(practice)


def test_a_mail_from_right_to_left_says_so() -> None:
    words = {part: f"{part} {{url}}" for part in ("open", "list", "otherwise", "stop")}
    own = {
        "message.invitation.email-subject": "موعد",
        "message.invitation.email-text": "موعد {url}",
        "message.calendar.summary": "موعد",
        **{f"message.mail.{part}": text.removesuffix(" {url}") for part, text in words.items()},
    }
    practice = a_practice(messaging=Messaging(texts={"ar": own}))
    MESSAGES.check(practice)
    html = message("invitation", "ar", "email", practice=practice).html
    assert '<html lang="ar" dir="rtl">' in html
    assert 'align="right"' in html


def test_every_text_that_counts_is_told() -> None:
    practice = with_own(invitation__sms="{url}")
    found = list(MESSAGES.every(practice))
    assert ("invitation", "sms", "de", "{url}") in found
    assert ("begins", "in-one", "en", "in one minute") in found
    assert len({(t, p, language) for t, p, language, _ in found}) == len(found)
    assert {language for _, _, language, _ in found} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("invitatoin__sms", "{url}", "no template and part"),
        ("invitation__fax", "{url}", "no template and part"),
        ("invitation", "{url}", "no template and part"),
        ("invitation__sms", "{url} {reason}", r"nothing is known as \{reason\}"),
        ("invitation__sms", "{url} {minutes}", r"nothing is known as \{minutes\}"),
        ("invitation__sms", "{url} { practice }", "brace"),
        ("invitation__sms", "{url} {practice", "brace"),
        ("invitation__sms", "Bis morgen!", r"\{url\} is missing"),
        ("invitation__sms", "{list_url}", r"\{url\} is missing"),
        ("patient_waiting__sms", "Jemand wartet.", r"\{list_url\} is missing"),
        ("invitation__email_text", "Bis morgen!", r"\{url\} is missing"),
        ("invitation__email_subject", "Bis\nmorgen", "one line"),
        ("cancelled__sms", " \n", "empty"),
    ],
)
def test_what_could_not_be_sent_stops_the_start(key: str, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        MESSAGES.check(with_own(**{key: text}))
    assert "'practice'" in raised.value.detail
    assert "Bis" not in raised.value.detail, "the text itself is not repeated"


@pytest.mark.parametrize(
    ("language", "problem"),
    [
        ("deutsch", "no language"),
        ("xx", "no language"),
        ("", "no language"),
        ("de-AT", "'de'"),
        ("DE", "'de'"),
    ],
)
def test_a_language_has_to_be_one(language: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        MESSAGES.check(with_own(language, cancelled__sms="x"))


@pytest.mark.parametrize(
    ("texts", "needed"),
    [
        ({"invitation__sms": "{begins} {url}"}, "begins.in"),
        ({"delay__sms": "{late} {url}"}, "late.many"),
        ({"failed_delivery__sms": "{what} {list_url}"}, "what.invitation"),
        ({"invitation__email_text": "{url}"}, "invitation.email-subject"),
        ({"invitation__email_text": "{url}", "invitation__email_subject": "x"}, "mail.open"),
    ],
)
def test_no_message_mixes_two_languages(texts: dict[str, str], needed: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{needed}' is needed too"):
        MESSAGES.check(with_own("tr", **texts))
    MESSAGES.check(with_own("fr", **texts))


def test_special_placeholders_belong_to_their_templates() -> None:
    MESSAGES.check(
        with_own(
            delay__sms="{minutes} {expected} {late} {url}",
            patient_waiting__sms="{minutes} {since} {list_url}",
            failed_delivery__push="{what} {why} {code}",
        )
    )


def test_what_a_plugin_brings_is_known(tmp_path: Path) -> None:
    messages = with_texts(tmp_path, "en", message__survey__sms="{stars} {url}")
    messages.check(with_own(survey__sms="{stars} Sterne {url}"))
    with pytest.raises(ConfigurationError, match=r"\{moons\}"):
        messages.check(with_own(survey__sms="{moons} {url}"))


def test_only_templates_that_exist_can_be_unwanted() -> None:
    MESSAGES.check(a_practice(messaging=Messaging(unwanted=frozenset({"moved", "reminder"}))))
    with pytest.raises(ConfigurationError, match="'remnider'"):
        MESSAGES.check(a_practice(messaging=Messaging(unwanted=frozenset({"moved", "remnider"}))))


def test_a_server_without_french_takes_french_words_of_a_practice() -> None:
    messages = Messages(Texts(languages=("de",)))
    practice = with_own("fr", patient_waiting__sms="Attente: {list_url}")
    messages.check(practice)
    assert message("patient-waiting", "fr", "sms", messages, practice=practice).text == f"Attente: {LIST_URL}"


def test_words_in_the_settings_arrive_in_messages() -> None:
    texts = {"de": {"invitation.sms": "Bis bald: {url}"}}
    settings = Settings.of({"practices": [{"id": "a", "name": "A", "messages": {"texts": texts}}]})
    practice = settings.practices[0].practice("https://praxis.example")
    MESSAGES.check(practice)
    assert message("invitation", "de", "sms", practice=practice).text == f"Bis bald: {URL}"
