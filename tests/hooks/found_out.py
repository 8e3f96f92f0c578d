"""Runs single tests of a contract against adapters that are meant to be found out."""

import inspect
from collections.abc import Iterable
from typing import Any

import pytest

from vsdk.testing.contract import Contract


async def run(contract: Contract, name: str, **available: Any) -> None:
    """One test of the contract, with those of the fixtures that it asks for."""
    test = getattr(contract, name)
    outcome = test(**{wanted: available[wanted] for wanted in inspect.signature(test).parameters})
    if inspect.isawaitable(outcome):
        await outcome


async def is_found_out(contract: Contract, name: str, **available: Any) -> bool:
    """Whether that test fails as a test should: with an assertion."""
    try:
        await run(contract, name, **available)
    except (AssertionError, pytest.fail.Exception):
        return True
    return False


def tests_of(contract: type[Contract]) -> set[str]:
    return {name for name in dir(contract) if name.startswith("test_")}


def nowhere_used(contract: type[Contract], used: Iterable[str]) -> set[str]:
    """Tests of the contract for which no bad adapter is given."""
    return tests_of(contract) - set(used)
