"""``docs/messages.md`` against templates, placeholders and limits in the code."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from vsdk import Settings
from vsdk.domain.messaging import KINDS, SOON, Messaging, Until
from vsdk.domain.sms import EXTENSION, measure
from vsdk.settings import MessageSettings
from vsdk.testing.factories import a_practice
from vsdk.widgets import calendar, own_texts, wording
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import Texts

Sections = Callable[[str, str], dict[str, str]]
ENDS = {
    Until.START: "the start",
    Until.END: "the end",
    Until.CLOSE: "links close",
    Until.SOON: f"{SOON.seconds // 60} minutes later",
}
MESSAGES = Messages(Texts())


@pytest.fixture
def section(sections: Sections) -> Callable[[str], str]:
    return lambda heading: sections("messages.md", "##")[heading]


def rows(text: str) -> list[list[str]]:
    found = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "|" in line
    ]
    return [[cell.strip(" |") for cell in row] for row in found if row[0].startswith("`")]


def test_every_template_is_described_as_the_code_has_it(section: Callable[[str], str]) -> None:
    told = {row[0].strip("`"): (row[3], row[4]) for row in rows(section("Templates"))}
    assert told == {
        name: (ENDS[kind.until], "waits" if kind.waits else "goes out") for name, kind in KINDS.items()
    }


def test_who_gets_it_is_the_team_where_the_code_says_so(section: Callable[[str], str]) -> None:
    told = {row[0].strip("`"): "team" in row[1] for row in rows(section("Templates"))}
    assert told == {name: kind.to_team for name, kind in KINDS.items()}


def test_exactly_the_placeholders_that_exist_are_listed(section: Callable[[str], str]) -> None:
    general = {row[0].strip("`{}") for row in rows(section("Placeholders")) if len(row) == 2}
    assert general == set(wording.GENERAL)
    special = {
        (row[0].strip("`"), row[1].strip("`{}")) for row in rows(section("Placeholders")) if len(row) == 3
    }
    assert special == {(template, name) for template, names in wording.SPECIAL.items() for name in names}
    assert f"at most {wording.LONGEST_NAME} characters" in section("Placeholders").replace("\n", " ")


def test_the_words_of_placeholders_are_ours(section: Callable[[str], str]) -> None:
    english = {text for _, _, language, text in MESSAGES.every(a_practice()) if language == "en"}
    table = "\n".join(line for line in section("Placeholders").splitlines() if line.startswith("|"))
    examples = [example for example in re.findall(r"`([^`|]+)`", table) if " " in example]
    assert len(examples) > 6
    for example in examples:
        assert re.sub(r"\d+", "{minutes}", example) in english


def test_the_parts_are_those_of_the_code(section: Callable[[str], str]) -> None:
    for part in own_texts.PARTS:
        assert f"`{part}`" in section("Parts")


def test_templates_with_calendar_entries_are_named(section: Callable[[str], str]) -> None:
    published, cancelled = re.search(
        r"\(iCalendar\): (.+?) put the visit there,.+?; (.+?) takes it out", section("Parts"), re.DOTALL
    ).groups()  # type: ignore[union-attr]
    named = dict.fromkeys(re.findall(r"`([\w-]+)`", published), "PUBLISH")
    named |= dict.fromkeys(re.findall(r"`([\w-]+)`", cancelled), "CANCEL")
    assert named == calendar.METHODS
    assert f"alarm {calendar.ALARM.seconds // 60} minutes before" in section("Parts")


def test_the_example_is_valid_and_says_what_it_shows(section: Callable[[str], str]) -> None:
    example = section("Own words").partition("```toml\n")[2].partition("```")[0]
    practice = Settings.of(tomllib.loads(example)).practices[0].practice("https://praxis.example")
    MESSAGES.check(practice)
    assert practice.messaging.quiet
    assert set(practice.messaging.texts) == {"de", "tr"}
    lengths = {(t, language): n for t, language, n in MESSAGES.lengths(practice)}
    assert lengths["invitation", "de"].segments == 1


def test_the_words_that_a_further_language_needs_exist(section: Callable[[str], str]) -> None:
    named = re.findall(r"`((?:begins|mail|calendar)\.[\w-]+)`", section("Own words"))
    every = {f"{t}.{p}" for t, p, _, _ in MESSAGES.every(a_practice()) if t in ("begins", "mail", "calendar")}
    assert set(named) == every


def test_lengths_are_those_of_the_standard(section: Callable[[str], str]) -> None:
    text = section("Length of an SMS")
    limits = [measure(sample).limit for sample in ("a", "a" * 161, "ł", "ł" * 71)]
    for limit in limits:
        assert re.search(rf"\b{limit}\b", text)
    twice = re.search(r"153; (.+?) count twice", text, re.DOTALL)
    assert twice
    assert set(re.findall(r"`(.)`", twice[1])) == EXTENSION - {"\f"}
    inside = re.search(r"German umlauts, (.+?) are in the alphabet; (.+?) are not", text, re.DOTALL)
    assert inside
    assert all(measure(letter).encoding == "GSM-7" for letter in re.findall(r"`(.)`", inside[1]))
    assert all(measure(letter).encoding == "UCS-2" for letter in re.findall(r"`(.)`", inside[2]))


def test_the_settings_that_keep_messages_back_are_named(section: Callable[[str], str]) -> None:
    text = section("When nothing is sent")
    for name in ("quiet_from", "quiet_until", "unwanted", "at_most"):
        assert f"`{name}`" in text
        assert name in MessageSettings.model_fields
    assert f"`at_most` ({Messaging().at_most})" in text


def test_channels_have_pages() -> None:
    folder = Path(__file__).parents[2] / "docs" / "channels"
    page = (folder.parent / "messages.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(channels/([\w-]+\.md)\)", page)) == {p.name for p in folder.glob("*.md")}
