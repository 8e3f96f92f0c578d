"""Writing our link and status into Appointments, and leaving everything else as it was."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsdk.adapters.scheduling.fhir_common import CHANNEL_SYSTEM
from vsdk.adapters.scheduling.fhir_r4 import VIRTUAL_SERVICE
from vsdk.adapters.scheduling.fhir_strict import issues
from vsdk.adapters.scheduling.format import FhirFormat
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.testing.factories import a_practice

FORMAT = FhirFormat()
LINK = VirtualService("https://praxis.example/v/j#first")
OTHER = VirtualService("https://praxis.example/v/j#second")
BOTH = pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
PERSON = {"actor": {"reference": "Patient/1"}, "status": "accepted"}
PLAIN = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "start": "2026-11-23T09:00:00+01:00",
    "end": "2026-11-23T09:20:00+01:00",
    "participant": [PERSON],
}
FOREIGN_R4 = {"url": VIRTUAL_SERVICE, "extension": [{"url": "address", "valueUrl": "https://zoom.example/1"}]}
FOREIGN_R5 = {"channelType": {"system": "urn:other", "code": "zoom"}, "addressUrl": "https://zoom.example/1"}


def write(original: Any, release: str, link: VirtualService | None, **options: Any) -> dict[str, Any]:
    return FORMAT.write(original, release=release, virtual_service=link, **options)


@BOTH
def test_our_link_is_written_read_replaced_and_removed(release: str) -> None:
    once = write(PLAIN, release, LINK)
    assert FORMAT.link(once, release=release) == LINK
    assert write(once, release, LINK) == once
    twice = write(once, release, OTHER)
    assert FORMAT.link(twice, release=release) == OTHER
    assert LINK.url not in json.dumps(twice)
    assert write(twice, release, None) == PLAIN
    assert FORMAT.link(PLAIN, release=release) is None


@BOTH
def test_an_appointment_with_our_link_is_a_video_visit(release: str) -> None:
    assert not FORMAT.read(PLAIN, release=release, practice=a_practice()).is_video
    assert FORMAT.read(write(PLAIN, release, LINK), release=release, practice=a_practice()).is_video


def test_r5_has_the_link_in_virtual_service() -> None:
    (entry,) = write(PLAIN, "R5", LINK)["virtualService"]
    assert entry["addressUrl"] == LINK.url
    assert entry["channelType"]["system"] == CHANNEL_SYSTEM
    assert entry["channelType"]["code"] == "video-visit"


def test_r4_has_the_link_in_the_cross_version_extension() -> None:
    (entry,) = write(PLAIN, "R4", LINK)["extension"]
    assert entry["url"] == VIRTUAL_SERVICE
    parts = {part["url"]: part for part in entry["extension"]}
    assert parts["_datatype"]["valueString"] == "VirtualServiceDetail"
    assert parts["channelType"]["valueCoding"]["system"] == CHANNEL_SYSTEM
    assert parts["address"]["valueUrl"] == LINK.url


def test_r4_reads_the_complex_address_too() -> None:
    entry = write(PLAIN, "R4", LINK)
    entry["extension"][0]["extension"][2] = {
        "url": "address",
        "extension": [{"url": "contact", "valueContactPoint": {"system": "url", "value": LINK.url}}],
    }
    assert FORMAT.link(entry, release="R4") == LINK


@pytest.mark.parametrize(
    ("release", "element", "foreign"),
    [("R4", "extension", FOREIGN_R4), ("R5", "virtualService", FOREIGN_R5)],
)
def test_links_of_others_are_not_touched(release: str, element: str, foreign: dict[str, Any]) -> None:
    original = PLAIN | {element: [foreign]}
    written = write(original, release, LINK)
    assert written[element][0] == foreign
    assert len(written[element]) == 2
    assert write(written, release, OTHER)[element][0] == foreign
    assert write(written, release, None) == original
    assert FORMAT.link(original, release=release) is None


@BOTH
def test_the_status_is_set_only_when_given(release: str) -> None:
    assert write(PLAIN, release, None) == PLAIN
    assert write(PLAIN, release, None, status=AppointmentStatus.CHECKED_IN) == PLAIN | {
        "status": "checked-in"
    }


@BOTH
def test_the_original_object_is_not_changed(release: str) -> None:
    original = PLAIN | {"extension": [FOREIGN_R4], "virtualService": [FOREIGN_R5]}
    before = copy.deepcopy(original)
    write(original, release, LINK, status=AppointmentStatus.ARRIVED)
    assert original == before


@BOTH
@pytest.mark.parametrize("original", [None, [], "x", 1, {}, {"resourceType": "Patient"}])
def test_only_appointments_are_written_to(release: str, original: Any) -> None:
    with pytest.raises(InvalidAppointment):
        write(original, release, LINK)


@BOTH
def test_what_is_written_satisfies_the_model_of_that_release(release: str) -> None:
    for link in (LINK, None):
        for status in (None, AppointmentStatus.FULFILLED):
            assert issues(write(PLAIN, release, link, status=status), release) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.sampled_from([FOREIGN_R4, FOREIGN_R5]) | JSON, min_size=1, max_size=3)


@BOTH
@given(st.dictionaries(st.text(), JSON, max_size=5), ENTRIES)
def test_a_round_trip_keeps_everything_else(
    release: str, unknown: dict[str, Any], entries: list[Any]
) -> None:
    element = "virtualService" if release == "R5" else "extension"
    original = unknown | PLAIN | {element: entries}
    written = write(original, release, LINK, status=AppointmentStatus.ARRIVED)
    assert FORMAT.link(written, release=release) == LINK
    assert written[element][:-1] == entries
    back = write(written, release, None, status=AppointmentStatus.BOOKED)
    assert json.dumps(back, sort_keys=True) == json.dumps(original, sort_keys=True)


@BOTH
@given(JSON)
def test_whatever_is_in_the_place_of_the_link_can_be_written_over(release: str, value: Any) -> None:
    original = PLAIN | {"virtualService": value, "extension": value}
    assert FORMAT.link(write(original, release, LINK), release=release) == LINK
