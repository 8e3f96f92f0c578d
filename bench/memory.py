"""Memory for each waiting patient, beside an idle connection to a bare server on the same stack.

Fresh server processes for each turn, product and bare in turns. Memory is read before the first of the crowd
comes and after the last one has settled; some came and went before, so that what a server loads once is not
counted.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import ClientConnection

from bench.people import dial, wait_in
from bench.report import Section, spread
from bench.servers import Server, bare, plan, product

CROWD = 500
WARM_UP = 25
TURNS = 3
AT_ONCE = 5
SETTLE = 3.0
"""seconds"""

Arrive = Callable[[int], Awaitable[ClientConnection]]


def measure() -> Section:
    ours, theirs = [], []
    for _ in range(TURNS):
        with product() as server:
            ours.append(asyncio.run(_fill_product(server)))
        with bare() as server:
            theirs.append(asyncio.run(_crowd(server, lambda i: dial(server, f"/relay/{i}"))))
        print(f"product {ours[-1]} kB, bare {theirs[-1]} kB", flush=True)
    each = [[(full - empty) / CROWD for empty, full in side] for side in (ours, theirs)]
    rows = [
        [name, _megabytes(side, 0), _megabytes(side, 1), spread(per_person, 1)]
        for name, side, per_person in zip(("product", "bare"), (ours, theirs), each, strict=True)
    ]
    ratios = [a / b for a, b in zip(*each, strict=True)]
    return Section(
        "Memory of the waiting room",
        ["server", "before, MB", f"with {CROWD}, MB", "kB for each, median (min–max)"],
        rows,
        notes=[
            f"Ratio of kB for each: {spread(ratios, 2)}, n = {TURNS} turns, fresh processes each. Product: "
            f"{CROWD} patients in the waiting room, each in a visit of their own, device check done. Bare: "
            f"{CROWD} open connections on which nothing was said. Clients offer compression, "
            "as browsers do, and neither server takes it up. Resident memory (VmRSS) of the server process, "
            f"before and {SETTLE:.0f} s after; {WARM_UP} others had come and gone before.",
        ],
    )


async def _fill_product(server: Server) -> tuple[int, int]:
    visits = [await asyncio.to_thread(plan, server) for _ in range(WARM_UP + CROWD)]
    return await _crowd(server, lambda i: wait_in(server, visits[i]))


async def _crowd(server: Server, arrive: Arrive) -> tuple[int, int]:
    """kB before and after. ``arrive`` is called with 0, 1, 2 …"""
    for socket in await _come(arrive, range(WARM_UP)):
        await socket.close()
    await asyncio.sleep(SETTLE)
    empty = server.resident()
    sockets = await _come(arrive, range(WARM_UP, WARM_UP + CROWD))
    await asyncio.sleep(SETTLE)
    full = server.resident()
    if closed := sum(socket.close_code is not None for socket in sockets):
        raise RuntimeError(f"{closed} connections were closed by the server")
    await asyncio.gather(*(socket.close() for socket in sockets))
    return empty, full


async def _come(arrive: Arrive, numbers: range) -> list[ClientConnection]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> ClientConnection:
        async with places:
            return await arrive(number)

    began = time.monotonic()
    sockets = await asyncio.gather(*(one(number) for number in numbers))
    print(f"{len(sockets)} came in {time.monotonic() - began:.1f} s", flush=True)
    return sockets


def _megabytes(side: list[tuple[int, int]], which: int) -> str:
    return f"{statistics.median(pair[which] for pair in side) / 1024:.0f}"
