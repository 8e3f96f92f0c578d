"""Messages say with whom, when and where, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vsdk.domain.errors import ConfigurationError
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER, a_practice, an_appointment
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import LANGUAGES, Texts

URL = "https://video.praxis.example/video/j#AAAAAAAAAAAAAAAAAAAAAA"
TEMPLATES = ["invitation", "link-at-time", "invited-back"]
GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""3GPP TS 23.038, 6.2.1: with any other letter an SMS holds 70 letters instead of 160"""


@pytest.fixture
def messages() -> Messages:
    return Messages(Texts())


def render(
    messages: Messages, template: str, language: str, channel: str, **changes: object
) -> tuple[str, str]:
    values: dict[str, object] = {
        "practice": a_practice(),
        "appointment": an_appointment(),
        "participant": PATIENT,
        "url": URL,
        "now": NOON - timedelta(minutes=10),
    }
    return messages.render(template, language, channel, **(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_sms_fits_one_part_and_has_doctor_and_link(messages: Messages, template: str, language: str) -> None:
    subject, text = render(messages, template, language, "sms")
    assert subject == ""
    assert "Dr. Jonas Muster" in text
    assert text.endswith(URL)
    assert len(text) <= 160
    assert set(text) <= GSM_7


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_message_never_tells_the_patient_or_an_open_placeholder(
    messages: Messages, template: str, channel: str, language: str
) -> None:
    subject, text = render(messages, template, language, channel)
    for private in (PATIENT.name, PATIENT.phone, PATIENT.email, PATIENT.reference):
        assert private not in subject + text
    assert "{" not in subject + text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_has_subject_link_and_phone_number(messages: Messages, template: str, language: str) -> None:
    subject, text = render(messages, template, language, "email")
    assert subject
    assert "\n" not in subject
    assert f": {URL}\n" in text
    assert a_practice().phone in text


def test_times_are_the_local_time_of_the_practice(messages: Messages) -> None:
    _, berlin = render(messages, "link-at-time", "de", "sms")
    _, reunion = render(
        messages, "link-at-time", "de", "sms", practice=a_practice(time_zone=ZoneInfo("Indian/Reunion"))
    )
    assert "13:00" in berlin
    assert "16:00" in reunion


@pytest.mark.parametrize(
    ("language", "date"), [("de", "Montag, 2. März"), ("fr", "lundi 2 mars"), ("en", "Monday 2 March")]
)
def test_mail_writes_the_date_as_the_language_does(messages: Messages, language: str, date: str) -> None:
    assert date in render(messages, "invitation", language, "email")[1]


def test_line_with_link_is_left_out_when_there_is_none(messages: Messages) -> None:
    _, text = render(messages, "invitation", "en", "sms", url=None)
    assert text == "Video visit with Dr. Jonas Muster: Mon 02/03 at 13:00."
    _, text = render(messages, "link-at-time", "en", "email", url=None)
    assert "http" not in text
    assert not [line for line in text.splitlines() if line.endswith(":")]


def test_practice_stands_in_for_a_missing_practitioner(messages: Messages) -> None:
    for participants in ((PATIENT,), (PATIENT, replace(PRACTITIONER, name=""))):
        appointment = an_appointment(participants=participants)
        assert "Praxis am Park" in render(messages, "link-at-time", "de", "sms", appointment=appointment)[1]


def test_line_breaks_in_names_cannot_add_lines(messages: Messages) -> None:
    appointment = an_appointment(
        participants=(PATIENT, replace(PRACTITIONER, name="Dr.\r\nBcc: x@y.example"))
    )
    subject, text = render(messages, "invited-back", "en", "email", appointment=appointment)
    assert "Dr. Bcc: x@y.example" in text
    assert "\r" not in subject + text


def test_template_of_a_plugin_is_found_in_the_language_it_has(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "own.po").write_text('msgid "message.reminder.sms"\nmsgstr "Um {time}: {url}"\n')
    messages = Messages(Texts([tmp_path]))
    assert messages.has("reminder")
    assert render(messages, "reminder", "fr", "sms")[1] == f"Um 13:00: {URL}"


def test_unknown_template_is_a_configuration_error(messages: Messages) -> None:
    assert not messages.has("nonsense")
    with pytest.raises(ConfigurationError, match=r"message\.nonsense\.sms"):
        render(messages, "nonsense", "de", "sms")


@pytest.mark.parametrize(
    ("minutes_before", "begins"), [(10, "in 10 minutes"), (0.5, "in one minute"), (0, "now"), (-5, "now")]
)
def test_a_message_that_is_late_does_not_say_ten_minutes(minutes_before: float, begins: str) -> None:
    """The link may be sent later than planned, as when the appointment was booked just before."""
    messages = Messages(Texts())
    late = NOON - timedelta(minutes=minutes_before)
    texts = Texts()
    assert messages._begins("en", an_appointment(), late) == begins
    assert texts.has("de", "message.begins.now")
