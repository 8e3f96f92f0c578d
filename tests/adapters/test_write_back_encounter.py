"""The Encounter of an appointment: kept up to date or made, at servers of others and by pure functions."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fhir.resources.encounter import Encounter as EncounterR5
from fhir.resources.R4B.encounter import Encounter as EncounterR4
from fhir.resources.STU3.encounter import Encounter as EncounterSTU3
from hypothesis import given
from hypothesis import strategies as st
from tests.peers.fakes import no_pause
from tests.peers.practice import NOW, PRACTICE, a_source
from tests.peers.resources import an_r4_appointment
from tests.peers.servers import Peer

from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.source import FhirSchedule
from vsdk.adapters.scheduling.fhir.writing.encounter import made_of, updated
from vsdk.domain.appointment import AppointmentStatus as Status
from vsdk.domain.errors import NotFound, PartnerError
from vsdk.domain.ids import AppointmentId

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
AMB = {"system": ACT_CODE, "code": "AMB"}
VR = {"system": ACT_CODE, "code": "VR", "display": "virtual"}
AT = "2026-11-23T08:30:00Z"
JUDGES = {"R4": EncounterR4, "R4B": EncounterR4, "R5": EncounterR5, "STU3": EncounterSTU3}
JSON = st.recursive(
    st.sampled_from([None, 7, "", "planned", "in-progress", "VR"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["coding", "system", "code", "start", "end"]), inner, max_size=3)
    ),
    max_leaves=6,
)
RELEASES = pytest.mark.parametrize("release", JUDGES)


@pytest.fixture(params=["sekmet", "medplum"])
def peer(request: pytest.FixtureRequest) -> Peer:
    server: Peer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(params=["put", "json-patch", "none"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def an_encounter(appointment: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": "planned",
        "class": AMB,
        "subject": {"reference": "Patient/p17"},
        "appointment": [{"reference": f"Appointment/{appointment}"}],
        "reasonCode": [{"text": "none of our business"}],
    } | changes


def found(peer: Peer, appointment: str) -> list[dict[str, Any]]:
    bundle = peer.call("GET", f"Encounter?appointment=Appointment/{appointment}").json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


async def report(source: FhirSchedule, id_: str, *statuses: Status) -> None:
    for status in statuses:
        await source.write_back(PRACTICE, AppointmentId(id_), None, status)


async def test_an_encounter_follows_the_visit(http: HttpClient, peer: Peer, dialect: str) -> None:
    id_ = peer.create(an_r4_appointment())
    encounter = peer.create(an_encounter(id_))
    source = a_source(http, peer.base, write_back=dialect, encounters="update")
    for status, code in [
        (Status.ARRIVED, "arrived"),
        (Status.CHECKED_IN, "in-progress"),
        (Status.FULFILLED, "finished"),
    ]:
        await report(source, id_, status, status)
        assert peer.read("Encounter", encounter)["status"] == code
    after = peer.read("Encounter", encounter)
    assert after["class"] == VR
    assert after["period"] == {"start": AT, "end": AT}
    assert after["reasonCode"] == [{"text": "none of our business"}]
    assert peer.read("Appointment", id_)["status"] == ("booked" if dialect == "none" else "fulfilled")


async def test_nothing_is_written_twice(http: HttpClient, peer: Peer, dialect: str) -> None:
    id_ = peer.create(an_r4_appointment())
    encounter = peer.create(an_encounter(id_))
    later = iter(NOW + timedelta(minutes=n) for n in range(99))
    source = a_source(http, peer.base, write_back=dialect, encounters="update", now=lambda: next(later))
    await report(source, id_, Status.CHECKED_IN)
    once = peer.read("Encounter", encounter)
    await report(source, id_, Status.CHECKED_IN, Status.ARRIVED, Status.BOOKED, Status.NOSHOW)
    assert peer.read("Encounter", encounter) == once


async def test_without_an_encounter_one_is_made_once(http: HttpClient, peer: Peer) -> None:
    id_ = peer.create(an_r4_appointment())
    source = a_source(http, peer.base, encounters="create")
    await report(source, id_, Status.ARRIVED, Status.ARRIVED, Status.CHECKED_IN)
    (encounter,) = found(peer, id_)
    assert encounter["status"] == "in-progress"
    assert encounter["class"] == VR
    assert encounter["subject"] == {"reference": "Patient/p17"}
    assert encounter["participant"] == [{"individual": {"reference": "Practitioner/d4"}}]
    assert encounter["period"] == {"start": AT}
    assert "Muster" not in repr(encounter)


async def test_two_who_make_it_at_once_make_one(http: HttpClient, sekmet: Peer) -> None:
    """The other one makes it after we looked: the server is asked to make it only if there is none."""
    id_ = sekmet.create(an_r4_appointment())

    class Faster:
        async def request(self, method: str, url: str, **options: Any) -> Any:
            if method == "POST":
                sekmet.create(an_encounter(id_))
            return await http.request(method, url, **options)

    source = a_source(Faster(), sekmet.base, encounters="create")  # type: ignore[arg-type]
    await report(source, id_, Status.ARRIVED)
    assert len(found(sekmet, id_)) == 1


@pytest.mark.parametrize("status", [Status.BOOKED, Status.CANCELLED, Status.NOSHOW])
async def test_no_encounter_is_made_of_what_did_not_take_place(
    http: HttpClient, sekmet: Peer, status: Status
) -> None:
    id_ = sekmet.create(an_r4_appointment())
    await report(a_source(http, sekmet.base, encounters="create"), id_, status)
    assert found(sekmet, id_) == []


@pytest.mark.parametrize("mode", ["none", "update"])
async def test_none_is_made_where_none_is_wanted(http: HttpClient, sekmet: Peer, mode: str) -> None:
    id_ = sekmet.create(an_r4_appointment())
    await report(a_source(http, sekmet.base, encounters=mode), id_, Status.ARRIVED)
    assert found(sekmet, id_) == []


async def test_when_nobody_came_a_planned_encounter_is_cancelled(http: HttpClient, peer: Peer) -> None:
    id_ = peer.create(an_r4_appointment())
    encounter = peer.create(an_encounter(id_))
    await report(a_source(http, peer.base, encounters="update"), id_, Status.NOSHOW)
    assert peer.read("Encounter", encounter)["status"] == "cancelled"


async def test_of_several_encounters_the_virtual_one_that_goes_on_is_ours(
    http: HttpClient, peer: Peer
) -> None:
    id_ = peer.create(an_r4_appointment())
    others = [
        peer.create(an_encounter(id_)),
        peer.create(an_encounter(id_, status="finished", **{"class": VR})),
        peer.create(an_encounter(id_, status="cancelled", **{"class": VR})),
    ]
    ours = peer.create(an_encounter(id_, **{"class": VR}))
    before = [peer.read("Encounter", other) for other in others]
    await report(a_source(http, peer.base, encounters="update"), id_, Status.CHECKED_IN)
    assert peer.read("Encounter", ours)["status"] == "in-progress"
    assert [peer.read("Encounter", other) for other in others] == before


def over(answer: Any, **settings: Any) -> FhirSchedule:
    http = HttpClient(transport=httpx.MockTransport(answer), sleep=no_pause)
    return a_source(http, "https://pms.example/fhir", fhir_version="R4", **settings)


async def test_encounters_of_others_are_sorted_out_where_the_server_ignores_the_search() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        others = [
            an_encounter("a17", id="e1"),
            an_encounter("17", id="e2") | {"appointment": None},
            an_encounter("x", id="e3") | {"appointment": [{"reference": "Slot/17"}, "junk", {}]},
        ]
        entries = [{"resource": other} for other in others]
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})

    await report(over(answer, write_back="none", encounters="update"), "17", Status.ARRIVED)


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (404, False), (500, True)])
async def test_a_failure_is_told_after_the_appointment_was_written(status: int, retryable: bool) -> None:
    written: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "Encounter" in request.url.path:
            return httpx.Response(status)
        if request.method == "PUT":
            written.append(request.url.path)
        return httpx.Response(200, json=an_r4_appointment(id="17"))

    with pytest.raises(PartnerError) as caught:
        await report(over(answer, encounters="update"), "17", Status.ARRIVED)
    assert caught.value.retryable is retryable
    assert len(written) == 1


async def test_the_encounter_is_told_even_if_the_appointment_takes_no_change() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            sent.append(request.url.path)
            return httpx.Response(403 if "Appointment" in request.url.path else 200)
        if request.url.path.endswith("/Encounter"):
            entries = [{"resource": an_encounter("17", id="e1")}]
            return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})
        kept = an_encounter("17", id="e1") if "Encounter" in request.url.path else an_r4_appointment(id="17")
        return httpx.Response(200, json=kept)

    with pytest.raises(PartnerError) as caught:
        await report(over(answer, encounters="update"), "17", Status.ARRIVED)
    assert caught.value.status == 403
    assert sent == ["/fhir/Appointment/17", "/fhir/Encounter/e1"]


async def test_an_encounter_that_is_gone_is_not_the_appointment_that_is_gone() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Encounter"):
            entries = [{"resource": an_encounter("17", id="e1")}]
            return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})
        return httpx.Response(410)

    with pytest.raises(PartnerError) as caught:
        await report(over(answer, write_back="none", encounters="update"), "17", Status.ARRIVED)
    assert caught.value.retryable
    with pytest.raises(NotFound):
        await report(over(answer, encounters="update"), "17", Status.ARRIVED)


# pure


@RELEASES
@pytest.mark.parametrize("status", [Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED])
def test_what_is_made_is_valid_in_its_release(release: str, status: Status) -> None:
    made = made_of(an_r4_appointment(), "Appointment/17", release)
    JUDGES[release].model_validate(updated(made, status, release, NOW))


@pytest.mark.parametrize(
    ("now", "status", "after"),
    [
        ("planned", Status.ARRIVED, "planned"),
        ("planned", Status.CHECKED_IN, "in-progress"),
        ("on-hold", Status.CHECKED_IN, "in-progress"),
        ("in-progress", Status.ARRIVED, "in-progress"),
        ("in-progress", Status.FULFILLED, "completed"),
        ("discharged", Status.CHECKED_IN, "discharged"),
        ("discharged", Status.FULFILLED, "completed"),
        ("completed", Status.CHECKED_IN, "completed"),
        ("planned", Status.NOSHOW, "cancelled"),
        ("in-progress", Status.NOSHOW, "in-progress"),
        ("cancelled", Status.CHECKED_IN, "cancelled"),
        ("discontinued", Status.FULFILLED, "discontinued"),
        ("unknown", Status.CHECKED_IN, "unknown"),
        (None, Status.CHECKED_IN, None),
    ],
)
def test_r5_has_its_own_codes_and_they_go_forwards_too(now: Any, status: Status, after: Any) -> None:
    encounter = {"resourceType": "Encounter", "status": now, "class": [{"coding": [AMB]}]}
    assert updated(encounter, status, "R5", NOW)["status"] == after


def test_r5_keeps_the_other_classes_and_has_an_actual_period() -> None:
    encounter = {"resourceType": "Encounter", "status": "planned", "class": [{"coding": [AMB]}]}
    after = updated(encounter, Status.CHECKED_IN, "R5", NOW)
    assert after["class"] == [{"coding": [AMB]}, {"coding": [VR]}]
    assert after["actualPeriod"] == {"start": AT}
    EncounterR5.model_validate(after)
    assert updated(after, Status.CHECKED_IN, "R5", NOW + timedelta(hours=1)) == after


@RELEASES
def test_a_final_encounter_is_left_as_it_is(release: str) -> None:
    for status in ("finished", "completed", "cancelled", "entered-in-error", "junk"):
        encounter = an_encounter("17", status=status)
        assert updated(encounter, Status.FULFILLED, release, NOW) is encounter


@given(st.dictionaries(st.sampled_from(["status", "class", "period", "actualPeriod", "id"]), JSON))
@RELEASES
def test_whatever_an_encounter_holds_it_is_left_or_completed(release: str, encounter: dict[str, Any]) -> None:
    after = updated(encounter, Status.FULFILLED, release, NOW)
    assert updated(after, Status.FULFILLED, release, NOW + timedelta(hours=1)) == after


@RELEASES
def test_junk_in_an_appointment_makes_a_smaller_encounter(release: str) -> None:
    junk = {
        "resourceType": "Appointment",
        "participant": [None, {}, {"actor": "x"}, {"actor": {"reference": 7}}],
    }
    made = made_of(junk, "Appointment/17", release)
    assert not made.keys() & {"subject", "participant"}
    contained = an_r4_appointment(participant=[{"actor": {"reference": "#p", "type": "Patient"}}])
    assert "subject" not in made_of(contained, "Appointment/17", release)
