"""Ways to be let in: tokens from a server of others, assertions that anybody can verify, mutual TLS."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ec import BrainpoolP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.peers.fakes import no_pause
from tests.peers.fixtures import CLIENT, TOKEN_SECONDS, SmartServer
from tests.peers.practice import PRACTICE, a_source
from tests.peers.resources import an_r4_appointment
from tests.peers.tls import Authority, Files
from tests.ports import free_port

from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.rest.access import BackendServices, ClientKey, basic, bearer
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import ConfigurationError, PartnerError
from vsdk.domain.ids import AppointmentId
from vsdk.testing.factories import NOON

BASE = "https://pms.example/fhir"
TOKEN_ENDPOINT = "https://pms.example/oauth/token"
Answer = Callable[[httpx.Request], httpx.Response]


def pem(key: RSAKey | ECKey) -> str:
    return key.as_pem(private=True).decode()


@pytest.fixture(scope="module")
def rsa() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def ec() -> ECKey:
    return ECKey.generate_key("P-384")


class Endpoint:
    """An authorization server; ``answers`` are used up one by one, the last one for good."""

    def __init__(self, *answers: httpx.Response | Exception, endpoint: Any = TOKEN_ENDPOINT) -> None:
        self.answers = list(answers)
        self.endpoint = endpoint
        self.seen: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        await asyncio.sleep(0.01)
        if request.url.path.endswith("/.well-known/smart-configuration"):
            return httpx.Response(200, json={"token_endpoint": self.endpoint})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [parse_qs(r.content.decode()) for r in self.seen if r.method == "POST"]


def token(value: str = "t1", **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"access_token": value, "token_type": "bearer", "expires_in": 300} | more)


class Time:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def backend(
    endpoint: Endpoint, key: RSAKey | ECKey, now: Callable[[], datetime], **options: Any
) -> BackendServices:
    http = HttpClient(transport=httpx.MockTransport(endpoint), sleep=no_pause)
    given = {"client_id": "video", "key": ClientKey(pem(key)), "scope": "system/Appointment.rus"} | options
    return BackendServices(http, BASE, now=now, **given)


async def test_a_bearer_token_and_a_password_stand_in_the_header() -> None:
    assert await bearer("t").headers() == {"authorization": "Bearer t"}
    headers = await basic("anna", "pä:ss").headers()
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode() == "anna:pä:ss"


@pytest.mark.parametrize("kind", ["rsa", "ec"])
async def test_an_assertion_is_verified_by_the_public_keys(kind: str, request: pytest.FixtureRequest) -> None:
    key = request.getfixturevalue(kind)
    endpoint, now = Endpoint(token()), Time()
    access = backend(endpoint, key, now)
    assert await access.headers() == {"authorization": "Bearer t1"}
    (form,) = endpoint.forms
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == ["system/Appointment.rus"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    registered = KeySet.import_key_set(json.loads(json.dumps(access.public_jwks())))
    read = jwt.decode(form["client_assertion"][0], registered, algorithms=["RS384", "ES384"])
    assert read.header["alg"] == {"rsa": "RS384", "ec": "ES384"}[kind]
    assert read.header["typ"] == "JWT"
    assert read.header["kid"] == access.public_jwks()["keys"][0]["kid"]
    assert (read.claims["iss"], read.claims["sub"], read.claims["aud"]) == ("video", "video", TOKEN_ENDPOINT)
    assert 0 < read.claims["exp"] - now.now.timestamp() <= 300
    assert len(read.claims["jti"]) >= 22


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_registered_keys_hold_nothing_private(kind: str, request: pytest.FixtureRequest) -> None:
    (public,) = ClientKey(pem(request.getfixturevalue(kind))).public_jwks()["keys"]
    assert not public.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_a_key_may_be_a_jwk_and_keeps_its_id(rsa: RSAKey, ec: ECKey) -> None:
    for key in (rsa, ec):
        jwk = json.dumps(dict(key.as_dict(private=True)) | {"kid": "its-own"})
        assert ClientKey(jwk).key_id == "its-own"
        assert ClientKey(jwk, "another").key_id == "another"
        assert ClientKey(pem(key)).key_id == key.thumbprint()


def unusable_keys() -> Iterator[str]:
    yield ""
    yield "{}"
    yield "{ no json"
    yield "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----"
    yield RSAKey.generate_key(2048).as_pem(private=False).decode()
    yield RSAKey.generate_key(2048).as_pem(private=True, password="s3cret").decode()
    yield ECKey.generate_key("P-256").as_pem(private=True).decode()
    yield json.dumps(OctKey.generate_key(256).as_dict(private=True))
    yield json.dumps({"kty": "RSA", "n": "s3cret", "e": 3})
    yield brainpool()
    other = ECKey.generate_key("P-384").as_dict(private=True)
    yield json.dumps(other | {"use": "enc"})
    yield json.dumps(other | {"key_ops": ["verify"]})
    yield json.dumps(other | {"alg": "ES256"})
    yield json.dumps(RSAKey.generate_key(2048).as_dict(private=True) | {"alg": "RS256"})


def brainpool() -> str:
    """A curve that is as long as P-384, and another."""
    key = generate_private_key(BrainpoolP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("text", list(unusable_keys()), ids=range(14))
def test_a_key_that_cannot_sign_stops_the_start_and_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ClientKey(text)
    assert "s3cret" not in f"{caught.value!r}"


@pytest.mark.filterwarnings("ignore:.*:joserfc.errors.SecurityWarning")
def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        ClientKey(RSAKey.generate_key(1024).as_pem(private=True).decode())


async def test_a_token_is_kept_until_shortly_before_it_expires(ec: ECKey) -> None:
    endpoint, now = Endpoint(token("t1"), token("t2")), Time()
    access = backend(endpoint, ec, now, token_endpoint=TOKEN_ENDPOINT)
    for seconds, expected in [(0, "t1"), (269, "t1"), (271, "t2"), (300, "t2")]:
        now.now = NOON + timedelta(seconds=seconds)
        assert await access.headers() == {"authorization": f"Bearer {expected}"}
    first, second = (form["client_assertion"][0] for form in endpoint.forms)
    assert first != second, "each assertion is good for once"


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (None, 270),
        ("600", 540),
        (86400, 86340),
        ("soon", 270),
        ([], 270),
        (10**12, 86340),
        (-5, -5),
        (-(10**12), -1),
        (0, 0),
        (1e999, 270),
    ],
)
async def test_a_life_is_read_however_it_is_written(ec: ECKey, expires_in: Any, seconds: int) -> None:
    body = json.dumps({"access_token": "t1", "expires_in": expires_in})
    endpoint, now = Endpoint(httpx.Response(200, text=body), token("t2")), Time()
    access = backend(endpoint, ec, now)
    assert await access.headers() == {"authorization": "Bearer t1"}
    now.now = NOON + timedelta(seconds=max(0, seconds - 1))
    assert await access.headers() == {"authorization": f"Bearer {'t1' if seconds > 0 else 't2'}"}
    now.now = NOON + timedelta(seconds=max(0, seconds))
    assert await access.headers() == {"authorization": "Bearer t2"}


async def test_who_asks_at_the_same_time_shares_one_renewal(ec: ECKey) -> None:
    endpoint = Endpoint(token())
    access = backend(endpoint, ec, Time())
    assert {str(h) for h in await asyncio.gather(*(access.headers() for _ in range(20)))} == {
        "{'authorization': 'Bearer t1'}"
    }
    assert len(endpoint.forms) == 1


async def test_who_asks_at_the_same_time_shares_a_failure_too(ec: ECKey) -> None:
    endpoint = Endpoint(httpx.Response(400, json={"error": "invalid_client"}), token())
    access = backend(endpoint, ec, Time())
    results = await asyncio.gather(*(access.headers() for _ in range(20)), return_exceptions=True)
    assert {r.code for r in results if isinstance(r, PartnerError)} == {"token-refused"}
    assert len(results) == 20
    assert len(endpoint.forms) == 1
    assert await access.headers() == {"authorization": "Bearer t1"}, "the next one tries again"


async def test_a_token_is_forgotten_only_if_it_is_still_the_one(ec: ECKey) -> None:
    endpoint = Endpoint(token("t1"), token("t2"), token("t3"))
    access = backend(endpoint, ec, Time())
    first = await access.headers()
    access.forget(first)
    second = await access.headers()
    access.forget(first)
    assert await access.headers() == second == {"authorization": "Bearer t2"}


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), "token-refused", False),
        (httpx.Response(401), "token-refused", False),
        (httpx.Response(403), "token-refused", False),
        (httpx.Response(404), "partner-error", False),
        (httpx.Response(410), "partner-error", False),
        (httpx.Response(429, headers={"Retry-After": "7"}), "partner-error", True),
        (httpx.Response(503), "partner-error", True),
        (httpx.Response(200, text="<html>"), "partner-error", True),
        (httpx.Response(200, json={}), "partner-error", True),
        (httpx.Response(200, json=[]), "partner-error", True),
        (httpx.Response(200, json={"access_token": "a\nb"}), "partner-error", True),
        (httpx.Response(200, json={"access_token": " "}), "partner-error", True),
        (httpx.Response(200, json={"access_token": 7}), "partner-error", True),
        (httpx.ConnectError("no"), "partner-error", True),
    ],
)
async def test_without_a_token_the_error_says_whether_to_try_again(
    ec: ECKey, answer: httpx.Response | Exception, code: str, retryable: bool
) -> None:
    access = backend(Endpoint(answer), ec, Time(), token_endpoint=TOKEN_ENDPOINT)
    with pytest.raises(PartnerError) as caught:
        await access.headers()
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert caught.value.status is None, "it is not the FHIR server that said this"
    if getattr(answer, "status_code", 0) == 429:
        assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "endpoint",
    ["", None, 7, "https://elsewhere.example/token", "http://pms.example/token", "https://[", "/oauth/token"],
)
async def test_no_assertion_is_sent_to_where_only_the_server_points(ec: ECKey, endpoint: Any) -> None:
    server = Endpoint(token(), endpoint=endpoint)
    with pytest.raises(PartnerError) as caught:
        await backend(server, ec, Time()).headers()
    assert (caught.value.code, caught.value.retryable) == ("token-endpoint-unknown", False)
    assert not server.forms


@pytest.mark.parametrize(
    "endpoint", ["https://pms.example:443/oauth/token", "https://PMS.example/oauth/token"]
)
async def test_the_servers_own_origin_may_be_written_in_other_ways(ec: ECKey, endpoint: str) -> None:
    server = Endpoint(token(), endpoint=endpoint)
    assert await backend(server, ec, Time()).headers() == {"authorization": "Bearer t1"}


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (503, True)])
async def test_a_server_without_smart_configuration_is_explained(
    ec: ECKey, status: int, retryable: bool
) -> None:
    http = HttpClient(transport=httpx.MockTransport(lambda r: httpx.Response(status)), sleep=no_pause)
    access = BackendServices(http, BASE, client_id="c", key=ClientKey(pem(ec)), scope="s", now=Time())
    with pytest.raises(PartnerError) as caught:
        await access.headers()
    assert (caught.value.code, caught.value.retryable) == ("token-endpoint-unknown", retryable)


def smart_access(smart: SmartServer, **changes: Any) -> dict[str, Any]:
    return {"kind": "smart-backend", "client_id": CLIENT, "key": smart.key} | changes


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_server_of_others_lets_us_in_again_and_again(http: HttpClient, smart: SmartServer) -> None:
    id_ = AppointmentId(smart.peer.create(an_r4_appointment()))
    for scope in ("system/Appointment.rus", "system/Appointment.read system/Appointment.write"):
        access = smart_access(smart, scope=scope)
        for _ in range(2):
            source = a_source(http, smart.peer.base, now=now, access=access)
            assert (await source.get(PRACTICE, id_)).appointment.id == id_


async def test_a_token_that_expired_there_is_renewed_here(http: HttpClient, smart: SmartServer) -> None:
    """Our clock stands still: only the server knows that the token is too old."""
    id_ = AppointmentId(smart.peer.create(an_r4_appointment()))
    began = now()
    source = a_source(http, smart.peer.base, now=lambda: began, access=smart_access(smart))
    await source.get(PRACTICE, id_)
    await asyncio.sleep(TOKEN_SECONDS + 1.1)
    assert (await source.get(PRACTICE, id_)).appointment.id == id_


async def test_the_wrong_client_key_or_scope_gets_no_token(
    http: HttpClient, smart: SmartServer, rsa: RSAKey
) -> None:
    for wrong in ({"client_id": "nobody"}, {"key": pem(rsa)}, {"scope": "system/Patient.cruds"}):
        source = a_source(http, smart.peer.base, now=now, access=smart_access(smart, **wrong))
        with pytest.raises(PartnerError) as caught:
            await source.get(PRACTICE, AppointmentId("a1"))
        assert (caught.value.code, caught.value.retryable) == ("token-refused", False)


async def test_a_token_for_too_little_is_the_partners_refusal(http: HttpClient, smart: SmartServer) -> None:
    id_ = AppointmentId(smart.peer.create(an_r4_appointment()))
    access = smart_access(smart, scope="system/Appointment.read")
    source = a_source(http, smart.peer.base, now=now, access=access)
    await source.get(PRACTICE, id_)
    with pytest.raises(PartnerError) as caught:
        await source.write_back(PRACTICE, id_, None, AppointmentStatus.ARRIVED)
    assert (caught.value.status, caught.value.retryable) == (403, False)


async def test_a_wrong_bearer_token_is_not_let_in(http: HttpClient, smart: SmartServer) -> None:
    source = a_source(http, smart.peer.base, access={"kind": "bearer", "token": "wr0ng"})
    with pytest.raises(PartnerError) as caught:
        await source.get(PRACTICE, AppointmentId("a1"))
    assert (caught.value.status, caught.value.retryable) == (401, False)
    assert "wr0ng" not in str(caught.value)


# mutual TLS


async def _appointment(request: Request) -> JSONResponse:
    return JSONResponse(an_r4_appointment(id=request.path_params["id"]))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "authority")


@pytest.fixture
async def tls_server(authority: Authority) -> AsyncIterator[str]:
    """A FHIR server that wants to see a certificate of ``authority``."""
    files, port = authority.issue("server"), free_port()
    app = Starlette(routes=[Route("/fhir/Appointment/{id}", _appointment)])
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        ws="none",
        lifespan="off",
        log_config=None,  # the loggers belong to all tests
        access_log=False,
        ssl_certfile=files.certificate,
        ssl_keyfile=str(files.key),
        ssl_ca_certs=str(authority.file),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    yield f"https://127.0.0.1:{port}/fhir"
    server.should_exit = server.force_exit = True
    await serving


async def ask(http: HttpClient, base: str, tls: dict[str, Any] | None) -> str:
    source = a_source(http, base, fhir_version="R4", tls=tls)
    return (await source.get(PRACTICE, AppointmentId("a1"))).appointment.id


async def test_a_certificate_lets_us_in(tls_server: str, http: HttpClient, authority: Authority) -> None:
    ours = authority.issue("client")
    tls = {"certificate": ours.certificate, "key": ours.key, "authority": authority.file}
    assert await ask(http, tls_server, tls) == "a1"


async def test_certificate_and_key_may_be_in_one_file(
    tls_server: str, http: HttpClient, authority: Authority, tmp_path: Path
) -> None:
    ours, both = authority.issue("client"), tmp_path / "both.pem"
    both.write_bytes(ours.certificate.read_bytes() + ours.key.read_bytes())
    assert await ask(http, tls_server, {"certificate": both, "authority": authority.file}) == "a1"


def _without(ours: Files, authority: Authority, stranger: Authority) -> Iterator[dict[str, Any] | None]:
    theirs = stranger.issue("client")
    yield None
    yield {"authority": authority.file}
    yield {"certificate": ours.certificate, "key": ours.key}
    yield {"certificate": ours.certificate, "key": ours.key, "authority": stranger.file}
    yield {"certificate": theirs.certificate, "key": theirs.key, "authority": authority.file}


async def test_without_the_right_certificates_on_both_sides_there_is_no_answer(
    tls_server: str, http: HttpClient, authority: Authority, tmp_path: Path
) -> None:
    for tls in _without(authority.issue("client"), authority, Authority(tmp_path, "stranger")):
        with pytest.raises(PartnerError) as caught:
            await ask(http, tls_server, tls)
        assert caught.value.retryable


async def test_a_key_with_a_password_or_of_another_certificate_stops_the_start(
    http: HttpClient, authority: Authority
) -> None:
    locked, other = authority.issue("locked", password=b"s3cret"), authority.issue("other")
    for key in (locked.key, other.key):
        with pytest.raises(ConfigurationError) as caught:
            a_source(http, BASE, tls={"certificate": locked.certificate, "key": key})
        assert "s3cret" not in str(caught.value)
