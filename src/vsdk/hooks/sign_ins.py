"""The ports for sign-ins and accounts; `vsdk.hooks.store.Store` has them all."""

from datetime import datetime
from typing import Protocol

from vsdk.domain.ids import PracticeId
from vsdk.domain.sign_in import Account, Passkey, SignIn


class SignInStore(Protocol):
    """Who is signed in for a practice."""

    async def add_sign_in(self, one: SignIn, secret_hash: str) -> None:
        """Also forgets those that are over."""

    async def sign_in(self, *, id_: str = "", secret_hash: str = "") -> SignIn | None:
        """By one of the two."""

    async def sign_ins(self, practice_id: PracticeId) -> list[SignIn]:
        """Last used first."""

    async def use_sign_in(self, id_: str, now: datetime) -> None: ...
    async def end_sign_ins(self, practice_id: PracticeId, *, id_: str = "", subject: str = "") -> list[str]:
        """One, or all of a person. Gives the ids of those that there were."""


class AccountStore(Protocol):
    """The people whom a practice itself lets in."""

    async def account(self, practice_id: PracticeId, login: str) -> Account | None: ...
    async def accounts(self, practice_id: PracticeId | None = None) -> list[Account]:
        """By practice and login."""

    async def keep_account(self, one: Account) -> None:
        """A new one, or the same changed. Raises Conflict ``account-exists`` for a login that is taken."""

    async def remove_account(self, id_: str) -> None:
        """With its passkeys."""

    async def passkeys(self, account_id: str) -> list[Passkey]: ...
    async def passkey(self, id_: str) -> tuple[Passkey, Account] | None:
        """By the credential's id, with whom it belongs to."""

    async def keep_passkey(self, one: Passkey) -> None:
        """A new one, or the same after it was used."""


class SignIns(SignInStore, AccountStore, Protocol):
    """Both."""
