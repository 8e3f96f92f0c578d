"""``docs/events.md`` against events, effects and every line that is written into the audit trail."""

import ast
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from vsdk.domain.effects import Effect
from vsdk.domain.events import Occurrence, VisitEvent
from vsdk.domain.message import MessageState
from vsdk.domain.visit import TABLE, kebab
from vsdk.service.retries import PAUSES, SWITCH_AFTER

Sections = Callable[[str, str], dict[str, str]]
SOURCES = (Path(__file__).parents[2] / "src").rglob("*.py")
EVENTS = {event.__name__: event for event in get_args(Occurrence)}
IN_TABLE = get_args(VisitEvent)
KEBAB = re.compile(r"[a-z]+(-[a-z]+)+")


def literal_lines() -> Iterator[str]:
    """What is written into the audit trail by name, outside of the state table."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("Audit", "_audit"):
                for argument in node.args:
                    if not isinstance(argument, ast.Dict):
                        yield from (
                            n.value
                            for n in ast.walk(argument)
                            if isinstance(n, ast.Constant)
                            and isinstance(n.value, str)
                            and KEBAB.fullmatch(n.value)
                        )


def test_exactly_the_events_that_exist_are_described(sections: Sections) -> None:
    assert list(sections("events.md", "###")) == list(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_the_fields_of_an_event_are_named(name: str, sections: Sections) -> None:
    section = sections("events.md", "###")[name]
    fields = [field.name for field in dataclasses.fields(EVENTS[name])]
    assert ("Fields:" in section) == bool(fields)
    for field in fields:
        assert f"`{field}`" in section


def test_each_state_of_a_message_is_explained(sections: Sections) -> None:
    states = re.findall(r"`([a-z]+)`", sections("events.md", "###")["MessageProgressed"])
    assert [state for state in MessageState if state not in states] == []


def test_attempts_and_pauses_are_those_of_the_outbox(page: Callable[[str], str]) -> None:
    pauses = f"{', '.join(map(str, PAUSES[:-1]))} and {PAUSES[-1]} seconds"
    ordinals = dict(enumerate(["first", "second", "third", "fourth", "fifth"], start=1))
    numbers = dict(enumerate(["six", "seven", "eight", "nine", "ten"], start=6))
    assert pauses in " ".join(page("events.md").split())
    for name in ("events.md", "hooks.md"):
        assert f"after the {ordinals[SWITCH_AFTER]} " in page(name).lower()
    assert f"up to {numbers[len(PAUSES) + 1]} attempts" in page("hooks.md")


def test_every_event_can_happen() -> None:
    assert {event for _, event in TABLE} == set(IN_TABLE)


def test_exactly_the_effects_that_exist_are_described(sections: Sections) -> None:
    described = re.findall(r"^\| `(\w+)` \|", sections("events.md", "##")["Effects"], re.MULTILINE)
    assert sorted(described) == sorted(effect.__name__ for effect in get_args(Effect))


def test_exactly_the_audit_lines_that_are_written_are_described(sections: Sections) -> None:
    described = re.findall(r"^\| `([a-z-]+)` \|", sections("events.md", "##")["Audit lines"], re.MULTILINE)
    written = {*(kebab(event.__name__) for event in IN_TABLE), *literal_lines()}
    assert "join-denied" in written
    assert len(described) == len(set(described))
    assert set(described) == written
