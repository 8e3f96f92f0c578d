"""What carriers write satisfies the models of the release, wherever the Appointment did so before."""

from typing import Any

import pytest
from tests.adapters.carriers.samples import (
    ALL,
    PAIRS,
    PATIENT,
    PLAIN,
    REAL,
    corpus,
    services_for,
    text,
    write,
)

from vsdk.adapters.scheduling.fhir.strict import issues

EACH = pytest.mark.parametrize(("carrier", "release"), PAIRS)


@EACH
def test_a_plain_appointment_stays_valid(carrier: str, release: str) -> None:
    assert issues(PLAIN, release) == []
    assert issues(write(PLAIN, carrier, release, ALL, practitioner_links=True), release) == []


@EACH
def test_what_was_valid_stays_valid(carrier: str, release: str) -> None:
    tried = 0
    for original_release, name, resource in corpus():
        if original_release == release and not issues(resource, release):
            written = write(resource, carrier, release, services_for(resource))
            assert issues(written, release) == [], name
            assert PATIENT.url in text(written) or _has_no_place(carrier, resource), name
            assert text(write(written, carrier, release, ())) == text(resource), name
            tried += 1
    if tried == 0 and not REAL.is_dir():
        pytest.skip("the collection of real Appointments is not beside the repository")
    assert tried > 0


def _has_no_place(carrier: str, resource: dict[str, Any]) -> bool:
    """Nobody in it who can be named."""
    actors = [p.get("actor", {}).get("reference", "") for p in resource.get("participant", [])]
    return carrier == "participant-virtual-service" and not any("atient" in actor for actor in actors)
