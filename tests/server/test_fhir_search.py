"""Searching Appointments (hl7.org/fhir/search.html)."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.bundle import Bundle as R5Bundle
from fhir.resources.R4B.bundle import Bundle as R4BBundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.conftest import OTHER_KEY, actor, bearer, new_video, r4, r5
from tests.server.test_fhir_face import assert_outcome, link_in, put

from vsdk.domain.errors import InvalidAppointment, UsageError
from vsdk.server.fhir import dates
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

Get = Callable[..., Any]


def booked(id_: str, patient: str, practitioner: str, start: datetime, **changes: Any) -> dict[str, Any]:
    people = [
        actor("Patient", patient, "Marlene Sommerfeld"),
        actor("Practitioner", practitioner, "Dr. Berg"),
    ]
    return r4(id_, start=start, participant=people, contained=[], **changes)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Five appointments of one practice, one of another."""
    video = new_video(tmp_path_factory.mktemp("filled") / "vsdk.sqlite3", FakeClock())
    day = timedelta(days=1)
    first = {"identifier": [{"system": "urn:pms", "value": "17"}]}
    with TestClient(video, raise_server_exceptions=False) as client:
        for resource in (
            booked("a1", "17", "berg", NOON, **first),
            booked("a2", "17", "wald", NOON + day, identifier=[{"value": "17"}]),
            booked("a3", "18", "berg", NOON + 2 * day, status="cancelled"),
            booked("a4", "19", "wald", NOON + 40 * day, identifier=[{"system": "urn:other", "value": "17"}]),
        ):
            assert put(client, "R4", resource, resource["id"]).status_code == 201
        assert put(client, "R5", r5("a5"), "a5").status_code == 201
        foreign = put(
            client, "R4", booked("a1", "17", "berg", NOON, **first), Authorization=f"Bearer {OTHER_KEY}"
        )
        assert foreign.status_code == 201
        yield client


def search(client: TestClient, query: Any = "", release: str = "R4", **headers: str) -> dict[str, Any]:
    text = query if isinstance(query, str) else urlencode(query)
    reply = client.get(f"/fhir/{release}/Appointment?{text}", headers=bearer() | headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/fhir+json; charset=utf-8"
    bundle: dict[str, Any] = reply.json()
    return bundle


def ids(bundle: dict[str, Any]) -> list[str]:
    return [e["resource"]["id"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]


def link(bundle: dict[str, Any], relation: str) -> str | None:
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)


def test_a_search_gives_a_searchset_with_links_versions_and_total(filled: TestClient) -> None:
    bundle = search(filled)
    R4BBundle.model_validate(bundle)
    assert (bundle["type"], bundle["total"], ids(bundle)) == ("searchset", 4, ["a1", "a2", "a3", "a4"])
    entry = bundle["entry"][0]
    assert entry["fullUrl"] == "http://localhost:8000/fhir/R4/Appointment/a1"
    assert entry["resource"] == filled.get("/fhir/R4/Appointment/a1", headers=bearer()).json()
    assert entry["resource"]["meta"]["versionId"] == "1"
    assert link_in(entry["resource"])
    R5Bundle.model_validate(search(filled, release="R5"))
    assert ids(search(filled, release="R5")) == ["a5"]
    assert ids(search(filled, release="R4B")) == ["a1", "a2", "a3", "a4"]
    assert search(filled, release="STU3")["total"] == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"_id": "a1"}, ["a1"]),
        ({"_id": "a3,a1,zz"}, ["a1", "a3"]),
        ([("_id", "a1,a2"), ("_id", "a2,a3")], ["a2"]),
        ([("_id", "a1"), ("_id", "a2")], []),
        ({"_id": "a5"}, []),
        ({"status": "booked"}, ["a1", "a2", "a4"]),
        ({"status": "cancelled,booked"}, ["a1", "a2", "a3", "a4"]),
        ([("status", "booked"), ("status", "cancelled")], []),
        ({"status": "http://hl7.org/fhir/appointmentstatus|cancelled"}, ["a3"]),
        ({"status": "urn:elsewhere|cancelled"}, []),
        ({"status": "no-such-status"}, []),
        ({"patient": "17"}, ["a1", "a2"]),
        ({"patient": "Patient/17"}, ["a1", "a2"]),
        ({"patient": "Patient/17,18"}, ["a1", "a2", "a3"]),
        ({"patient": "berg"}, []),
        ({"patient": "https://elsewhere.example/Patient/17"}, []),
        ({"practitioner": "berg"}, ["a1", "a3"]),
        ({"practitioner": "Practitioner/berg", "patient": "17"}, ["a1"]),
        ({"actor": "Patient/17,Practitioner/berg"}, ["a1", "a2", "a3"]),
        ({"actor": "wald"}, ["a2", "a4"]),
        ({"actor:Practitioner": "wald"}, ["a2", "a4"]),
        ({"actor:Patient": "wald"}, []),
        ([("actor", "Patient/17"), ("actor", "Practitioner/berg")], ["a1"]),
        ({"identifier": "urn:pms|17"}, ["a1"]),
        ({"identifier": "urn:pms|"}, ["a1"]),
        ({"identifier": "|17"}, ["a2"]),
        ({"identifier": "17"}, ["a1", "a2", "a4"]),
        ({"identifier": "7"}, []),
        ({"identifier": "urn:pms|17,urn:other|17"}, ["a1", "a4"]),
        ({"identifier": "URN:PMS|17"}, []),
        ({"identifier": "%|17"}, []),
        ({"status": ""}, ["a1", "a2", "a3", "a4"]),
        ({"date": "2026-03-02"}, ["a1"]),
        ({"date": "2026-03"}, ["a1", "a2", "a3"]),
        ({"date": "2026"}, ["a1", "a2", "a3", "a4"]),
        ({"date": "gt2026-03-02"}, ["a2", "a3", "a4"]),
        ({"date": "sa2026-03-02"}, ["a2", "a3", "a4"]),
        ({"date": "ge2026-03-03"}, ["a2", "a3", "a4"]),
        ({"date": "lt2026-03-03"}, ["a1"]),
        ({"date": "eb2026-03-03"}, ["a1"]),
        ({"date": "le2026-03-03"}, ["a1", "a2"]),
        ([("date", "ge2026-03-03"), ("date", "lt2026-03-04")], ["a2"]),
        ({"date": "2026-03-02T13:00"}, ["a1"]),
        ({"date": "2026-03-02T13:00:00"}, ["a1"]),
        ({"date": "2026-03-02T12:00:00Z"}, ["a1"]),
        ({"date": "2026-03-02T12:00:00.000Z"}, ["a1"]),
        ({"date": "gt2026-03-02T12:00:00Z"}, ["a2", "a3", "a4"]),
        ({"date": "eq2026-03-02T13:00:00+01:00"}, ["a1"]),
        ("date=eq2026-03-02T13:00:00+01:00", ["a1"]),
        ({"_lastUpdated": "ge2026-03-02"}, ["a1", "a2", "a3", "a4"]),
        ({"_lastUpdated": "lt2026-03-02"}, []),
        ({"_lastUpdated": "gt2026-03-02T13:00:00+01:00"}, []),
    ],
)
def test_what_is_found(filled: TestClient, query: Any, found: list[str]) -> None:
    bundle = search(filled, query)
    assert (ids(bundle), bundle["total"]) == (found, len(found))


def test_a_form_finds_the_same_and_needs_no_address_for_names(filled: TestClient) -> None:
    reply = filled.post(
        "/fhir/R4/Appointment/_search?status=booked", data={"patient": "17", "_count": "1"}, headers=bearer()
    )
    assert (reply.status_code, ids(reply.json()), reply.json()["total"]) == (200, ["a1"], 2)
    assert "status=booked" in (link(reply.json(), "self") or "")
    as_xml = {"patient": "17", "_format": "xml"}
    refused = filled.post("/fhir/R4/Appointment/_search", data=as_xml, headers=bearer())
    assert_outcome(refused, 406, "format-not-offered")
    json_form = filled.post("/fhir/R4/Appointment/_search", json={"patient": "17"}, headers=bearer())
    assert_outcome(json_form, 415, "media-type")


def test_pages_hold_everything_once(filled: TestClient) -> None:
    seen, address = [], "/fhir/R4/Appointment?_count=2&date=2026&practitioner=berg,wald"
    while address:
        bundle = filled.get(address, headers=bearer()).json()
        assert bundle["total"] == 4
        seen.append(ids(bundle))
        parts = urlsplit(link(bundle, "next") or "")
        address = f"{parts.path}?{parts.query}" if parts.query else ""
    assert seen == [["a1", "a2"], ["a3", "a4"]]


def test_the_self_link_repeats_what_was_understood_and_gives_the_same_page(filled: TestClient) -> None:
    bundle = search(filled, "patient=17&_sort=date&favourite=blue&_count=1")
    assert link(bundle, "self") == "http://localhost:8000/fhir/R4/Appointment?patient=17&_count=1"
    following = link(bundle, "next") or ""
    second = filled.get(following.removeprefix("http://localhost:8000"), headers=bearer()).json()
    again = (link(second, "self") or "").removeprefix("http://localhost:8000")
    assert ids(filled.get(again, headers=bearer()).json()) == ids(second) == ["a2"]


@pytest.mark.parametrize("count", ["0", "1", "200", "100000"])
def test_the_page_size_is_bounded(filled: TestClient, count: str) -> None:
    bundle = search(filled, {"_count": count})
    assert len(ids(bundle)) == min(int(count), 4)
    assert (bundle["total"], "entry" in bundle) == (4, count != "0")


def test_unknown_parameters_are_reported_or_refused_as_the_caller_prefers(filled: TestClient) -> None:
    bundle = search(filled, {"favourite": "blue", "patient": "17"})
    R4BBundle.model_validate(bundle)
    outcome = bundle["entry"][-1]
    assert (outcome["search"]["mode"], outcome["resource"]["issue"][0]["severity"]) == ("outcome", "warning")
    assert "favourite" not in str(bundle)
    assert ids(bundle) == ["a1", "a2"]
    strict = {"Prefer": "respond-async, handling=strict"}
    reply = filled.get("/fhir/R4/Appointment?favourite=blue", headers=bearer() | strict)
    assert_outcome(reply, 400, "search-parameter-unknown")
    assert ids(search(filled, {"patient": "17", "_format": "json"}, **strict)) == ["a1", "a2"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("date=soon", "search-value-invalid"),
        ("date=ne2026-03-02", "search-value-invalid"),
        ("date=ap2026", "search-value-invalid"),
        ("date=2026-02-30", "search-value-invalid"),
        ("date=2026-13", "search-value-invalid"),
        ("date=0000", "search-value-invalid"),
        ("date=9999", "search-value-invalid"),
        ("date=0001-01-01", "search-value-invalid"),
        ("date=2026-03-02,2026-03-03", "search-value-invalid"),
        ("date=2026-03-02T12:00:00%2B99:00", "search-value-invalid"),
        ("date=٢٠٢٦", "search-value-invalid"),
        ("_lastUpdated=yesterday", "search-value-invalid"),
        ("_count=-1", "search-value-invalid"),
        ("_count=many", "search-value-invalid"),
        ("_count=²", "search-value-invalid"),
        ("actor=Location/5", "search-value-invalid"),
        ("patient=,", "search-value-invalid"),
        ("patient=%00", "search-value-invalid"),
        ("patient=" + ",".join("x" * 101), "search-value-invalid"),
        ("&".join(["patient=1"] * 51), "search-value-invalid"),
        ("status:not=booked", "search-modifier-unsupported"),
        ("patient:missing=true", "search-modifier-unsupported"),
        ("identifier:of-type=x", "search-modifier-unsupported"),
        ("patient:identifier=x", "search-modifier-unsupported"),
        ("patient.identifier=x", "search-modifier-unsupported"),
        ("patient:Patient.identifier=x", "search-modifier-unsupported"),
        ("_page=x", "page-invalid"),
        ("_page=bnVsbA", "page-invalid"),
        ("_page=WyIiLCJhMSJd", "page-invalid"),
        ("_page=é", "page-invalid"),
    ],
)
def test_what_cannot_be_searched_is_said_clearly(filled: TestClient, query: str, code: str) -> None:
    assert_outcome(filled.get(f"/fhir/R4/Appointment?{query}", headers=bearer()), 400, code)


def test_a_search_can_ask_for_the_total_alone(filled: TestClient) -> None:
    strict = {"Prefer": "handling=strict"}
    for query in ("_summary=count", "_summary=count&_count=2", "_count=2&_summary=count"):
        bundle = search(filled, f"{query}&_total=accurate&patient=17", **strict)
        assert (bundle["total"], "entry" in bundle) == (2, False)
    assert ids(search(filled, "_summary=false&patient=17")) == ["a1", "a2"]


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_each_entry_of_a_search_has_an_address_of_its_own(filled: TestClient, release: str) -> None:
    """bdl-7 and bdl-15 (hl7.org/fhir/R5/bundle.html#invs)."""
    entries = search(filled, "favourite=blue", release)["entry"]
    addresses = [one["fullUrl"] for one in entries]
    assert len(set(addresses)) == len(entries) > 1
    assert all(re.match("(http://|urn:uuid:)", address) for address in addresses)


def test_a_backslash_guards_commas_bars_and_itself(http: TestClient) -> None:
    people = [actor("Patient", r"1,2\3|4$", "Marlene Sommerfeld")]
    put(http, "R4", r4(participant=people, identifier=[{"system": "urn:a\\", "value": "1,2|3"}]))
    put(http, "R4", r4("a2", participant=[actor("Patient", "2", "Marlene Sommerfeld")]), "a2")
    for query, found in (
        ({"patient": r"1\,2\\3\|4\$"}, ["a1"]),
        ({"patient": r"Patient/1\,2\\3\|4\$,2"}, ["a1", "a2"]),
        ({"patient": r"x\\,2"}, ["a2"]),
        ({"identifier": r"urn:a\\|1\,2\|3"}, ["a1"]),
        ({"identifier": r"1\,2\|3"}, ["a1"]),
        ({"identifier": r"urn:a\\|"}, ["a1"]),
        ({"identifier": r"urn:a\|1\,2\|3"}, []),
    ):
        assert ids(search(http, query)) == found, query


def test_people_are_found_by_the_address_that_the_appointment_has(http: TestClient) -> None:
    addresses = ["urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a", "https://pms.example/Patient/17"]
    for number, address in enumerate(addresses):
        person = {"actor": {"reference": address, "type": "Patient"}, "status": "accepted"}
        put(http, "R4", r4(f"a{number}", participant=[person]), f"a{number}")
    for number, address in enumerate(addresses):
        for name in ("patient", "actor", "patient:Patient"):
            assert ids(search(http, {name: address})) == [f"a{number}"]


def test_a_page_belongs_to_its_search(filled: TestClient) -> None:
    following = link(search(filled, "_count=1&patient=17"), "next") or ""
    other = following.removeprefix("http://localhost:8000").replace("patient=17", "patient=18")
    assert_outcome(filled.get(other, headers=bearer()), 400, "page-invalid")


def test_what_changed_within_the_same_second_is_found(http: TestClient, clock: FakeClock) -> None:
    """Whoever follows changes asks for what is later than the newest that it has."""
    updated = []
    for id_ in ("a1", "a2", "a3"):
        updated.append(put(http, "R4", r4(id_), id_).json()["meta"]["lastUpdated"])
        clock.advance(milliseconds=250)
    assert updated[1] == "2026-03-02T12:00:00.250Z"
    assert ids(search(http, {"_lastUpdated": f"gt{updated[1]}"})) == ["a3"]
    assert ids(search(http, {"_lastUpdated": f"ge{updated[1]}"})) == ["a2", "a3"]
    assert ids(search(http, {"_lastUpdated": f"lt{updated[1]}"})) == ["a1"]
    assert ids(search(http, {"_lastUpdated": updated[1]})) == ["a2"]
    assert ids(search(http, {"_lastUpdated": "2026-03-02T12:00:00Z"})) == ["a1", "a2", "a3"]


def test_what_was_deleted_is_not_found(http: TestClient) -> None:
    put(http, "R4", r4("a1"))
    put(http, "R4", r4("a2"), "a2")
    assert http.delete("/fhir/R4/Appointment/a1", headers=bearer()).status_code == 204
    assert (ids(search(http)), search(http)["total"]) == (["a2"], 1)


def test_one_appointment_with_someone_elses_link_does_not_spoil_the_search(
    http: TestClient, video: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(http, "R4", r4("a1"))
    put(http, "R4", r4("a2"), "a2")
    write = video.appointment_format.write

    def taken(original: Any, **options: Any) -> Any:
        if original["id"] == "a1":
            raise InvalidAppointment("taken", code="foreign-link")
        return write(original, **options)

    monkeypatch.setattr(video.appointment_format, "write", taken)
    bundle = search(http)
    assert ids(bundle) == ["a1", "a2"]
    assert [bool(link_in(e["resource"])) for e in bundle["entry"]] == [False, True]
    refused = put(http, "R4", r4("a1", description="new"))
    assert_outcome(refused, 422, "foreign-link")
    assert "description" not in http.get("/fhir/R4/Appointment/a1", headers=bearer()).json()


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("2026-12", datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)),
        ("ge2026", datetime(2025, 12, 31, 23, tzinfo=UTC), None),
        ("lt2024-02-29T10:00+05:30", None, datetime(2024, 2, 29, 4, 30, tzinfo=UTC)),
        (
            "2026-03-02T12:00:00.5Z",
            datetime(2026, 3, 2, 12, microsecond=500_000, tzinfo=UTC),
            datetime(2026, 3, 2, 12, microsecond=600_000, tzinfo=UTC),
        ),
        ("gt2026-03-02T12:00:00.1234567Z", datetime(2026, 3, 2, 12, microsecond=123_457, tzinfo=UTC), None),
    ],
)
def test_a_day_is_the_practices_day_however_long(text: str, since: Any, until: Any) -> None:
    found = dates.span(text, BERLIN)
    assert (found.since, found.until) == (since, until)


@given(st.text(max_size=30) | st.from_regex(dates._DATE, fullmatch=True))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    with suppress(UsageError):
        found = dates.span(text, BERLIN)
        assert found.since or found.until
        assert not (found.since and found.until) or found.since < found.until


NAMES = [
    "_id", "_lastUpdated", "date", "status", "patient", "practitioner", "actor", "identifier", "_count",
    "_page", "_sort", "patient:Patient", "status:not", "actor:identifier", "x", "",
]  # fmt: skip
VALUES = st.text(max_size=20) | st.sampled_from(
    [
        "17",
        "Patient/17",
        "a|b",
        "|",
        "\\|",
        "\\,",
        ",",
        "a\\",
        "2026-03",
        "ge2026",
        "'",
        '"',
        "%",
        "\x00",
        "[]",
        "/",
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5), form=st.booleans())
def test_any_search_is_answered(filled: TestClient, params: list[tuple[str, str]], form: bool) -> None:
    text = urlencode([(k, v.encode("utf-8", "replace")) for k, v in params])
    if form:
        headers = bearer() | {"Content-Type": "application/x-www-form-urlencoded"}
        reply = filled.post("/fhir/R4/Appointment/_search", content=text, headers=headers)
    else:
        reply = filled.get(f"/fhir/R4/Appointment?{text}", headers=bearer())
    assert reply.status_code in (200, 400), reply.text
    if reply.status_code == 200:
        R4BBundle.model_validate(reply.json())
        assert all(
            e["resource"]["id"] != "a5" for e in reply.json().get("entry", []) if "id" in e["resource"]
        )


def test_the_marks_of_another_practice_are_not_found(filled: TestClient, tmp_path: Path) -> None:
    reply = filled.get("/fhir/R4/Appointment?patient=17", headers=bearer(OTHER_KEY))
    assert (ids(reply.json()), reply.json()["total"]) == (["a1"], 1)
