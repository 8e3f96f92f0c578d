"""Round trips through the product's signalling, beside a bare relay on the same server stack.

A round trip is A to B and back to A, so two relayed messages. Each pair is a closed loop: the next round trip
begins when the last one has ended. Product and bare relay take turns, each a process of its own; all
connections belong to this process.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection

from bench.payloads import KINDS, message
from bench.people import dial, talk
from bench.report import Section, percentile, spread
from bench.servers import Server, bare, product

CONNECTIONS = (2, 16, 64)
TURNS = 7
SECONDS = 1.5
MOST = 20_000
"""round trips of one pair in one turn"""
WARM_UP = 0.3
NOTE = (
    f"Ratio: median (min–max) of {TURNS} turns of {SECONDS} s each, product : bare. p50, p99 and rates are "
    "over all turns. A message is a relayed one; a round trip is two. Messages weigh about 1 KB "
    f"({len(message('ice', 'p1'))} and {len(message('offer', 'p1'))} characters). "
    "The bare relay is Starlette and uvicorn with the options of "
    "`vsdk serve`, and passes the text on unread. The product reads, checks and rewrites each message. "
    "Its limit of 100 messages a second and connection is raised for this (`bench/serve.py`), everything "
    "else is `vsdk serve`. All connections belong to one Python process, which shares the cores with the "
    "server; its own work is in both columns."
)


@dataclass
class Pair:
    """Two connected people, and what each says and hears."""

    a: ClientConnection
    b: ClientConnection
    from_a: str
    from_b: str
    heard_by_a: str = ""
    heard_by_b: str = ""


@dataclass
class Turn:
    """What one side did in one turn: seconds of each round trip, and the server's processor time."""

    trips: list[float]
    seconds: float
    cpu: float

    @property
    def messages(self) -> int:
        return 2 * len(self.trips)


@dataclass
class Side:
    server: Server
    pairs: list[Pair]
    turns: list[Turn] = field(default_factory=list)


def measure() -> Section:
    with product(limited=False) as ours, bare() as theirs:
        rows = asyncio.run(_measure(ours, theirs))
    return Section(
        "Signalling relay: the product beside a bare relay",
        [
            "connections",
            "message",
            "product p50 / p99 ms",
            "bare p50 / p99 ms",
            "ratio of p50",
            "product messages/s",
            "bare messages/s",
            "product server CPU µs/message",
            "bare",
        ],
        rows,
        notes=[NOTE],
    )


async def _measure(ours: Server, theirs: Server) -> list[list[str]]:
    rows = []
    for connections in CONNECTIONS:
        for kind in KINDS:
            sides = [
                Side(ours, [await _product_pair(ours, kind) for _ in range(connections // 2)]),
                Side(theirs, [await _bare_pair(theirs, kind, i) for i in range(connections // 2)]),
            ]
            for side in sides:
                await _prove(side)
                await _turn(side, WARM_UP)
            for _ in range(TURNS):
                for side in sides:
                    side.turns.append(await _turn(side, SECONDS))
            rows.append(_row(connections, kind, sides[0].turns, sides[1].turns))
            print(" | ".join(rows[-1]), flush=True)
            for pair in sides[0].pairs + sides[1].pairs:
                await asyncio.gather(pair.a.close(), pair.b.close())
    return rows


async def _product_pair(server: Server, kind: str) -> Pair:
    (a, to_b), (b, to_a) = await talk(server)
    return Pair(a, b, message(kind, to_b), message(kind, to_a))


async def _bare_pair(server: Server, kind: str, number: int) -> Pair:
    path = f"/relay/{kind}-{number}"
    a, b = await dial(server, path), await dial(server, path)
    return Pair(a, b, message(kind, "p1"), message(kind, "p2"))


async def _prove(side: Side) -> None:
    """One round trip of each pair, looked at closely: later ones must be the same, letter by letter."""
    for pair in side.pairs:
        await pair.a.send(pair.from_a)
        pair.heard_by_b = str(await pair.b.recv())
        await pair.b.send(pair.from_b)
        pair.heard_by_a = str(await pair.a.recv())
        for sent, heard in ((pair.from_a, pair.heard_by_b), (pair.from_b, pair.heard_by_a)):
            content = {"type", "sdp", "candidate"}
            before, after = json.loads(sent), json.loads(heard)
            if any(before.get(key) != after.get(key) for key in content):
                raise RuntimeError("what came is not what was sent")


async def _turn(side: Side, seconds: float) -> Turn:
    before, start = side.server.cpu(), time.perf_counter()
    found = await asyncio.gather(*(_loop(pair, start + seconds) for pair in side.pairs))
    took = time.perf_counter() - start
    return Turn([trip for trips in found for trip in trips], took, side.server.cpu() - before)


async def _loop(pair: Pair, until: float) -> list[float]:
    async def echo() -> None:
        while True:
            if await pair.b.recv() != pair.heard_by_b:
                raise RuntimeError("another message came")
            await pair.b.send(pair.from_b)

    trips: list[float] = []
    async with asyncio.timeout(10 + until - time.perf_counter()), asyncio.TaskGroup() as group:
        echoing = group.create_task(echo())
        now = time.perf_counter()
        while now < until and len(trips) < MOST:
            await pair.a.send(pair.from_a)
            if await pair.a.recv() != pair.heard_by_a:
                raise RuntimeError("another message came")
            before, now = now, time.perf_counter()
            trips.append(now - before)
        echoing.cancel()
    return trips


def _row(connections: int, kind: str, ours: list[Turn], theirs: list[Turn]) -> list[str]:
    ratios = [percentile(a.trips, 0.5) / percentile(b.trips, 0.5) for a, b in zip(ours, theirs, strict=True)]
    return [
        str(connections),
        kind,
        _percentiles(ours),
        _percentiles(theirs),
        spread(ratios, 2),
        _rate(ours),
        _rate(theirs),
        _cost(ours),
        _cost(theirs),
    ]


def _percentiles(turns: list[Turn]) -> str:
    trips = [1000 * trip for turn in turns for trip in turn.trips]
    return f"{percentile(trips, 0.5):.2f} / {percentile(trips, 0.99):.2f}"


def _rate(turns: list[Turn]) -> str:
    return f"{sum(t.messages for t in turns) / sum(t.seconds for t in turns):,.0f}"


def _cost(turns: list[Turn]) -> str:
    return f"{1e6 * sum(t.cpu for t in turns) / sum(t.messages for t in turns):.0f}"
