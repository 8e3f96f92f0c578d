"""A terminal in which a page is followed: an environment of its own, commands in order, what they print."""

import os
import queue
import re
import signal
import subprocess
import sysconfig
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from tests.ports import free_port

ANYTHING = "…"
"""within a line any text; alone on a line any lines, or none"""
PATIENCE = 120.0
"""seconds that one command, or something that it started, may take"""
DONE = "-- done --"


def environment(folder: Path, without: str) -> Path:
    """A virtual environment with all that is installed here but one distribution. Returns its ``bin``.

    Nothing is copied or fetched: its packages are links. What is installed into it is installed there only.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    here = Path(sysconfig.get_path("purelib"))
    there = next((folder / "lib").glob("python*/site-packages"))
    for item in here.iterdir():
        if without not in item.name and item.name != "__pycache__":
            (there / item.name).symlink_to(item)
    binaries = folder / "bin"
    script = binaries / "vsdk"
    script.write_text(f"#!{binaries / 'python'}\nfrom vsdk.cli import main\nraise SystemExit(main())\n")
    script.chmod(0o755)
    return binaries


def free_ports(count: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)


class Terminal:
    """One shell in a folder. What runs in the background prints into the same place, as it would there."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        inherited = ("HOME", "LANG", "TMPDIR")
        settings = {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={name: os.environ[name] for name in inherited if name in os.environ} | settings,
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._shell.stdout
        for line in self._shell.stdout:
            self._lines.put(line.rstrip("\n"))

    def close(self) -> None:
        """Ends everything that was started here."""
        assert self._shell.stdin
        assert self._shell.stdout
        os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        self._reading.join()
        self._shell.stdin.close()
        self._shell.stdout.close()

    def run(self, command: str, expected: Sequence[str]) -> list[str]:
        """What was printed, as soon as it is what was expected; where nothing is expected, anything is.

        Raises AssertionError if it never is.
        """
        assert self._shell.stdin
        if command.startswith("kill"):
            command += "; sleep 1"  # what is stopped prints its last words
        self._shell.stdin.write(f"{command}\necho '{DONE}'\n")
        self._shell.stdin.flush()
        printed: list[str] = []
        done, until = False, time.monotonic() + PATIENCE
        while not (done and (not expected or matches(printed, expected))):
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    "\n".join([f"$ {command}", *printed, "-- instead of", *expected])
                ) from None
            if line != DONE:
                printed.append(line)
                continue
            done = True
            if not command.endswith("&") and ANYTHING not in expected[-1:]:
                until = time.monotonic() + 1  # nothing more will come
        return printed


def matches(printed: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether all that was printed is as expected, empty lines at the end aside."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == ANYTHING else re.escape(line).replace(re.escape(ANYTHING), ".*") + r" *\n"
        for line in expected
    )
    return re.fullmatch(pattern + r"\n*", "".join(f"{line.rstrip()}\n" for line in printed)) is not None
