import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from vsdk.domain.errors import Refused
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant
from vsdk.domain.participant import Capability, Role
from vsdk.service.clock import SystemClock
from vsdk.service.grants import Grants, handle_hash
from vsdk.testing.factories import NOON

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
LIFETIME = timedelta(minutes=10)
GRANTS = Grants(KEY, LIFETIME)


def a_grant(**changes: Any) -> AccessGrant:
    values: dict[str, Any] = {
        "practice_id": PracticeId("practice"),
        "visit_id": VisitId("v1"),
        "participant_id": ParticipantId("p1"),
        "role": Role.PATIENT,
        "capabilities": frozenset({Capability.WAIT, Capability.TALK}),
        "now": NOON,
    }
    return GRANTS.issue(**(values | changes))


def refusal(token: str, *, grants: Grants = GRANTS, after: timedelta = timedelta(0)) -> str:
    with pytest.raises(Refused) as caught:
        grants.read(token, NOON + after)
    assert token not in str(caught.value) or not token
    return caught.value.code


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return json.loads(_decoded(header)), json.loads(_decoded(claims)), signature


def joined(header: dict[str, Any], claims: dict[str, Any], signature: str) -> str:
    return f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}.{signature}"


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.mark.parametrize("visit", [VisitId("v1"), None], ids=["visit", "list"])
@pytest.mark.parametrize("role", Role)
def test_a_grant_survives_signing_and_reading(visit: VisitId | None, role: Role) -> None:
    grant = a_grant(visit_id=visit, role=role, capabilities=frozenset({Capability.LIST}))
    assert GRANTS.read(GRANTS.sign(grant), NOON) == grant


def test_a_grant_carries_whole_seconds_and_lives_for_its_lifetime() -> None:
    grant = a_grant(now=NOON + timedelta(microseconds=999_999))
    assert (grant.issued, grant.expires) == (NOON, NOON + LIFETIME)


def test_a_grant_ends_at_the_moment_it_expires() -> None:
    token = GRANTS.sign(a_grant())
    assert GRANTS.read(token, NOON + LIFETIME - timedelta(microseconds=1)) == a_grant()
    assert refusal(token, after=LIFETIME) == "grant-expired"
    assert refusal(token, after=timedelta(days=900)) == "grant-expired"


def test_another_key_does_not_open_it() -> None:
    assert refusal(GRANTS.sign(a_grant()), grants=Grants(OTHER_KEY, LIFETIME)) == "grant-invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "p2"},
        {"visit": "v2"},
        {"visit": None},
        {"practice": "another"},
        {"role": "practitioner"},
        {"can": ["admit", "list", "talk"]},
        {"exp": 99_999_999_999},
        {"aud": "elsewhere"},
    ],
)
def test_a_changed_grant_is_invalid(changes: dict[str, Any]) -> None:
    header, claims, signature = parts(GRANTS.sign(a_grant()))
    assert claims.keys() >= changes.keys()
    assert refusal(joined(header, claims | changes, signature)) == "grant-invalid"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS384", "HS512", "RS256"])
def test_another_algorithm_is_refused_with_and_without_a_signature(alg: str) -> None:
    header, claims, signature = parts(GRANTS.sign(a_grant()))
    for end in ("", signature):
        assert refusal(joined(header | {"alg": alg}, claims, end)) == "grant-invalid"


def signed(claims: Any, alg: str = "HS256") -> str:
    """A token with the right key, but other claims."""
    key = OctKey.import_key(GRANTS._signing_key.raw_value)
    return jwt.encode({"alg": alg}, claims, key, algorithms=[alg])


def test_signed_with_the_right_key_another_algorithm_or_audience_is_refused() -> None:
    _, claims, _ = parts(GRANTS.sign(a_grant()))
    assert GRANTS.read(signed(claims), NOON) == a_grant()
    assert refusal(signed(claims, "HS512")) == "grant-invalid"
    for audience in ("elsewhere", ["signalling", "elsewhere"], None, ""):
        assert refusal(signed(claims | {"aud": audience})) == "grant-invalid"


@pytest.mark.parametrize("name", ["aud", "iat", "exp", "practice", "visit", "sub", "role", "can"])
def test_a_grant_that_lacks_a_claim_is_invalid(name: str) -> None:
    _, claims, _ = parts(GRANTS.sign(a_grant()))
    del claims[name]
    assert refusal(signed(claims)) == "grant-invalid"


@pytest.mark.parametrize(
    "changes", [{"role": "admin"}, {"can": ["fly"]}, {"can": None}, {"exp": "soon"}, {"iat": None}]
)
def test_a_grant_with_strange_claims_is_invalid(changes: dict[str, Any]) -> None:
    _, claims, _ = parts(GRANTS.sign(a_grant()))
    assert refusal(signed(claims | changes)) == "grant-invalid"


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "a.b.c.d.e", "ü.ö.ä", "\x00", "e30.e30.", "x" * 100_000]
)
def test_what_is_no_token_is_invalid(token: str) -> None:
    assert refusal(token) == "grant-invalid"


def test_a_token_holds_no_name() -> None:
    _, claims, _ = parts(GRANTS.sign(a_grant()))
    assert claims.keys() == {"aud", "iat", "exp", "practice", "visit", "sub", "role", "can"}


def test_a_handle_is_22_characters_and_only_its_hash_is_kept() -> None:
    handle = GRANTS.handle("a-link")
    assert len(handle) == 22
    assert set(handle) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert handle_hash(handle) == hashlib.sha256(handle.encode()).hexdigest()


def test_handles_depend_on_link_and_key_and_are_always_the_same() -> None:
    assert GRANTS.handle("a-link") == Grants(KEY, LIFETIME).handle("a-link")
    handles = {GRANTS.handle(f"link-{i}") for i in range(1000)}
    assert len(handles) == 1000
    assert Grants(OTHER_KEY, LIFETIME).handle("a-link") != GRANTS.handle("a-link")


def test_the_address_of_a_join_link_fits_an_sms() -> None:
    base_url = "https://" + "a" * 22 + ".example/video"
    assert len("a" * 22 + ".example") == 30
    assert len(f"{base_url}/j#{GRANTS.handle(SystemClock().token())}") <= 100


def test_the_systems_tokens_are_22_characters_and_differ() -> None:
    tokens = {SystemClock().token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {22}
    assert SystemClock().now().utcoffset() == timedelta(0)
