"""Writing back to servers with the documented rules of vendors."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.peers.fakes import BASE, Canvas, FhirFake, Isik, Oracle, Refusal
from tests.peers.practice import PRACTICE, a_source
from tests.peers.resources import an_r4_appointment

from vsdk.adapters.scheduling.fhir.carriers.cross_version import VIRTUAL_SERVICE
from vsdk.domain.appointment import AppointmentStatus as Status
from vsdk.domain.appointment import VirtualService
from vsdk.domain.errors import PartnerError
from vsdk.domain.ids import AppointmentId
from vsdk.testing.factories import NOON, a_practice

LINK = VirtualService(
    "https://praxis.example/video/j#h4ndle", opens=NOON, closes=NOON + timedelta(minutes=75)
)
OTHER = replace(LINK, url="https://praxis.example/video/j#0ther")
LIST = "https://praxis.example/video/practice/practice"


async def write(server: FhirFake, services: Any, status: Status | None) -> None:
    carrier, dialect = {
        Oracle: ("contained-healthcare-service", "oracle"),
        Canvas: ("contained-endpoint", "put"),
        Isik: ("patient-instruction", "fhirpath-patch"),
    }[type(server)]
    practice = a_practice()
    practice = replace(practice, fhir=replace(practice.fhir, carrier=carrier))
    source = a_source(server.http(), BASE, practice=practice, write_back=dialect)
    await source.write_back(PRACTICE, AppointmentId("a1"), services, status)


def holding(server: FhirFake, **changes: Any) -> FhirFake:
    server.hold(an_r4_appointment(id="a1", **changes))
    return server


async def test_oracle_gets_links_and_status_in_the_way_it_documents() -> None:
    server = holding(Oracle())
    await write(server, (LINK,), Status.ARRIVED)
    assert server.resources["a1"]["rooms"] == [LIST, LINK.url, "2026-03-02T12:00:00Z", "2026-03-02T13:15:00Z"]
    assert server.resources["a1"]["status"] == "arrived"
    assert all(received.headers["if-match"] for received in server.writes)
    assert len(server.writes) == 2
    await write(server, (LINK,), Status.ARRIVED)
    assert len(server.writes) == 2, "nothing new, nothing sent"


async def test_oracle_gets_new_links_and_times_for_old_ones() -> None:
    server = holding(Oracle())
    await write(server, (LINK,), None)
    await write(server, (OTHER,), None)
    assert server.resources["a1"]["rooms"][1] == OTHER.url
    await write(server, (replace(OTHER, closes=NOON + timedelta(minutes=90)),), None)
    assert server.resources["a1"]["rooms"][3] == "2026-03-02T13:30:00Z"


async def test_oracle_keeps_links_that_are_taken_away_here() -> None:
    server = holding(Oracle())
    await write(server, (LINK,), None)
    await write(server, (), Status.ARRIVED)
    assert server.resources["a1"]["rooms"][1] == LINK.url
    assert server.resources["a1"]["status"] == "arrived"


async def test_oracle_reaches_fulfilled_by_way_of_checked_in() -> None:
    server = holding(Oracle())
    await write(server, (LINK,), Status.FULFILLED)
    assert server.resources["a1"]["status"] == "fulfilled"
    steps = [r.body[0]["value"] for r in server.writes if r.body[0]["path"] == "/status"]
    assert steps == ["checked-in", "fulfilled"]


@pytest.mark.parametrize(("now", "wanted"), [("proposed", Status.ARRIVED), ("booked", Status.NOSHOW)])
async def test_oracle_is_not_told_what_it_does_not_take(now: str, wanted: Status) -> None:
    server = holding(Oracle(), status=now)
    await write(server, (LINK,), wanted)
    assert server.resources["a1"]["status"] == now
    assert server.resources["a1"]["rooms"][1] == LINK.url


async def test_oracle_that_knows_links_which_reading_does_not_show_gets_replace() -> None:
    class Hiding(Oracle):
        def shown(self, id_: str) -> Any:
            return an_r4_appointment(id=id_, status=self.resources[id_]["status"])

    server = holding(Hiding(), rooms=["https://old.example", "https://old.example", "s", "e"])
    practice = a_practice()
    practice = replace(practice, fhir=replace(practice.fhir, carrier="contained-healthcare-service"))
    source = a_source(server.http(), BASE, practice=practice, write_back="oracle")
    await source.write_back(PRACTICE, AppointmentId("a1"), (LINK,), Status.ARRIVED)
    assert server.resources["a1"]["rooms"][1] == LINK.url
    assert server.resources["a1"]["status"] == "arrived"
    assert [[o["op"] for o in r.body] for r in server.writes] == [["add"] * 4, ["replace"] * 4, ["replace"]]


async def test_oracle_with_somebody_elses_room_is_left_alone() -> None:
    server = holding(Oracle(), rooms=["https://zoom.example/2", "https://zoom.example/1", "s", "e"])
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), Status.ARRIVED)
    assert (caught.value.code, caught.value.retryable) == ("foreign-link", False)
    assert server.resources["a1"]["rooms"][1] == "https://zoom.example/1"
    assert server.resources["a1"]["status"] == "arrived"


async def test_oracle_without_the_licence_for_video_visits_says_no_once_more_and_that_is_it() -> None:
    server = holding(Oracle())
    server.refusals = [Refusal(403)]
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), None)
    assert (caught.value.status, caught.value.retryable, len(server.writes)) == (403, False, 1)


async def test_oracle_without_the_licence_for_video_visits_is_told_the_status() -> None:
    server = holding(Oracle())
    server.refusals = [Refusal(403)]
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), Status.ARRIVED)
    assert (caught.value.status, caught.value.retryable) == (403, False)
    assert server.resources["a1"]["status"] == "arrived"


async def test_canvas_gets_its_endpoint_by_put_without_versions() -> None:
    server = holding(Canvas())
    await write(server, (LINK,), Status.CHECKED_IN)
    (endpoint,) = server.resources["a1"]["contained"]
    assert endpoint["address"] == LINK.url
    assert server.resources["a1"]["status"] == "checked-in"
    assert "if-match" not in server.writes[0].headers
    await write(server, (LINK,), Status.CHECKED_IN)
    assert len(server.writes) == 1
    await write(server, (OTHER,), None)
    assert server.resources["a1"]["contained"][0]["address"] == OTHER.url
    await write(server, (), None)
    assert server.resources["a1"] == an_r4_appointment(id="a1", status="checked-in")


async def test_isik_gets_the_link_in_the_instruction_and_the_status_as_fhirpath_patch() -> None:
    server = holding(Isik(), patientInstruction="Bitte nüchtern kommen.")
    await write(server, (LINK,), Status.ARRIVED)
    written = server.resources["a1"]
    assert written["patientInstruction"].startswith("Bitte nüchtern kommen.")
    assert LINK.url in written["patientInstruction"]
    assert written["status"] == "arrived"
    assert server.writes[0].headers["if-match"] == 'W/"1"'
    await write(server, (LINK,), Status.ARRIVED)
    assert len(server.writes) == 1
    await write(server, (), Status.NOSHOW)
    assert server.resources["a1"] == an_r4_appointment(
        id="a1", status="arrived", patientInstruction="Bitte nüchtern kommen."
    )


async def test_isik_gets_an_instruction_where_there_was_none_and_loses_it_again() -> None:
    server = holding(Isik())
    await write(server, (LINK,), None)
    assert LINK.url in server.resources["a1"]["patientInstruction"]
    await write(server, (), None)
    assert server.resources["a1"] == an_r4_appointment(id="a1")


async def test_isik_is_told_the_status_though_a_former_place_of_our_link_cannot_be_cleared() -> None:
    former = {"url": VIRTUAL_SERVICE, "extension": [{"url": "address", "valueUrl": LINK.url}]}
    server = holding(Isik(), extension=[former])
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), Status.ARRIVED)
    assert (caught.value.code, caught.value.retryable) == ("not-expressible", False)
    assert server.resources["a1"] == an_r4_appointment(id="a1", extension=[former], status="arrived")


@pytest.mark.parametrize("status", list(Status))
async def test_isik_never_gets_a_code_that_it_would_refuse(status: Status) -> None:
    server = holding(Isik())
    await write(server, None, status)
    now = server.resources["a1"]["status"]
    assert now in ("booked", status.value)
