"""Who is signed in, the practice's own accounts, and their passkeys."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from vsdk.domain.errors import Conflict
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.domain.sign_in import Account, Passkey, SignIn
from vsdk.store.database import Database, whole
from vsdk.store.tables import account, passkey, sign_in


class SqlSignIns:
    """The ports `vsdk.hooks.sign_ins.SignInStore` and `vsdk.hooks.sign_ins.AccountStore`."""

    _database: Database

    @whole
    async def add_sign_in(self, one: SignIn, secret_hash: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(sign_in).where(sign_in.c.ends <= one.since))
            await connection.execute(insert(sign_in).values(secret_hash=secret_hash, **asdict(one)))

    @whole
    async def sign_in(self, *, id_: str = "", secret_hash: str = "") -> SignIn | None:
        condition = sign_in.c.id == id_ if id_ else sign_in.c.secret_hash == secret_hash
        async with self._database.read() as connection:
            row = (await connection.execute(select(sign_in).where(condition))).first()
        return _sign_in(row) if row else None

    @whole
    async def sign_ins(self, practice_id: PracticeId) -> list[SignIn]:
        chosen = select(sign_in).where(sign_in.c.practice_id == practice_id).order_by(sign_in.c.used.desc())
        async with self._database.read() as connection:
            return [_sign_in(row) for row in await connection.execute(chosen)]

    @whole
    async def use_sign_in(self, id_: str, now: datetime) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(sign_in).where(sign_in.c.id == id_).values(used=now))

    @whole
    async def end_sign_ins(self, practice_id: PracticeId, *, id_: str = "", subject: str = "") -> list[str]:
        condition = sign_in.c.id == id_ if id_ else sign_in.c.subject == subject
        chosen = (sign_in.c.practice_id == practice_id) & condition
        async with self._database.write() as connection:
            ended = [row.id for row in await connection.execute(select(sign_in.c.id).where(chosen))]
            await connection.execute(delete(sign_in).where(chosen))
        return ended

    @whole
    async def account(self, practice_id: PracticeId, login: str) -> Account | None:
        chosen = select(account).where(account.c.practice_id == practice_id, account.c.login == login)
        async with self._database.read() as connection:
            row = (await connection.execute(chosen)).first()
        return _account(row) if row else None

    @whole
    async def accounts(self, practice_id: PracticeId | None = None) -> list[Account]:
        chosen = select(account).order_by(account.c.practice_id, account.c.login)
        if practice_id is not None:
            chosen = chosen.where(account.c.practice_id == practice_id)
        async with self._database.read() as connection:
            return [_account(row) for row in await connection.execute(chosen)]

    @whole
    async def keep_account(self, one: Account) -> None:
        values = asdict(one)
        async with self._database.write() as connection:
            changed = await connection.execute(update(account).where(account.c.id == one.id).values(values))
            if changed.rowcount:
                return
            try:
                await connection.execute(insert(account).values(values))
            except IntegrityError:
                raise Conflict("there is an account of that name", code="account-exists") from None

    @whole
    async def remove_account(self, id_: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(passkey).where(passkey.c.account_id == id_))
            await connection.execute(delete(account).where(account.c.id == id_))

    @whole
    async def passkeys(self, account_id: str) -> list[Passkey]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(passkey).where(passkey.c.account_id == account_id))
            return [_passkey(row) for row in rows]

    @whole
    async def passkey(self, id_: str) -> tuple[Passkey, Account] | None:
        async with self._database.read() as connection:
            key = (await connection.execute(select(passkey).where(passkey.c.id == id_))).first()
            if key is None:
                return None
            owner = await connection.execute(select(account).where(account.c.id == key.account_id))
            return _passkey(key), _account(owner.one())

    @whole
    async def keep_passkey(self, one: Passkey) -> None:
        values = asdict(one)
        async with self._database.write() as connection:
            changed = await connection.execute(update(passkey).where(passkey.c.id == one.id).values(values))
            if not changed.rowcount:
                await connection.execute(insert(passkey).values(values))


def _of(kind: type, row: Row[Any]) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(kind)}


def _sign_in(row: Row[Any]) -> SignIn:
    return SignIn(**_of(SignIn, row) | {"role": Role(row.role)})


def _account(row: Row[Any]) -> Account:
    return Account(**_of(Account, row) | {"role": Role(row.role)})


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(**_of(Passkey, row))
