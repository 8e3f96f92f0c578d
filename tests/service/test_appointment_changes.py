"""Who is who when an appointment comes again; scheduling as a whole is in its own tests."""

from dataclasses import replace

import pytest

from vsdk.domain.ids import ParticipantId
from vsdk.domain.participant import Participant, Role
from vsdk.service.appointment_changes import with_known_ids
from vsdk.testing.factories import a_sourced_appointment, an_appointment


def someone(id_: str, name: str, role: Role = Role.COMPANION, reference: str = "") -> Participant:
    return Participant(ParticipantId(id_), role, reference, name)


def ids(before: list[Participant], now: list[Participant]) -> list[str]:
    """Under which ids those of ``now`` go on."""
    known = with_known_ids(
        a_sourced_appointment(participants=tuple(now)), an_appointment(participants=tuple(before))
    )
    people = known.appointment.participants
    assert [replace(p, id=n.id) for p, n in zip(people, now, strict=True)] == now
    return [p.id for p in people]


def test_two_of_the_same_name_keep_an_id_each() -> None:
    twins = [someone("p1", "Frieda"), someone("p2", "Frieda")]
    assert ids(twins, twins) == ["p1", "p2"]


def test_of_two_of_the_same_name_the_role_tells_who_is_who() -> None:
    before = [someone("p1", "Alex Muster", Role.PATIENT), someone("p2", "Alex Muster", Role.PRACTITIONER)]
    now = [replace(before[1], id=ParticipantId("p1")), replace(before[0], id=ParticipantId("p2"))]
    assert ids(before, now) == ["p2", "p1"]


def test_those_who_are_new_get_an_id_each() -> None:
    before = [someone("p1", "Anna")]
    now = [someone("p1", "Berta"), someone("p2", "Clara"), someone("p3", "Anna")]
    assert ids(before, now) == ["p2", "p3", "p1"]


def test_who_is_new_keeps_the_id_that_the_source_gave_where_it_is_free() -> None:
    assert ids([someone("p1", "Anna")], [someone("p1", "Anna"), someone("p7", "Berta")]) == ["p1", "p7"]


@pytest.mark.parametrize("reference", ["Patient/Anna", "https://pms.example/Anna"])
def test_a_name_is_no_part_of_a_reference(reference: str) -> None:
    before = [someone("p1", "Anna")]
    assert ids(before, [someone("p1", "Berta"), someone("p2", "", reference=reference)]) == ["p1", "p2"]
    assert ids(before, [someone("p2", "", reference=reference)]) == ["p2"]
