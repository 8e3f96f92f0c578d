"""Who is signed in, and accounts, in a real database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vsdk.domain.errors import Conflict
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.domain.sign_in import IDLE, LONGEST, Account, Passkey, SignIn, device_of
from vsdk.testing.factories import NOON

PARK, MITTE = PracticeId("park"), PracticeId("mitte")


def sign_in(id_: str = "s1", **changes: Any) -> SignIn:
    one = SignIn(
        id=id_,
        practice_id=PARK,
        subject="berg",
        role=Role.PRACTITIONER,
        name="Dr. Katharina Berg",
        provider="accounts",
        device="Firefox, Linux",
        since=NOON,
        used=NOON,
        ends=NOON + LONGEST,
    )
    return replace(one, **changes)


def account(id_: str = "a1", login: str = "berg", practice_id: PracticeId = PARK) -> Account:
    return Account(id_, practice_id, login, "Dr. Katharina Berg", Role.PRACTITIONER, "$argon2id$…", NOON)


async def test_a_sign_in_is_found_by_id_and_by_the_hash_of_its_secret(store: Any) -> None:
    await store.add_sign_in(sign_in(), "h1")
    assert await store.sign_in(id_="s1") == await store.sign_in(secret_hash="h1") == sign_in()
    assert await store.sign_in(id_="s2") is None
    assert await store.sign_in(secret_hash="h2") is None
    later = NOON + timedelta(minutes=5)
    await store.use_sign_in("s1", later)
    assert (await store.sign_in(id_="s1")).used == later


async def test_those_of_a_practice_are_listed_and_ended_one_by_one_or_all_of_a_person(store: Any) -> None:
    await store.add_sign_in(sign_in("s1"), "h1")
    await store.add_sign_in(sign_in("s2", used=NOON + timedelta(minutes=1)), "h2")
    await store.add_sign_in(sign_in("s3", subject="meier"), "h3")
    await store.add_sign_in(sign_in("s4", practice_id=MITTE), "h4")
    assert [one.id for one in await store.sign_ins(PARK)] == ["s2", "s1", "s3"]
    assert await store.end_sign_ins(MITTE, id_="s1") == []
    assert await store.end_sign_ins(PARK, id_="s3") == ["s3"]
    assert sorted(await store.end_sign_ins(PARK, subject="berg")) == ["s1", "s2"]
    assert await store.sign_ins(PARK) == []
    assert [one.id for one in await store.sign_ins(MITTE)] == ["s4"]


async def test_what_is_over_is_forgotten_with_the_next_one(store: Any) -> None:
    await store.add_sign_in(sign_in("s1"), "h1")
    await store.add_sign_in(sign_in("s2", since=NOON + LONGEST, ends=NOON + 2 * LONGEST), "h2")
    assert [one.id for one in await store.sign_ins(PARK)] == ["s2"]


def test_a_sign_in_ends_when_it_is_idle_and_at_its_end() -> None:
    one = sign_in()
    assert one.valid(NOON + IDLE - timedelta(seconds=1))
    assert not one.valid(NOON + IDLE)
    used = replace(one, used=NOON + LONGEST - timedelta(minutes=1))
    assert used.valid(NOON + LONGEST - timedelta(seconds=1))
    assert not used.valid(NOON + LONGEST)


async def test_accounts_are_unique_within_a_practice_and_go_with_their_passkeys(store: Any) -> None:
    await store.keep_account(account())
    await store.keep_account(account("a2", practice_id=MITTE))
    with pytest.raises(Conflict) as caught:
        await store.keep_account(account("a3"))
    assert caught.value.code == "account-exists"
    changed = replace(account(), name="Dr. K. Berg")
    await store.keep_account(changed)
    assert await store.account(PARK, "berg") == changed
    assert await store.account(PARK, "nobody") is None
    assert [one.id for one in await store.accounts()] == ["a2", "a1"]
    assert [one.id for one in await store.accounts(PARK)] == ["a1"]

    key = Passkey("credential", "a1", b"\x01\x02", 3, NOON)
    await store.keep_passkey(key)
    await store.keep_passkey(replace(key, sign_count=4))
    assert await store.passkey("credential") == (replace(key, sign_count=4), changed)
    assert await store.passkeys("a1") == [replace(key, sign_count=4)]
    await store.remove_account("a1")
    assert await store.passkey("credential") is None
    assert await store.accounts(PARK) == []


@pytest.mark.parametrize(
    ("told", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8", ""),
    ],
)
def test_a_device_has_two_words(told: str, device: str) -> None:
    assert device_of(told) == device
