"""Signing in with an account that the practice itself keeps."""

import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from statistics import median

import pytest

from vsdk.adapters.identity import accounts
from vsdk.adapters.identity.accounts import FAILURES, Accounts, hash_password, vsdk_identity_providers
from vsdk.domain.errors import RateLimited, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.domain.sign_in import Account
from vsdk.store.sql import SqlStore
from vsdk.testing.contracts import IdentityProviderContract
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeConfig

PARK = PracticeId("park")
PASSWORD = "quiet otters swim home"
BERG = Account("a1", PARK, "berg", "Dr. Katharina Berg", Role.PRACTITIONER, hash_password(PASSWORD), NOON)
MEIER = Account("a2", PARK, "meier", "Rita Meier", Role.STAFF, hash_password(PASSWORD + "!"), NOON)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'accounts.sqlite3'}")
    await opened.open()
    for account in (BERG, MEIER):
        await opened.keep_account(account)
    yield opened
    await opened.close()


class Known:
    """Of the port, what signing in asks for; the tests below ask the real one."""

    async def account(self, practice_id: PracticeId, login: str) -> Account | None:
        return BERG if (practice_id, login) == (PARK, "berg") else None


class TestContract(IdentityProviderContract):
    secrets = (PASSWORD,)

    @pytest.fixture
    def provider(self) -> Accounts:
        (found,) = vsdk_identity_providers(FakeConfig({}), Known())  # type: ignore[arg-type]
        return found

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PARK

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return {"login": " Berg ", "password": PASSWORD}

    @pytest.fixture
    def bad(self) -> Mapping[str, str]:
        return {"login": "berg", "password": PASSWORD + "?"}


async def refused(provider: Accounts, login: str, password: str) -> Refused:
    with pytest.raises(Refused) as caught:
        await provider.complete(PARK, {"login": login, "password": password})
    return caught.value


async def test_each_has_their_role_and_their_name(store: SqlStore) -> None:
    provider = Accounts(store, "https://praxis.example")
    doctor = await provider.complete(PARK, {"login": "BERG", "password": PASSWORD})
    staff = await provider.complete(PARK, {"login": "meier", "password": PASSWORD + "!"})
    assert doctor
    assert staff
    assert (doctor.subject, doctor.role, doctor.name) == ("a1", Role.PRACTITIONER, "Dr. Katharina Berg")
    assert (staff.subject, staff.role) == ("a2", Role.STAFF)


async def test_whether_a_login_exists_is_not_told_by_words_or_time(store: SqlStore) -> None:
    provider = Accounts(store, "https://praxis.example")
    taken: dict[str, list[float]] = {"berg": [], "nobody": []}
    for _ in range(5):
        for login, times in taken.items():
            begun = time.perf_counter()
            error = await refused(provider, login, "wrong password")
            times.append(time.perf_counter() - begun)
            assert (error.code, error.detail) == ("sign-in-refused", "login or password is wrong")
    known, unknown = (median(times) for times in taken.values())
    assert 0.5 < known / unknown < 2


async def test_passwords_cannot_be_tried_out(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Accounts(store, "https://praxis.example")
    now = 1000.0
    monkeypatch.setattr(accounts.time, "monotonic", lambda: now)
    for login in ("berg", "nobody"):
        for _ in range(FAILURES):
            assert (await refused(provider, login, "wrong password")).code == "sign-in-refused"
        error = await refused(provider, login, PASSWORD)
        assert isinstance(error, RateLimited), "also the right one, which would tell"
        assert error.retry_after == pytest.approx(900)
    assert await provider.complete(PARK, {"login": "meier", "password": PASSWORD + "!"}), "only that login"
    now += 901
    assert await provider.complete(PARK, {"login": "berg", "password": PASSWORD})


async def test_a_right_password_forgets_the_wrong_ones(store: SqlStore) -> None:
    provider = Accounts(store, "https://praxis.example")
    for _ in range(2):
        for _ in range(FAILURES - 1):
            await refused(provider, "berg", "wrong password")
        assert await provider.complete(PARK, {"login": "berg", "password": PASSWORD})


async def test_an_account_without_a_password_cannot_be_opened_by_one(store: SqlStore) -> None:
    await store.keep_account(Account("a3", PARK, "keyless", "", Role.STAFF, "", NOON))
    for password in ("", "of nobody"):
        await refused(Accounts(store, "https://praxis.example"), "keyless", password)


async def test_another_practice_knows_nobody_of_this_one(store: SqlStore) -> None:
    with pytest.raises(Refused):
        await Accounts(store, "https://praxis.example").complete(
            PracticeId("mitte"), {"login": "berg", "password": PASSWORD}
        )


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaaa", "abababababababab", "x" * 201])
def test_a_weak_password_is_not_taken(password: str) -> None:
    with pytest.raises(UsageError) as caught:
        hash_password(password)
    assert caught.value.code == "password-weak"


def test_a_hash_is_argon2id_and_never_the_same() -> None:
    assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hash_password(PASSWORD) != hash_password(PASSWORD)
