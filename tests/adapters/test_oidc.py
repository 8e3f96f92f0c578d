"""OpenID Connect against a certified provider: signing in, and everything that somebody could try."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urljoin, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError
from tests.peers.fakes import no_pause
from tests.peers.servers import openid_provider

from vsdk.adapters.http import HttpClient
from vsdk.adapters.identity import keys, oidc
from vsdk.adapters.identity.oidc import OpenIdConnect, vsdk_identity_providers
from vsdk.adapters.identity.oidc_settings import OidcClient
from vsdk.domain.errors import ConfigurationError, PartnerError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.hooks.ports import Redirect
from vsdk.testing.fakes import FakeConfig

PARK = PracticeId("park")
BACK = "http://localhost:8000/practice/park/signed-in"
SECRET = "secret of the client, with signs: /+%&"
pytestmark = pytest.mark.xdist_group("oidc")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with openid_provider(tmp_path_factory.mktemp("oidc"), BACK, SECRET) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(sleep=no_pause)
    yield client
    await client.close()


def settings(issuer: str, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "client_id": "vsdk",
        "client_secret": SECRET,
        "practitioner": ["doctors"],
        "staff": ["reception"],
    } | changes


@pytest.fixture
def provider(issuer: str, http: HttpClient) -> OpenIdConnect:
    return of(issuer, http)


def of(issuer: str, http: Any, **changes: Any) -> OpenIdConnect:
    client = OidcClient.model_validate(settings(issuer, **changes))
    return OpenIdConnect({"park": client}, http, "http://localhost:8000")


async def browse(redirect: Redirect, login: str) -> dict[str, str]:
    """What a person does over there, with a browser that keeps cookies; gives the answer's parameters."""
    async with httpx2.AsyncClient(follow_redirects=False, trust_env=False) as browser:
        url, reply = redirect.url, await browser.get(redirect.url)
        for _ in range(12):
            if reply.is_redirect:
                url = urljoin(url, reply.headers["location"])
                if url.startswith(BACK):
                    answer = dict(parse_qsl(urlsplit(url).query))
                    return answer | {"kept": redirect.kept}
                reply = await browser.get(url)
                continue
            prompt = "login" if 'name="login"' in reply.text else "consent"
            form = {"prompt": prompt, "login": login, "password": "x"}
            reply = await browser.post(url, data=form)
    raise AssertionError(f"no way back from {url}: {reply.status_code}")


async def signed_in(provider: OpenIdConnect, login: str = "berg") -> dict[str, str]:
    return await browse(await provider.begin(PARK, BACK), login)


async def refused(provider: OpenIdConnect, params: Mapping[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        await provider.complete(PARK, params)
    assert caught.value.code == "sign-in-refused"
    assert not any(value in caught.value.detail for value in params.values() if len(value) > 3)


async def test_roles_of_the_practice_come_from_the_claims(provider: OpenIdConnect) -> None:
    doctor = await provider.complete(PARK, await signed_in(provider, "berg"))
    assert doctor
    assert (doctor.subject, doctor.role, doctor.practice_id) == ("berg", Role.PRACTITIONER, PARK)
    assert doctor.name == "Dr. Katharina Berg"
    staff = await provider.complete(PARK, await signed_in(provider, "meier"))
    assert staff
    assert staff.role is Role.STAFF


async def test_who_has_no_role_in_the_practice_is_not_let_in(provider: OpenIdConnect) -> None:
    await refused(provider, await signed_in(provider, "somebody"))


async def test_the_request_asks_for_a_code_with_pkce_and_nonce_and_tells_no_secret(
    provider: OpenIdConnect,
) -> None:
    redirect = await provider.begin(PARK, BACK)
    asked = parse_qs(urlsplit(redirect.url).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [BACK]
    state, nonce, verifier, _ = json.loads(urlsafe_b64decode(redirect.kept))
    assert (asked["state"], asked["nonce"]) == ([state], [nonce])
    assert verifier not in redirect.url
    assert SECRET not in redirect.url
    again = await provider.begin(PARK, BACK)
    assert again.kept != redirect.kept
    assert redirect.kept not in repr(redirect)


async def test_an_answer_counts_only_in_the_browser_that_asked(provider: OpenIdConnect) -> None:
    """Somebody else's answer, sent as a link, signs nobody in (RFC 6749, 10.12)."""
    answer = await signed_in(provider)
    for kept in ("", (await provider.begin(PARK, BACK)).kept, "e30", "no base64", "W10="):
        await refused(provider, answer | {"kept": kept})
    await refused(provider, answer | {"state": ""})
    assert await provider.complete(PARK, answer)


async def test_a_code_is_good_once(provider: OpenIdConnect) -> None:
    answer = await signed_in(provider)
    assert await provider.complete(PARK, answer)
    await refused(provider, answer)


async def test_a_code_with_another_verifier_or_nonce_is_refused(provider: OpenIdConnect) -> None:
    for at in (1, 2):
        answer = await signed_in(provider)
        values = json.loads(urlsafe_b64decode(answer["kept"]))
        values[at] = "x" * 64
        kept = urlsafe_b64encode(json.dumps(values).encode()).decode()
        await refused(provider, answer | {"kept": kept})


async def test_an_answer_of_another_issuer_is_refused(provider: OpenIdConnect) -> None:
    answer = await signed_in(provider)
    assert "iss" in answer, "this provider names itself (RFC 9207)"
    await refused(provider, answer | {"iss": "https://attacker.example"})
    await refused(provider, {name: value for name, value in answer.items() if name != "iss"})


async def test_who_was_not_let_in_over_there_is_not_let_in_here(provider: OpenIdConnect) -> None:
    answer = await signed_in(provider)
    del answer["code"]
    await refused(provider, answer | {"error": "access_denied", "error_description": "<script>"})


async def test_parameters_of_others_are_left_to_others(provider: OpenIdConnect) -> None:
    assert await provider.complete(PARK, {"code": "abc"}) is None
    assert await provider.complete(PARK, {}) is None
    with pytest.raises(Refused):
        await provider.complete(PracticeId("another"), {"state": "x"})


async def test_new_keys_of_the_provider_are_found(
    provider: OpenIdConnect, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await provider.complete(PARK, await signed_in(provider))
    async with httpx2.AsyncClient(trust_env=False) as client:
        await client.post(f"{issuer}/rotate")
    answer = await signed_in(provider)
    await refused(provider, answer)  # it was just asked, and is not asked for each token
    monkeypatch.setattr(keys, "AGAIN", 0.0)
    assert await provider.complete(PARK, await signed_in(provider))


async def test_roles_may_be_where_only_the_userinfo_has_them(http: HttpClient, tmp_path: Path) -> None:
    with openid_provider(tmp_path, BACK, SECRET, "userinfo") as issuer:
        provider = of(issuer, http)
        identity = await provider.complete(PARK, await signed_in(provider))
    assert identity
    assert (identity.role, identity.name) == (Role.PRACTITIONER, "Dr. Katharina Berg")


async def test_signing_out_leads_to_the_provider_and_back(provider: OpenIdConnect, issuer: str) -> None:
    url = await provider.leave(PARK)
    assert url.startswith(f"{issuer}/session/end?")
    assert parse_qs(urlsplit(url).query)["post_logout_redirect_uri"] == [
        "http://localhost:8000/practice/park"
    ]
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).status_code == 200


class Forging:
    """The real provider's answers, but for the ID token."""

    def __init__(self, http: HttpClient, issuer: str) -> None:
        self.http = http
        self.issuer = issuer
        self.forge: Any = None

    async def get(self, url: str, **options: Any) -> Any:
        return await self.http.get(url, **options)

    async def post(self, url: str, **options: Any) -> Any:
        reply = await self.http.post(url, **options)
        found = reply.json()
        real = json.loads(urlsafe_b64decode(found["id_token"].split(".")[1] + "=="))
        found["id_token"] = self.forge(found["id_token"], real)

        class Forged:
            status = reply.status

            def json(self) -> Any:
                return found

        return Forged()


STRANGER = RSAKey.generate_key(2048)


def signed(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    return str(jwt.encode(header, claims, key, algorithms=[header["alg"]]))


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."


FORGERIES = {
    "without a signature": lambda token, claims: unsigned(claims),
    "signed by a stranger": lambda token, claims: signed({"alg": "RS256"}, claims, STRANGER),
    "signed with the client's secret": lambda token, claims: signed(
        {"alg": "HS256"}, claims, OctKey.import_key(SECRET)
    ),
    "changed": lambda token, claims: (
        f"{token.split('.')[0]}."
        + urlsafe_b64encode(json.dumps(claims | {"sub": "chief"}).encode()).rstrip(b"=").decode()
        + f".{token.split('.')[2]}"
    ),
    "nothing": lambda token, claims: "",
    "no token": lambda token, claims: "a.b.c",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_id_token_is_refused(issuer: str, http: HttpClient, forgery: str) -> None:
    forging = Forging(http, issuer)
    forging.forge = FORGERIES[forgery]
    provider = of(issuer, forging)
    await refused(provider, await signed_in(provider))


async def test_an_id_token_for_another_client_or_too_old_is_refused(
    issuer: str, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = of(issuer, http)
    answer = await signed_in(provider)
    found = {}
    real = oidc.CodeIDToken

    def note(claims: Any, *args: Any) -> Any:
        found.update(claims)
        return real(claims, *args)

    monkeypatch.setattr(oidc, "CodeIDToken", note)
    assert await provider.complete(PARK, answer)
    for wrong in ({"aud": "other"}, {"iss": "https://attacker.example"}, {"exp": found["iat"] - 3600}):
        changed = dict(found) | wrong
        monkeypatch.setattr(oidc, "CodeIDToken", lambda claims, *args, c=changed: real(c, *args))
        await refused(provider, await signed_in(provider))


async def test_a_provider_that_is_away_is_said_as_such(http: HttpClient) -> None:
    with pytest.raises(PartnerError):
        await of("http://127.0.0.1:9", http).begin(PARK, BACK)


async def test_an_issuer_that_names_itself_otherwise_is_not_believed(issuer: str, http: HttpClient) -> None:
    """OpenID Connect Discovery 1.0, 4.3."""
    with pytest.raises(PartnerError) as caught:
        await of(issuer.replace("localhost", "127.0.0.1"), http).begin(PARK, BACK)
    assert "otherwise" in caught.value.detail


def test_an_issuer_without_tls_is_refused_at_start_up() -> None:
    with pytest.raises(ValidationError):
        OidcClient.model_validate(settings("http://login.praxis.example"))


def test_a_practice_that_does_not_exist_is_refused_at_start_up() -> None:
    config = FakeConfig({"oidc": {"practices": {"nowhere": settings("https://login.praxis.example")}}})
    with pytest.raises(ConfigurationError, match="nowhere"):
        vsdk_identity_providers(config, None)


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"roles": ["a"]}, "roles", ["a"]),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"roles": "a"}, "roles.more", None),
        ({}, "roles", None),
    ],
)
def test_roles_are_found_by_a_path(claims: dict[str, Any], path: str, found: Any) -> None:
    assert oidc._at(claims, path) == found
