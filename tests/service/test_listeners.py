import asyncio

import pytest
from tests.service.conftest import MakeWorld

from vsdk.domain import events as on
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.hooks.lifecycle import Happened
from vsdk.service import listeners as module
from vsdk.service.listeners import Listeners
from vsdk.testing.factories import NOON

HAPPENED = Happened(PracticeId("practice"), VisitId("v1"), on.PeersConnected(), NOON)


async def test_all_are_told_plain_functions_and_coroutines_alike() -> None:
    heard: list[tuple[str, Happened]] = []

    async def slow(event: Happened) -> None:
        await asyncio.sleep(0)
        heard.append(("slow", event))

    def plain(event: Happened) -> None:
        heard.append(("plain", event))

    await Listeners([("one", plain), ("two", slow)]).tell(HAPPENED)
    assert heard == [("plain", HAPPENED), ("slow", HAPPENED)]


async def test_one_that_crashes_is_counted_and_logged_and_disturbs_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[Happened] = []

    def plain(event: Happened) -> None:
        raise KeyError("Erika Beispiel")

    async def later(event: Happened) -> None:
        raise KeyError("Erika Beispiel")

    listeners = Listeners([("one", plain), ("two", later), ("three", lambda event: heard.append(event))])
    for _ in range(2):
        await listeners.tell(HAPPENED)
    assert heard == [HAPPENED, HAPPENED]
    assert listeners.failures == {"one": 2, "two": 2}
    assert {(r.__dict__["plugin"], r.__dict__["error"]) for r in caplog.records} == {
        ("one", "KeyError"),
        ("two", "KeyError"),
    }
    assert "Erika" not in caplog.text


async def test_one_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIME_LIMIT", 0.05)
    heard: list[Happened] = []

    async def endless(event: Happened) -> None:
        await asyncio.Event().wait()

    listeners = Listeners([("endless", endless), ("fine", lambda event: heard.append(event))])
    async with asyncio.timeout(5):
        await listeners.tell(HAPPENED)
    assert heard == [HAPPENED]
    assert listeners.failures == {"endless": 1}


async def test_a_visit_goes_on_whatever_plugins_do(make_world: MakeWorld) -> None:
    def crash(event: Happened) -> None:
        raise RuntimeError

    world = await make_world(listeners=[("crashing", crash)])
    visit_id = await world.planned()
    visit = await world.visits.arrive(visit_id, ParticipantId("p1"))
    assert visit.arrival(ParticipantId("p1"))
    await world.listeners.finish()
    assert world.listeners.failures == {"crashing": 2}
    assert world.events()[-1] == on.ParticipantArrived(ParticipantId("p1"))


async def test_a_slow_plugin_does_not_hold_up_the_visit(make_world: MakeWorld) -> None:
    let_go = asyncio.Event()

    async def slow(event: Happened) -> None:
        await let_go.wait()

    world = await make_world(listeners=[("slow", slow)])
    visit_id = await world.planned()
    async with asyncio.timeout(2):
        await world.visits.arrive(visit_id, ParticipantId("p1"))
    let_go.set()
    await world.listeners.finish()
    assert not world.listeners.failures
