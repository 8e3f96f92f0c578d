"""The shape of modules: small, explained, and named after what they are."""

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST, MEDIAN = 400, 150
EXCEPTIONS: dict[str, str] = {}
"""longer modules, each with its reason"""

VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "handler", "handlers"}

PYTHON = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "plugins").glob("*/src/**/*.py")])
SCRIPTS = sorted([*(ROOT / "src").rglob("*.js"), *(ROOT / "plugins").glob("*/src/**/*.js")])


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", [*PYTHON, *SCRIPTS], ids=name_of)
def test_no_module_is_longer_than_one_can_hold_in_mind(file: Path) -> None:
    assert lines(file) <= LONGEST or name_of(file) in EXCEPTIONS


@pytest.mark.parametrize("files", [PYTHON, SCRIPTS], ids=["python", "javascript"])
def test_most_modules_are_short(files: list[Path]) -> None:
    assert files
    assert statistics.median(lines(f) for f in files if f.name != "__init__.py") <= MEDIAN


def test_each_exception_is_still_needed() -> None:
    assert not [name for name in EXCEPTIONS if lines(ROOT / name) <= LONGEST]


@pytest.mark.parametrize("file", PYTHON, ids=name_of)
def test_every_module_says_what_it_is_for(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", [*PYTHON, *SCRIPTS], ids=name_of)
def test_module_names_say_what_is_inside(file: Path) -> None:
    words = set(file.stem.replace("-", "_").split("_"))
    assert not words & VAGUE
