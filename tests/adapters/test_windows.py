"""Windows over the real client, against a server that is made here, behind the port Http."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from ssl import SSLContext
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import ValidationError

from vsdk.adapters.http import Reply, failure
from vsdk.adapters.scheduling.fhir.following import known as known_module
from vsdk.adapters.scheduling.fhir.following import windows as windows_module
from vsdk.adapters.scheduling.fhir.following.pictures import days_around, windows
from vsdk.adapters.scheduling.fhir.following.window_settings import SearchSettings
from vsdk.adapters.scheduling.fhir.following.windows import Windows
from vsdk.adapters.scheduling.fhir.rest.access import FixedAccess
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import PartnerError
from vsdk.hooks.ports import Changes, Json
from vsdk.testing.factories import NOON, a_practice
from vsdk.testing.fakes import FakeClock

BASE = "https://pms.example/fhir"


def a_resource(id_: str = "a1", start: datetime = NOON, **changes: Any) -> Json:
    resource: Json = {
        "resourceType": "Appointment",
        "id": id_,
        "meta": {"versionId": "1"},
        "status": "booked",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=20)).isoformat(),
        "participant": [
            {"actor": {"reference": "Patient/1", "display": "Erika Beispiel"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/1"}, "status": "accepted"},
        ],
    }
    return resource | changes


class Pms:
    """The port Http with a FHIR server behind: ``date``, references, paging; each can be ignored."""

    def __init__(self, *resources: Json) -> None:
        self.appointments: dict[str, Json] = {}
        self.put(*resources)
        self.ignores: set[str] = set()
        self.hidden: set[str] = set()
        self.failing: dict[str, int] = {}
        """what an address contains, and the status of the answer"""
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def put(self, *resources: Json) -> None:
        self.appointments |= {str(resource["id"]): resource for resource in resources}

    def over(self, context: SSLContext) -> Self:
        return self

    async def get(self, url: str, **options: Any) -> Reply:
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> Reply:
        return await self.request("POST", url, **options)

    async def request(self, method: str, url: str, **options: Any) -> Reply:
        path = urlsplit(url).path.removeprefix("/fhir/")
        query: dict[str, list[str]] = {}
        for name, value in [*parse_qsl(urlsplit(url).query), *options.get("params", [])]:
            query.setdefault(name, []).append(value)
        self.asked.append((path, query))
        for part, status in self.failing.items():
            if part in f"{path}?{query}":
                raise failure("pms.example", status, {"retry-after": "7"} if status == 429 else {})
        if path == "metadata":
            return answer({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        if path == "Appointment":
            return answer(self.search(query))
        id_ = path.removeprefix("Appointment/")
        if id_ not in self.appointments:
            raise failure("pms.example", 410, {})
        return answer(self.appointments[id_])

    def search(self, query: dict[str, list[str]]) -> Json:
        found = [a for id_, a in self.appointments.items() if id_ not in self.hidden]
        if "date" not in self.ignores:
            found = [a for a in found if within(a["start"], query["date"])]
        for who in query.get("practitioner", []):
            found = [a for a in found if who in json.dumps(a["participant"])]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "link": []}
        size, offset = int(query.get("_count", ["0"])[0]), int(query.get("_offset", ["0"])[0])
        if size and "paging" not in self.ignores:
            if offset + size < len(found):
                further = [*query.items(), ("_offset", [str(offset + size)])]
                pairs = "&".join(f"{n}={v}" for n, values in dict(further).items() for v in values)
                bundle["link"] = [{"relation": "next", "url": f"{BASE}/Appointment?{pairs}"}]
            found = found[offset : offset + size]
        bundle["entry"] = [{"resource": resource} for resource in found]
        return bundle

    @property
    def searches(self) -> list[dict[str, list[str]]]:
        return [query for path, query in self.asked if path == "Appointment" and "_offset" not in query]

    @property
    def reads(self) -> list[str]:
        return [
            path.removeprefix("Appointment/") for path, _ in self.asked if path.startswith("Appointment/")
        ]


class LateIndex(Pms):
    """A search finds what stands in ``late`` as it is there, whatever a read shows."""

    def __init__(self, *resources: Json) -> None:
        super().__init__(*resources)
        self.late: dict[str, Json] = {}

    def search(self, query: dict[str, list[str]]) -> Json:
        now, self.appointments = self.appointments, self.appointments | self.late
        try:
            return super().search(query)
        finally:
            self.appointments = now


def within(start: str, limits: list[str]) -> bool:
    at = datetime.fromisoformat(start)
    return all(
        at >= datetime.fromisoformat(limit[2:])
        if limit[:2] == "ge"
        else at < datetime.fromisoformat(limit[2:])
        for limit in limits
    )


def answer(resource: Json) -> Reply:
    return Reply("pms.example", 200, {}, json.dumps(resource).encode())


class Following:
    """`Windows` with the cursor kept, as the service does it."""

    def __init__(
        self, pms: Pms, clock: FakeClock | None = None, *, release: str = "", **settings: Any
    ) -> None:
        self.pms = pms
        self.clock = clock or FakeClock(NOON)
        client = FhirClient(pms, BASE, FixedAccess(), release)
        self.windows = Windows(client, a_practice(), SearchSettings(**settings), "fhir", self.clock.now)
        self.cursor: str | None = None

    async def poll(self) -> Changes:
        self.pms.asked.clear()
        changes = await self.windows.changes(self.cursor)
        self.cursor = changes.cursor
        return changes


def ids(changes: Changes) -> list[str]:
    return sorted(sourced.appointment.id for sourced in changes.appointments)


async def test_first_everything_then_only_what_changed() -> None:
    following = Following(Pms(a_resource("a1"), a_resource("a2"), a_resource("a3")))
    first = await following.poll()
    assert ids(first) == ["a1", "a2", "a3"]
    assert {(s.release, s.source) for s in first.appointments} == {("R4", "fhir")}
    assert ids(await following.poll()) == []
    following.pms.put(a_resource("a2", status="cancelled", meta={"versionId": "2"}), a_resource("a4"))
    changes = await following.poll()
    assert ids(changes) == ["a2", "a4"]
    assert changes.vanished == ()
    by_id = {str(s.appointment.id): s for s in changes.appointments}
    assert by_id["a2"].appointment.status is AppointmentStatus.CANCELLED
    assert by_id["a2"].original == following.pms.appointments["a2"]


async def test_a_version_that_counts_up_without_a_change_is_no_change() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.pms.put(a_resource(meta={"versionId": "2", "lastUpdated": "2026-03-02T09:00:00Z"}))
    assert ids(await following.poll()) == []


async def test_a_change_whose_version_does_not_count_up_is_a_change() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.pms.put(a_resource(start=NOON + timedelta(hours=1)))
    assert ids(await following.poll()) == ["a1"]


async def test_the_order_of_members_is_no_change() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.pms.put(dict(reversed(a_resource().items())))
    assert ids(await following.poll()) == []


async def test_an_unknown_cursor_gives_everything() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.cursor = "of another run"
    assert ids(await following.poll()) == ["a1"]


async def test_the_cursor_before_gives_its_changes_again() -> None:
    following = Following(Pms(a_resource("a1"), a_resource("a2")))
    before = (await following.poll()).cursor
    following.pms.put(a_resource("a2", status="arrived"))
    del following.pms.appointments["a1"]
    for _ in range(2):
        following.cursor = before
        changes = await following.poll()
        assert (ids(changes), changes.vanished) == (["a2"], ("a1",))


async def test_what_is_gone_is_vanished_once_the_server_confirmed_it() -> None:
    following = Following(Pms(a_resource("a1"), a_resource("a2")))
    await following.poll()
    del following.pms.appointments["a1"]
    assert (await following.poll()).vanished == ("a1",)
    assert following.pms.reads == ["a1"]
    assert (await following.poll()).vanished == ()


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_what_cannot_be_asked_for_is_not_vanished_and_asked_for_again(status: int) -> None:
    following = Following(Pms(a_resource("a1")))
    await following.poll()
    following.pms.failing["Appointment/a1"] = status
    del following.pms.appointments["a1"]
    assert (await following.poll()).vanished == ()
    following.pms.failing.clear()
    assert (await following.poll()).vanished == ("a1",)


async def test_one_that_may_not_be_read_keeps_no_other_from_being_asked_for() -> None:
    following = Following(Pms(a_resource("a1"), a_resource("a2")))
    await following.poll()
    following.pms.failing["Appointment/a1"] = 403
    following.pms.appointments.clear()
    assert (await following.poll()).vanished == ("a2",)


async def test_r4b_counts_as_r4() -> None:
    following = Following(Pms(a_resource()), release="R4B")
    assert [sourced.release for sourced in (await following.poll()).appointments] == ["R4"]


async def test_a_404_that_comes_from_no_fhir_server_is_not_believed() -> None:
    following = Following(Pms(a_resource("a1")))
    await following.poll()
    following.pms.hidden.add("a1")
    following.pms.failing = {"Appointment/a1": 404, "metadata": 404}
    assert (await following.poll()).vanished == ()


async def test_a_server_that_fails_is_not_asked_for_each_that_is_missing() -> None:
    following = Following(Pms(*(a_resource(f"a{number}") for number in range(20))))
    await following.poll()
    following.pms.appointments.clear()
    following.pms.failing["Appointment/"] = 503
    await following.poll()
    assert len(following.pms.reads) == 1
    following.pms.failing.clear()
    assert len((await following.poll()).vanished) == 20


async def test_what_moved_out_of_the_window_is_a_change_and_then_no_longer_asked_for() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.pms.put(a_resource(start=NOON + timedelta(days=90)))
    changes = await following.poll()
    assert (ids(changes), changes.vanished) == (["a1"], ())
    assert changes.appointments[0].appointment.start == NOON + timedelta(days=90)
    await following.poll()
    assert following.pms.reads == []


async def test_what_the_search_hides_is_asked_for_by_its_id_until_it_is_gone() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.pms.hidden.add("a1")
    for _ in range(3):
        changes = await following.poll()
        assert (ids(changes), changes.vanished, following.pms.reads) == ([], (), ["a1"])
    following.pms.put(a_resource(status="arrived"))
    assert ids(await following.poll()) == ["a1"]
    del following.pms.appointments["a1"]
    assert (await following.poll()).vanished == ("a1",)


async def test_what_is_cancelled_and_hidden_is_asked_for_once() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.pms.hidden.add("a1")
    following.pms.put(a_resource(status="cancelled"))
    assert ids(await following.poll()) == ["a1"]
    await following.poll()
    assert following.pms.reads == []


async def test_when_much_is_missing_each_gets_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "MOST_CONFIRMATIONS", 3)
    following = Following(Pms(*(a_resource(f"a{number}") for number in range(8))))
    await following.poll()
    following.pms.hidden.update(following.pms.appointments)
    asked = []
    for _ in range(3):
        await following.poll()
        assert len(following.pms.reads) == 3
        asked += following.pms.reads
    assert set(asked) == {f"a{number}" for number in range(8)}


async def test_what_slid_into_the_past_is_neither_vanished_nor_read() -> None:
    following = Following(Pms(a_resource("a1"), a_resource("a2", NOON + timedelta(days=3))))
    await following.poll()
    following.clock.advance(days=2)
    del following.pms.appointments["a1"]
    changes = await following.poll()
    assert (ids(changes), changes.vanished, following.pms.reads) == ([], (), [])


async def test_what_the_day_brings_into_the_window_is_new() -> None:
    following = Following(Pms(a_resource("a1", NOON + timedelta(days=15))))
    assert ids(await following.poll()) == []
    following.clock.advance(days=1)
    assert ids(await following.poll()) == ["a1"]


async def test_found_twice_counts_once() -> None:
    both = a_resource()
    both["participant"].append({"actor": {"reference": "Practitioner/2"}, "status": "accepted"})
    following = Following(Pms(both), by="practitioner", actors=["Practitioner/1", "Practitioner/2"])
    assert len((await following.poll()).appointments) == 1
    assert {query["practitioner"][0] for query in following.pms.searches} == {
        "Practitioner/1",
        "Practitioner/2",
    }


async def test_the_windows_are_the_days_of_the_practice() -> None:
    following = Following(Pms(), FakeClock(datetime(2026, 3, 28, 23, 30, tzinfo=UTC)), days_ahead=1)
    await following.poll()
    assert [query["date"] for query in following.pms.searches] == [
        ["ge2026-03-27T23:00:00Z", "lt2026-03-30T22:00:00Z"]
    ], "in Berlin it is the 29th already, the day that has 23 hours"


async def test_days_are_asked_for_in_parts_without_a_gap() -> None:
    following = Following(
        Pms(), days_back=2, days_ahead=10, days_per_request=5, parameters={"status": "booked"}
    )
    await following.poll()
    dates = [query["date"] for query in following.pms.searches]
    assert len(dates) == 3
    assert [until[2:] for _, until in dates[:-1]] == [since[2:] for since, _ in dates[1:]]
    assert all(query["status"] == ["booked"] for query in following.pms.searches)
    for length in (1, 3, 7, 400):
        days = days_around(NOON, a_practice(), 2, 10)
        parts = list(windows(days, length))
        assert (parts[0][0], parts[-1][1]) == (days[0], days[-1])
        assert all(one[1] == other[0] for one, other in pairwise(parts))


@pytest.mark.parametrize("ignored", [{"date"}, {"paging"}, {"date", "paging"}])
async def test_a_server_that_ignores_parameters_breaks_nothing(ignored: set[str]) -> None:
    pms = Pms(a_resource("old", NOON - timedelta(days=400)), *(a_resource(f"a{n}") for n in range(7)))
    pms.ignores = ignored
    following = Following(pms, page_size=3)
    assert len((await following.poll()).appointments) == 7, "and what is not of these days is left out"
    changes = await following.poll()
    assert (ids(changes), changes.vanished, pms.reads) == ([], (), [])


async def test_all_pages_are_read() -> None:
    following = Following(Pms(*(a_resource(f"a{number}") for number in range(10))), page_size=3)
    assert len((await following.poll()).appointments) == 10


async def test_one_window_that_fails_fails_the_poll_and_nothing_is_lost() -> None:
    following = Following(Pms(a_resource("a1"), a_resource("a2", NOON + timedelta(days=10))))
    await following.poll()
    following.pms.put(a_resource("a1", status="arrived"))
    following.pms.failing["ge2026-03-07"] = 429
    with pytest.raises(PartnerError) as caught:
        await following.poll()
    assert (caught.value.retryable, caught.value.retry_after) == (True, 7.0)
    following.pms.failing.clear()
    changes = await following.poll()
    assert (ids(changes), changes.vanished) == (["a1"], ())


async def test_what_cannot_be_read_is_told_by_its_code_once() -> None:
    nameless = a_resource()
    del nameless["id"]
    following = Following(Pms(a_resource("a1", participant=[]), a_resource("a2")))
    following.pms.appointments |= {"x": nameless, "y": a_resource("a3", comment=float("nan"))}
    first = await following.poll()
    assert sorted(first.unreadable) == [
        "appointment-without-id",
        "appointment-without-participant",
        "not-json",
    ]
    assert ids(first) == ["a2"]
    assert (await following.poll()).unreadable == ()
    following.pms.appointments.clear()
    assert sorted((await following.poll()).vanished) == ["a1", "a2", "a3"]


async def test_what_has_no_start_is_followed_too() -> None:
    following = Following(Pms())
    following.pms.ignores = {"date"}
    proposed = a_resource(status="proposed")
    del proposed["start"], proposed["end"]
    following.pms.put(proposed)
    assert (await following.poll()).unreadable == ("appointment-without-time",)
    following.pms.put(a_resource())
    assert ids(await following.poll()) == ["a1"]


async def test_what_we_wrote_ourselves_is_no_change() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    ours = a_resource(comment="ours", meta={"versionId": "2"})
    following.windows.known.wrote(following.pms.appointments[ours["id"]], ours)
    assert ids(await following.poll()) == [], "the search still shows what was before"
    following.pms.put(ours)
    assert ids(await following.poll()) == []
    following.pms.put(a_resource())
    assert ids(await following.poll()) == ["a1"], "someone took it away again"
    following.pms.put(ours)
    assert ids(await following.poll()) == ["a1"], "and that it is what we once wrote no longer counts"


async def test_what_others_changed_just_before_our_writing_is_a_change() -> None:
    """Our writing begins with a fresh read: so their change came back with it."""
    following = Following(Pms(a_resource()))
    await following.poll()
    theirs = a_resource(start=NOON + timedelta(hours=3))
    ours = theirs | {"comment": "ours"}
    following.windows.known.wrote(theirs, ours)
    following.pms.put(ours)
    (sourced,) = (await following.poll()).appointments
    assert sourced.appointment.start == NOON + timedelta(hours=3)
    assert ids(await following.poll()) == []


async def test_what_we_wrote_twice_is_no_change_either() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    once, twice = a_resource(comment="once"), a_resource(comment="twice")
    following.windows.known.wrote(a_resource(), once)
    following.windows.known.read(once)
    following.windows.known.wrote(once, twice)
    following.pms.put(twice)
    assert ids(await following.poll()) == []


async def test_who_puts_back_what_was_before_our_writing_changes_it() -> None:
    """As systems do that store what was on the screen. The version tells it from a late index."""
    following = Following(Pms(a_resource()))
    await following.poll()
    following.windows.known.wrote(a_resource(), a_resource(comment="ours", meta={"versionId": "2"}))
    assert ids(await following.poll()) == []
    following.pms.put(a_resource(meta={"versionId": "3"}))
    assert ids(await following.poll()) == ["a1"]
    assert ids(await following.poll()) == []


async def test_what_was_not_told_to_its_end_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    following = Following(Pms(a_resource(), a_resource("a2")))
    await following.poll()
    following.windows.known.wrote(a_resource(), a_resource(comment="ours", meta={"versionId": "2"}))
    following.pms.put(a_resource(meta={"versionId": "3"}))
    del following.pms.appointments["a2"]

    async def cut_off(path: str) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(following.windows._client, "read", cut_off)
        with pytest.raises(asyncio.CancelledError):
            await following.poll()
    assert ids(await following.poll()) == ["a1"]


@pytest.mark.parametrize("cursor", ["kept", None])
async def test_a_search_that_is_late_does_not_bring_back_what_was(cursor: str | None) -> None:
    pms = LateIndex(a_resource("a2"))
    following = Following(pms)
    await following.poll()
    first = {"lastUpdated": "2026-07-01T08:00:00Z"}
    then = {"lastUpdated": "2026-07-01T08:00:09Z"}
    pms.late = {"a1": a_resource(meta=first)}
    pms.put(a_resource(meta=then, status="cancelled"))
    following.windows.known.read(pms.appointments["a1"])
    following.cursor = following.cursor if cursor else None
    found = (await following.poll()).appointments
    assert [s.appointment.status for s in found if s.appointment.id == "a1"] == [AppointmentStatus.CANCELLED]
    assert ids(await following.poll()) == []
    pms.late = {}
    assert ids(await following.poll()) == []
    assert pms.reads == []


async def test_what_a_late_search_shows_and_nobody_can_be_asked_for_waits() -> None:
    pms = LateIndex()
    following = Following(pms)
    pms.late = {"a1": a_resource(meta={"lastUpdated": "2026-07-01T08:00:00Z"})}
    pms.put(a_resource(meta={"lastUpdated": "2026-07-01T08:00:09Z"}, comment="newer"))
    following.windows.known.read(pms.appointments["a1"])
    pms.failing = {"Appointment/a1": 503}
    assert ids(await following.poll()) == []
    pms.failing = {}
    (sourced,) = (await following.poll()).appointments
    assert sourced.original["comment"] == "newer"
    del pms.appointments["a1"]
    changes = await following.poll()
    assert (ids(changes), changes.vanished) == ([], ("a1",))


async def test_what_was_read_as_gone_is_not_brought_back_by_a_late_search() -> None:
    pms = LateIndex(a_resource("a2"))
    following = Following(pms)
    await following.poll()
    pms.late = {"a1": a_resource()}
    following.windows.known.does_not_find("a1")
    for _ in range(2):
        changes = await following.poll()
        assert (ids(changes), pms.reads) == ([], ["a1"])
    pms.put(a_resource())
    assert ids(await following.poll()) == ["a1"], "there again"
    assert ids(await following.poll()) == []
    assert pms.reads == []


async def test_what_was_gone_and_is_there_again_as_before_is_a_change() -> None:
    following = Following(Pms(a_resource()))
    await following.poll()
    following.windows.known.does_not_find("a1")
    assert ids(await following.poll()) == ["a1"]
    assert ids(await following.poll()) == []


async def test_own_writes_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_module, "MOST_KNOWN", 2)
    following = Following(Pms(a_resource("a1"), a_resource("a2"), a_resource("a3")))
    await following.poll()
    for number in (1, 2, 3):
        ours = a_resource(f"a{number}", comment="ours")
        following.windows.known.wrote(following.pms.appointments[ours["id"]], ours)
        following.pms.put(ours)
    assert ids(await following.poll()) == ["a1"]


async def test_a_poll_without_changes_maps_nothing_and_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    following = Following(
        Pms(*(a_resource(f"a{number}", comment="x" * 1500) for number in range(2000))), page_size=1000
    )
    assert len((await following.poll()).appointments) == 2000
    monkeypatch.setattr(following.windows, "_map", None)
    following.pms.put(a_resource("a7", comment="x" * 1500, meta={"versionId": "9"}))
    assert ids(await following.poll()) == []
    assert len(following.pms.asked) == 4, "three searches, one of them of two pages"


async def test_hostile_resources_raise_nothing_else() -> None:
    deep: Any = "x"
    for _ in range(700):
        deep = [deep]
    pms = Pms(
        a_resource("a1", comment=deep), a_resource("a2", start=NOON), a_resource("a3", comment="\ud800")
    )
    pms.ignores = {"date"}
    pms.appointments |= {"z": {"resourceType": "Appointment", "id": ["x"], "start": 5, "status": {}}}
    changes = await Following(pms).poll()
    assert "a2" in ids(changes)
    assert "not-json" in changes.unreadable


@pytest.mark.parametrize(
    "settings",
    [
        {"by": "practitioner"},
        {"actors": ["Practitioner/1"]},
        {"by": "location", "actors": [" "]},
        {"parameters": {"date": "ge2026"}},
        {"by": "actor", "actors": ["Practitioner/1"], "parameters": {"actor": "Practitioner/2"}},
        {"days_per_request": 0},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SearchSettings(**settings)


async def test_names_are_in_no_repr() -> None:
    changes = await Following(Pms(a_resource())).poll()
    assert "Erika" not in repr(changes)
