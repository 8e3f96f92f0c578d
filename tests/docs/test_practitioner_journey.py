"""docs/practitioner-journey.md names each test in a browser that is named after a step, and no other."""

import re
from collections.abc import Callable

from tests.docs.test_patient_journey import all_tests


def steps_of(name: str) -> set[str]:
    """``test_m2_m3_anyone`` -> m2 and m3."""
    return set(re.findall(r"m\d+", re.match(r"test_((?:m\d+_)*)", name)[1]))  # type: ignore[index]


def test_the_page_names_all_of_them_and_no_other(page: Callable[[str], str]) -> None:
    text = page("practitioner-journey.md")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named == {name for name in all_tests() if steps_of(name)}
    rows = re.findall(r"^\| (M\d+) \|", text, re.MULTILINE)
    assert rows == sorted(rows, key=lambda step: int(step[1:]))
    assert {row.lower() for row in rows} == {step for name in named for step in steps_of(name)}
