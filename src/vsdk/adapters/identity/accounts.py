"""Accounts that the practice itself keeps: login and password, made by ``vsdk user add``. No settings.

Passwords are hashed with Argon2id (RFC 9106). Whether a login exists is not told: a wrong one takes as long,
answers alike, and is limited alike.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from vsdk.adapters.identity.passkeys import Passkeys
from vsdk.domain.errors import RateLimited, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.sign_in import Account
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config, Identity, Redirect
from vsdk.hooks.sign_ins import AccountStore

SHORTEST, LONGEST = 12, 200
"""characters of a password (NIST SP 800-63B-4, 3.1.1.2: length, and no rules about kinds of characters)"""
FAILURES, WITHIN = 10, 900.0
"""wrong passwords for one login, and the seconds in which they count"""
AT_ONCE = 2
"""passwords that are hashed at the same time: each takes 64 MiB"""

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("of nobody")


def hash_password(password: str) -> str:
    """Raises UsageError ``password-weak``."""
    if len(password) < SHORTEST or len(set(password)) < SHORTEST // 3:
        raise UsageError(
            f"a password needs at least {SHORTEST} characters, and not all alike", code="password-weak"
        )
    if len(password) > LONGEST:
        raise UsageError(f"a password has at most {LONGEST} characters", code="password-weak")
    return _hasher.hash(password)


def login_of(text: str) -> str:
    """As it is kept and compared."""
    return text.strip().casefold()


class Failures:
    """Wrong passwords by practice and login, of logins that exist and of others."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], list[float]] = {}

    def check(self, key: tuple[str, str], now: float) -> None:
        """Raises RateLimited."""
        times = [at for at in self._times.get(key, ()) if now - at < WITHIN]
        if len(times) >= FAILURES:
            raise RateLimited("too many wrong passwords; wait a while", retry_after=WITHIN - (now - times[0]))

    def add(self, key: tuple[str, str], now: float) -> None:
        recent = {k: [at for at in times if now - at < WITHIN] for k, times in self._times.items()}
        self._times = {k: times for k, times in recent.items() if times}
        self._times.setdefault(key, []).append(now)

    def forget(self, key: tuple[str, str]) -> None:
        self._times.pop(key, None)


class Accounts:
    """An IdentityProvider: the page asks for login and password, or for a passkey."""

    name = "accounts"
    asks = ("login", "password", "passkey")

    def __init__(self, store: AccountStore, base_url: str) -> None:
        self._store = store
        self._passkeys = Passkeys(store, base_url)
        self._failures = Failures()
        self._hashing = asyncio.Semaphore(AT_ONCE)

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        """Nothing but the page itself is needed."""
        return Redirect(return_to)

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        """``params`` hold ``login`` and ``password``, or ``passkey``, the answer of a browser as JSON.

        Raises Refused ``sign-in-refused``, RateLimited.
        """
        if "passkey" in params:
            return _identity(await self._passkeys.account_of(practice_id, params["passkey"]))
        if "login" not in params:
            return None
        login, password = login_of(params["login"])[:LONGEST], params.get("password", "")[: LONGEST + 1]
        key, now = (practice_id, login), time.monotonic()
        self._failures.check(key, now)
        account = await self._known(practice_id, login)
        right = await self._right(account.password_hash if account else "", password)
        if account is None or not right:
            self._failures.add(key, now)
            raise Refused("login or password is wrong", code="sign-in-refused")
        self._failures.forget(key)
        if _hasher.check_needs_rehash(account.password_hash):
            hashed = await asyncio.to_thread(_hasher.hash, password)
            await self._store.keep_account(replace(account, password_hash=hashed))
        return _identity(account)

    async def ask_for_passkey(self) -> dict[str, Any]:
        return self._passkeys.ask()

    async def ask_for_new_passkey(self, practice_id: PracticeId, subject: str) -> dict[str, Any]:
        return await self._passkeys.ask_for_new(await self._of(practice_id, subject))

    async def keep_passkey(self, practice_id: PracticeId, subject: str, answer: str) -> None:
        await self._passkeys.keep(await self._of(practice_id, subject), answer)

    async def _of(self, practice_id: PracticeId, subject: str) -> Account:
        accounts = await self._store.accounts(practice_id)
        account = next((one for one in accounts if one.id == subject), None)
        if account is None:
            raise Refused("there is no such account any more", code="passkey-refused")
        return account

    async def _known(self, practice_id: PracticeId, login: str) -> Account | None:
        try:
            login.encode()
        except UnicodeEncodeError:
            return None
        return None if "\0" in login else await self._store.account(practice_id, login)

    async def _right(self, password_hash: str, password: str) -> bool:
        async with self._hashing:
            return await asyncio.to_thread(_matches, password_hash or _NOBODY, password) and bool(
                password_hash
            )


def _identity(account: Account) -> Identity:
    return Identity(account.id, account.role, account.practice_id, account.name)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False


@hookimpl
def vsdk_identity_providers(config: Config, accounts: AccountStore) -> Sequence[Accounts]:
    return [Accounts(accounts, config.base_url)]
