"""The contract of an IdentityProvider (see `vsdk.testing.contracts`)."""

import inspect
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import pytest

from vsdk.domain.errors import Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.hooks.ports import Identity, IdentityProvider, Redirect
from vsdk.testing.contract import KEBAB, Contract, Overheard, appears, in_time

RETURN_TO = "https://praxis.example/video/practice/back?to=list"


class IdentityProviderContract(Contract):
    """Give the fixtures

    - ``provider``, and ``practice_id``, a practice that it knows;
    - ``good``, parameters with which a practitioner is let in, and ``bad`` ones, meant for it and wrong;
    - where there are such: ``expired`` ones, and ``single_use``, which are good once and never again;

    and ``secrets``, what the provider keeps to itself.
    """

    @pytest.fixture
    def provider(self) -> IdentityProvider:
        raise NotImplementedError("give the provider under test")

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        raise NotImplementedError("give a practice that it knows")

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        raise NotImplementedError("give parameters with which a practitioner is let in")

    @pytest.fixture
    def bad(self) -> Mapping[str, str]:
        raise NotImplementedError("give parameters that are meant for this provider, and wrong")

    @pytest.fixture
    def expired(self) -> Mapping[str, str] | None:
        return None

    @pytest.fixture
    def single_use(self) -> Mapping[str, str] | None:
        return None

    def test_it_is_an_identity_provider(self, provider: IdentityProvider) -> None:
        assert isinstance(provider, IdentityProvider)
        assert inspect.iscoroutinefunction(provider.begin)
        assert inspect.iscoroutinefunction(provider.complete)
        assert KEBAB.fullmatch(provider.name)

    async def test_signing_in_begins_with_a_redirect_that_leads_back_and_tells_nothing(
        self, provider: IdentityProvider, practice_id: PracticeId
    ) -> None:
        redirect = await in_time(provider.begin(practice_id, RETURN_TO))
        assert isinstance(redirect, Redirect)
        assert urlsplit(redirect.url).scheme == "https", "a sign-in over plain HTTP can be read by anyone"
        assert RETURN_TO in unquote(redirect.url), "nobody would find the way back"
        assert not any(appears(secret, redirect.url) for secret in self.secrets), "URLs end up in logs"

    async def test_who_is_known_is_let_in_to_that_practice(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        good: Mapping[str, str],
        overheard: Overheard,
    ) -> None:
        identity = await in_time(provider.complete(practice_id, good))
        assert isinstance(identity, Identity)
        assert identity.practice_id == practice_id
        assert identity.subject
        assert isinstance(identity.role, Role)
        self.assert_silent(_values(good), overheard.text + repr(identity))

    async def test_parameters_of_others_are_left_to_others(
        self, provider: IdentityProvider, practice_id: PracticeId
    ) -> None:
        for params in ({"of-another-provider": "x"}, {}):
            assert await in_time(provider.complete(practice_id, params)) is None

    async def test_wrong_parameters_are_refused_and_not_shown(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        bad: Mapping[str, str],
        overheard: Overheard,
    ) -> None:
        await self._refused(provider, practice_id, bad, overheard)

    async def test_senseless_values_let_nobody_in(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        bad: Mapping[str, str],
        overheard: Overheard,
    ) -> None:
        for value in ("", "\0", "ü\n", "\ud800", "x" * 100_000, "e30.e30.", "[" * 10_000):
            params = dict.fromkeys(bad, value)
            try:
                assert await in_time(provider.complete(practice_id, params)) is None
            except Refused as error:
                self.assert_silent(_values(params), overheard.text, error)

    async def test_what_is_out_of_date_is_refused(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        expired: Mapping[str, str] | None,
        overheard: Overheard,
    ) -> None:
        if expired is None:
            pytest.skip("the fixture `expired` is not given: nothing here ends")
        await self._refused(provider, practice_id, expired, overheard)

    async def test_what_is_good_once_is_refused_the_second_time(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        single_use: Mapping[str, str] | None,
        overheard: Overheard,
    ) -> None:
        if single_use is None:
            pytest.skip("the fixture `single_use` is not given: everything here is good for more than once")
        assert isinstance(await in_time(provider.complete(practice_id, single_use)), Identity)
        await self._refused(provider, practice_id, single_use, overheard)

    async def test_nobody_is_let_in_to_another_practice(
        self, provider: IdentityProvider, good: Mapping[str, str], overheard: Overheard
    ) -> None:
        await self._refused(provider, PracticeId("there-is-no-such-practice"), good, overheard)

    async def _refused(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        params: Mapping[str, str],
        overheard: Overheard,
    ) -> None:
        with pytest.raises(Refused) as caught:
            await in_time(provider.complete(practice_id, params))
        assert KEBAB.fullmatch(caught.value.code)
        self.assert_silent(_values(params), overheard.text, caught.value)


def _values(params: Mapping[str, str]) -> list[str]:
    return [value for value in params.values() if len(value) > 2]
