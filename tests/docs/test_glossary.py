"""One word for one thing: the glossary's terms exist, and the words that it bans are not used."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vsdk.domain.participant import Capability, Role

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
BANNED = ("meeting", "conference", "manager", "handler", "helper", "utils")
TEXTS = sorted(ROOT.glob("src/vsdk/locale/*/*.po"))
PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_terms_are_in_order_and_explained(page: Callable[[str], str]) -> None:
    rows = [
        (term, meaning) for term, meaning in ROW.findall(page("glossary.md")) if term not in ("term", "---")
    ]
    terms = [term.split(",")[0].lower() for term, _ in rows]
    assert len(terms) > 40
    assert terms == sorted(terms)
    assert all(len(meaning.split()) > 2 for _, meaning in rows)


def test_roles_and_capabilities_are_terms(page: Callable[[str], str]) -> None:
    text = page("glossary.md")
    for role in Role:
        assert re.search(rf"^\| (\w+, )*{role.value}[ ,|]", text, re.MULTILINE), role
    for capability in Capability:
        assert capability.value in text


@pytest.mark.parametrize("file", PAGES, ids=lambda p: p.name)
def test_the_documentation_uses_none_of_the_banned_words(file: Path) -> None:
    if file.name == "glossary.md":
        return
    prose = re.sub(r"`[^`]+`", "", file.read_text(encoding="utf-8"))  # names of others are as they are
    words = set(re.findall(r"[a-z]+", prose.lower()))
    assert not words & set(BANNED)


@pytest.mark.parametrize("file", TEXTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_texts_for_people_use_none_of_the_banned_words(file: Path) -> None:
    texts = " ".join(
        re.findall(r'^(?:msgstr )?"(.*)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
    ).lower()
    assert not [word for word in (*BANNED, "videokonferenz", "session") if re.search(rf"\b{word}\b", texts)]
