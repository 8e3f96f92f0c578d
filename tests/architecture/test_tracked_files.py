"""What may not stand in any file of this repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REGISTRY_HOSTS = "|".join(
    re.escape(host)
    for host in (
        "pypi" + ".org",
        "files.python" + "hosted.org",
        "registry.npm" + "js.org",
        "npm" + "js.com",
        "registry.yarn" + "pkg.com",
        "proxy.golang" + ".org",
        "crates" + ".io",
    )
)
MACHINE_PATHS = r"(?<![\w.:/-])/(?:work|home/\w+|root|Users/\w+|private/tmp)/\w+|(?<![\w.:/-])/tmp/\w+"
FORBIDDEN = {"registry host": re.compile(REGISTRY_HOSTS), "path of a machine": re.compile(MACHINE_PATHS)}


def tracked() -> list[Path]:
    """Files that are, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names_a_registry_or_a_machine(what: str) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    found = []
    for file in tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {hit[0]}" for hit in FORBIDDEN[what].finditer(text)]
    assert not found


@pytest.mark.parametrize("text", ["see /wo" + "rk/somewhere", "/ho" + "me/me/x", "open /t" + "mp/file"])
def test_a_machine_path_is_recognised(text: str) -> None:
    assert FORBIDDEN["path of a machine"].search(text)


@pytest.mark.parametrize(
    "text", ["https://x.example/work/a", "./tmp/x", "framework/home/x", "/run/secrets/acme"]
)
def test_what_only_looks_like_a_machine_path_is_let_be(text: str) -> None:
    assert not FORBIDDEN["path of a machine"].search(text)
