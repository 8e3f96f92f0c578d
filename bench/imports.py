"""What a plugin's first line costs: ``from vsdk import hookimpl`` in a process of its own.

Beside it, in turns: Python alone, and pluggy, without which there are no hooks. ``from vsdk import VideoSdk``
is the other end: all that a server needs.
"""

import statistics
import subprocess
import sys
import time
from importlib.metadata import version

from bench.report import Section, spread

TURNS = 25
STATEMENTS = (
    "pass",
    "import pluggy",
    "from vsdk import hookimpl",
    "from vsdk import Config, Http, Message, Receipt, hookimpl",
    "from vsdk import VideoSdk",
)


def measure() -> Section:
    for statement in STATEMENTS:
        _run(statement)  # writes what is compiled
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(TURNS):
        for statement in STATEMENTS:
            times[statement].append(_run(statement))
    python, markers = times[STATEMENTS[0]], times[STATEMENTS[1]]
    rows = [
        [
            f"`{statement}`",
            spread(own, 1),
            f"{statistics.median(a - b for a, b in zip(own, python, strict=True)):.1f}",
            _ratio(own, python),
            _ratio(own, markers),
        ]
        for statement, own in times.items()
    ]
    return Section(
        "Importing",
        ["`python -c …`", "ms, median (min–max)", "more than Python alone", ": Python", ": pluggy"],
        rows,
        notes=[
            f"{TURNS} processes of each, in turns, from start to end; ratios are of the same turn. Compiled "
            "code is there.",
        ],
        versions=[f"pluggy {version('pluggy')}"],
    )


def _run(statement: str) -> float:
    """Milliseconds of a whole process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return (time.perf_counter() - began) * 1000


def _ratio(own: list[float], other: list[float]) -> str:
    return "" if own is other else spread([a / b for a, b in zip(own, other, strict=True)], 2)
