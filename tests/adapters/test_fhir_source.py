"""The source over FHIR REST: its contract against servers of others, and its settings."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from tests.peers.practice import PRACTICE, a_source
from tests.peers.resources import an_r4_appointment
from tests.peers.servers import Peer

from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.source import FhirSchedule, vsdk_schedule_sources
from vsdk.domain.errors import ConfigurationError, InvalidAppointment
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.hooks.ports import NotifiedSource, ScheduleSource
from vsdk.settings import PluginConfig, Settings
from vsdk.testing.contracts import ScheduleSourceContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

BASE = "https://pms.example/fhir"


class _OverRest(ScheduleSourceContract):
    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PRACTICE

    @pytest.fixture
    def appointment_id(self, peer: Peer) -> AppointmentId:
        return AppointmentId(peer.create(an_r4_appointment()))

    @pytest.fixture(params=["put", "json-patch"])
    def source(self, request: pytest.FixtureRequest, http: HttpClient, peer: Peer) -> FhirSchedule:
        return a_source(http, peer.base, write_back=request.param)

    async def test_it_is_a_schedule_source(self, source: ScheduleSource) -> None:  # type: ignore[override]
        super().test_it_is_a_schedule_source(source)  # with the loop that closes connections


class TestOverSekmet(_OverRest):
    @pytest.fixture
    def peer(self, sekmet: Peer) -> Peer:
        return sekmet


class TestOverSekmetThatTakesAllAndAnswersWithAbsoluteReferences(_OverRest):
    @pytest.fixture
    def peer(self, sekmet_open: Peer) -> Peer:
        return sekmet_open


class TestOverMedplum(_OverRest):
    @pytest.fixture
    def peer(self, medplum: Peer) -> Peer:
        return medplum


async def test_the_release_is_asked_of_the_server(http: HttpClient, sekmet: Peer) -> None:
    id_ = AppointmentId(sekmet.create(an_r4_appointment()))
    assert (await a_source(http, sekmet.base).get(PRACTICE, id_)).release == "R4"


async def test_r4b_counts_as_r4(http: HttpClient, sekmet: Peer) -> None:
    id_ = AppointmentId(sekmet.create(an_r4_appointment()))
    assert (await a_source(http, sekmet.base, fhir_version="R4B").get(PRACTICE, id_)).release == "R4"


@pytest.mark.parametrize("odd", ["NaN", '"\\ud800"', "1e999", "[" * 300 + "]" * 300])
async def test_what_others_could_not_read_is_not_taken_over(odd: str) -> None:
    text = json.dumps(an_r4_appointment(id="a1", comment="@")).replace('"@"', odd)
    server = httpx.MockTransport(lambda _: httpx.Response(200, content=text))
    source = a_source(HttpClient(transport=server), BASE, fhir_version="R4")
    with pytest.raises(InvalidAppointment) as caught:
        await source.get(PRACTICE, AppointmentId("a1"))
    assert caught.value.code == "not-json"


def sources(sections: Any) -> Any:
    return vsdk_schedule_sources(FakeConfig({"fhir_schedule": sections}), FakeHttp())


def test_the_plugin_gives_one_source_for_all_practices() -> None:
    (source,) = sources({"practice": {"base_url": BASE}})
    assert isinstance(source, ScheduleSource)
    assert isinstance(source, NotifiedSource)
    assert source.name == "fhir"


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"another": {"base_url": BASE}},
        {"practice": {}},
        {"practice": {"base_url": "pms.example"}},
        {"practice": {"base_url": "https://user:s3cret@pms.example"}},
        {"practice": {"base_url": f"{BASE}?_format=json"}},
        {"practice": {"base_url": BASE, "write_back": "patch"}},
        {"practice": {"base_url": BASE, "write_back": "oracle"}},
        {"practice": {"base_url": BASE, "write_back": "fhirpath-patch"}},
        {"practice": {"base_url": BASE, "encounters": "update", "report_status": False}},
        {"practice": {"base_url": BASE, "access": {"kind": "bearer"}}},
        {"practice": {"base_url": BASE, "access": {"kind": "bearer", "token": "s3cret\n"}}},
        {"practice": {"base_url": BASE, "access": {"kind": "basic", "user": "a:b", "password": "s3cret"}}},
        {
            "practice": {
                "base_url": BASE,
                "access": {"kind": "smart-backend", "client_id": "c", "key": "s3cret"},
            }
        },
        {"practice": {"base_url": BASE, "tls": {}}},
        {"practice": {"base_url": BASE, "tls": {"key": "key.pem", "authority": "ca.pem"}}},
        {"practice": {"base_url": BASE, "tls": {"authority": "there-is-no-such-file.pem"}}},
        {"practice": {"base_url": BASE, "unknown": 1}},
    ],
)
def test_settings_that_cannot_work_stop_the_start_and_show_no_secret(sections: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sources(sections)
    assert "s3cret" not in str(caught.value)


def test_the_section_is_read_from_the_settings_with_secrets_by_reference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    monkeypatch.setenv("NOTIFICATION_SECRET", "n0tification-s3cret")
    access = {"kind": "smart-backend", "client_id": "video", "key": {"file": str(key)}}
    section = {
        "base_url": f"{BASE}/",
        "fhir_version": "R5",
        "write_back": "json-patch",
        "encounters": "create",
        "access": access,
        "search": {"by": "practitioner", "actors": ["Practitioner/17"]},
        "notifications": {"secret": {"env": "NOTIFICATION_SECRET"}, "subscribe": "rest-hook"},
    }
    settings = Settings.of({"plugins": ["fhir_schedule"], "plugin": {"fhir_schedule": {"practice": section}}})
    (source,) = vsdk_schedule_sources(PluginConfig(settings), FakeHttp())
    assert source.name == "fhir"
    key.write_text("s3cret")
    settings = Settings.of({"plugins": ["fhir_schedule"], "plugin": {"fhir_schedule": {"practice": section}}})
    with pytest.raises(ConfigurationError) as caught:
        vsdk_schedule_sources(PluginConfig(settings), FakeHttp())
    assert "s3cret" not in f"{caught.value!r} {settings!r}"
