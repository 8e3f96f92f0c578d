"""docs/patient-journey.md: each step has a test in a browser that is named after it."""

import re
from collections.abc import Callable
from pathlib import Path

E2E = Path(__file__).parents[1] / "e2e"
STEPS = {f"d{number}" for number in range(1, 25)}


def all_tests() -> set[str]:
    texts = (file.read_text(encoding="utf-8") for file in E2E.glob("*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}


def steps_of(name: str) -> set[str]:
    """``test_d4_d5_my_appointments`` -> d4 and d5."""
    return set(re.findall(r"d\d+", re.match(r"test_((?:d\d+_)*)", name)[1]))  # type: ignore[index]


def test_each_step_has_a_test_that_names_it() -> None:
    assert {step for name in all_tests() for step in steps_of(name)} == STEPS


def test_the_page_names_all_of_them_and_no_other(page: Callable[[str], str]) -> None:
    text = page("patient-journey.md")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named <= all_tests()
    assert {name for name in all_tests() if steps_of(name)} == {name for name in named if steps_of(name)}
    rows = re.findall(r"^\| ((?:D\d+(?:, )?)+) \|", text, re.MULTILINE)
    listed = [step.lower() for row in rows for step in row.split(", ")]
    assert listed == sorted(STEPS, key=lambda step: int(step[1:]))
