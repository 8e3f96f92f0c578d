"""What holds for every carrier, in every release that has its place."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.carriers.samples import (
    ALL,
    BASE,
    CARRIER_URL,
    FORMAT,
    LIST,
    OTHERS,
    PAIRS,
    PATIENT,
    PLAIN,
    PRACTITIONER,
    RELEASES,
    SUITED,
    links,
    practice,
    text,
    write,
)

from vsdk.adapters.scheduling.fhir.carriers.choice import carrier_of
from vsdk.adapters.scheduling.fhir.carriers.contained_endpoint import ID as CANVAS
from vsdk.adapters.scheduling.fhir.carriers.contained_healthcare_service import PATIENT_ROOM
from vsdk.adapters.scheduling.fhir.carriers.cross_version import VIRTUAL_SERVICE
from vsdk.adapters.scheduling.fhir.carriers.participant_virtual_service import DETAIL
from vsdk.adapters.scheduling.fhir.video import is_elsewhere
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import InvalidAppointment
from vsdk.domain.participant import Role

EACH = pytest.mark.parametrize(("carrier", "release"), PAIRS)
CARRIERS = (*SUITED, "none")

FOREIGN_EXTENSION = {
    "url": VIRTUAL_SERVICE,
    "extension": [{"url": "address", "valueUrl": "https://zoom.example/1"}],
}
FOREIGN: dict[str, list[Any]] = {
    "virtualService": [{"channelType": {"code": "zoom"}, "addressUrl": "https://zoom.example/1"}],
    "extension": [FOREIGN_EXTENSION, {"url": "urn:colour", "valueString": "red"}],
    "contained": [{"resourceType": "Patient", "id": "p"}, {"resourceType": "HealthcareService", "id": "h"}],
    "supportingInformation": [{"reference": "DocumentReference/1"}],
    "participant": [
        {"actor": {"reference": "Patient/1"}, "extension": [FOREIGN_EXTENSION]},
        {"actor": {"reference": "Location/5"}},
    ],
}
"""by element, what others left there"""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("resourceType", "id", "url", "type", "telecom", "address", "extension", "actor", "concept", "text")
SPECIAL = st.sampled_from(
    [
        "HealthcareService",
        "Endpoint",
        CANVAS,
        VIRTUAL_SERVICE,
        CARRIER_URL,
        DETAIL,
        "address",
        BASE + "old",
        LIST,
        {"text": PATIENT_ROOM},
        {"reference": "Patient/1"},
        {"reference": f"#{CANVAS}"},
        "https://zoom.example/1",
    ]
)
VALUES = ("valueUrl", "value", "reference", "addressUrl", "system", "channelType", "valueCoding", "period")
JUNK = st.recursive(
    JSON | SPECIAL,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*KEYS, *VALUES)), inner, max_size=5)
    ),
    max_leaves=12,
)
"""JSON that often looks a little like what carriers look for"""
ELEMENTS = (*FOREIGN, "patientInstruction")


def instruction(release: str) -> Any:
    written = "Bitte bringen Sie\nIhre Karte mit.\n "
    return [{"concept": {"text": written}}, {"reference": {}}] if release == "R5" else written


def refused_or_written(original: Any, carrier: str, release: str) -> InvalidAppointment | dict[str, Any]:
    try:
        return write(original, carrier, release)
    except InvalidAppointment as refused:
        return refused


@EACH
def test_the_link_is_found_again_and_replaced_and_removed(carrier: str, release: str) -> None:
    once = write(PLAIN, carrier, release)
    assert PATIENT.url in [url for url, _, ours in links(once, carrier) if ours]
    again = write(once, carrier, release, OTHERS)
    assert PATIENT.url + "-new" in text(again)
    assert PATIENT.url + '"' not in text(again)
    assert links(PLAIN, carrier) == []
    assert text(write(again, carrier, release, ())) == text(PLAIN)


@EACH
def test_after_moving_our_former_links_are_ours_and_are_replaced(carrier: str, release: str) -> None:
    before = practice(carrier, practitioner_links=True)
    written = FORMAT.write(PLAIN, release=release, practice=before, services=ALL)
    base = "https://elsewhere.example/j#"
    moved = replace(
        before.fhir, link_address=base, list_address="https://elsewhere.example/practice/practice"
    )
    former = replace(moved, former_link_addresses=(BASE,), former_list_addresses=(LIST,))
    after = replace(before, fhir=former)
    assert all(link.ours for link in FORMAT.links(written, practice=after))
    assert not is_elsewhere(written, former)
    new = tuple(replace(service, url=service.url.replace(BASE, base)) for service in ALL)
    again = FORMAT.write(written, release=release, practice=after, services=new)
    assert base in text(again)
    assert BASE not in text(again)
    assert LIST not in text(again)
    assert text(FORMAT.write(written, release=release, practice=after, services=())) == text(PLAIN)


def test_whose_links_are_elsewhere_is_told_by_where_this_server_is_and_was() -> None:
    written = write(PLAIN, "extension", "R4")
    moved = replace(practice("extension").fhir, link_address="https://elsewhere.example/j#")
    assert is_elsewhere(written, moved)
    assert not is_elsewhere(written, replace(moved, former_link_addresses=("https://old.example/j#", BASE)))


@EACH
def test_a_carrier_finds_its_links_in_its_element_alone(carrier: str, release: str) -> None:
    conventions = practice(carrier).fhir
    place, written = carrier_of(conventions, release), write(PLAIN, carrier, release)
    alone = {place.ELEMENT: written.pop(place.ELEMENT)}
    assert [found.ours for found in place.find(alone, conventions)]
    assert not list(place.find(written, conventions))


@EACH
def test_writing_twice_is_writing_once(carrier: str, release: str) -> None:
    for original in (PLAIN, PLAIN | {"patientInstruction": instruction(release)}):
        once = write(original, carrier, release)
        assert text(write(once, carrier, release)) == text(once)


@EACH
def test_no_services_given_leaves_links_as_they_are(carrier: str, release: str) -> None:
    written = write(PLAIN, carrier, release)
    assert text(write(written, carrier, release, None)) == text(written)


@EACH
def test_what_others_left_there_stays(carrier: str, release: str) -> None:
    original = PLAIN | FOREIGN | {"patientInstruction": instruction(release)}
    written = write(original, carrier, release)
    for name, entries in FOREIGN.items():
        if name != "participant":
            assert written[name][: len(entries)] == entries
    assert ("https://zoom.example/1", "virtual-service", False) in links(written, carrier)
    assert text(write(written, carrier, release, ())) == text(original)


@EACH
@pytest.mark.parametrize("practitioner_links", [False, True])
def test_the_practitioners_link_is_written_on_request_only(
    carrier: str, release: str, practitioner_links: bool
) -> None:
    written = text(write(PLAIN, carrier, release, practitioner_links=practitioner_links))
    has_a_place = carrier in ("participant-virtual-service", "contained-healthcare-service")
    assert (PRACTITIONER.url in written) is (practitioner_links and has_a_place)
    assert PATIENT.url in written


@EACH
def test_nothing_is_written_for_practitioners_alone(carrier: str, release: str) -> None:
    assert text(write(PLAIN, carrier, release, (PRACTITIONER,))) == text(PLAIN)


@EACH
def test_a_changed_carrier_takes_the_link_with_it(carrier: str, release: str) -> None:
    written = write(PLAIN, carrier, release)
    for other, releases in SUITED.items():
        if release in releases:
            moved = write(written, other, release)
            assert text(moved) == text(write(PLAIN, other, release))


@EACH
def test_a_link_that_is_too_long_is_refused(carrier: str, release: str) -> None:
    just = VirtualService(BASE.ljust(255, "x"), Role.PATIENT, "Patient/1")
    assert just.url in text(write(PLAIN, carrier, release, (just,)))
    longer = VirtualService(just.url + "x", Role.PATIENT, "Patient/1")
    with pytest.raises(InvalidAppointment) as caught:
        write(PLAIN, carrier, release, (longer,))
    assert caught.value.code == "link-too-long"
    assert BASE not in repr((caught.value, caught.value.issues))


@EACH
@settings(max_examples=40)
@given(data=st.data())
def test_writing_and_removing_gives_back_the_original(carrier: str, release: str, data: Any) -> None:
    names = st.text().filter(lambda name: name not in (*ELEMENTS, "supportingInformation"))
    unknown = data.draw(st.dictionaries(names, JSON, max_size=4))
    original = unknown | PLAIN
    for name in data.draw(st.sets(st.sampled_from(ELEMENTS))):
        if name == "patientInstruction":
            given = data.draw(st.text(min_size=1))
            original[name] = [{"concept": {"text": given}}] if release == "R5" else given
        else:
            known, junk = st.sampled_from(FOREIGN[name]), JSON
            original[name] = data.draw(st.lists(known | junk, min_size=1, max_size=3))
    before = text(original)
    written = write(original, carrier, release)
    assert text(original) == before, "the original was changed"
    assert text(write(written, carrier, release)) == text(written)
    assert text(write(written, carrier, release, ())) == before


@EACH
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_stands_there_is_no_crash_and_never_changed_in_place(
    carrier: str, release: str, data: Any
) -> None:
    original = dict(PLAIN)
    for name in ELEMENTS:
        original[name] = data.draw(JUNK)
    before = copy.deepcopy(original)
    links(original, carrier)
    write(original, carrier, release, ())
    written = refused_or_written(original, carrier, release)
    if isinstance(written, InvalidAppointment):
        assert written.code in ("foreign-link", "link-place-malformed")
        assert written.issues[0].path.startswith("Appointment.")
        assert BASE not in repr((written, written.issues))
    else:
        assert text(write(written, carrier, release)) == text(written)
        assert PATIENT.url not in text(write(written, carrier, release, ()))
    assert text(original) == text(before)


@EACH
def test_what_cannot_hold_a_link_is_refused_where_it_stands(carrier: str, release: str) -> None:
    place = {
        "virtual-service": "virtualService" if release == "R5" else "extension",
        "virtual-service-contact": "virtualService" if release == "R5" else "extension",
        "contained-healthcare-service": "contained",
        "contained-endpoint": "contained",
        "extension": "extension",
        "patient-instruction": "patientInstruction",
    }.get(carrier)
    if place is None:
        original: dict[str, Any] = PLAIN | {
            "participant": [{"actor": {"reference": "Patient/1"}, "extension": "x"}]
        }
        place = "participant[0].extension"
    else:
        original = PLAIN | {place: 5}
    with pytest.raises(InvalidAppointment) as caught:
        write(original, carrier, release)
    assert caught.value.code == "link-place-malformed"
    assert [i.path for i in caught.value.issues] == [f"Appointment.{place}"]
    assert text(write(original, carrier, release, ())) == text(original)


@EACH
@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_an_empty_place_is_a_free_place(carrier: str, release: str, empty: Any) -> None:
    names = set(ELEMENTS) - {"participant"}
    original = PLAIN | dict.fromkeys(names, empty)
    assert PATIENT.url in text(write(original, carrier, release))


@EACH
def test_our_link_among_others_stays_in_its_place(carrier: str, release: str) -> None:
    """So that writing again is no change where a server puts its own entries after ours."""
    written = write(PLAIN, carrier, release)
    for name, entries in FOREIGN.items():
        if name != "participant" and name in written:
            written[name] = [*written[name], *entries]
    assert text(write(written, carrier, release)) == text(written)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_release_without_such_a_place_is_refused(carrier: str, release: str) -> None:
    if carrier == "none":
        assert text(write(PLAIN, carrier, release)) == text(PLAIN)
    elif release not in SUITED[carrier]:
        with pytest.raises(InvalidAppointment) as caught:
            write(PLAIN, carrier, release)
        assert caught.value.code == "carrier-unsupported"
        assert carrier in caught.value.detail
        assert text(write(PLAIN, carrier, release, ())) == text(PLAIN)


@pytest.mark.parametrize("release", RELEASES)
def test_the_carrier_none_writes_nothing_and_takes_away_what_stood_there_from_before(release: str) -> None:
    for carrier, releases in SUITED.items():
        if release in releases:
            written = write(PLAIN, carrier, release)
            for services in (ALL, OTHERS):
                assert text(write(written, "none", release, services)) == text(written)
            assert text(write(written, "none", release, ())) == text(PLAIN)
    long = VirtualService(BASE.ljust(300, "x"), Role.PATIENT, "Patient/1")
    assert write(PLAIN, "none", release, (long,)) == PLAIN


@EACH
def test_our_entries_are_not_persons(carrier: str, release: str) -> None:
    before = FORMAT.read(PLAIN, release=release, practice=practice(carrier))
    after = FORMAT.read(write(PLAIN, carrier, release), release=release, practice=practice(carrier))
    assert after.participants == before.participants


@EACH
def test_a_link_is_in_no_representation(carrier: str, release: str) -> None:
    found = FORMAT.links(write(PLAIN, carrier, release), practice=practice(carrier))
    assert found
    assert BASE not in repr(found)


@EACH
def test_the_order_of_keys_stays(carrier: str, release: str) -> None:
    original = {"extension": FOREIGN["extension"], "contained": FOREIGN["contained"]} | PLAIN | {"x": 1}
    written = write(original, carrier, release, status=AppointmentStatus.ARRIVED)
    assert [name for name in written if name in original] == list(original)
