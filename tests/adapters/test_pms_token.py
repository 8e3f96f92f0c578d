"""Opening the list with a token that the practice management system signed: with real keys and signatures."""

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from pydantic import ValidationError

from vsdk.adapters.identity import keys
from vsdk.adapters.identity.pms_token import PmsToken, vsdk_identity_providers
from vsdk.adapters.identity.pms_token_settings import PmsIssuer
from vsdk.domain.errors import ConfigurationError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.testing.contracts import IdentityProviderContract
from vsdk.testing.fakes import FakeConfig

PARK = PracticeId("park")
BASE = "https://praxis.example/video"
KEY, OTHER = (ECKey.generate_key("P-256", {"kid": name}) for name in ("one", "two"))


def public(*of: ECKey) -> str:
    return json.dumps(KeySet(list(of)).as_dict(private=False))


def token(key: Any = KEY, alg: str = "ES256", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://pms.example",
        "aud": BASE,
        "sub": "user-17",
        "name": "Dr. Katharina Berg",
        "practice": "park",
        "role": "practitioner",
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid.uuid4()),
    } | changes
    given = {name: value for name, value in claims.items() if value is not None}
    return str(jwt.encode({"alg": alg, "kid": key.kid or "one"}, given, key, algorithms=[alg]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "pms.jwks"
    found.write_text(public(KEY), encoding="utf-8")
    return found


@pytest.fixture
def provider(file: Path) -> PmsToken:
    issuer = PmsIssuer(issuer="https://pms.example", jwks_file=file)
    return PmsToken({"park": issuer}, None, BASE)  # type: ignore[arg-type]


class TestContract(IdentityProviderContract):
    @pytest.fixture
    def provider(self, file: Path) -> PmsToken:
        issuer = PmsIssuer(issuer="https://pms.example", jwks_file=file)
        return PmsToken({"park": issuer}, None, BASE)  # type: ignore[arg-type]

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PARK

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return {"token": token()}

    @pytest.fixture
    def bad(self) -> Mapping[str, str]:
        return {"token": token(OTHER)}

    @pytest.fixture
    def expired(self) -> Mapping[str, str]:
        past = int(time.time()) - 600
        return {"token": token(iat=past, exp=past + 60)}

    @pytest.fixture
    def single_use(self) -> Mapping[str, str]:
        return {"token": token()}


async def test_who_the_system_names_is_let_in(provider: PmsToken) -> None:
    doctor = await provider.complete(PARK, {"token": token()})
    assert doctor
    assert (doctor.subject, doctor.role, doctor.name) == ("user-17", Role.PRACTITIONER, "Dr. Katharina Berg")
    staff = await provider.complete(PARK, {"token": token(role="staff", aud=[BASE, "other"], name=None)})
    assert staff
    assert (staff.role, staff.name) == (Role.STAFF, "")


NOW = int(time.time())
WRONG: list[dict[str, Any]] = [
    {"iss": "https://attacker.example"},
    {"aud": "https://another.example"},
    {"practice": "mitte"},
    {"role": "patient"},
    {"role": "admin"},
    {"sub": ""},
    {"exp": NOW + 3600},
    {"iat": NOW + 600, "exp": NOW + 660},
    {"exp": "soon"},
    *({name: None} for name in ("iss", "aud", "sub", "practice", "role", "iat", "exp", "jti")),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: "-".join(f"{k}={v}" for k, v in wrong.items()))
async def test_anything_that_is_not_as_agreed_is_refused(provider: PmsToken, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        await provider.complete(PARK, {"token": token(**wrong)})
    assert caught.value.code == "sign-in-refused"


async def test_a_signature_of_others_or_with_a_shared_secret_is_refused(provider: PmsToken) -> None:
    shared = OctKey.import_key(public(KEY))
    for forged in (token(OTHER), token(shared, "HS256"), token()[:-4] + "AAAA", "a.b.c", ""):
        with pytest.raises(Refused):
            await provider.complete(PARK, {"token": forged})


async def test_a_new_key_of_the_system_is_found(
    provider: PmsToken, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await provider.complete(PARK, {"token": token()})
    file.write_text(public(KEY, OTHER), encoding="utf-8")
    monkeypatch.setattr(keys, "AGAIN", 0.0)
    assert await provider.complete(PARK, {"token": token(OTHER)})


def test_keys_come_from_one_place() -> None:
    for settings in ({}, {"jwks_uri": "https://pms.example/keys", "jwks_file": "x"}):
        with pytest.raises(ValidationError):
            PmsIssuer.model_validate({"issuer": "https://pms.example"} | settings)


def test_a_practice_that_does_not_exist_is_refused_at_start_up() -> None:
    issuer = {"issuer": "https://pms.example", "jwks_uri": "https://pms.example/keys"}
    with pytest.raises(ConfigurationError, match="nowhere"):
        vsdk_identity_providers(FakeConfig({"pms_token": {"practices": {"nowhere": issuer}}}), None)
