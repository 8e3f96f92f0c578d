"""``vsdk links`` on many Appointments, beside the same rows put into the same tables bare.

In turns: the command, a process of its own, on a file of NDJSON and a new database; then ``executemany`` of
`sqlite3` with the rows read back from that database, into an empty one with the same tables, indexes and
pragmas, in as many transactions.
"""

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report import Section, spread
from bench.servers import REPOSITORY
from vsdk.service.bulk import BATCH
from vsdk.store.database import PRAGMAS

APPOINTMENTS = 100_000
ROUNDS = 3
WARM_UP = 2_000

COMMAND = """
import re, sys
from pathlib import Path
from vsdk.cli import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""
"""the command, and on standard error its peak memory in kB (proc(5)); that of wait4(2) counts its parent's"""

TELEMEDICINE = {"system": "http://snomed.info/sct", "code": "448337001"}

Rows = list[tuple[str, list[tuple[Any, ...]]]]
"""by statement"""


def measure() -> Section:
    ours, bare, peaks = [], [], []
    with TemporaryDirectory() as name:
        folder = Path(name)
        feed = folder / "feed.ndjson"
        with feed.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(a, ensure_ascii=False)}\n" for a in appointments(APPOINTMENTS))
        size = feed.stat().st_size / APPOINTMENTS
        for number in range(ROUNDS):
            seconds, peak = _command(folder, feed)
            ours.append(APPOINTMENTS / seconds)
            peaks.append(peak / 1024)
            inserted, seconds = _bare(folder)
            bare.append(APPOINTMENTS / seconds)
            print(f"{number}: {ours[-1]:,.0f}/s, bare {bare[-1]:,.0f}/s, {peak} kB", flush=True)
            for old in folder.glob("*.sqlite3*"):
                old.unlink()
    ratios = [b / a for a, b in zip(ours, bare, strict=True)]
    return Section(
        "Links for a file of Appointments",
        [
            f"{APPOINTMENTS:,} Appointments, n = {ROUNDS}, in turns",
            "Appointments/s, median (min–max)",
            "ratio",
        ],
        [
            ["`vsdk links`, to a file", spread(ours), ""],
            ["the same rows, bare `executemany`", spread(bare), spread(ratios, 2)],
        ],
        notes=[
            f"NDJSON, R4, {size:.0f} bytes each, two participants, into SQLite on disk (WAL, synchronous "
            f"FULL), {BATCH} to a transaction. Each Appointment becomes {inserted / APPOINTMENTS:.0f} rows: "
            "mirror, keys, visit, links, deadlines, outbox, audit. The time of the command is that of its "
            "whole process, from start to end, and holds reading, understanding and printing "
            f"{2 * APPOINTMENTS:,} links; bare is only the inserting of rows that are in memory. "
            f"Peak memory of the command: {statistics.median(peaks):.0f} MB."
        ],
        versions=[f"SQLite {sqlite3.sqlite_version}"],
    )


def appointments(count: int) -> Iterator[dict[str, Any]]:
    """Video visits of the next sixty days, of a practice with forty practitioners."""
    chance = random.Random(2026)
    words = ["".join(chance.choices("abdefghiklmnorstuwäöü", k=chance.randint(3, 9))) for _ in range(900)]

    def text(length: int) -> str:
        return " ".join(chance.choices(words, k=length))

    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for number in range(count):
        start = today + timedelta(days=1 + number % 60, minutes=5 * chance.randrange(120))
        yield {
            "resourceType": "Appointment",
            "id": f"{chance.getrandbits(128):032x}",
            "meta": {"versionId": str(chance.randint(1, 9)), "lastUpdated": "2026-11-20T10:00:00.123+01:00"},
            "text": {
                "status": "generated",
                "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{text(25)}</div>",
            },
            "identifier": [{"system": "https://pms.example/appointments", "value": str(number)}],
            "status": "booked",
            "serviceType": [
                {"coding": [{"system": "http://snomed.info/sct", "code": "448337001"}], "text": text(3)}
            ],
            "appointmentType": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "FOLLOWUP"}]
            },
            "description": text(6),
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=20)).isoformat(),
            "minutesDuration": 20,
            "comment": text(12),
            "participant": [
                {"actor": {"reference": f"Patient/{number}", "display": text(2)}, "status": "accepted"},
                {
                    "type": [{"coding": [{"code": "PPRF", "display": "primary performer"}]}],
                    "actor": {"reference": f"Practitioner/{number % 40}", "display": f"Dr. {text(1)}"},
                    "required": "required",
                    "status": "accepted",
                },
            ],
        }


def _command(folder: Path, feed: Path) -> tuple[float, int]:
    """Seconds, and peak memory in kB."""
    settings = folder / "vsdk.toml"
    settings.write_text(
        f'database = "sqlite+aiosqlite:///{folder}/product.sqlite3"\n'
        'base_url = "https://praxis.example/video"\n'
        'plugins = ["standard_plan"]\n'
        '[[practices]]\nid = "park"\nname = "Praxis am Park"\n',
        encoding="utf-8",
    )
    began = time.perf_counter()
    with (folder / "links.ndjson").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, "--config", str(settings), "links", str(feed)],
            cwd=REPOSITORY,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    seconds = time.perf_counter() - began
    return seconds, int(done.stderr)


def _bare(folder: Path) -> tuple[int, float]:
    """How many rows, and the seconds that it took to insert them."""
    product = sqlite3.connect(folder / "product.sqlite3")
    bare = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    for pragma in PRAGMAS:
        bare.execute(pragma)
    schema = product.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY rowid").fetchall()
    for (statement,) in schema:
        bare.execute(statement)
    rows = _rows(product)
    product.close()
    batches = APPOINTMENTS // BATCH
    began = time.perf_counter()
    for number in range(batches):
        bare.execute("BEGIN IMMEDIATE")
        for statement, of_table in rows:
            share = len(of_table) // batches
            bare.executemany(statement, of_table[number * share : (number + 1) * share])
        bare.execute("COMMIT")
    seconds = time.perf_counter() - began
    bare.close()
    return sum(len(of_table) for _, of_table in rows), seconds


def _rows(product: sqlite3.Connection) -> Rows:
    """In the order in which they were inserted, those that others refer to first."""
    found: Rows = []
    for table in ("appointment", "visit", "appointment_key", "join_link", "deadline", "outbox", "audit"):
        rows = product.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
        places = ", ".join("?" * len(rows[0]))
        found.append((f"INSERT INTO {table} VALUES ({places})", rows))
    return found
