"""``docs/writing-a-plugin.md`` is followed from its beginning to its end, as a reader would follow it."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.docs.terminal import ANYTHING, Terminal, environment, free_ports, matches

from vsdk import Settings

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-plugin.md"
GATEWAY = Path(__file__).parents[2] / "examples" / "sms_gateway"
MODULE = "vsdk-acme-sms/src/vsdk_acme_sms/__init__.py"
TESTS = "vsdk-acme-sms/tests/test_plugin.py"
PORTS = ("8000", "8025")
"""of the server and of the gateway on the page; others are taken here, which are free"""
PRIVATE = ("15112345678", "Erika", "Muster", "let-me-in", "between-us", "/j#")
"""what stands in messages and settings on the page, and in no trace"""
PART = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$|^## (?P<heading>[^\n]+)$",
    re.MULTILINE | re.DOTALL,
)
"""a block, or the heading of a section"""


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    text: str
    section: str


def blocks() -> Iterator[Block]:
    """All blocks in their order, each with the section that it stands in."""
    section = ""
    for part in PART.finditer(PAGE.read_text(encoding="utf-8")):
        if part["heading"]:
            section = part["heading"]
        else:
            yield Block(part["language"], part["title"] or "", part["text"], section)


BLOCKS = list(blocks())


def files() -> Iterator[tuple[str, str, str]]:
    """Section, path and text of each file: the blocks of one section with that path, after one another."""
    pieces: dict[tuple[str, str], list[str]] = {}
    for block in BLOCKS:
        if block.title:
            pieces.setdefault((block.section, block.title), []).append(block.text)
    for (section, path), texts in pieces.items():
        yield section, path, ("\n\n" if path.endswith(".py") else "\n").join(texts)


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block, with the lines that it prints."""
    for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, *printed = command.rstrip("\n").split("\n")
        yield line, printed


def assert_styled(file: Path) -> None:
    """By the rules of the project that it lies in, or else by those of ruff."""
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--line-length=110", "--no-cache", file.name],
            cwd=file.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{file.name}: {done.stdout}{done.stderr}"


class Reader:
    """Writes the files and types the commands."""

    def __init__(self, folder: Path, terminal: Terminal) -> None:
        self._folder = folder
        self._terminal = terminal
        self._ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.typed: list[str] = []
        self.printed: list[str] = []

    def follow(self, block: Block) -> None:
        if block.title:
            text = next(t for section, path, t in files() if (section, path) == (block.section, block.title))
            file = self._folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._here(text), encoding="utf-8")
            if file.suffix == ".py":
                assert_styled(file)
        else:
            for command, printed in commands(block.text):
                expected = [self._here(line) for line in printed]
                self.printed += self._terminal.run(self._here(command), expected)
                self.typed.append(command)

    def _here(self, text: str) -> str:
        for port, other in self._ports.items():
            text = text.replace(port, other)
        return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page is followed."""
    return tmp_path_factory.mktemp("tutorial") / "sms"


@pytest.fixture(scope="module")
def reader(folder: Path) -> Iterator[Reader]:
    folder.mkdir()
    terminal = Terminal(folder, environment(folder.parent / "environment", without="vsdk_acme_sms"))
    yield Reader(folder, terminal)
    terminal.close()


@pytest.mark.timeout(600)
def test_whoever_follows_the_page_gets_what_it_shows(reader: Reader, folder: Path) -> None:
    for block in BLOCKS:
        reader.follow(block)
    assert len(reader.typed) > 15
    traces = [line for line in reader.printed if line.startswith("hook ")]
    assert len(traces) > 7
    assert not [line for line in traces for marker in PRIVATE if marker in line]
    python = folder.parent / "environment" / "bin" / "python"
    checked = ["acme.py", "appointment.py"]
    done = subprocess.run(
        [python, "-m", "mypy", "--strict", *checked], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_block_is_a_file_or_is_typed() -> None:
    for block in BLOCKS:
        assert bool(block.title) != (block.language == "console"), block
        assert block.language in ("python", "toml", "markdown", "console")
    assert [block for block in BLOCKS if block.language == "console"]


def test_all_settings_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "t")
    monkeypatch.setenv("ACME_SECRET", "s")
    found = [Settings.of(tomllib.loads(text)) for _, path, text in files() if path.endswith(".toml")]
    assert [settings.plugins[-1] for settings in found] == ["acme_sms", "acme_sms"]


def the_file(section: str, path: str) -> str:
    return next(text for where, name, text in files() if where.startswith(f"{section}.") and name == path)


def test_the_first_module_is_the_example_but_for_where_imports_are_set_apart() -> None:
    example = (GATEWAY / "vsdk_acme_sms.py").read_text(encoding="utf-8")
    assert the_file("3", MODULE) == example.replace("SecretStr\n\nfrom vsdk", "SecretStr\nfrom vsdk")
    assert len(example.splitlines()) < 30


def test_the_contract_is_the_one_that_the_example_runs() -> None:
    pieces = [block.text for block in BLOCKS if block.title == TESTS and block.section.startswith("4.")]
    assert pieces[-1] in (GATEWAY / "tests" / "test_acme_sms.py").read_text(encoding="utf-8")


def test_the_contracts_that_are_named_exist(page: Callable[[str], str]) -> None:
    from vsdk.testing import contracts

    named = set(re.findall(r"`(\w+Contract)`", page("writing-a-plugin.md")))
    assert named == {name for name in contracts.__all__ if not name.startswith("Any")}


@pytest.mark.parametrize(
    ("printed", "expected", "right"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a"], False),
        (["a"], ["a", "b"], False),
        (["a", "x", "y", "b"], ["a", ANYTHING, "b"], True),
        (["a", "b"], ["a", ANYTHING, "b"], True),
        (["a", "x", "b"], ["a", "b"], False),
        (["took 3 ms"], ["took … ms"], True),
        (["took 3 s"], ["took … ms"], False),
        (["a.b"], ["a…b"], True),
        (["axb"], ["a.b"], False),
        ([], [], True),
        ([], [ANYTHING], True),
    ],
)
def test_what_is_printed_is_compared_line_by_line(
    printed: list[str], expected: list[str], right: bool
) -> None:
    assert matches(printed, expected) is right
