"""Messages as resources at FHIR servers: valid in each release and made once, also at servers of others."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx
import pytest
from fhir.resources.communication import Communication as R5Communication
from fhir.resources.communicationrequest import CommunicationRequest as R5CommunicationRequest
from fhir.resources.R4B.communication import Communication as R4BCommunication
from fhir.resources.R4B.communicationrequest import CommunicationRequest as R4BCommunicationRequest
from fhir.resources.STU3.communication import Communication as STU3Communication
from fhir.resources.STU3.communicationrequest import CommunicationRequest as STU3CommunicationRequest
from tests.peers.fixtures import CLIENT, SCOPE, SmartServer
from tests.peers.servers import Peer

from vsdk.adapters.http import HttpClient
from vsdk.adapters.notification.communication import IDENTIFIER, Kind, communication
from vsdk.adapters.notification.fhir_communication import (
    FhirMessages,
    vsdk_notification_channels,
)
from vsdk.domain.errors import ConfigurationError, DeliveryFailed, PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.message import Message, Receipt
from vsdk.testing.contracts import NotificationChannelContract
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeConfig, FakeHttp

TEXT = "Zur Videosprechstunde, Größe „egal“: https://praxis.example/v/j#h4ndle-of-nobody"
MODELS: dict[tuple[str, str], Any] = {
    ("CommunicationRequest", "STU3"): STU3CommunicationRequest,
    ("CommunicationRequest", "R4"): R4BCommunicationRequest,
    ("CommunicationRequest", "R4B"): R4BCommunicationRequest,
    ("CommunicationRequest", "R5"): R5CommunicationRequest,
    ("Communication", "STU3"): STU3Communication,
    ("Communication", "R4"): R4BCommunication,
    ("Communication", "R4B"): R4BCommunication,
    ("Communication", "R5"): R5Communication,
}


def a_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "recipient": "Patient/4711",
        "text": TEXT,
        "idempotency_key": "key-5f0c1a",
        "template": "link-at-time",
        "language": "de",
        "subject": "Ihre Sprechstunde",
        "expires": datetime(2026, 3, 2, 13, 0, tzinfo=UTC),
        "practice_id": PracticeId("practice"),
        "appointment_id": AppointmentId("a1"),
        "reference": "Patient/4711",
        "role": "patient",
    }
    return Message(**(values | changes))


def channel(http: Any, **section: Any) -> FhirMessages:
    values = {"base_url": "https://pms.example/fhir", "fhir_version": "R4"} | section
    (made,) = vsdk_notification_channels(FakeConfig({"fhir_messages": {"practice": values}}), http)
    assert isinstance(made, FhirMessages)
    return made


def created(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "CommunicationRequest", "id": "c9", "status": "active"} | elements


class TestContract(NotificationChannelContract):
    secrets = ("token-of-nobody",)
    message: ClassVar[Message] = a_message(
        text="Zu Ihrer Videosprechstunde: https://x.example/j#h4ndle-of-nobody"
    )
    private: ClassVar[tuple[str, ...]] = ("Patient/4711", "Videosprechstunde", "h4ndle-of-nobody")

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp, monkeypatch: pytest.MonkeyPatch) -> FhirMessages:
        from vsdk.adapters.notification import fhir_communication

        monkeypatch.setattr(fhir_communication, "_now", lambda: NOON)
        access = {"kind": "bearer", "token": "token-of-nobody"}
        return channel(mock_http.answering(status=201, json=created()), access=access)


# what is written


@pytest.mark.parametrize("role", ["patient", "companion", "practitioner"])
@pytest.mark.parametrize("expires", [None, NOON])
@pytest.mark.parametrize(("kind", "release"), MODELS)
def test_what_is_written_is_valid_in_its_release(
    kind: Kind, release: str, expires: datetime | None, role: str
) -> None:
    message = a_message(expires=expires, role=role)
    written = communication(message, kind, release, "Patient/4711", NOON)
    MODELS[kind, release].model_validate(written)
    assert written["identifier"] == [{"system": IDENTIFIER, "value": "key-5f0c1a"}]
    assert written["recipient"] == [{"reference": "Patient/4711"}]
    assert ("subject" in written) == (role == "patient")
    assert "notification" in str(written["category"])
    assert "link-at-time" in str(written["category"])
    about = written["topic" if release == "STU3" else "about"]
    assert about == [{"reference": "Appointment/a1"}]


@pytest.mark.parametrize("release", ["STU3", "R4", "R4B"])
def test_before_r5_the_text_is_a_string(release: str) -> None:
    written = communication(a_message(), "CommunicationRequest", release, "Patient/4711", NOON)
    assert written["payload"] == [{"contentString": TEXT}]


def test_in_r5_the_text_is_an_attachment_with_the_subject_as_its_title() -> None:
    (payload,) = communication(a_message(), "Communication", "R5", "Patient/4711", NOON)["payload"]
    attachment = payload["contentAttachment"]
    assert base64.b64decode(attachment["data"]).decode() == TEXT
    assert attachment["contentType"] == "text/plain; charset=utf-8"
    assert attachment["title"] == "Ihre Sprechstunde"


def test_a_request_is_active_until_the_message_is_of_no_use() -> None:
    written = communication(a_message(), "CommunicationRequest", "R4", "Patient/4711", NOON)
    assert written["status"] == "active"
    assert written["authoredOn"] == "2026-03-02T12:00:00Z"
    assert written["occurrencePeriod"] == {"start": "2026-03-02T12:00:00Z", "end": "2026-03-02T13:00:00Z"}


def test_a_communication_is_completed_and_sent() -> None:
    written = communication(a_message(), "Communication", "R4", "Patient/4711", NOON)
    assert written["status"] == "completed"
    assert written["sent"] == "2026-03-02T12:00:00Z"
    assert "occurrencePeriod" not in written


# delivering


async def test_it_is_created_on_condition_that_there_is_none(mock_http: FakeHttp) -> None:
    mock_http.answering(status=201, json=created())
    receipt = await channel(mock_http).deliver(a_message(idempotency_key="k|1"))
    assert receipt == Receipt("CommunicationRequest/c9")
    (request,) = mock_http.requests
    assert (request.method, request.url) == ("POST", "https://pms.example/fhir/CommunicationRequest")
    assert request.options["headers"]["if-none-exist"] == "identifier=urn:vsdk:message|k%7C1"
    assert request.options["headers"]["content-type"] == "application/fhir+json"


@pytest.mark.parametrize("text", ["", '{"resourceType": "OperationOutcome"}'])
async def test_an_answer_that_does_not_name_the_resource_is_enough(mock_http: FakeHttp, text: str) -> None:
    assert await channel(mock_http.answering(status=201, text=text)).deliver(a_message()) == Receipt("")


async def test_the_existing_one_is_named_where_there_is_one(mock_http: FakeHttp) -> None:
    existing = created(identifier=[{"system": IDENTIFIER, "value": "key-5f0c1a"}])
    receipt = await channel(mock_http.answering(json=existing)).deliver(a_message())
    assert receipt == Receipt("CommunicationRequest/c9")


async def test_a_server_that_gives_the_message_of_someone_else_has_not_taken_ours(
    mock_http: FakeHttp,
) -> None:
    other = created(identifier=[{"system": IDENTIFIER, "value": "another"}])
    with pytest.raises(DeliveryFailed) as caught:
        await channel(mock_http.answering(json=other)).deliver(a_message())
    assert caught.value.code == "message-refused"


def several(*keys: str) -> HttpClient:
    """A server that has several messages which fit the condition."""
    entries = [{"resource": created(identifier=[{"system": IDENTIFIER, "value": key}])} for key in keys]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(412)
        assert unquote(request.url.query.decode()) == "identifier=urn:vsdk:message|key-5f0c1a"
        return httpx.Response(200, json={"resourceType": "Bundle", "type": "searchset", "entry": entries})

    return HttpClient(transport=httpx.MockTransport(answer))


async def test_where_there_are_several_with_our_key_nothing_is_left_to_do() -> None:
    http = several("key-5f0c1a", "key-5f0c1a")
    assert await channel(http).deliver(a_message()) == Receipt("CommunicationRequest/c9")
    await http.close()


async def test_where_there_are_several_of_others_ours_is_not_taken() -> None:
    http = several("another", "and-another")
    with pytest.raises(DeliveryFailed) as caught:
        await channel(http).deliver(a_message())
    assert caught.value.code == "message-refused"
    await http.close()


@pytest.mark.parametrize("status", [400, 404, 405, 410, 413, 415, 422])
async def test_a_server_that_does_not_take_it_will_never_do(mock_http: FakeHttp, status: int) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await channel(mock_http.answering(status=status)).deliver(a_message())
    assert caught.value.code == "message-refused"


@pytest.mark.parametrize("status", [401, 403])
async def test_whom_the_server_does_not_let_in_hears_so(mock_http: FakeHttp, status: int) -> None:
    with pytest.raises(PartnerError) as caught:
        await channel(mock_http.answering(status=status)).deliver(a_message())
    assert caught.value.code == "access-refused"
    assert not caught.value.retryable


async def test_a_version_in_the_reference_is_left_out(mock_http: FakeHttp) -> None:
    mock_http.answering(status=201, json=created())
    await channel(mock_http).deliver(a_message(recipient="Patient/4711/_history/3"))
    (request,) = mock_http.requests
    assert request.carries("Patient/4711")
    assert not request.carries("_history")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reference": "#p1", "recipient": "#p1"},
        {"role": "staff", "recipient": "practice"},
        {"role": "companion", "recipient": "practice"},
    ],
)
async def test_whom_the_server_does_not_know_gets_nothing(
    mock_http: FakeHttp, changes: dict[str, str]
) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await channel(mock_http).deliver(a_message(**({"reference": "", "recipient": ""} | changes)))
    assert caught.value.code == "no-address"
    assert not mock_http.requests


@pytest.mark.parametrize("role", ["staff", "practitioner"])
async def test_what_is_for_the_practice_itself_goes_to_its_organization(
    mock_http: FakeHttp, role: str
) -> None:
    adapter = channel(mock_http.answering(status=201, json=created()), organization="Organization/5")
    await adapter.deliver(a_message(recipient="practice", reference="", role=role))
    (request,) = mock_http.requests
    assert request.carries("Organization/5")
    assert not request.carries('"subject"')


async def test_a_practitioner_whom_the_server_knows_is_reached_there(mock_http: FakeHttp) -> None:
    adapter = channel(mock_http.answering(status=201, json=created()), organization="Organization/5")
    await adapter.deliver(a_message(recipient="practice", reference="Practitioner/4", role="practitioner"))
    (request,) = mock_http.requests
    assert request.carries("Practitioner/4")
    assert not request.carries("Organization/5")


async def test_nobody_but_the_team_is_reached_at_the_organization(mock_http: FakeHttp) -> None:
    with pytest.raises(DeliveryFailed):
        await channel(mock_http, organization="Organization/5").deliver(a_message(recipient="", reference=""))
    assert not mock_http.requests


async def test_a_practice_without_a_section_is_not_reached(mock_http: FakeHttp) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await channel(mock_http).deliver(a_message(practice_id=PracticeId("another")))
    assert caught.value.code == "channel-not-set-up"


# settings


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"nobody": {"base_url": "https://pms.example/fhir"}},
        {"practice": {"base_url": "pms.example"}},
        {"practice": {"base_url": "https://user:secret-of-nobody@pms.example/fhir"}},
        {"practice": {"base_url": "https://pms.example/fhir", "resource": "Task"}},
        {"practice": {"base_url": "https://pms.example/fhir", "organization": "Patient/5"}},
        {"practice": {"base_url": "https://pms.example/fhir", "write_back": "put"}},
        {"practice": {"base_url": "https://pms.example/fhir", "tls": {"authority": "/nowhere.pem"}}},
    ],
)
def test_settings_that_cannot_work_stop_the_start(sections: dict[str, Any], mock_http: FakeHttp) -> None:
    with pytest.raises(ConfigurationError) as caught:
        vsdk_notification_channels(FakeConfig({"fhir_messages": sections}), mock_http)
    assert "secret-of-nobody" not in str(caught.value)


# the servers of others


@pytest.fixture(params=["sekmet", "sekmet_open", "medplum"])
def peer(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("kind", ["CommunicationRequest", "Communication"])
async def test_delivered_twice_there_is_one_at_a_server_of_others(
    peer: Peer, http: HttpClient, kind: str
) -> None:
    patient = peer.create({"resourceType": "Patient", "name": [{"family": "Muster"}]})
    key = f"{kind}-of-{patient}"
    message = a_message(idempotency_key=key, recipient=f"Patient/{patient}")
    adapter = channel(http, base_url=peer.base, resource=kind)
    first = await adapter.deliver(message)
    again = await adapter.deliver(replace(message))
    assert first == again
    found = peer.call("GET", f"{kind}?identifier=urn:vsdk:message%7C{key}").json()["entry"]
    (kept,) = [entry["resource"] for entry in found]
    assert first.provider_id == f"{kind}/{kept['id']}"
    assert kept["payload"] == [{"contentString": TEXT}]
    assert kept["recipient"][0]["reference"].endswith(f"Patient/{patient}")


async def test_another_message_is_another_one_at_a_server_of_others(peer: Peer, http: HttpClient) -> None:
    patient = peer.create({"resourceType": "Patient", "name": [{"family": "Muster"}]})
    adapter = channel(http, base_url=peer.base, fhir_version=None)
    messages = [
        a_message(idempotency_key=f"{n}-of-{patient}", recipient=f"Patient/{patient}") for n in (1, 2)
    ]
    receipts = {(await adapter.deliver(message)).provider_id for message in messages}
    assert len(receipts) == 2


async def test_smart_backend_services_let_us_in(smart: SmartServer, http: HttpClient) -> None:
    access = {"kind": "smart-backend", "client_id": CLIENT, "key": smart.key, "scope": SCOPE}
    adapter = channel(http, base_url=smart.peer.base, access=access)
    with pytest.raises(PartnerError) as caught:
        await adapter.deliver(a_message())
    assert caught.value.code == "access-refused", "that client's scope is Appointments"


@pytest.mark.parametrize("kind", ["CommunicationRequest", "Communication"])
async def test_without_a_scope_that_of_the_resource_is_asked_for(
    mock_http: FakeHttp, smart: SmartServer, kind: str
) -> None:
    endpoint = "https://pms.example/token"
    access = {"kind": "smart-backend", "client_id": CLIENT, "key": smart.key, "token_endpoint": endpoint}
    with pytest.raises(PartnerError):
        await channel(mock_http.answering(status=503), resource=kind, access=access).deliver(a_message())
    (request,) = mock_http.requests
    assert request.options["data"]["scope"] == f"system/{kind}.cs"
