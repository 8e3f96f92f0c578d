"""``docs/embedding.md`` and ``docs/operations.md`` against the API, the elements and the settings."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from vsdk import Settings
from vsdk.server.schemas import LinkReply, VisitReply
from vsdk.widgets.assets import STATIC_FOLDER

Sections = Callable[[str, str], dict[str, str]]
ELEMENTS = {
    "vsdk-practice-queue": ("practice-queue.js", "practice-door.js"),
    "vsdk-practice-messages": ("practice-messages.js", "practice-door.js"),
    "vsdk-video-visit": ("video-visit.js", "visit-session.js"),
    "vsdk-device-check": ("device-check.js",),
    "vsdk-appointment-confirmation": ("appointment-confirmation.js",),
}
EVERY_ELEMENT = {"server", "lang"}


def row(page: str, element: str) -> tuple[set[str], set[str]]:
    """Attributes and events of an element, as its row tells them."""
    found = re.search(rf"^\| `<{element}>` \| ([^|]+) \|([^|]+)\|$", page, re.MULTILINE)
    assert found
    attributes, events = (set(re.findall(r"`([\w-]+)`", cell)) for cell in found.groups())
    return attributes, events


def test_every_field_of_the_answer_is_explained(sections: Sections) -> None:
    table = sections("embedding.md", "##")["In any other language"]
    for field in (*VisitReply.model_fields, *LinkReply.model_fields):
        assert f"`{field}`" in table


@pytest.mark.parametrize("element", ELEMENTS)
def test_exactly_the_attributes_that_an_element_reads_are_named(
    element: str, page: Callable[[str], str]
) -> None:
    scripts = (STATIC_FOLDER / "elements" / name for name in ELEMENTS[element])
    script = "".join(script.read_text(encoding="utf-8") for script in scripts)
    read = set(re.findall(r"(?:(?:get|has)A|#a)ttribute\('([\w-]+)'\)", script))
    attributes, _ = row(page("embedding.md"), element)
    assert attributes == (read - {"step"}) | EVERY_ELEMENT


@pytest.mark.parametrize("element", ["vsdk-practice-queue", "vsdk-video-visit"])
def test_the_events_of_an_element_exist(element: str, page: Callable[[str], str]) -> None:
    names = ("video-visit.js", "chat-panel.js")
    script = "".join((STATIC_FOLDER / "elements" / name).read_text(encoding="utf-8") for name in names)
    _, events = row(page("embedding.md"), element)
    assert events
    for event in events:
        assert f"this.emit('{event}'" in script


def test_the_custom_properties_that_are_named_exist(page: Callable[[str], str]) -> None:
    styles = (STATIC_FOLDER / "ui" / "styles.js").read_text(encoding="utf-8")
    named = set(re.findall(r"`(--vsdk-[\w-]+)`", page("embedding.md")))
    assert len(named) == 6
    assert all(f"{name}:" in styles for name in named)


def test_settings_that_are_shown_are_valid(page: Callable[[str], str], tmp_path: Path) -> None:
    secret = tmp_path / "turn"
    secret.write_text("secret-of-nobody", encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", page("operations.md"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert Settings.of(tomllib.loads(block.replace("/run/secrets/turn", str(secret)))).base_url
