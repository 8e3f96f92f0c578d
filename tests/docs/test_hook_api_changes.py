"""``docs/hook-api-changes.md`` and the recorded versions of the hook API against the code."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from tests.hooks.conftest import Plugins

from vsdk.hooks.markers import API_VERSION, HookDeprecation
from vsdk.service import registry

Sections = Callable[[str, str], dict[str, str]]
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
NEW_VERSION = (
    "the hook API changed: raise API_VERSION in vsdk/hooks/markers.py, write an entry in "
    "docs/hook-api-changes.md and run `python docs/generate.py`; as long as this version is not released, "
    "delete its file in docs/reference first instead"
)


def version_of(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def recorded() -> dict[tuple[int, ...], str]:
    """The recorded versions, oldest first."""
    found = {
        version_of(file.stem.removeprefix("hooks-")): file.read_text(encoding="utf-8")
        for file in REFERENCE.glob("hooks-*.txt")
    }
    return dict(sorted(found.items()))


def members(text: str) -> Iterator[tuple[str, str]]:
    """Functions, classes, fields and methods with how each is written; those of a class as ``Class.name``."""
    owner = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        inner = line.startswith("    ")
        written = re.sub(r"^(@\S+ )?(async )?", "", line.strip()) if "def " in line else line.strip()
        name = re.split(r"[(:\s=]", re.sub(r"^(def|class) ", "", written))[0]
        if not inner:
            owner = name
        yield (f"{owner}.{name}" if inner else name), line.strip()


def parameters(line: str) -> set[str]:
    """``name: type`` of each parameter, where no default and no type has a comma outside of brackets."""
    inside = line.partition("(")[2].rpartition(")")[0]
    return set(re.split(r", (?![^\[]*\])", inside)) - {""}


def shrunk(older: str, newer: str) -> list[str]:
    """What plugins that were written for the older one would miss in the newer one."""
    new = dict(members(newer))
    missing = []
    for name, line in members(older):
        now = new.get(name, "")
        is_hook = name.startswith("vsdk_")
        is_union = " | " in line
        if is_hook:
            kept = now.rpartition("->")[2] == line.rpartition("->")[2] and parameters(line) <= parameters(now)
        elif is_union:
            kept = set(line.partition(" = ")[2].split(" | ")) <= set(now.partition(" = ")[2].split(" | "))
        else:
            kept = now == line
        if not kept:
            missing.append(name)
    return missing


def added(older: str, newer: str) -> list[str]:
    """The names that are new or written differently; of a new class only its own."""
    old, found = dict(members(older)), []
    for name, line in members(newer):
        if old.get(name) != line and name.partition(".")[0] not in found:
            found.append(name)
    return found


def test_the_newest_entry_is_the_version_that_this_vsdk_has(sections: Sections) -> None:
    versions = [version_of(name) for name in sections("hook-api-changes.md", "##") if name[0].isdigit()]
    assert versions[0] == API_VERSION
    assert versions == sorted(versions, reverse=True)
    assert versions == list(reversed(recorded()))


def test_the_hook_api_is_what_was_recorded_of_its_version(generate: ModuleType) -> None:
    assert generate.hook_api() == recorded()[API_VERSION], NEW_VERSION


def test_what_was_recorded_is_not_written_anew(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reference").mkdir()
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    file = generate.hook_api_file()
    assert file.name == "hooks-{}.{}.txt".format(*API_VERSION)
    assert generate.recorded_hook_api() == generate.hook_api()
    file.write_text("as it was", encoding="utf-8")
    assert generate.recorded_hook_api() == "as it was"


@pytest.mark.parametrize(("older", "newer"), list(pairwise(recorded())))
def test_no_minor_version_takes_anything_away(older: tuple[int, ...], newer: tuple[int, ...]) -> None:
    assert older[0] != newer[0] or not shrunk(recorded()[older], recorded()[newer])


@pytest.mark.parametrize(("older", "newer"), list(pairwise(recorded())))
def test_what_a_version_adds_stands_in_its_entry(
    older: tuple[int, ...], newer: tuple[int, ...], sections: Sections
) -> None:
    entry = sections("hook-api-changes.md", "##")[".".join(map(str, newer))]
    named = {word for code in re.findall(r"`([^`]+)`", entry) for word in re.findall(r"\w+(?:\.\w+)?", code)}
    named |= {name.rpartition(".")[2] for name in named}
    names = added(recorded()[older], recorded()[newer])
    assert names
    assert not [name for name in names if name not in named and name.rpartition(".")[2] not in named]


OLD = """
@hookspec def vsdk_doors(config: Config, http: Http) -> Sequence[Door]
class Door(Protocol)
    @property def name(self) -> str
    async def open(self, key: str) -> None
class Knock()
    times: int
Question = Open | Close
"""


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (("http: Http", "http: Http, colour: str"), []),
        (("(config: Config, http: Http)", "(http: Http, config: Config)"), []),
        (("    times: int", "    times: int\n    loud: bool = False"), []),
        (("Open | Close", "Open | Lock | Close"), []),
        (("config: Config, ", ""), ["vsdk_doors"]),
        (("config: Config", "config: Settings"), ["vsdk_doors"]),
        (("Sequence[Door]", "list[Door]"), ["vsdk_doors"]),
        (("vsdk_doors", "vsdk_gates"), ["vsdk_doors"]),
        (("key: str", "key: str, times: int"), ["Door.open"]),
        (("async def open", "def open"), ["Door.open"]),
        (("    times: int", ""), ["Knock.times"]),
        (("times: int", "times: float"), ["Knock.times"]),
        (("Open | Close", "Open"), ["Question"]),
    ],
)
def test_what_would_break_plugins_is_noticed(change: tuple[str, str], missing: list[str]) -> None:
    assert change[0] in OLD
    assert shrunk(OLD, OLD.replace(*change)) == missing


def test_what_is_new_is_noticed() -> None:
    new = OLD.replace("http: Http", "http: Http, colour: str")
    new = new.replace("times: int", "times: int\n    loud: bool = False")
    assert added(OLD, f"{new}class Bell()\n    tone: int\n") == ["vsdk_doors", "Knock.loud", "Bell"]


def test_a_specification_that_ends_as_described_warns_as_described(
    page: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = Plugins(tmp_path, monkeypatch)
    text = page("hook-api-changes.md")
    specification = ModuleType("a_specification")
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[1], vars(specification))
    monkeypatch.setattr(registry, "SPECIFICATIONS", (*registry.SPECIFICATIONS, specification))
    plugins.install("acme", "@hookimpl\ndef vsdk_doors(config): return []")
    with pytest.warns(HookDeprecation) as caught:
        plugins.load("acme")
    assert [f"HookDeprecation: {warning.message}" for warning in caught] == [
        re.findall(r"```text\n(.*?)\n```", text, re.DOTALL)[0]
    ]


def test_what_a_plugin_states_is_the_version_that_is_described(page: Callable[[str], str]) -> None:
    assert f"vsdk_api = {API_VERSION}\n" in page("hook-api-changes.md")
