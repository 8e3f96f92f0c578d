"""The REST client: over a transport function, and against servers of others."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.peers.fakes import no_pause
from tests.peers.resources import an_r4_appointment
from tests.peers.servers import Peer

from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.rest import client as module
from vsdk.adapters.scheduling.fhir.rest.access import FixedAccess, bearer
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.domain.errors import NotFound, PartnerError

BASE = "https://pms.example:8443/fhir/r4"
Answer = Callable[[httpx.Request], httpx.Response]
CAPABLE = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


def an_appointment(id_: str) -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": id_}


def page(*resources: dict[str, Any], onwards: str | None = None, **extra: Any) -> httpx.Response:
    links = [{"relation": "self", "url": "x"}] + ([{"relation": "next", "url": onwards}] if onwards else [])
    entries = [{"resource": resource} for resource in resources]
    return httpx.Response(200, json={"resourceType": "Bundle", "link": links, "entry": entries} | extra)


def over(answer: Answer, base: str = BASE, **options: Any) -> tuple[FhirClient, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def transport(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    http = HttpClient(transport=httpx.MockTransport(transport), sleep=no_pause)
    return FhirClient(http, base, FixedAccess(), **options), seen


def always(status: int, **options: Any) -> Answer:
    return lambda request: httpx.Response(status, **options)


async def test_a_resource_comes_with_its_version() -> None:
    client, seen = over(always(200, json=an_appointment("17"), headers={"ETag": 'W/"3"'}))
    fetched = await client.read("Appointment/17")
    assert (fetched.resource, fetched.etag, fetched.status) == (an_appointment("17"), 'W/"3"', 200)
    assert str(seen[0].url) == f"{BASE}/Appointment/17"
    assert seen[0].headers["accept"] == "application/fhir+json"
    assert "17" not in repr(fetched)


async def test_a_version_may_be_unknown() -> None:
    client, _ = over(always(200, json=an_appointment("17")))
    assert (await client.read("Appointment/17")).etag is None


@pytest.mark.parametrize(
    ("id_", "path"),
    [
        ("a b", "a%20b"),
        ("a/../b", "a%2F..%2Fb"),
        ("a?x=1#y", "a%3Fx%3D1%23y"),
        ("ü%2e", "%C3%BC%252e"),
        ("x/$everything", "x%2F%24everything"),
    ],
)
async def test_whatever_is_in_an_id_stays_in_the_path(id_: str, path: str) -> None:
    client, seen = over(always(200, json=an_appointment("x")))
    await client.read(f"Appointment/{id_}")
    assert seen[0].url.raw_path.decode() == f"/fhir/r4/Appointment/{path}"


@given(st.text())
async def test_no_id_leaves_its_place(id_: str) -> None:
    client, seen = over(always(200, json=an_appointment("x")))
    try:
        await client.read(f"Appointment/{id_}")
    except NotFound:
        assert not seen
    else:
        assert seen[0].url.raw_path.startswith(b"/fhir/r4/Appointment/")
        assert not seen[0].url.query


@pytest.mark.parametrize("id_", ["", ".", "..", "\ud800"])
async def test_what_cannot_be_named_is_not_there_and_nobody_is_asked(id_: str) -> None:
    client, seen = over(always(200, json=an_appointment("x")))
    with pytest.raises(NotFound):
        await client.read(f"Appointment/{id_}")
    assert not seen


async def test_404_is_not_found_when_a_fhir_server_says_so() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found = request.url.path.endswith("/metadata")
        return httpx.Response(200, json=CAPABLE) if found else httpx.Response(404)

    client, _ = over(answer)
    with pytest.raises(NotFound):
        await client.read("Appointment/17")


async def test_404_of_whatever_else_answers_there_says_nothing_of_the_appointment() -> None:
    client, _ = over(always(404, text="default backend"))
    with pytest.raises(PartnerError) as caught:
        await client.read("Appointment/17")
    assert (caught.value.code, caught.value.retryable) == ("not-fhir", True)


async def test_410_is_not_found() -> None:
    client, _ = over(always(410))
    with pytest.raises(NotFound):
        await client.read("Appointment/17")


@pytest.mark.parametrize("status", [400, 401, 403, 405, 409, 500, 503])
async def test_nothing_else_is_not_found(status: int) -> None:
    client, _ = over(always(status))
    with pytest.raises(PartnerError) as caught:
        await client.read("Appointment/17")
    assert caught.value.status == status


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"null", b"{}", b'{"resourceType": 7}', b"\xff", b"[" * 100_000]
)
async def test_an_answer_that_is_no_fhir_is_the_partners_error(content: bytes) -> None:
    client, _ = over(always(200, content=content))
    for call in (client.read("Appointment/17"), client.search("Appointment", []), client.release()):
        with pytest.raises(PartnerError):
            await call


async def test_errors_say_nothing_of_path_query_and_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (200, 400, 422, 500):
        client, _ = over(always(status, json={"text": "p4tient"}))
        calls = [
            client.read("Appointment/p4tient"),
            client.search("Appointment", [("patient", "p4tient")]),
            client.send("PUT", "Appointment/p4tient", {"resourceType": "Appointment", "comment": "p4tient"}),
        ]
        for call in calls:
            with pytest.raises(PartnerError) as caught:
                await call
            assert "p4tient" not in f"{caught.value!r} {caught.value}"
            assert "pms.example" in str(caught.value)
    assert "p4tient" not in caplog.text


async def test_a_search_goes_through_all_pages_whether_links_are_absolute_or_relative() -> None:
    following = [
        f"{BASE}?_getpages=opaque&x=%20",
        "Appointment?page=3",
        "/fhir/r4/Appointment?page=4",
        "?page=5",
        f"{BASE.replace('pms.example', 'PMS.example')}/Appointment?page=6",
        None,
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        place = len(seen) - 1
        return page(an_appointment(str(place)), onwards=following[place])

    client, seen = over(answer)
    found = await client.search("Appointment", [("date", "ge2026-11-23"), ("date", "lt2026-11-24")])
    assert [resource["id"] for resource in found] == ["0", "1", "2", "3", "4", "5"]
    assert seen[0].url.query == b"date=ge2026-11-23&date=lt2026-11-24"
    assert [str(request.url).removeprefix("https://pms.example:8443/fhir/r4") for request in seen[1:]] == [
        "?_getpages=opaque&x=%20",
        "/Appointment?page=3",
        "/Appointment?page=4",
        "/Appointment?page=5",
        "/Appointment?page=6",
    ]


async def test_the_default_port_is_the_same_origin() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return page(onwards="https://pms.example:443/fhir?page=2" if len(seen) == 1 else None)

    client, seen = over(answer, "https://pms.example/fhir/")
    assert await client.search("Appointment", []) == []
    assert len(seen) == 2


async def test_what_is_no_match_of_that_kind_is_left_out() -> None:
    entries = [
        {"resource": an_appointment("1"), "search": {"mode": "match"}},
        {"resource": an_appointment("2")},
        {"resource": an_appointment("3"), "search": {"mode": "include"}},
        {"resource": {"resourceType": "Patient", "id": "4"}, "search": {"mode": "include"}},
        {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
        {"resource": {"resourceType": "OperationOutcome"}},
        {"resource": None},
        {},
        "junk",
    ]
    client, _ = over(lambda request: page(entry=entries))
    assert [resource["id"] for resource in await client.search("Appointment", [])] == ["1", "2"]


async def test_a_bundle_without_entries_is_empty() -> None:
    client, _ = over(lambda request: httpx.Response(200, json={"resourceType": "Bundle", "total": 0}))
    assert await client.search("Appointment", []) == []


NAMES = st.sampled_from(
    ["resourceType", "entry", "link", "relation", "url", "resource", "search", "mode", "next", "Bundle"]
)
JSON = st.recursive(
    NAMES | st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, JSON))
async def test_whatever_a_server_answers_it_is_resources_or_the_partners_error(answer: Any) -> None:
    client, seen = over(lambda request: httpx.Response(200, json={"resourceType": "Bundle"} | answer))
    try:
        found = await client.search("Appointment", [])
    except PartnerError:
        return
    assert all(resource["resourceType"] == "Appointment" for resource in found)
    assert {request.url.host for request in seen} == {"pms.example"}


@pytest.mark.parametrize(
    "onwards",
    [
        "https://elsewhere.example/fhir/r4?page=2",
        "http://pms.example:8443/fhir/r4?page=2",
        "https://pms.example/fhir/r4?page=2",
        "//elsewhere.example/fhir",
        "https://pms.example:8443@elsewhere.example/fhir",
        "https://[/fhir",
        "https://pms.example:none/fhir",
        "file:///etc/passwd",
    ],
)
async def test_no_page_elsewhere_is_asked_for(onwards: str) -> None:
    client, seen = over(lambda request: page(onwards=onwards))
    with pytest.raises(PartnerError) as caught:
        await client.search("Appointment", [])
    assert (caught.value.code, caught.value.retryable, len(seen)) == ("paging-elsewhere", False, 1)


async def test_pages_that_go_in_a_circle_end() -> None:
    client, seen = over(lambda request: page(an_appointment("1"), onwards=f"{BASE}?page={len(seen) % 3}"))
    with pytest.raises(PartnerError) as caught:
        await client.search("Appointment", [])
    assert caught.value.code == "too-many-pages"
    assert len(seen) < 10


async def test_pages_without_end_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAGES", 7)
    client, seen = over(lambda request: page(onwards=f"{BASE}?page={len(seen)}"))
    with pytest.raises(PartnerError) as caught:
        await client.search("Appointment", [])
    assert caught.value.code == "too-many-pages"
    assert len(seen) == 8


async def test_what_is_sent_is_sent_as_it_is() -> None:
    client, seen = over(always(200, json=an_appointment("17"), headers={"ETag": 'W/"4"'}))
    sent = await client.send(
        "PUT", "Appointment/17", an_appointment("ü\ud800"), headers={"if-match": 'W/"3"'}
    )
    assert sent.etag == 'W/"4"'
    assert seen[0].method == "PUT"
    assert seen[0].headers["content-type"] == "application/fhir+json"
    assert seen[0].headers["if-match"] == 'W/"3"'
    assert seen[0].content == b'{"resourceType":"Appointment","id":"\\u00fc\\ud800"}'
    await client.send("PUT", "Appointment/17", an_appointment("ü"))
    assert seen[1].content == '{"resourceType":"Appointment","id":"ü"}'.encode()


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_an_answer_to_a_write_may_be_empty(status: int) -> None:
    client, _ = over(always(status))
    sent = await client.send("PATCH", "Appointment/17", [], content_type="application/json-patch+json")
    assert (sent.resource, sent.status) == ({}, status)


async def test_a_sign_in_page_is_no_success_of_a_write() -> None:
    client, _ = over(always(200, text="<html>please sign in</html>"))
    with pytest.raises(PartnerError):
        await client.send("PUT", "Appointment/17", an_appointment("17"))


async def test_what_others_could_not_read_is_not_sent() -> None:
    client, seen = over(always(200))
    with pytest.raises(PartnerError):
        await client.send("PUT", "Appointment/17", {"resourceType": "Appointment", "x": float("nan")})
    assert not seen


@pytest.mark.parametrize(
    ("version", "release"),
    [("3.0.2", "STU3"), ("4.0.1", "R4"), ("4.1.0", "R4B"), ("4.3.0", "R4B"), ("4.3", "R4B"), ("5.0.0", "R5")],
)
async def test_the_release_is_asked_once(version: str, release: str) -> None:
    client, seen = over(always(200, json=CAPABLE | {"fhirVersion": version}))
    assert await client.release() == await client.release() == release
    assert [request.url.path for request in seen] == ["/fhir/r4/metadata"]


async def test_a_release_that_was_told_is_not_asked_for() -> None:
    client, seen = over(always(500), release="R5")
    assert await client.release() == "R5"
    assert not seen


@pytest.mark.parametrize("version", ["", None, "1.0.2", "6.0.0", "4", 4.0, "four"])
async def test_an_unknown_release_is_the_partners_error(version: Any) -> None:
    client, _ = over(always(200, json=CAPABLE | {"fhirVersion": version}))
    with pytest.raises(PartnerError) as caught:
        await client.release()
    assert (caught.value.code, caught.value.retryable) == ("release-unknown", False)


class _Renewing:
    """An access whose first token is not accepted any more."""

    def __init__(self) -> None:
        self.number = 1

    async def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.number}"}

    def forget(self, headers: Any) -> None:
        assert headers == {"authorization": f"Bearer {self.number}"}
        self.number += 1


@pytest.mark.parametrize("good", [2, 3])
async def test_a_refused_token_is_renewed_once(good: int) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        if seen[-1] != f"Bearer {good}":
            return httpx.Response(401)
        assert request.content == b'{"resourceType":"Appointment","id":"1"}'
        return httpx.Response(200, json=an_appointment("1"))

    client = FhirClient(HttpClient(transport=httpx.MockTransport(answer)), BASE, _Renewing())
    call = client.send("POST", "Appointment", an_appointment("1"))
    if good == 2:
        assert (await call).status == 200
    else:
        with pytest.raises(PartnerError) as caught:
            await call
        assert caught.value.status == 401
    assert seen == ["Bearer 1", "Bearer 2"]


async def test_fixed_credentials_are_not_tried_twice() -> None:
    client, seen = over(always(401))
    with pytest.raises(PartnerError):
        await client.read("Appointment/17")
    assert len(seen) == 1


async def test_too_many_requests_say_when_to_come_again() -> None:
    client, _ = over(always(429, headers={"Retry-After": "120"}))
    with pytest.raises(PartnerError) as caught:
        await client.send("POST", "Appointment", an_appointment("1"))
    assert (caught.value.retryable, caught.value.retry_after) == (True, 120)


async def test_reading_searching_and_paging_at_a_server_of_others(http: HttpClient, sekmet: Peer) -> None:
    client = FhirClient(http, sekmet.base, FixedAccess())
    date = "2031-05-06"
    times = {"start": f"{date}T09:00:00Z", "end": f"{date}T09:20:00Z"}
    ids = {sekmet.create(an_r4_appointment(**times)) for _ in range(5)}
    found = await client.search(
        "Appointment", [("date", date), ("_count", "2"), ("_include", "Appointment:actor")]
    )
    assert {resource["id"] for resource in found} == ids
    assert len(found) == 5
    fetched = await client.read(f"Appointment/{found[0]['id']}")
    assert (fetched.resource["id"], fetched.etag) == (found[0]["id"], 'W/"1"')
    assert await client.release() == "R4"
    with pytest.raises(NotFound):
        await client.read("Appointment/there-is-no-such-appointment")
    sekmet.call("DELETE", f"Appointment/{found[0]['id']}")
    with pytest.raises(NotFound):
        await client.read(f"Appointment/{found[0]['id']}")


async def test_reading_at_another_server_of_others(http: HttpClient, medplum: Peer) -> None:
    client = FhirClient(http, medplum.base, bearer("nobody-asks-for-it"))
    id_ = medplum.create(an_r4_appointment())
    fetched = await client.read(f"Appointment/{id_}")
    assert fetched.etag == f'W/"{fetched.resource["meta"]["versionId"]}"'
    assert id_ in [resource["id"] for resource in await client.search("Appointment", [("_count", "1000")])]
    medplum.call("DELETE", f"Appointment/{id_}")
    with pytest.raises(NotFound):
        await client.read(f"Appointment/{id_}")
