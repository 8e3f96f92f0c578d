"""Writing links and status into Appointments: what the format does around the carriers (`carriers/`)."""

from typing import Any

import pytest
from tests.adapters.carriers.samples import FORMAT, PATIENT, PLAIN, RELEASES, links, practice, text, write

from vsdk.adapters.scheduling.fhir.strict import issues
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import InvalidAppointment
from vsdk.hooks.ports import AppointmentFormat

EVERY = pytest.mark.parametrize("release", RELEASES)
SINCE_R4 = {AppointmentStatus.CHECKED_IN, AppointmentStatus.WAITLIST}


def test_it_is_an_appointment_format() -> None:
    assert isinstance(FORMAT, AppointmentFormat)


@EVERY
def test_an_appointment_with_our_link_is_a_video_visit(release: str) -> None:
    written = write(PLAIN, "virtual-service", release)
    chosen = practice("virtual-service")
    assert not FORMAT.read(PLAIN, release=release, practice=chosen).is_video
    assert FORMAT.read(written, release=release, practice=chosen).is_video


@EVERY
@pytest.mark.parametrize("status", AppointmentStatus)
def test_the_status_is_written_where_the_release_has_it(release: str, status: AppointmentStatus) -> None:
    written = write(PLAIN, "none", release, status=status)
    expected = "booked" if release == "STU3" and status in SINCE_R4 else status.value
    assert text(written) == text(PLAIN | {"status": expected})
    assert issues(written, release) == []


@EVERY
def test_neither_is_changed_without_being_asked(release: str) -> None:
    with_link = write(PLAIN, "virtual-service", release)
    assert text(write(with_link, "virtual-service", release, None)) == text(with_link)
    arrived = write(with_link, "virtual-service", release, None, status=AppointmentStatus.ARRIVED)
    assert arrived == with_link | {"status": "arrived"}
    assert links(arrived) == [(PATIENT.url, "virtual-service", True)]


@EVERY
def test_what_comes_back_is_another_object(release: str) -> None:
    original = dict(PLAIN)
    written = write(original, "virtual-service", release, None)
    assert written == original
    assert written is not original


@EVERY
@pytest.mark.parametrize(
    ("original", "code"),
    [
        (None, "not-json-object"),
        ([], "not-json-object"),
        ("x", "not-json-object"),
        (1, "not-json-object"),
        ({}, "wrong-resource-type"),
        ({"resourceType": "Patient"}, "wrong-resource-type"),
    ],
)
def test_only_appointments_are_written_to(release: str, original: Any, code: str) -> None:
    with pytest.raises(InvalidAppointment) as caught:
        write(original, "virtual-service", release)
    assert caught.value.code == code


@pytest.mark.parametrize("release", ["DSTU2", "r4", "", "R6"])
def test_another_release_is_refused(release: str) -> None:
    with pytest.raises(InvalidAppointment) as caught:
        write(PLAIN, "virtual-service", release)
    assert caught.value.code == "release-unsupported"
    assert caught.value.issues
