"""``vsdk links`` as a process: killed, interrupted, cut off, and with more than fits into memory."""

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import create_engine, text
from tests.cli.conftest import Vsdk, appointment, heeds_interruption

from vsdk.links.command import COLLECTED_AFTER
from vsdk.service.bulk import BATCH

Start = Callable[..., "subprocess.Popen[str]"]
COMMAND = [str(Path(sys.executable).with_name("vsdk")), "links"]


@pytest.fixture
def feed(tmp_path: Path, config: Path) -> Path:
    """Six batches."""
    return written(tmp_path / "feed.ndjson", 6 * BATCH)


def written(file: Path, count: int) -> Path:
    """Appointments of about 1.5 kB, none like another."""
    chance = random.Random(count)
    with file.open("w") as out:
        for number in range(count):
            comment = chance.randbytes(450).hex()
            out.write(f"{json.dumps(appointment(f'a{number}', comment=comment))}\n")
    return file


def printed(out: str) -> dict[tuple[str, str], str]:
    """The link of each appointment's participants, in whole lines."""
    rows = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]
    return {(row["appointment"], row["role"]): row["join_url"] for row in rows}


def visits(config: Path) -> Counter[str]:
    """How many each appointment has."""
    engine = create_engine(f"sqlite:///{config.parent}/vsdk.sqlite3")
    with engine.connect() as connection:
        found = Counter(connection.execute(text("SELECT appointment_id FROM visit")).scalars())
        links = connection.execute(text("SELECT count(*) FROM join_link")).scalar_one()
        unwritten = connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    engine.dispose()
    assert links == 2 * found.total()
    assert unwritten == found.total()
    return found


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def rest_of(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """What stands on standard output and error behind the lines that were read (`communicate` skips some)."""
    assert process.stdout
    assert process.stderr
    rest = process.stdout.read(), process.stderr.read()
    process.wait(20)
    return rest


def test_killed_and_run_again_each_appointment_has_one_visit_and_the_links_stay(
    feed: Path, config: Path, tmp_path: Path
) -> None:
    before: dict[tuple[str, str], str] = {}
    killed_early = 0
    for after in (0.0, 0.03, 0.1, 0.2):
        out = tmp_path / f"out-{after}"
        with out.open("w") as file, subprocess.Popen([*COMMAND, str(feed)], stdout=file) as process:
            while out.stat().st_size == 0:
                time.sleep(0.005)
            time.sleep(after)
            process.kill()
        now = printed(out.read_text())
        assert all(before.get(key, link) == link for key, link in now.items())
        before |= now
        stored = visits(config)
        assert {id_ for id_, _ in before} <= set(stored)
        assert set(stored.values()) == {1}
        killed_early += len(stored) < 6 * BATCH
    assert killed_early, "none of them was killed in the middle"
    done = subprocess.run([*COMMAND, str(feed)], stdout=subprocess.PIPE, text=True, check=True)
    assert len(printed(done.stdout)) == 12 * BATCH
    assert printed(done.stdout).items() >= before.items()
    assert visits(config) == Counter(f"a{n}" for n in range(6 * BATCH))


def test_two_at_the_same_time_make_one_visit_each_and_print_the_same(
    feed: Path, config: Path, start: Start
) -> None:
    both = [start("links", str(feed)) for _ in range(2)]
    outs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outs[0] == outs[1]
    assert visits(config) == Counter(f"a{n}" for n in range(6 * BATCH))


def test_interrupted_while_it_waits_for_more_it_ends_and_says_what_is_done(feed: Path, config: Path) -> None:
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    pipes["preexec_fn"] = heeds_interruption
    with subprocess.Popen([*COMMAND, "-"], text=True, **pipes) as process, feed.open() as lines:
        assert process.stdin
        process.stdin.writelines(next(lines) for _ in range(BATCH + 10))
        process.stdin.flush()
        rows = [line_of(process.stdout) for _ in range(2 * BATCH)]
        process.send_signal(signal.SIGINT)
        rest, err = rest_of(process)
    assert process.returncode == 130
    assert rest == ""
    assert err == "vsdk: stopped; what was printed is stored, the same command does the rest\n"
    assert visits(config) == Counter(id_ for id_, role in printed("".join(rows)) if role == "patient")


def test_interrupted_in_the_middle_it_has_stored_what_it_printed(
    feed: Path, config: Path, start: Start
) -> None:
    process = start("links", str(feed))
    first = line_of(process.stdout)
    process.send_signal(signal.SIGINT)
    rest, err = rest_of(process)
    assert process.returncode == 130
    assert err.startswith("vsdk: stopped; ")
    assert err.count("\n") == 1
    assert {id_ for id_, _ in printed(first + rest)} <= set(visits(config))


def test_a_reader_that_goes_away_ends_it_quietly(feed: Path, config: Path, start: Start) -> None:
    process = start("links", str(feed))
    assert process.stdout
    first = line_of(process.stdout)
    process.stdout.close()
    assert process.stderr
    err = process.stderr.read()
    assert (process.wait(20), err) == (130, "")
    assert {id_ for id_, _ in printed(first)} <= set(visits(config))


def test_a_full_disk_is_said_and_what_was_done_is_stored(feed: Path, config: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, str(feed)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (
        1,
        "vsdk: output-failed: cannot be written: No space left on device\n",
    )
    assert visits(config).total() == BATCH
    with Path("/dev/full").open("w") as full:
        audit = [COMMAND[0], "audit"]
        again = subprocess.run(audit, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (again.returncode, again.stderr) == (1, done.stderr)


def test_without_standard_output_nothing_is_begun(feed: Path, config: Path) -> None:
    closed = ["sh", "-c", f"{' '.join(COMMAND)} {feed} >&-"]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "vsdk: output-failed: there is no standard output\n")
    assert not (config.parent / "vsdk.sqlite3").exists()


def test_a_database_that_is_full_is_said_and_what_was_printed_is_stored(feed: Path, config: Path) -> None:
    """As on a full disk; the database may not grow beyond so many pages."""
    limited = (
        "import sys; from vsdk.store import database; from vsdk.cli import main; "
        "database.PRAGMAS += ('PRAGMA max_page_count = 1200',); sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "links", str(feed)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "vsdk: database-failed: database or disk is full\n")
    first = printed(done.stdout)
    assert 0 < len(first) < 12 * BATCH
    again = subprocess.run([*COMMAND, str(feed)], stdout=subprocess.PIPE, text=True, check=True)
    assert printed(again.stdout).items() >= first.items()
    assert visits(config) == Counter(f"a{n}" for n in range(6 * BATCH))


def test_rows_are_utf8_whatever_the_locale_says(tmp_path: Path, config: Path) -> None:
    resource = appointment("łąka")
    (tmp_path / "a.json").write_text(json.dumps(resource))
    done = subprocess.run(
        [*COMMAND, str(tmp_path / "a.json")],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        check=True,
    )
    assert {id_ for id_, _ in printed(done.stdout.decode())} == {"łąka"}


def test_a_person_at_a_terminal_sees_how_far_it_is_and_the_file_has_only_rows(
    feed: Path, config: Path, tmp_path: Path
) -> None:
    shown, terminal = pty.openpty()
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen([*COMMAND, str(feed)], stdout=out, stderr=terminal)
    os.close(terminal)
    seen = "".join(_from(shown))
    assert process.wait(20) == 0
    os.close(shown)
    assert re.search(r"\r[\d,]+ appointments, [\d,]+/s, 0 failed, \d+%, 0:\d\d left", seen)
    assert seen.count("\n") == 1
    assert "3,000 appointments in 0:0" in seen
    assert len(printed((tmp_path / "out").read_text())) == 12 * BATCH


def _from(terminal: int) -> Iterator[str]:
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            return
        if not part:
            return
        yield part.decode()


PEAK = """
import re, sys
from pathlib import Path
from vsdk.cli import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""


def peak(file: str) -> float:
    """Memory in MB that the command took at most (proc(5))."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "links", file],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stderr) / 1024


def test_ten_times_the_appointments_need_no_more_memory(tmp_path: Path, config: Path) -> None:
    few = peak(str(written(tmp_path / "few.ndjson", 2_000)))
    many = peak(str(written(tmp_path / "many.ndjson", 20_000)))
    assert many - few < 25


def test_what_outlives_its_batch_is_collected(
    vsdk: Vsdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a file of many hundred thousand appointments would need more and more memory."""
    monkeypatch.setattr("vsdk.links.command.BATCH", 1)
    collected: list[int] = []
    monkeypatch.setattr("gc.collect", lambda: collected.append(1))
    assert vsdk("links", str(written(tmp_path / "feed.ndjson", 2 * COLLECTED_AFTER + 1))).code == 0
    assert len(collected) == 2
