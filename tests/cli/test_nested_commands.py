"""``docs/cli.md`` against commands within commands, such as ``vsdk outbox retry``."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsdk.cli import parser

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (vsdk .+)\n((?:(?!^#).*\n)*)", PAGE, re.MULTILINE))


def inner(of: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for part, found in action.choices.items():
                yield f"{name} {part}", found
                yield from inner(found, f"{name} {part}")


NESTED = {name: found for name, found in inner(parser(), "vsdk") if name.count(" ") > 1}


def options(of: argparse.ArgumentParser) -> list[argparse.Action]:
    return [a for a in of._actions if a.option_strings and not isinstance(a, argparse._HelpAction)]


def test_exactly_the_nested_commands_that_exist_are_described() -> None:
    assert set(NESTED) == set(SECTIONS)
    assert {"vsdk new plugin", "vsdk check plugin", "vsdk outbox retry"} <= set(NESTED)


@pytest.mark.parametrize("name", NESTED)
def test_exactly_their_options_are_described(name: str) -> None:
    described = re.findall(r"^- `(--[\w-]+)` — ", SECTIONS[name], re.MULTILINE)
    assert sorted(described) == sorted(o for a in options(NESTED[name]) for o in a.option_strings)


@pytest.mark.parametrize("name", NESTED)
def test_their_choices_and_defaults_are_told(name: str) -> None:
    for action in options(NESTED[name]):
        _, _, text = SECTIONS[name].partition(f"- `{action.option_strings[0]}`")
        text = text.partition("\n- ")[0]
        for choice in action.choices or ():
            assert f"`{choice}`" in text
        if action.default not in (None, False, argparse.SUPPRESS):
            assert f"`{action.default}` (default)" in text
