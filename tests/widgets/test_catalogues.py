"""Our own catalogues are complete, and say neither less nor more than the pages need."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import vsdk.widgets
from vsdk.widgets.texts import LANGUAGES, OWN_FOLDER

WIDGETS = Path(vsdk.widgets.__file__).parent


def catalogue(language: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for file in sorted((OWN_FOLDER / language).glob("*.po")):
        with file.open("rb") as content:
            for message in read_po(content, locale=language, abort_invalid=True):
                if message.id:
                    assert str(message.id) not in texts, f"{message.id} stands twice"
                    texts[str(message.id)] = str(message.string)
    return texts


def sources() -> Iterator[str]:
    for pattern in ("*.py", "templates/*.html", "static/**/*.js"):
        for file in WIDGETS.glob(pattern):
            yield file.read_text(encoding="utf-8")
    for file in (WIDGETS.parent / "adapters").rglob("*.py"):
        # They make no words of messages, and have events that are called alike.
        yield re.sub(r"""["'](message\.|visit\.ics)""", "", file.read_text(encoding="utf-8"))


CATALOGUES = {language: catalogue(language) for language in LANGUAGES}
PREFIXES = "|".join(sorted({key.partition(".")[0] for key in CATALOGUES["en"]}))
KEY = re.compile(rf"""["'`]((?:{PREFIXES})(?:\.[\w-]*\w)+)(?<!\.js)(?<!\.css)(?<!\.html)["'`]""")
CALL = re.compile(r"""\bt\(\s*["']([\w.-]+\w)["']""")
OPEN_KEY = re.compile(rf"""["'`f]((?:{PREFIXES})\.[\w.-]*)(?:\$?\{{|["'] ~)""")
"""a key that code completes: ``practice.state-${state}`` or ``'page.language-' ~ code``"""

SOURCE = "\n".join(sources())
USED = set(KEY.findall(SOURCE)) | set(CALL.findall(SOURCE))
OPEN = set(OPEN_KEY.findall(SOURCE))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language: str) -> None:
    assert set(CATALOGUES[language]) == set(CATALOGUES["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert not [key for key, text in CATALOGUES[language].items() if not text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_the_same_in_every_language(language: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    # A short message writes its date in each language's own way.
    assert not [
        key
        for key, text in CATALOGUES[language].items()
        if names(text) != names(CATALOGUES["en"].get(key, "")) and not key.startswith("message.")
    ]


def test_every_used_key_is_defined() -> None:
    assert USED, "the pattern finds no key at all"
    assert USED - set(CATALOGUES["en"]) == set()


def test_every_completed_key_has_at_least_one_text() -> None:
    assert OPEN, "the pattern finds no key at all"
    assert not [start for start in OPEN if not any(key.startswith(start) for key in CATALOGUES["en"])]


def test_every_defined_key_is_used() -> None:
    unused = {
        key
        for key in CATALOGUES["en"]
        if key not in USED and not any(key.startswith(start) for start in OPEN)
    }
    assert unused == set()


@pytest.mark.parametrize("state", ["admitted", "in-progress", "ended", "closed", "cancelled", "noshow"])
def test_every_state_of_the_list_has_words(state: str) -> None:
    assert f"practice.state-{state}" in CATALOGUES["en"]


@pytest.mark.parametrize("part", ["camera", "microphone", "connection"])
@pytest.mark.parametrize("grade", ["fair", "bad"])
def test_every_technical_problem_has_words(part: str, grade: str) -> None:
    assert f"practice.check-{part}-{grade}" in CATALOGUES["en"]


def test_german_says_sie_and_french_says_vous() -> None:
    german = re.compile(r"\b(du|dein|deine|deinen|dir|dich)\b", re.IGNORECASE)
    french = re.compile(r"\b(tu|ton|tes|toi)\b", re.IGNORECASE)
    assert not [key for key, text in CATALOGUES["de"].items() if german.search(text)]
    assert not [key for key, text in CATALOGUES["fr"].items() if french.search(text)]
