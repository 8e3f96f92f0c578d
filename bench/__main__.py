"""``python -m bench [admit|relay|hooks ...]``: runs them, by default all, and writes the results."""

import argparse
import os
import time
from collections.abc import Callable

from bench import admit, check, hooks, imports, ingest, mapping, memory, outbox, relay, visit
from bench.report import Section, write

BENCHMARKS: dict[str, Callable[[], Section]] = {
    "admit": admit.measure,
    "check": check.measure,
    "visit": visit.measure,
    "relay": relay.measure,
    "memory": memory.measure,
    "mapping": mapping.measure,
    "ingest": ingest.measure,
    "outbox": outbox.measure,
    "hooks": hooks.measure,
    "imports": imports.measure,
}
WAIT_FOR_QUIET = 600.0
"""seconds at most"""


def wait_for_quiet() -> None:
    """Other work on the machine shows in every figure: wait until it is done, or say so in the results."""
    until = time.monotonic() + WAIT_FOR_QUIET
    while os.getloadavg()[0] >= 1 and time.monotonic() < until:
        print(f"waiting for a quiet machine: load {os.getloadavg()[0]:.2f}", flush=True)
        time.sleep(15)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--now", action="store_true", help="do not wait for a quiet machine")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    for name in options.names or BENCHMARKS:
        if not options.now:
            wait_for_quiet()
        print(f"== {name}", flush=True)
        load = os.getloadavg()[0]
        text = BENCHMARKS[name]().text(f"python -m bench {name}", load)
        print(text, flush=True)
        write(name, text)


if __name__ == "__main__":
    main()
