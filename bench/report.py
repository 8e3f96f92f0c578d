"""``bench/RESULTS.md``: one section for each benchmark, with when, where and how it was measured."""

import os
import platform
import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Results

Written by `python -m bench`. Each benchmark runs the product beside a peer or a physical limit, in turns
and in the same run, on loopback. What counts are the ratios; milliseconds belong to the machine.
"""


@dataclass
class Section:
    """What one benchmark has to say. ``rows`` belong to ``columns``; ``notes`` are paragraphs."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: list[str] = field(default_factory=list)
    versions: Sequence[str] = ()
    """more of what took part, beyond `packages`"""
    more: list["Table"] = field(default_factory=list)

    def text(self, command: str, load: float) -> str:
        """``load`` is that of the machine before it began."""
        where = [
            f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`; load before it began: {load:.2f}",
            f"- {machine()}",
            f"- {', '.join([*packages(), *self.versions])}",
        ]
        parts = [f"## {self.title}", "\n".join(where), table(self.columns, self.rows)]
        parts += [f"{more.caption}\n\n{table(more.columns, more.rows)}" for more in self.more]
        return "\n\n".join([*parts, *self.notes])


@dataclass
class Table:
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def write(name: str, text: str) -> None:
    """Replaces the section of this name, or adds it; the others stay."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    found = re.findall(r"<!-- (\w+) -->\n(.*?)(?=\n<!-- |\Z)", old, re.DOTALL)
    sections = {key: body.strip() for key, body in found} | {name: text}
    body = "\n\n".join(f"<!-- {key} -->\n{text}" for key, text in sections.items())
    RESULTS.write_text(f"{HEAD}\n{body}\n", encoding="utf-8")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """``median (min–max)``"""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def packages() -> list[str]:
    """What takes part in every benchmark."""
    names = ("vsdk", "uvicorn", "starlette", "websockets", "pydantic")
    return [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)]


def chromium() -> str:
    """Raises FileNotFoundError when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("Chromium is missing: run tools/system-packages")


def machine() -> str:
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return (
        f"{os.cpu_count()} cores ({cpu[1] if cpu else platform.machine()}), "
        f"{int(memory[1]) / 1024**2 if memory else 0:.1f} GiB, {platform.system()}"
    )


def chromium_version() -> str:
    done = subprocess.run([chromium(), "--version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:2])
