"""Catalogues: loading, falling back, overriding, and choosing a language."""

from pathlib import Path

import pytest

from vsdk.domain.errors import ConfigurationError
from vsdk.widgets.texts import Texts, best_language


def catalogue(folder: Path, language: str, **texts: str) -> Path:
    (folder / language).mkdir(parents=True, exist_ok=True)
    entries = [f'msgid "{key.replace("__", ".")}"\nmsgstr "{text}"\n' for key, text in texts.items()]
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    (folder / language / "plugin.po").write_text("\n".join([header, *entries]), encoding="utf-8")
    return folder


def test_later_folder_replaces_text_by_key(tmp_path: Path) -> None:
    first = catalogue(tmp_path / "first", "de", practice__admit="eins", other="eins")
    second = catalogue(tmp_path / "second", "de", practice__admit="zwei")
    texts = Texts([first, second])
    assert texts.get("de", "practice.admit") == "zwei"
    assert texts.get("de", "other") == "eins"
    assert texts.get("de", "practice.end") == "Beenden"


def test_text_falls_back_to_english_and_then_to_the_key(tmp_path: Path) -> None:
    texts = Texts([catalogue(tmp_path, "en", only__english="here")])
    assert texts.get("fr", "only.english") == "here"
    assert texts.get("fr", "nowhere.at.all") == "nowhere.at.all"
    assert texts.get("xx", "practice.admit") == "Admit"


def test_region_of_a_language_does_not_matter() -> None:
    assert Texts().get("de-AT", "practice.admit") == "Einlassen"


def test_placeholders_are_filled_and_never_evaluated(tmp_path: Path) -> None:
    texts = Texts([catalogue(tmp_path, "en", greeting="{name} {name.__class__} {unknown}")])
    assert texts.get("en", "greeting", name="{secret}", secret="x") == "{secret} {name.__class__} {unknown}"


def test_browser_gets_every_text_but_those_of_messages(tmp_path: Path) -> None:
    texts = Texts([catalogue(tmp_path, "en", only__english="here")])
    french = texts.browser("fr")
    assert french["practice.admit"] == "Faire entrer"
    assert french["only.english"] == "here"
    assert not [key for key in french if key.startswith("message.")]


def test_missing_folder_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        Texts([tmp_path / "nowhere"])


def test_broken_catalogue_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "broken.po").write_text('msgid "a"\nmsgstr "b"\nnonsense\n')
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Texts([tmp_path])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("it, fr;q=0.7, en;q=0.3", "fr"),
        ("en;q=0.2, de;q=0.9", "de"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de;q=0", "en"),
        ("it", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=much, ;;,,", "en"),
    ],
)
def test_best_language_follows_the_weights(header: str, expected: str) -> None:
    assert best_language(header, ("de", "fr", "en")) == expected


def test_best_language_uses_the_given_default() -> None:
    assert best_language("it", ("de", "fr"), default="fr") == "fr"
