"""Messages say with whom, when and where, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import vsdk_doctolib_like
from vsdk.domain.errors import ConfigurationError
from vsdk.domain.messaging import KINDS, Messaging
from vsdk.domain.sms import measure
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_practice, an_appointment
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import LANGUAGES, Texts

from .messages_of import (
    LIST_URL,
    MESSAGES,
    TEMPLATES,
    TO_PATIENTS,
    TO_TEAM,
    URL,
    message,
    with_texts,
)

LINDENTHAL = replace(PRACTITIONER, name="Dr. med. Annegret Lindenthal")
LONG_DAY = datetime(2026, 12, 30, 13, 30, tzinfo=NOON.tzinfo)
USUAL = an_appointment(
    start=LONG_DAY, end=LONG_DAY + timedelta(minutes=15), participants=(PATIENT, LINDENTHAL)
)
JOINED = ["invitation", "link-at-time", "reminder", "delay", "moved", "invited-back"]


def test_there_are_words_for_every_template_and_no_others() -> None:
    found = {(t, p, language) for t, p, language, _ in MESSAGES.every(a_practice()) if t in KINDS}
    parts = ("sms", "email-subject", "email-text")
    assert found == {(t, p, language) for t in KINDS for p in parts for language in LANGUAGES}
    assert all(map(MESSAGES.has, TEMPLATES))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("minutes", [None, "0", "1", "15", "120"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_an_sms_fits_into_one_segment(template: str, minutes: str | None, language: str) -> None:
    values = {"minutes": minutes} if minutes else {}
    words = message(
        template, language, "sms", appointment=USUAL, values=values, now=LONG_DAY - timedelta(hours=1)
    )
    length = measure(words.text)
    assert (length.encoding, length.segments, words.segments) == ("GSM-7", 1, 1), length
    assert words.subject == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_did_not_arrive_and_why_fits_into_one_segment(language: str) -> None:
    codes = [part for template, part, _, _ in MESSAGES.every(a_practice()) if template == "why"]
    for what in (*TO_PATIENTS, "template-of-a-plugin"):
        for code in (*codes, "gateway-request"):
            values = {"what": what, "code": code}
            words = message("failed-delivery", language, "sms", appointment=USUAL, values=values)
            assert words.segments == 1, (what, code, measure(words.text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("begins", [10, 1, 0])
def test_the_words_of_the_doctolib_like_plan_fit_into_one_segment_too(begins: int, language: str) -> None:
    (folder,) = vsdk_doctolib_like.vsdk_message_catalogs()
    now = LONG_DAY - timedelta(minutes=begins)
    words = message("link-at-time", language, "sms", Messages(Texts([folder])), appointment=USUAL, now=now)
    assert words.segments == 1, measure(words.text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["sms", "push", "email"])
@pytest.mark.parametrize("template", JOINED)
def test_who_is_to_come_reads_with_whom_and_where(template: str, kind: str, language: str) -> None:
    words = message(template, language, kind)
    assert "Dr. Jonas Muster" in words.text
    assert URL in words.text.split(), "the link stands alone, so that phones recognise it"


TIMELESS = ("delay", "invited-back", "sign-in-code")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [t for t in TEMPLATES if t not in TIMELESS])
def test_the_time_is_said(template: str, language: str) -> None:
    for kind in ("sms", "email"):
        assert "13:00" in message(template, language, kind).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["invitation", "reminder", "moved", "cancelled", "failed-delivery"])
def test_the_day_is_said(template: str, language: str) -> None:
    day = {"de": "2.3.", "fr": "02/03", "en": "02/03"}[language]
    date = {"de": "Montag, 2. März", "fr": "lundi 2 mars", "en": "Monday 2 March"}[language]
    assert day in message(template, language, "sms").text
    assert date in message(template, language, "email").text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["sms", "push", "email", "fhir"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_message_never_tells_the_patient_or_an_open_placeholder(
    template: str, kind: str, language: str
) -> None:
    words = message(template, language, kind)
    everything = words.subject + words.text + words.html + words.calendar
    for private in (PATIENT.name, PATIENT.phone, PATIENT.email, PATIENT.reference):
        assert private not in everything
    assert "{" not in words.subject + words.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [t for t in TO_PATIENTS if t != "sign-in-code"])
def test_mail_has_a_subject_and_the_phone_number(template: str, language: str) -> None:
    words = message(template, language, "email")
    assert words.subject
    assert "\n" not in words.subject
    assert a_practice().phone in words.text
    assert words.text.endswith("\nPraxis am Park\n")
    assert words.segments == 0


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["sms", "email"])
@pytest.mark.parametrize("template", TO_TEAM)
def test_the_practice_is_told_where_its_list_is_and_no_link_of_anyone(
    template: str, kind: str, language: str
) -> None:
    words = message(template, language, kind)
    assert LIST_URL in words.text.split()
    assert "/j#" not in words.text + words.html


def test_the_practice_is_told_what_did_not_arrive_and_why() -> None:
    assert message("failed-delivery", "de", "sms").text == (
        f"Nicht angekommen: Einladung zum Mo., 2.3., 13:00 Uhr (keine Nummer oder Adresse).\n{LIST_URL}"
    )
    unknown = {"what": "survey", "code": "gateway-credit"}
    text = message("failed-delivery", "en", "sms", values=unknown).text
    assert text == f"Not delivered: message, Mon 02/03 at 13:00 (error gateway-credit).\n{LIST_URL}"


def test_a_plugin_names_its_own_templates_and_codes(tmp_path: Path) -> None:
    messages = with_texts(tmp_path, "en", message__what__survey="survey", message__why__acme_off="ACME off")
    values = {"what": "survey", "code": "acme_off"}
    assert "survey, Mon" in message("failed-delivery", "en", "sms", messages, values=values).text
    assert "(ACME off)" in message("failed-delivery", "en", "sms", messages, values=values).text


@pytest.mark.parametrize(
    ("minutes", "german", "french", "english"),
    [
        ({"minutes": "0"}, "wartet seit eben (", "attente depuis un instant (", "waiting since just now ("),
        ({"minutes": "1"}, "wartet seit einer Minute (", "attente depuis une minute (", "for one minute ("),
        ({"minutes": "4"}, "wartet seit 4 Minuten (", "attente depuis 4 minutes (", "for 4 minutes ("),
        ({}, "wartet jetzt (", "attente maintenant (", "waiting now ("),
        ({"minutes": "soon"}, "wartet jetzt (", "attente maintenant (", "waiting now ("),
        ({"minutes": "9" * 40}, "wartet jetzt (", "attente maintenant (", "waiting now ("),
    ],
)
def test_how_long_someone_waits(minutes: dict[str, str], german: str, french: str, english: str) -> None:
    for language, words in (("de", german), ("fr", french), ("en", english)):
        assert words in message("patient-waiting", language, "sms", values=minutes).text


@pytest.mark.parametrize(
    ("minutes", "expected", "late"),
    [("15", "13:15", "15 minutes late"), ("1", "13:01", "one minute late"), ("0", "13:00", "as planned")],
)
def test_a_delay_says_when_it_will_begin_and_how_much_later(minutes: str, expected: str, late: str) -> None:
    text = message("delay", "en", "sms", values={"minutes": minutes}).text
    assert f"at about {expected}, {late}." in text


def test_a_delay_is_never_to_a_time_that_has_passed() -> None:
    """As when it is announced to someone who was invited back."""
    text = message("delay", "en", "sms", values={"minutes": "10"}, now=NOON + timedelta(minutes=25)).text
    assert "begins at about 13:35" in text


def test_times_are_the_local_time_of_the_practice() -> None:
    berlin = message("link-at-time", "de", "sms")
    reunion = message("link-at-time", "de", "sms", practice=a_practice(time_zone=ZoneInfo("Indian/Reunion")))
    assert "13:00" in berlin.text
    assert "16:00" in reunion.text


def test_a_delay_across_the_change_to_summer_time_is_told_in_summer_time() -> None:
    start = datetime(2026, 3, 29, 0, 50, tzinfo=NOON.tzinfo)
    appointment = an_appointment(start=start, end=start + timedelta(minutes=15))
    text = message("delay", "en", "sms", appointment=appointment, now=start, values={"minutes": "20"}).text
    assert "at about 03:10" in text


def test_line_with_link_is_left_out_when_there_is_none() -> None:
    words = message("invitation", "en", "sms", url=None)
    assert words.text == "Video visit with Dr. Jonas Muster: Mon 02/03 at 13:00."
    mail = message("link-at-time", "en", "email", url=None, practice=a_practice(phone="")).text
    assert "http" not in mail
    assert not [line for line in mail.splitlines() if line.endswith(":")]
    assert "\n\n\n" not in mail
    assert message("patient-waiting", "en", "sms", list_url="").text.endswith("Dr. Jonas Muster).")


def test_practice_stands_in_for_a_missing_practitioner() -> None:
    for participants in ((PATIENT,), (PATIENT, replace(PRACTITIONER, name=" \u200f"))):
        appointment = an_appointment(participants=participants)
        assert "Praxis am Park" in message("link-at-time", "de", "sms", appointment=appointment).text


UNNAMED = {(t, k) for t in ("sign-in-code", "cancellation-asked") for k in ("sms", "email")}
UNNAMED |= {("failed-delivery", "sms")}


@pytest.mark.parametrize("kind", ["sms", "email"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_practice_is_called_as_it_wants_to_be_in_messages(template: str, kind: str) -> None:
    practice = a_practice(name="Praxis fuer Onkologie", messaging=Messaging(name="Praxis Dr. Muster"))
    words = message(
        template, "de", kind, practice=practice, appointment=an_appointment(participants=(PATIENT,))
    )
    assert "Onkologie" not in words.subject + words.text + words.html + words.calendar
    if (template, kind) not in UNNAMED:
        assert "Praxis Dr. Muster" in words.text


def test_neither_line_breaks_nor_hidden_characters_of_names_are_sent() -> None:
    name = "Dr.\r\nBcc: x@y.example \u202ereverse\u202c\x00\u200bX"
    appointment = an_appointment(participants=(PATIENT, replace(PRACTITIONER, name=name)))
    for kind in ("sms", "email"):
        words = message("invited-back", "en", kind, appointment=appointment)
        assert "Dr. Bcc: x@y.example reverseX asks" in words.text
        assert not set("\r\u202e\u202c\x00\u200b") & set(words.subject + words.text + words.html)


def test_a_placeholder_in_a_name_stays_a_name() -> None:
    appointment = an_appointment(participants=(PATIENT, replace(PRACTITIONER, name="Dr. {url} {phone}")))
    assert "Dr. {url} {phone} asks you" in message("invited-back", "en", "sms", appointment=appointment).text


def test_a_name_without_end_is_cut_and_what_is_longer_than_one_segment_is_counted() -> None:
    appointment = an_appointment(participants=(PATIENT, replace(PRACTITIONER, name="Ö" * 100_000)))
    words = message("invited-back", "de", "sms", appointment=appointment)
    assert words.text.count("Ö") == 120
    assert words.segments == measure(words.text).segments == 2
    assert words.text.endswith(URL)


def test_letters_of_a_name_cost_no_second_sms_and_are_kept_in_mails() -> None:
    named = replace(PRACTITIONER, name="Dr. Łucja Święcicka")
    appointment = an_appointment(participants=(PATIENT, named))
    sms = message("invitation", "de", "sms", appointment=appointment)
    assert "Dr. Lucja Swiecicka" in sms.text
    assert sms.segments == 1
    for kind in ("email", "push"):
        assert named.name in message("invitation", "de", kind, appointment=appointment).text


def test_template_of_a_plugin_is_found_in_the_language_it_has(tmp_path: Path) -> None:
    messages = with_texts(tmp_path, "de", message__survey__sms="Um {time}: {url} ({stars})")
    assert messages.has("survey")
    assert message("survey", "fr", "sms", messages, values={"stars": "5"}).text == f"Um 13:00: {URL} (5)"
    with pytest.raises(ConfigurationError, match=r"message\.survey\.email-text"):
        message("survey", "de", "email", messages)


def test_push_has_words_of_its_own_where_a_catalogue_gives_them(tmp_path: Path) -> None:
    messages = with_texts(tmp_path, "de", message__reminder__push="Gleich: {time}")
    assert message("reminder", "de", "push", messages).text == "Gleich: 13:00"
    assert message("reminder", "fr", "push", messages).text == message("reminder", "fr", "sms").text
    assert message("reminder", "de", "sms", messages).text == message("reminder", "de", "sms").text


def test_other_kinds_of_channels_get_the_words_of_an_sms() -> None:
    sms = message("moved", "fr", "sms").text
    for kind in ("fhir", "webhook", "push", "team"):
        other = message("moved", "fr", kind)
        assert (other.text, other.subject, other.segments) == (sms, "", 0)


def test_the_participant_and_then_the_practice_decide_on_the_language() -> None:
    french = replace(PATIENT, language="fr-BE")
    italian = replace(PATIENT, language="it")
    assert "Téléconsultation" in message("invitation", "it", "sms", participant=french).text
    assert (
        "Téléconsultation"
        in message("invitation", "it", "sms", participant=italian, practice=a_practice(language="fr")).text
    )
    assert (
        "Video visit"
        in message("invitation", "it", "sms", participant=None, practice=a_practice(language="it")).text
    )


def test_unknown_template_is_a_configuration_error() -> None:
    assert not MESSAGES.has("nonsense")
    with pytest.raises(ConfigurationError, match=r"message\.nonsense\.sms"):
        message("nonsense", "de", "sms")


@pytest.mark.parametrize(
    ("minutes_before", "begins"), [(10, "in 10 minutes"), (0.5, "in one minute"), (0, "now"), (-5, "now")]
)
def test_a_message_that_is_late_does_not_say_ten_minutes(
    minutes_before: float, begins: str, tmp_path: Path
) -> None:
    """The link may be sent later than planned, as when the appointment was booked just before."""
    messages = with_texts(tmp_path, "en", message__soon__sms="Begins {begins}.")
    late = NOON - timedelta(minutes=minutes_before)
    assert message("soon", "en", "sms", messages, now=late).text == f"Begins {begins}."


def test_lengths_are_those_of_usual_names_and_the_practices_own_links() -> None:
    practice = a_practice()
    found = {(template, language): length for template, language, length in MESSAGES.lengths(practice)}
    assert found.keys() == {(template, language) for template in TEMPLATES for language in LANGUAGES}
    assert all(length.segments == 1 for length in found.values())
    longer = replace(practice.fhir, link_address=f"https://{'long' * 15}.example/j#")
    assert all(
        length.units > found[template, language].units
        for template, language, length in MESSAGES.lengths(replace(practice, fhir=longer))
        if template in JOINED
    )
