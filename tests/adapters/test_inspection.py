"""What ``vsdk check`` says of a practice's FHIR server."""

from datetime import UTC, datetime

import pytest
from tests.peers.fixtures import CLIENT, SCOPE, SmartServer
from tests.peers.practice import PRACTICE, a_source
from tests.peers.resources import an_r4_appointment
from tests.peers.servers import Peer

from vsdk.adapters.http import HttpClient
from vsdk.domain.errors import PartnerError
from vsdk.hooks.ports import CheckedSource

DAY = datetime(2027, 3, 1, 8, 30, tzinfo=UTC)
"""a morning on which these servers have nothing else"""


def real_now() -> datetime:
    return datetime.now(UTC)


def on_that_day(**changes: object) -> dict[str, object]:
    return an_r4_appointment(start="2027-03-01T09:00:00Z", end="2027-03-01T09:20:00Z") | changes


async def test_it_says_what_would_become_a_visit_and_why_and_names_nobody(
    sekmet_open: Peer, http: HttpClient
) -> None:
    source = a_source(http, sekmet_open.base, now=lambda: DAY, search={"days_back": 0, "days_ahead": 0})
    assert isinstance(source, CheckedSource)
    foreign = {
        "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService",
        "extension": [{"url": "address", "valueUrl": "https://elsewhere.example/room/7"}],
    }
    for resource in (
        on_that_day(),
        on_that_day(appointmentType=None, participant=[{"actor": {"reference": "Patient/p17"}}]),
        on_that_day(extension=[foreign]),
        on_that_day(participant=[]),
    ):
        sekmet_open.create({name: value for name, value in resource.items() if value is not None})
    said = [sentence async for sentence in source.check(PRACTICE)]
    assert said == [
        "it speaks FHIR R4",
        "appointments in the days that are searched: 3, video visits: 1 (1 by codes)",
        "left to others, whose link they have: 1",
        "not readable (appointment-without-participant): 1",
    ]
    assert "Erika" not in " ".join(said)


async def test_the_keys_to_register_are_said_even_where_they_are_not_accepted_yet(
    smart: SmartServer, http: HttpClient
) -> None:
    access = {"kind": "smart-backend", "client_id": "nobody-knows", "key": smart.key, "scope": SCOPE}
    said = a_source(http, smart.peer.base, now=real_now, access=access).check(PRACTICE)
    first = await anext(said)
    assert first.startswith("our public keys, to be registered there: ")
    assert '"use": "sig"' in first
    assert '"d"' not in first, "nothing of the private key"
    with pytest.raises(PartnerError) as caught:
        await anext(said)
    assert caught.value.code == "token-refused"


async def test_with_the_right_keys_the_server_answers(smart: SmartServer, http: HttpClient) -> None:
    access = {"kind": "smart-backend", "client_id": CLIENT, "key": smart.key, "scope": SCOPE}
    source = a_source(http, smart.peer.base, now=real_now, access=access)
    said = [line async for line in source.check(PRACTICE)]
    assert said[1] == "it speaks FHIR R4"
