"""docs/device-check.md names each code of the check and no other; each has advice and short words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import vsdk.widgets
from vsdk.widgets.texts import LANGUAGES, OWN_FOLDER

STATIC = Path(vsdk.widgets.__file__).parent / "static"
MODULES = ("check.js", "probe.js", "quality.js", "elements/device-check.js")
CODE = re.compile(
    r"'((?:camera|connection|embedding|microphone|probe|server|signalling|speaker|turn)-[a-z-]+)'"
)


def codes() -> set[str]:
    found = {code for name in MODULES for code in CODE.findall((STATIC / name).read_text(encoding="utf-8"))}
    return found | {f"{device}-none" for device in ("camera", "microphone")}


def test_the_document_names_each_code_and_no_other(page: Callable[[str], str]) -> None:
    documented = re.findall(r"^\| `([a-z-]+)` \|", page("device-check.md"), re.MULTILINE)
    assert set(documented) == codes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_advice_and_words_for_the_practice(language: str) -> None:
    text = (OWN_FOLDER / language / "check.po").read_text(encoding="utf-8")
    for code in codes():
        assert f'"check.advice.{code}"' in text
        assert f'"check.short.{code}"' in text
