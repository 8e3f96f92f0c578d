"""Signing in with a practice's access code."""

from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from vsdk.adapters.identity.local_login import LocalLogin, vsdk_identity_providers
from vsdk.domain.errors import ConfigurationError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.hooks.ports import Redirect
from vsdk.testing.contracts import IdentityProviderContract
from vsdk.testing.fakes import FakeConfig

PRACTICE = PracticeId("practice")
CODE = "quiet-otter-swims"


def provider(codes: object) -> LocalLogin:
    (found,) = vsdk_identity_providers(FakeConfig({"local_login": {"codes": codes}}))
    return found


class TestContract(IdentityProviderContract):
    secrets = (CODE,)

    @pytest.fixture
    def provider(self) -> LocalLogin:
        return provider({"practice": SecretStr(CODE)})

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PRACTICE

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return {"code": f" {CODE}\n"}

    @pytest.fixture
    def bad(self) -> Mapping[str, str]:
        return {"code": f"{CODE}-not"}


async def test_who_knows_the_code_is_a_practitioner() -> None:
    identity = await provider({"practice": SecretStr(CODE)}).complete(PRACTICE, {"code": CODE})
    assert identity
    assert (identity.subject, identity.role) == ("local", Role.PRACTITIONER)


@pytest.mark.parametrize("code", ["", " ", CODE.upper(), "ü" * 16, "\ud800"])
async def test_anything_else_is_refused(code: str) -> None:
    with pytest.raises(Refused) as caught:
        await provider({"practice": SecretStr(CODE)}).complete(PRACTICE, {"code": code})
    assert caught.value.code == "sign-in-refused"


async def test_a_practice_without_a_code_lets_nobody_in() -> None:
    for code in ("", CODE):
        with pytest.raises(Refused):
            await provider({}).complete(PRACTICE, {"code": code})


async def test_signing_in_needs_no_other_page() -> None:
    assert await provider({}).begin(PRACTICE, "https://praxis.example/p") == Redirect(
        "https://praxis.example/p"
    )


def test_short_codes_and_unknown_practices_stop_the_start_without_showing_a_code() -> None:
    for codes in ({"practice": SecretStr("s3cret-too-shor")}, {"typo": SecretStr("s3cret-long-enough")}):
        with pytest.raises(ConfigurationError) as caught:
            provider(codes)
        assert "s3cret" not in str(caught.value)
