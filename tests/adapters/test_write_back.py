"""Writing back: nothing that others write is lost, no status goes backwards, and failures say what to do."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.peers.fakes import BASE, FhirFake, Received, Refusal
from tests.peers.meddling import Meddling
from tests.peers.practice import PRACTICE, a_source
from tests.peers.resources import NOTE, an_r4_appointment
from tests.peers.servers import Peer

from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.carriers.cross_version import VIRTUAL_SERVICE
from vsdk.adapters.scheduling.fhir.following.pictures import Seen, digest
from vsdk.adapters.scheduling.fhir.reader import status_of
from vsdk.adapters.scheduling.fhir.writing.versioned import MOST_ATTEMPTS
from vsdk.domain.appointment import AppointmentStatus as Status
from vsdk.domain.appointment import VirtualService
from vsdk.domain.errors import NotFound, PartnerError
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.domain.progress import goes_on
from vsdk.testing.factories import a_practice

LINK = VirtualService("https://praxis.example/video/j#h4ndle")
WAYS = [
    ("sekmet", "put"),
    ("sekmet", "json-patch"),
    ("sekmet", "fhirpath-patch"),
    ("sekmet_open", "put"),
    ("sekmet_open", "json-patch"),
    ("medplum", "put"),
    ("medplum", "json-patch"),
]
"""servers of others, each with the dialects that it understands"""


def practice_for(dialect: str) -> Practice:
    practice = a_practice()
    carrier = "patient-instruction" if dialect == "fhirpath-patch" else "virtual-service"
    return replace(practice, fhir=replace(practice.fhir, carrier=carrier))


@pytest.fixture(params=WAYS, ids="-".join)
def way(request: pytest.FixtureRequest) -> tuple[Peer, str]:
    server, dialect = request.param
    return request.getfixturevalue(server), dialect


async def test_what_others_write_in_between_is_kept(http: HttpClient, way: tuple[Peer, str]) -> None:
    peer, dialect = way
    id_ = peer.create(an_r4_appointment())
    http_ = Meddling(http, lambda n: peer.change("Appointment", id_, comment=f"theirs {n}"), times=2)
    source = a_source(http_, peer.base, write_back=dialect, practice=practice_for(dialect))
    await source.write_back(PRACTICE, AppointmentId(id_), (LINK,), Status.ARRIVED)
    after = peer.read("Appointment", id_)
    assert after["comment"] == "theirs 2"
    assert after["status"] == "arrived"
    assert LINK.url in repr(after)
    assert NOTE in after["extension"]
    assert http_.writes == 3


async def test_what_others_write_into_the_same_element_is_kept(
    http: HttpClient, way: tuple[Peer, str]
) -> None:
    peer, dialect = way
    id_ = peer.create(an_r4_appointment())
    theirs = {"url": "https://pms.example/new", "valueString": "theirs"}
    changes = {"extension": [NOTE, theirs], "patientInstruction": "Please be on time."}
    http_ = Meddling(http, lambda n: peer.change("Appointment", id_, **changes))
    source = a_source(http_, peer.base, write_back=dialect, practice=practice_for(dialect))
    await source.write_back(PRACTICE, AppointmentId(id_), (LINK,), None)
    after = peer.read("Appointment", id_)
    assert [e for e in after["extension"] if e["url"] != VIRTUAL_SERVICE] == [NOTE, theirs]
    assert after["patientInstruction"].startswith("Please be on time.")
    assert LINK.url in repr(after)


async def test_when_others_are_always_faster_it_is_left_for_later(
    http: HttpClient, way: tuple[Peer, str]
) -> None:
    peer, dialect = way
    id_ = peer.create(an_r4_appointment())
    http_ = Meddling(http, lambda n: peer.change("Appointment", id_, comment=f"theirs {n}"), times=99)
    source = a_source(http_, peer.base, write_back=dialect, practice=practice_for(dialect))
    with pytest.raises(PartnerError) as caught:
        await source.write_back(PRACTICE, AppointmentId(id_), (LINK,), Status.ARRIVED)
    assert (caught.value.code, caught.value.retryable) == ("write-conflict", True)
    assert http_.writes == MOST_ATTEMPTS
    after = peer.read("Appointment", id_)
    assert (after["comment"], after["status"]) == (f"theirs {MOST_ATTEMPTS}", "booked")


async def test_what_was_deleted_in_between_is_not_found(http: HttpClient, way: tuple[Peer, str]) -> None:
    peer, dialect = way
    id_ = peer.create(an_r4_appointment())
    http_ = Meddling(http, lambda n: peer.call("DELETE", f"Appointment/{id_}"))
    source = a_source(http_, peer.base, write_back=dialect, practice=practice_for(dialect))
    with pytest.raises(NotFound):
        await source.write_back(PRACTICE, AppointmentId(id_), (LINK,), None)
    with pytest.raises(NotFound):
        await source.get(PRACTICE, AppointmentId(id_))


async def test_links_come_change_and_go(http: HttpClient, way: tuple[Peer, str]) -> None:
    peer, dialect = way
    id_ = peer.create(an_r4_appointment())
    before = peer.read("Appointment", id_)
    source = a_source(http, peer.base, write_back=dialect, practice=practice_for(dialect))
    other = VirtualService("https://praxis.example/video/j#0ther")
    for services, there, gone in [((LINK,), LINK, other), ((other,), other, LINK), ((), None, other)]:
        await source.write_back(PRACTICE, AppointmentId(id_), services, None)
        after = repr(peer.read("Appointment", id_))
        assert there is None or there.url in after
        assert gone.url not in after
    after = peer.read("Appointment", id_)
    assert {k: v for k, v in after.items() if k != "meta"} == {k: v for k, v in before.items() if k != "meta"}


async def test_what_we_wrote_ourselves_is_no_change(http: HttpClient, way: tuple[Peer, str]) -> None:
    peer, dialect = way
    id_ = AppointmentId(peer.create(an_r4_appointment()))
    source = a_source(http, peer.base, write_back=dialect, practice=practice_for(dialect))
    cursor = (await source.changed_since(PRACTICE, None)).cursor
    await source.write_back(PRACTICE, id_, (LINK,), Status.ARRIVED)
    changes = await source.changed_since(PRACTICE, cursor)
    assert id_ not in [s.appointment.id for s in changes.appointments]
    peer.change("Appointment", id_, comment="theirs")
    changes = await source.changed_since(PRACTICE, changes.cursor)
    assert id_ in [s.appointment.id for s in changes.appointments]


# against a server of our own that counts


def held(**changes: Any) -> FhirFake:
    server = FhirFake()
    server.hold(an_r4_appointment(id="a1", **changes))
    return server


async def write(server: FhirFake, services: Any, status: Status | None, **settings: Any) -> None:
    source = a_source(server.http(), BASE, **settings)
    await source.write_back(PRACTICE, AppointmentId("a1"), services, status)


async def test_a_write_names_the_version_that_was_read() -> None:
    server = held()
    await write(server, (LINK,), None)
    assert [received.headers["if-match"] for received in server.writes] == ['W/"1"']


async def test_nothing_is_sent_when_nothing_changes() -> None:
    server = held()
    await write(server, (LINK,), Status.ARRIVED)
    await write(server, (LINK,), Status.ARRIVED)
    await write(server, None, Status.ARRIVED)
    assert len(server.writes) == 1


@pytest.mark.parametrize(
    "settings", [{"write_back": "none"}, {"report_status": False, "services": None}, {"status": None}]
)
async def test_nobody_is_asked_when_nothing_is_to_be_said(settings: dict[str, Any]) -> None:
    server = held()
    options = {"services": None, "status": Status.ARRIVED} | settings
    await write(server, **options)
    assert not server.seen


class Forgetful(FhirFake):
    """Drops the elements it does not know, and says nothing of it."""

    def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Any:
        kept = super().write(id_, method, media_type, if_match, body)
        return {name: value for name, value in kept.items() if name != "extension"}


async def test_a_server_that_leaves_our_link_out_is_told_of() -> None:
    server = Forgetful()
    server.hold(an_r4_appointment(id="a1"))
    with pytest.raises(PartnerError, match="left our link out") as caught:
        await write(server, (LINK,), Status.ARRIVED)
    assert (caught.value.code, caught.value.retryable) == ("link-not-kept", False)
    assert server.resources["a1"]["status"] == "arrived"
    await write(server, (), None)
    await write(server, None, Status.FULFILLED)
    assert server.resources["a1"]["status"] == "fulfilled"


async def test_what_is_gone_when_we_write_is_news_as_soon_as_it_is_found_again() -> None:
    """It may be restored before anyone looks, and our link is not in it."""
    source = a_source(FhirFake().http(), BASE, write_back="put")
    with pytest.raises(NotFound):
        await source.write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    known = source._connections[PRACTICE].windows.known
    assert known.is_undone("a1", an_r4_appointment(id="a1"))


async def test_what_a_forgetful_server_made_of_our_write_is_no_change() -> None:
    server = Forgetful()
    before = an_r4_appointment(id="a1")
    server.hold(before)
    source = a_source(server.http(), BASE, write_back="put")
    with pytest.raises(PartnerError, match="left our link out"):
        await source.write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    given = await source.get(PRACTICE, AppointmentId("a1"))
    connection = source._connections[PRACTICE]
    written, read = (Seen(digest(one), None) for one in (given.original, before))
    assert connection.windows.known.is_ours("a1", written, read)


async def test_links_are_written_without_the_status_where_it_is_not_wanted() -> None:
    server = held()
    await write(server, (LINK,), Status.ARRIVED, report_status=False)
    assert server.resources["a1"]["status"] == "booked"
    assert LINK.url in repr(server.resources["a1"])


STANDING = [{"proposed", "pending", "booked", "waitlist"}, {"arrived"}, {"checked-in"}, {"fulfilled"}]
ENDS = {"cancelled", "noshow", "entered-in-error"}


def expected(now: str, wanted: str) -> bool:
    if now in ENDS:
        return False
    rank = next(place for place, codes in enumerate(STANDING) if now in codes)
    if wanted in ENDS:
        return rank == 0 if wanted == "noshow" else rank < 3
    return rank < next(place for place, codes in enumerate(STANDING) if wanted in codes)


@pytest.mark.parametrize("now", [status.value for status in Status])
@pytest.mark.parametrize("wanted", list(Status))
def test_a_status_goes_forwards_or_stays(now: str, wanted: Status) -> None:
    assert goes_on(Status(now), wanted) is expected(now, wanted.value)


@pytest.mark.parametrize(
    "status", ["checked-in", "fulfilled", "cancelled", "canceled", "NOSHOW", "junk", "", None]
)
async def test_a_server_that_is_further_already_is_left_there(status: Any) -> None:
    server = held(status=status)
    await write(server, (LINK,), Status.ARRIVED)
    assert server.resources["a1"]["status"] == status
    assert LINK.url in repr(server.resources["a1"])


def test_a_status_is_read_as_it_is_really_written() -> None:
    assert status_of({"status": "Booked"}) is Status.BOOKED
    assert status_of({"status": "canceled"}) is Status.CANCELLED
    assert status_of({"status": 7}) is status_of({}) is None


async def test_a_foreign_link_is_left_and_the_status_still_written() -> None:
    practice = a_practice()
    conventions = replace(practice.fhir, carrier="extension", carrier_url="https://pms.example/link")
    foreign = {"url": "https://pms.example/link", "valueUrl": "https://zoom.example/1"}
    server = held(extension=[foreign])

    async def again() -> PartnerError:
        with pytest.raises(PartnerError) as caught:
            await write(server, (LINK,), Status.ARRIVED, practice=replace(practice, fhir=conventions))
        return caught.value

    for _ in range(2):
        error = await again()
        assert (error.code, error.retryable) == ("foreign-link", False)
        assert "zoom" not in f"{error!r}"
    assert server.resources["a1"] == an_r4_appointment(id="a1", extension=[foreign], status="arrived")
    assert len(server.writes) == 1


@pytest.mark.parametrize("dialect", ["put", "json-patch"])
async def test_a_server_that_refuses_our_link_is_told_the_status_alone(dialect: str) -> None:
    class Strict(FhirFake):
        def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Any:
            if VIRTUAL_SERVICE in repr(body):
                raise Refusal(422)
            if method == "PUT":
                return super().write(id_, method, media_type, if_match, body)
            return self.resources[id_] | {o["path"][1:]: o["value"] for o in body}

    server = Strict()
    server.hold(an_r4_appointment(id="a1"))
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), Status.ARRIVED, write_back=dialect)
    assert (caught.value.status, caught.value.retryable) == (422, False)
    assert server.resources["a1"] == an_r4_appointment(id="a1", status="arrived")


async def test_what_is_no_appointment_is_not_written() -> None:
    server = FhirFake()
    server.hold({"resourceType": "Slot", "id": "a1"})
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), Status.ARRIVED)
    assert (caught.value.code, caught.value.retryable) == ("not-fhir", False)
    assert not server.writes


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_says_when_to_come_again(status: int) -> None:
    server = held()
    server.refusals = [Refusal(status, **{"retry-after": "90"})] * 3
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), None)
    assert (caught.value.retryable, caught.value.retry_after, caught.value.status) == (True, 90, status)
    assert len(server.writes) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 415, 422])
async def test_a_refusal_that_is_meant_is_not_repeated(status: int) -> None:
    server = held()
    server.refusals = [Refusal(status)] * 9
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), None)
    assert (caught.value.retryable, caught.value.status) == (False, status)
    expected = {401: "access-refused", 403: "access-refused", 405: "partner-error", 415: "partner-error"}
    assert caught.value.code == expected.get(status, "write-refused")
    assert len(server.writes) == 1


@pytest.mark.parametrize("status", [409, 412, 423])
async def test_a_server_that_locks_the_appointment_is_asked_again_later(status: int) -> None:
    server = held()
    server.refusals = [Refusal(status, **{"retry-after": "30"})] * 9
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), None)
    assert (caught.value.code, caught.value.retryable) == ("write-conflict", True)
    assert caught.value.retry_after == 30
    assert len(server.writes) == 1


async def test_a_server_without_versions_is_written_without_condition() -> None:
    class Unversioned(FhirFake):
        def etag(self, id_: str) -> str | None:
            return None

    server = Unversioned()
    server.hold(an_r4_appointment(id="a1"))
    await write(server, (LINK,), None)
    assert "if-match" not in server.writes[0].headers
    assert LINK.url in repr(server.resources["a1"])


class WithoutHeader(FhirFake):
    """Tells the version in the resource alone, and minds it all the same."""

    def shown(self, id_: str) -> Any:
        return self.resources[id_] | {"meta": {"versionId": str(self.versions[id_])}}

    def _tagged(self, id_: str) -> dict[str, str]:
        return {}


async def test_the_version_in_the_resource_counts_where_the_header_is_missing() -> None:
    server = WithoutHeader()
    server.hold(an_r4_appointment(id="a1"))
    http_ = Meddling(server.http(), lambda n: server.hold(an_r4_appointment(id="a1", comment="theirs")))
    source = a_source(http_, BASE)
    await source.write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    assert server.resources["a1"]["comment"] == "theirs"
    assert LINK.url in repr(server.resources["a1"])
    assert [received.headers["if-match"] for received in server.writes] == ['W/"1"', 'W/"2"']


@pytest.mark.parametrize("version", ['1"', "a b", "ü", 7, None, "x" * 65])
async def test_what_is_no_version_is_no_condition(version: Any) -> None:
    class Odd(WithoutHeader):
        def shown(self, id_: str) -> Any:
            return self.resources[id_] | {"meta": {"versionId": version}}

    server = Odd()
    server.hold(an_r4_appointment(id="a1"))
    await write(server, (LINK,), None)
    assert "if-match" not in server.writes[0].headers


@pytest.mark.parametrize("answer", ["OK", "<html></html>", '{"id": "a1"}', "[]"])
async def test_when_the_answer_to_a_write_is_no_fhir_reading_shows_whether_it_was_done(answer: str) -> None:
    class Careless(FhirFake):
        def answer(self, id_: str) -> Response:
            return Response(answer, headers=self._tagged(id_))

    server = Careless()
    server.hold(an_r4_appointment(id="a1"))
    await write(server, (LINK,), Status.ARRIVED)
    assert len(server.writes) == 1
    assert server.resources["a1"]["status"] == "arrived"


async def test_an_answer_that_is_no_fhir_and_no_change_is_a_failure() -> None:
    class Portal(FhirFake):
        """Somebody's page of welcome, for everything but reading."""

        async def _write(self, request: Request) -> Response:
            self.seen.append(Received(request.method, dict(request.headers), await request.json()))
            return Response("<html>Please sign in</html>")

    server = Portal()
    server.hold(an_r4_appointment(id="a1"))
    with pytest.raises(PartnerError) as caught:
        await write(server, (LINK,), None)
    assert not caught.value.retryable
    assert len(server.writes) == 1


async def test_a_json_patch_does_without_the_test_where_the_server_cannot_have_it() -> None:
    class Meek(FhirFake):
        def write(self, id_: str, method: str, media_type: str, if_match: str | None, body: Any) -> Any:
            if if_match != self.etag(id_) or any(o["path"].startswith("/meta") for o in body):
                raise Refusal(422)
            return self.resources[id_] | {o["path"][1:]: o["value"] for o in body}

    server = Meek()
    server.hold(an_r4_appointment(id="a1", meta={"versionId": "1"}))
    await write(server, (LINK,), None, write_back="json-patch")
    assert [len(received.body) for received in server.writes] == [2, 1]
    assert LINK.url in repr(server.resources["a1"])


async def test_decimals_are_put_as_they_were_read() -> None:
    fee = '{"url":"https://pms.example/fee","valueDecimal":21.50}'
    text = json.dumps(an_r4_appointment(id="a1", extension=[0])).replace("0]", f"{fee}]", 1)
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content.decode())
        return httpx.Response(200, content=text, headers={"content-type": "application/fhir+json"})

    source = a_source(HttpClient(transport=httpx.MockTransport(answer)), BASE, fhir_version="R4")
    with pytest.raises(PartnerError, match="left our link out"):
        await source.write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    assert fee in sent[1]
    assert LINK.url in sent[1]
