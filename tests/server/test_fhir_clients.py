"""SMART Backend Services: tokens for named clients, and what their scopes permit.

Assertions are signed here with bare cryptography, so that another implementation than ours is the judge.
"""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient
from tests.server.conftest import KEY, bearer, new_video, r4
from tests.server.test_fhir_face import assert_outcome, put

from vsdk.domain.errors import ConfigurationError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.service.clients import Client, ClientService
from vsdk.service.scopes import all_letters, granted, letters
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

URL = "http://localhost:8000/oauth/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP384R1())
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
STRANGER = ec.generate_private_key(ec.SECP384R1())


def b64(data: bytes | int) -> str:
    if isinstance(data, int):
        data = data.to_bytes((data.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: Any, kid: str) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA", "kid": kid, "n": b64(numbers.n), "e": b64(numbers.e), "alg": "RS384"}
    x, y = (n.to_bytes(48, "big") for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-384", "kid": kid, "x": b64(x), "y": b64(y)}


def signed(header: Any, claims: Any, key: Any) -> str:
    text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA384())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA384())))
        signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    else:
        signature = key
    return f"{text}.{b64(signature)}"


PUBLIC = {"keys": [jwk(RSA, "r1"), jwk(EC, "e1")]}


def clients(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Settings: two clients of ``park``, one of ``mitte``."""
    file = folder / "jwks.json"
    file.write_text(json.dumps(PUBLIC), encoding="utf-8")
    secret = SecretStr("s3cret%+ of reader")
    return {
        "park": [
            {"id": "pms", "scopes": ["system/Appointment.cruds"], "jwks_file": file},
            {"id": "reader", "scopes": ["system/Appointment.read"], "secret": secret},
        ],
        "mitte": [{"id": "other", "scopes": ["system/*.cruds"], "jwks_file": file}],
    }


@dataclass
class Smart:
    """A client that reads the discovery document and gets itself tokens."""

    http: TestClient
    clock: FakeClock
    id: str = "pms"
    serial: list[int] = field(default_factory=lambda: [0])

    def claims(self, **changes: Any) -> dict[str, Any]:
        self.serial[0] += 1
        expires = int((self.clock.now() + timedelta(minutes=4)).timestamp())
        made = {
            "iss": self.id,
            "sub": self.id,
            "aud": URL,
            "exp": expires,
            "jti": f"j{self.serial[0]}",
        } | changes
        return {name: value for name, value in made.items() if value is not None}

    def assertion(self, key: Any = EC, header: Any = None, **changes: Any) -> str:
        alg, kid = ("RS384", "r1") if key is RSA else ("ES384", "e1")
        return signed(header or {"alg": alg, "kid": kid, "typ": "JWT"}, self.claims(**changes), key)

    def ask(self, assertion: str | None = None, scope: str = "system/Appointment.rs", **changes: Any) -> Any:
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": TYPE,
            "client_assertion": assertion or self.assertion(),
        } | changes
        return self.http.post("/oauth/token", data={k: v for k, v in form.items() if v is not None})

    def bearer(self, scope: str = "system/Appointment.rs") -> dict[str, str]:
        reply = self.ask(scope=scope)
        assert reply.status_code == 200, reply.text
        return bearer(reply.json()["access_token"])


@pytest.fixture
def smart_video(database: Path, clock: FakeClock) -> Any:
    return new_video(database, clock, clients=clients(database.parent))


@pytest.fixture
def smart(smart_video: Any, clock: FakeClock) -> Iterator[Smart]:
    with TestClient(smart_video, raise_server_exceptions=False) as http:
        put(http, "R4", r4())
        yield Smart(http, clock)


def assert_refused(reply: Any, status: int, error: str) -> None:
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json()["error_description"]


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_client_finds_its_way_gets_a_token_and_reads(smart: Smart, key: Any) -> None:
    discovered = smart.http.get("/fhir/R4/.well-known/smart-configuration").json()
    assert discovered["token_endpoint"] == URL
    assert "client-confidential-asymmetric" in discovered["capabilities"]
    (service,) = smart.http.get("/fhir/R4/metadata").json()["rest"][0]["security"]["service"]
    assert service["coding"][0]["code"] == "SMART-on-FHIR"
    reply = smart.ask(smart.assertion(key))
    assert reply.status_code == 200
    token = reply.json()
    assert (token["token_type"], token["expires_in"]) == ("bearer", 300)
    assert token["scope"] == "system/Appointment.rs"
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    read = smart.http.get("/fhir/R4/Appointment/a1", headers=bearer(token["access_token"]))
    assert read.status_code == 200
    assert "/j#" in read.text


def test_a_token_ends_after_five_minutes(smart: Smart) -> None:
    token = smart.bearer()
    smart.clock.advance(seconds=299)
    assert smart.http.get("/fhir/R4/Appointment/a1", headers=token).status_code == 200
    smart.clock.advance(seconds=1)
    outcome = assert_outcome(
        smart.http.get("/fhir/R4/Appointment/a1", headers=token), 401, "access-token-expired"
    )
    assert outcome["issue"][0]["code"] == "login"


def test_a_token_is_of_one_practice_and_of_the_fhir_face_only(smart: Smart, smart_video: Any) -> None:
    theirs = Smart(smart.http, smart.clock, "other").bearer("system/Appointment.cruds")
    assert_outcome(smart.http.get("/fhir/R4/Appointment/a1", headers=theirs), 404, "appointment-unknown")
    assert smart.http.get("/fhir/R4/Appointment", headers=theirs).json()["total"] == 0
    body = {"appointment": r4()}
    assert smart.http.post("/api/v1/visits", json=body, headers=smart.bearer()).status_code == 401
    grant = smart.http.post("/api/v1/grant", headers=bearer()).json()["grant"]
    assert_outcome(smart.http.get("/fhir/R4/Appointment", headers=bearer(grant)), 401, "access-token-invalid")


def test_tokens_that_were_not_made_here_are_refused(smart: Smart) -> None:
    token = smart.bearer()["Authorization"].removeprefix("Bearer ")
    header, payload, signature = token.split(".")
    none = b64(json.dumps({"alg": "none"}).encode())
    for forged in (
        f"{header}.{payload}.{'A' * len(signature)}",
        f"{none}.{payload}.",
        smart.assertion(),
        "a.b.c",
    ):
        reply = smart.http.get("/fhir/R4/Appointment/a1", headers=bearer(forged))
        assert_outcome(reply, 401, "access-token-invalid")
        assert reply.headers["www-authenticate"] == "Bearer"
    assert_outcome(smart.http.get("/fhir/R4/Appointment/a1", headers=bearer("wrong")), 401, "api-key-invalid")
    assert smart.http.get("/fhir/R4/Appointment/a1", headers=bearer(KEY)).status_code == 200


LATE = int((NOON + timedelta(minutes=6)).timestamp())


@pytest.mark.parametrize(
    "make",
    [
        lambda s: s.assertion(STRANGER, {"alg": "ES384", "kid": "e1"}),
        lambda s: s.assertion(header={"alg": "ES384", "kid": "unknown"}),
        lambda s: s.assertion(header={"alg": "ES384"}),
        lambda s: s.assertion(header={"alg": "RS384", "kid": "e1"}),
        lambda s: s.assertion(RSA, {"alg": "RS256", "kid": "r1"}),
        lambda s: s.assertion(b"", {"alg": "none", "kid": "e1"}),
        lambda s: s.assertion(b"x" * 48, {"alg": "HS384", "kid": "r1"}),
        lambda s: s.assertion(header={"alg": "ES384", "kid": "e1", "crit": ["x"], "x": 1}),
        lambda s: s.assertion(iss="reader", sub="reader"),
        lambda s: s.assertion(iss="nobody", sub="nobody"),
        lambda s: s.assertion(sub="other"),
        lambda s: s.assertion(iss=["pms"]),
        lambda s: s.assertion(aud="http://localhost:8000"),
        lambda s: s.assertion(aud=None),
        lambda s: s.assertion(exp=LATE),
        lambda s: s.assertion(exp=int(NOON.timestamp()) - 60),
        lambda s: s.assertion(exp=None),
        lambda s: s.assertion(exp="soon"),
        lambda s: s.assertion(exp=float("nan")),
        lambda s: s.assertion(nbf=LATE),
        lambda s: s.assertion(iat=LATE),
        lambda s: s.assertion(jti=None),
        lambda s: s.assertion(jti=""),
        lambda s: s.assertion(jti=5),
        lambda s: s.assertion(jti="x" * 256),
        lambda s: signed({"alg": "ES384", "kid": "e1"}, ["pms"], EC),
        lambda s: "x",
        lambda s: "a.b.c",
        lambda s: "é.é.é",
    ],
)
def test_who_does_not_prove_itself_gets_nothing(smart: Smart, make: Callable[[Smart], str]) -> None:
    reply = smart.ask(make(smart))
    assert_refused(reply, 401, "invalid_client")
    assert reply.json()["error_description"] == "the client could not be recognised"


def test_an_assertion_works_once(smart: Smart) -> None:
    assertion = smart.assertion()
    assert smart.ask(assertion).status_code == 200
    assert_refused(smart.ask(assertion), 401, "invalid_client")
    smart.clock.advance(minutes=4, seconds=5)
    assert_refused(smart.ask(assertion), 401, "invalid_client")
    smart.clock.advance(minutes=1)
    assert_refused(smart.ask(assertion), 401, "invalid_client")
    again = json.loads(base64.urlsafe_b64decode(assertion.split(".")[1] + "=="))["jti"]
    assert smart.ask(smart.assertion(jti=again)).status_code == 200


def test_two_clients_may_use_the_same_number(smart: Smart) -> None:
    other = Smart(smart.http, smart.clock, "other")
    assert smart.ask(smart.assertion(jti="same")).status_code == 200
    assert other.ask(other.assertion(jti="same")).status_code == 200


def test_a_client_with_a_secret_uses_basic_authentication(smart: Smart) -> None:
    def ask(user: str, password: str, **form: str) -> Any:
        body = {"grant_type": "client_credentials", "scope": "system/Appointment.rs"} | form
        return smart.http.post("/oauth/token", data=body, auth=(user, password))

    for password in ("s3cret%+ of reader", "s3cret%25%2B%20of%20reader"):
        reply = ask("reader", password)
        assert reply.status_code == 200
        read = smart.http.get("/fhir/R4/Appointment/a1", headers=bearer(reply.json()["access_token"]))
        assert read.status_code == 200
    for user, password in (
        ("reader", ""),
        ("reader", "none"),
        ("pms", ""),
        ("pms", "none"),
        ("nobody", "none"),
    ):
        reply = ask(user, password)
        assert_refused(reply, 401, "invalid_client")
        assert reply.headers["www-authenticate"].startswith("Basic")
    for credentials in ("Basic %%%", "Basic /w==", "Basic", "Bearer x"):
        body = {"grant_type": "client_credentials", "scope": "system/Appointment.rs"}
        reply = smart.http.post("/oauth/token", data=body, headers={"Authorization": credentials})
        assert_refused(reply, 401, "invalid_client")
    assert_refused(
        ask("reader", "s3cret%+ of reader", client_assertion=smart.assertion()), 401, "invalid_client"
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "patient/Appointment.rs openid"}, "invalid_scope"),
        ({"scope": "system/Appointment.rs?status=booked"}, "invalid_scope"),
        ({"grant_type": ["client_credentials", "password"]}, "invalid_request"),
    ],
)
def test_requests_that_ask_for_the_wrong_thing(smart: Smart, changes: dict[str, Any], error: str) -> None:
    assert_refused(smart.ask(**changes), 400, error)


def test_the_request_is_a_form(smart: Smart) -> None:
    assert_refused(smart.http.post("/oauth/token", json={}), 400, "invalid_request")
    other = smart.http.get("/oauth/token")
    assert (other.status_code, other.headers["content-type"]) == (405, "application/problem+json")


def test_too_many_attempts_are_slowed_down(database: Path, clock: FakeClock) -> None:
    with TestClient(
        new_video(database, clock, clients=clients(database.parent), exchanges_per_minute=2)
    ) as http:
        smart = Smart(http, clock)
        assert [smart.ask().status_code for _ in range(3)] == [200, 200, 429]
        reply = smart.ask()
        assert_refused(reply, 429, "temporarily_unavailable")
        assert int(reply.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("scope", "permitted"),
    [
        ("system/Appointment.r", "r"),
        ("system/Appointment.rs", "rs"),
        ("system/Appointment.cruds", "cruds"),
        ("system/*.cud", "cud"),
        ("system/Appointment.read", "rs"),
        ("system/Appointment.write", "cud"),
        ("system/Appointment.*", "cruds"),
        ("system/*.*", "cruds"),
        ("system/Appointment.sr", ""),
        ("system/Appointment.", ""),
        ("system/Appointment.rr", ""),
        ("system/Patient.rs", ""),
        ("user/Appointment.rs", ""),
        ("system/Appointment.rs?status=booked", ""),
        ("SYSTEM/Appointment.rs", ""),
        ("", ""),
    ],
)
def test_what_a_scope_permits(scope: str, permitted: str) -> None:
    assert letters(scope) == frozenset(permitted)


def test_of_what_is_asked_for_what_is_permitted_is_given() -> None:
    asked = "system/Appointment.cruds system/Appointment.read system/Patient.rs openid system/Appointment.d"
    assert granted(asked, frozenset("rs")) == ["system/Appointment.rs", "system/Appointment.read"]
    assert granted(asked, frozenset("c")) == ["system/Appointment.c"]
    assert granted(asked, frozenset()) == []


@given(
    st.text(alphabet="system/Appointment.*cruds readwrite?=", max_size=60), st.sets(st.sampled_from("cruds"))
)
def test_never_more_is_given_than_is_permitted(asked: str, permitted: set[str]) -> None:
    assert all_letters(granted(asked, frozenset(permitted))) <= permitted


def test_a_client_never_gets_more_than_it_has(smart: Smart) -> None:
    body = {"grant_type": "client_credentials", "scope": "system/Appointment.cruds"}
    reply = smart.http.post("/oauth/token", data=body, auth=("reader", "s3cret%+ of reader"))
    assert reply.json()["scope"] == "system/Appointment.rs"
    token = bearer(reply.json()["access_token"])
    assert_outcome(smart.http.delete("/fhir/R4/Appointment/a1", headers=token), 403, "scope-missing")
    assert smart.http.get("/fhir/R4/Appointment/a1", headers=bearer()).status_code == 200


PATCH = {"Content-Type": "application/json-patch+json"}
NEEDS: dict[str, tuple[str, str, str, Any, dict[str, str]]] = {
    "read": ("r", "GET", "Appointment/a1", None, {}),
    "search": ("s", "GET", "Appointment", None, {}),
    "search by form": ("s", "POST", "Appointment/_search", None, {}),
    "create": ("c", "POST", "Appointment", r4(), {}),
    "conditional create": ("cs", "POST", "Appointment", r4(), {"If-None-Exist": "_id=a1"}),
    "update": ("u", "PUT", "Appointment/a1", r4(description="x"), {}),
    "conditional update": ("us", "PUT", "Appointment?_id=a1", r4(), {}),
    "patch": ("u", "PATCH", "Appointment/a1", [{"op": "add", "path": "/comment", "value": "x"}], PATCH),
    "delete": ("d", "DELETE", "Appointment/a1", None, {}),
}


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_each_interaction_needs_its_letters_and_no_others(smart: Smart, name: str) -> None:
    needed, method, path, body, headers = NEEDS[name]

    def call(scope: str) -> Any:
        content = None if body is None else json.dumps(body).encode()
        all_headers = smart.bearer(f"system/Appointment.{scope}") | headers
        return smart.http.request(method, f"/fhir/R4/{path}", content=content, headers=all_headers)

    for letter in needed:
        others = "".join(c for c in "cruds" if c != letter)
        assert_outcome(call(others), 403, "scope-missing")
    assert call("".join(c for c in "cruds" if c in needed)).status_code < 300


def test_who_may_not_read_does_not_read_by_patching(smart: Smart) -> None:
    patch = [{"op": "add", "path": "/comment", "value": "x"}]
    headers = smart.bearer("system/Appointment.u") | PATCH
    reply = smart.http.patch("/fhir/R4/Appointment/a1", json=patch, headers=headers)
    assert (reply.status_code, reply.content, reply.headers["etag"]) == (200, b"", 'W/"2"')


def test_scopes_hold_within_bundles(smart: Smart) -> None:
    entries = [
        {"request": {"method": "GET", "url": "Appointment/a1"}},
        {"request": {"method": "DELETE", "url": "Appointment/a1"}},
    ]
    for type_, status in (("batch", 200), ("transaction", 403)):
        bundle = {"resourceType": "Bundle", "type": type_, "entry": entries}
        reply = smart.http.post("/fhir/R4", json=bundle, headers=smart.bearer())
        assert reply.status_code == status
        if status == 200:
            assert [e["response"]["status"][:3] for e in reply.json()["entry"]] == ["200", "403"]
    assert smart.http.get("/fhir/R4/Appointment/a1", headers=bearer()).status_code == 200


def test_nothing_of_a_client_is_logged(smart: Smart, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assertion = smart.assertion()
    token = smart.ask(assertion).json()["access_token"]
    smart.ask(assertion)
    smart.http.get("/fhir/R4/Appointment/a1", headers=bearer(token))
    for secret in (assertion, token, *token.split("."), "s3cret"):
        assert secret not in caplog.text
    assert "s3cret" not in repr(Client("reader", PracticeId("park"), ("x",), "s3cret"))


JUNK = st.text(max_size=30) | st.sampled_from(
    [TYPE, "client_credentials", "a.b.c", "..", "eyJhIjoxfQ.eyJpc3MiOjF9.x"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(
        st.sampled_from(["grant_type", "scope", "client_assertion", "client_assertion_type", "x"]),
        JUNK,
        max_size=5,
    ),
    authorization=st.sampled_from(["", "Basic ", "Bearer ", "Basic cmVhZGVyOg=="]),
)
def test_any_request_for_a_token_is_answered(smart: Smart, form: dict[str, str], authorization: str) -> None:
    encoded = {name: value.encode("utf-8", "replace") for name, value in form.items()}
    reply = smart.http.post("/oauth/token", data=encoded, headers={"Authorization": authorization})
    assert reply.status_code in (400, 401), reply.text
    assert reply.json()["error"] in (
        "invalid_request",
        "invalid_client",
        "unsupported_grant_type",
        "invalid_scope",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        Client("x", PracticeId("park"), ("system/Appointment.rs",)),
        Client("x", PracticeId("park"), (), secret="s"),
        Client("x", PracticeId("park"), ("patient/*.rs",), secret="s"),
        Client("x", PracticeId("park"), ("system/Appointment.rs",), keys={"keys": "x"}),
        Client("x", PracticeId("park"), ("system/Appointment.rs",), keys={"key": []}),
        Client(
            "x",
            PracticeId("park"),
            ("system/Appointment.rs",),
            keys={"keys": [{"kty": "oct", "k": "AA", "kid": "1"}]},
        ),
        Client(
            "x", PracticeId("park"), ("system/Appointment.rs",), keys={"keys": [{**jwk(EC, ""), "kid": None}]}
        ),
        Client("x", PracticeId("park"), ("system/Appointment.rs",), keys={"keys": [jwk(WEAK, "w")]}),
        Client(
            "x",
            PracticeId("park"),
            ("system/Appointment.rs",),
            keys={"keys": [jwk(EC, "1") | {"d": b64(EC.private_numbers().private_value)}]},
        ),
    ],
)
def test_clients_that_could_never_get_in_are_noticed_at_the_start(wrong: Client) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ClientService([wrong], b"k" * 32, FakeClock(), URL)
    assert refused.value.code == "client-invalid"
    assert "'x'" in refused.value.detail


def test_ids_of_clients_are_unique_over_all_practices() -> None:
    twice = Client("pms", PracticeId("mitte"), ("system/Appointment.rs",), secret="s")
    with pytest.raises(ConfigurationError):
        ClientService([twice, twice], b"k" * 32, FakeClock(), URL)


def test_a_token_is_worth_no_more_than_what_its_client_may_do_now() -> None:
    def service(practice: str, *scopes: str) -> ClientService:
        client = Client("pms", PracticeId(practice), scopes, secret="a secret of the system")
        return ClientService([client], b"k" * 32, FakeClock(), URL)

    before = service("practice", "system/Appointment.cruds")
    token = before.issue(before.by_secret("pms", "a secret of the system"), "system/Appointment.cruds").text
    assert before.read(token).letters == frozenset("cruds")
    assert service("practice", "system/Appointment.rs").read(token).letters == frozenset("rs")
    with pytest.raises(Refused) as caught:
        service("other", "system/Appointment.cruds").read(token)
    assert caught.value.code == "access-token-invalid"
