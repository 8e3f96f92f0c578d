"""``docs/cli.md`` against the parser."""

import argparse
import re
from collections.abc import Callable, Iterator

import pytest

from vsdk.cli import parser

Sections = Callable[[str, str], dict[str, str]]


def commands() -> dict[str, argparse.ArgumentParser]:
    choices = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    return dict(choices)


def options(of: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (a for a in of._actions if a.option_strings and not isinstance(a, argparse._HelpAction))


def test_exactly_the_commands_that_exist_are_described(sections: Sections) -> None:
    assert set(sections("cli.md", "##")) == {f"vsdk {name}" for name in commands()}


@pytest.mark.parametrize("name", commands())
def test_exactly_the_options_that_exist_are_described(name: str, sections: Sections) -> None:
    section = sections("cli.md", "##")[f"vsdk {name}"]
    described = set(re.findall(r"^- `(--[\w-]+)` — ", section, re.MULTILINE))
    assert described == {option for a in options(commands()[name]) for option in a.option_strings}


@pytest.mark.parametrize("name", commands())
def test_choices_and_defaults_are_told(name: str, sections: Sections) -> None:
    section = sections("cli.md", "##")[f"vsdk {name}"]
    for action in options(commands()[name]):
        line = next(x for x in section.splitlines() if x.startswith(f"- `{action.option_strings[0]}`"))
        for choice in action.choices or ():
            assert f"`{choice}`" in line
        if action.default not in (None, False):
            assert f"{action.default}" in line
            assert "default" in line


def test_options_before_the_command_are_described(page: Callable[[str], str]) -> None:
    for action in options(parser()):
        assert f"`{action.option_strings[0]} {action.metavar}`" in page("cli.md")
