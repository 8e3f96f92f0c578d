"""``docs/writing-a-plugin.md`` shows the files of ``examples/sms_gateway``, piece by piece."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

GATEWAY = Path(__file__).parents[2] / "examples" / "sms_gateway"


@pytest.fixture
def blocks(page: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Code blocks of a language, in order."""
    text = page("writing-a-plugin.md")
    return lambda language: re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    return (GATEWAY / name).read_text(encoding="utf-8")


def test_the_pieces_make_up_the_module(blocks: Callable[[str], list[str]]) -> None:
    *module, _contract = blocks("python")
    assert "\n".join(module) == re.sub(r"\n{3,}", "\n\n", read("vsdk_acme_sms.py"))


def test_each_piece_stands_in_the_module(blocks: Callable[[str], list[str]]) -> None:
    for piece in blocks("python")[:-1]:
        assert piece in read("vsdk_acme_sms.py")


def test_the_contract_is_the_one_that_the_example_runs(blocks: Callable[[str], list[str]]) -> None:
    assert blocks("python")[-1] in read("tests/test_acme_sms.py")


def test_the_package_is_described_as_it_is(blocks: Callable[[str], list[str]]) -> None:
    package, enabling = blocks("toml")
    assert read("pyproject.toml").startswith(package)
    assert enabling in read("README.md")


def test_the_contracts_that_are_named_exist(page: Callable[[str], str]) -> None:
    from vsdk.testing import contracts

    named = set(re.findall(r"`(\w+Contract)`", page("writing-a-plugin.md")))
    assert named == {
        name for name in vars(contracts) if name.endswith("Contract") and not name.startswith("Any")
    } - {"Contract"}
