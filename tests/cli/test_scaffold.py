"""``vsdk new plugin``: what is written, and when nothing is. Whether it works: ``test_plugin_quality.py``."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from tests.cli.conftest import Result, Vsdk

from vsdk.domain.errors import UsageError, VsdkError
from vsdk.scaffold.naming import LONGEST, PluginName
from vsdk.scaffold.project import KINDS, TEMPLATES, files_of
from vsdk.scaffold.writing import write

GATEWAY = Path(__file__).parents[2] / "examples" / "sms_gateway" / "vsdk_acme_sms.py"
NAMES = ("a", "acme_2_sms", "a_plugin_whose_name_is_too_lon")


def new(vsdk: Vsdk, folder: Path, name: str = "trial_sms", kind: str = "notification") -> Result:
    return vsdk("new", "plugin", name, "--kind", kind, "--directory", str(folder))


def written(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_whole_project(vsdk: Vsdk, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "here" / "and deeper"
    result = new(vsdk, folder, kind=kind)
    assert (result.code, result.err) == (0, "")
    assert written(folder) >= {
        ".gitignore",
        "CHANGELOG.md",
        "README.md",
        "pyproject.toml",
        "src/vsdk_trial_sms/__init__.py",
        "src/vsdk_trial_sms/py.typed",
        "tests/test_plugin.py",
    }
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["name"] == "vsdk-trial-sms"
    assert project["project"]["entry-points"] == {"vsdk": {"trial_sms": "vsdk_trial_sms"}}
    for file in written(folder):
        assert not re.search(r"\$\{?\w", (folder / file).read_text(encoding="utf-8"))
    assert list((tmp_path / "here").iterdir()) == [folder]


def test_the_next_three_commands_are_told(vsdk: Vsdk, tmp_path: Path) -> None:
    out = new(vsdk, tmp_path / "two words").out
    commands = [line.strip() for line in out.splitlines() if line.startswith("  ")]
    assert commands == [
        f"python -m pip install --editable '{tmp_path}/two words[test]'",
        f"python -m pytest '{tmp_path}/two words'",
        "vsdk check plugin trial_sms",
    ]


def test_without_a_folder_it_is_named_after_the_package(
    vsdk: Vsdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path / "x")
    assert vsdk("new", "plugin", "trial_sms", "--kind", "rules").code == 0
    assert os.listdir() == ["vsdk-trial-sms"]


def test_no_settings_are_needed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vsdk", "new", "plugin", "trial_sms", "--kind", "plan"]
    environment = {key: value for key, value in os.environ.items() if key != "VSDK_CONFIG"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "vsdk-trial-sms" / "src/vsdk_trial_sms/locale/fr/messages.po").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "Acme",
        "acme-sms",
        "acme sms",
        "2acme",
        "_acme",
        "acme_",
        "a__b",
        "ücme",
        "",
        "a" * 31,
        "vsdk_acme",
        "../x",
    ],
)
def test_a_name_that_cannot_be_one_is_refused(vsdk: Vsdk, tmp_path: Path, name: str) -> None:
    result = new(vsdk, tmp_path / "x", name)
    assert result.code == 2
    assert result.err.startswith("vsdk: plugin-name-invalid: ")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["acme_sms", "standard_plan"])
def test_a_name_that_is_taken_is_refused(vsdk: Vsdk, tmp_path: Path, name: str) -> None:
    result = new(vsdk, tmp_path / "x", name)
    assert result.code == 2
    assert result.err.startswith("vsdk: plugin-name-taken: ")
    assert not (tmp_path / "x").exists()


def test_an_unknown_kind_is_wrong_usage(vsdk: Vsdk, tmp_path: Path) -> None:
    result = new(vsdk, tmp_path / "x", kind="fax")
    assert result.code == 2
    assert "notification" in result.err


def test_a_folder_with_something_in_it_is_left_alone(vsdk: Vsdk, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    result = new(vsdk, folder)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("vsdk: folder-not-empty: ")
    assert written(folder) == {"mine.txt"}


def test_a_file_in_the_way_is_left_alone(vsdk: Vsdk, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    assert new(vsdk, tmp_path / "x").err.startswith("vsdk: folder-not-empty: ")
    assert new(vsdk, tmp_path / "x" / "y").err.startswith("vsdk: output-failed: ")
    assert (tmp_path / "x").read_text() == "mine"


def test_an_empty_folder_is_filled_and_stays_the_same(vsdk: Vsdk, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    number = folder.stat().st_ino
    assert new(vsdk, folder).code == 0
    assert folder.stat().st_ino == number
    assert "pyproject.toml" in written(folder)


@pytest.mark.parametrize("exists", [False, True])
def test_a_disk_that_fills_up_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    files = files_of(PluginName("trial_sms"), "plan")
    real, written_so_far = Path.write_text, 0

    def write_text(self: Path, *arguments: str, **options: str) -> int:
        nonlocal written_so_far
        written_so_far += 1
        if written_so_far == len(files):
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", write_text)
    if exists:
        (tmp_path / "x").mkdir()
    with pytest.raises(VsdkError, match="No space left") as caught:
        write(files, tmp_path / "x")
    assert caught.value.code == "output-failed"
    assert [path.name for path in tmp_path.rglob("*")] == (["x"] if exists else [])


def test_a_move_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    real, moved = Path.rename, 0

    def rename(self: Path, target: Path) -> Path:
        nonlocal moved
        moved += 1
        if moved == 3:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(VsdkError, match="Input/output"):
        write(files_of(PluginName("trial_sms"), "rules"), tmp_path / "x")
    assert [path.name for path in tmp_path.rglob("*")] == ["x"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_clean_and_formatted_whatever_the_name(tmp_path: Path, name: str) -> None:
    assert len(NAMES[-1]) == LONGEST
    for kind in KINDS:
        write(files_of(PluginName(name), kind), tmp_path / kind)
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run([ruff, *command, tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_channel_has_the_shape_of_the_example() -> None:
    source = files_of(PluginName("acme_sms"), "notification")[PurePosixPath("src/vsdk_acme_sms/__init__.py")]

    def shape(text: str) -> list[str]:
        tree = ast.parse(text)
        return [type(node).__name__ for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]

    assert shape(source) == shape(GATEWAY.read_text(encoding="utf-8"))
    assert "def deliver(self, message: Message) -> Receipt" in source
    assert len(source.splitlines()) < 40


def test_every_template_is_used_by_some_kind() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == {"common", *KINDS}
    assert not [file for file in TEMPLATES.rglob("*") if file.is_file() and file.suffix != ".txt"]


def test_a_name_is_looked_at_wherever_it_is_made() -> None:
    with pytest.raises(UsageError):
        PluginName("Acme")
