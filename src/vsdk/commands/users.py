"""``vsdk user``: who may sign in with an account that the practice itself keeps."""

import getpass
import json
import secrets
import sys
from dataclasses import replace
from typing import TextIO

from vsdk.adapters.identity.accounts import hash_password, login_of
from vsdk.commands.database import opened
from vsdk.domain.errors import NotFound, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import Role
from vsdk.domain.sign_in import Account
from vsdk.links.output import writing
from vsdk.service.clock import SystemClock
from vsdk.settings import Settings
from vsdk.store.sql import SqlStore


def new_password(*, generate: bool, out: TextIO) -> str:
    """Typed in twice, or a line of standard input; or made here, and shown once. Raises UsageError."""
    if generate:
        password = secrets.token_urlsafe(15)
        print(f"Password: {password}", file=out)
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise UsageError("the two passwords are not the same", code="password-weak")
    return first


async def add(
    settings: Settings, practice_id: PracticeId, login: str, name: str, role: Role, password: str, out: TextIO
) -> int:
    """Raises Conflict ``account-exists``, UsageError ``password-weak``."""
    account = Account(
        id=secrets.token_hex(16),
        practice_id=practice_id,
        login=login_of(login),
        name=name or login,
        role=role,
        password_hash=hash_password(password),
        since=SystemClock().now(),
    )
    async with opened(settings) as store:
        await store.keep_account(account)
    print(f"{account.login} may sign in for {practice_id} as {role.value}.", file=out)
    for practice in settings.practices:
        if practice.id == practice_id and "accounts" not in (practice.identity_provider or ""):
            missing = f'identity_provider = "accounts" for {practice_id}, and the plugin'
            print(f"vsdk: nobody is asked for it yet: set {missing}", file=sys.stderr)
    return 0


async def show(settings: Settings, practice_id: PracticeId | None, *, table: bool, out: TextIO) -> int:
    async with opened(settings) as store:
        accounts = await store.accounts(practice_id)
        used = {one.id: await store.sign_ins(one.practice_id) for one in accounts}
    with writing():
        for account in accounts:
            signed_in = sum(one.subject == account.id for one in used[account.id])
            row = {
                "practice": account.practice_id,
                "login": account.login,
                "name": account.name,
                "role": account.role.value,
                "since": account.since.isoformat(),
                "signed_in": signed_in,
            }
            line = (
                "  ".join(str(value) for value in row.values())
                if table
                else json.dumps(row, ensure_ascii=False)
            )
            print(line, file=out)
        out.flush()
    return 0


async def change_password(
    settings: Settings, practice_id: PracticeId, login: str, password: str, out: TextIO
) -> int:
    """Also signs the person out everywhere. Raises NotFound ``account-unknown``."""
    hashed = hash_password(password)
    async with opened(settings) as store:
        account = await _known(store, practice_id, login)
        await store.keep_account(replace(account, password_hash=hashed))
        await store.end_sign_ins(practice_id, subject=account.id)
    print(f"{account.login} has a new password and is signed out everywhere.", file=out)
    return 0


async def remove(settings: Settings, practice_id: PracticeId, login: str, out: TextIO) -> int:
    """Also signs the person out everywhere. Raises NotFound ``account-unknown``."""
    async with opened(settings) as store:
        account = await _known(store, practice_id, login)
        await store.remove_account(account.id)
        await store.end_sign_ins(practice_id, subject=account.id)
    print(f"{account.login} may not sign in for {practice_id} any more.", file=out)
    return 0


def practice_of(settings: Settings, practice: str | None) -> PracticeId:
    """The one that is named, or the only one. Raises UsageError."""
    known = [one.id for one in settings.practices]
    if practice is None and len(known) == 1:
        return PracticeId(known[0])
    if practice not in known:
        raise UsageError(f"name one of the practices with --practice: {', '.join(known)}")
    return PracticeId(practice)


async def _known(store: SqlStore, practice_id: PracticeId, login: str) -> Account:
    account = await store.account(practice_id, login_of(login))
    if account is None:
        raise NotFound("there is no such account", code="account-unknown")
    return account
