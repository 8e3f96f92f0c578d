"""Passkeys of accounts (W3C Web Authentication 3): what a browser is asked for, and whether it answers right.

A passkey stands for login and password together, so the device has to verify its owner. Challenges are known
to this process only, for five minutes, and good once.
"""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from vsdk.domain.errors import Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.sign_in import Account, Passkey
from vsdk.hooks.sign_ins import AccountStore

LIVES = 300.0
"""seconds from a challenge to its answer"""
MOST = 10_000
"""challenges that are open at the same time; of more, the oldest are forgotten"""


class Passkeys:
    """``base_url`` names the host that passkeys are for, and the origin that may use them."""

    def __init__(self, store: AccountStore, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._store = store
        self._host = parts.hostname or ""
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._open: dict[bytes, tuple[float, str]] = {}

    def ask(self) -> dict[str, Any]:
        """What `navigator.credentials.get` takes, as JSON. It names nobody."""
        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=self._challenge(""),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    async def account_of(self, practice_id: PracticeId, answer: str) -> Account:
        """Whose passkey answered. Raises Refused ``sign-in-refused``, whatever is wrong with the answer."""
        try:
            credential = webauthn.helpers.parse_authentication_credential_json(answer)
            found = await self._store.passkey(_text(credential.raw_id))
            if found is None or found[1].practice_id != practice_id:
                raise ValueError("unknown")
            passkey, account = found
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=self._take(credential.response.client_data_json, ""),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError):
            raise Refused("this passkey does not open anything here", code="sign-in-refused") from None
        await self._store.keep_passkey(replace(passkey, sign_count=verified.new_sign_count))
        return account

    async def ask_for_new(self, account: Account) -> dict[str, Any]:
        """What `navigator.credentials.create` takes, as JSON."""
        known = await self._store.passkeys(account.id)
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name=self._host,
            user_name=account.login,
            user_id=account.id.encode(),
            user_display_name=account.name,
            challenge=self._challenge(account.id),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(passkey.id)) for passkey in known
            ],
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    async def keep(self, account: Account, answer: str) -> None:
        """Raises Refused ``passkey-refused``."""
        try:
            credential = webauthn.helpers.parse_registration_credential_json(answer)
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=self._take(credential.response.client_data_json, account.id),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
            id_ = _text(verified.credential_id)
            if await self._store.passkey(id_):
                raise ValueError("known")
        except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError):
            raise Refused("this passkey cannot be kept", code="passkey-refused") from None
        await self._store.keep_passkey(
            Passkey(id_, account.id, verified.credential_public_key, verified.sign_count, datetime.now(UTC))
        )

    def _challenge(self, account_id: str) -> bytes:
        now = time.monotonic()
        kept = [(key, value) for key, value in self._open.items() if value[0] > now]
        self._open = dict(kept[-MOST + 1 :])
        challenge = secrets.token_bytes(32)
        self._open[challenge] = (now + LIVES, account_id)
        return challenge

    def _take(self, client_data: bytes, account_id: str) -> bytes:
        """The challenge that this answers, which is open no more. Raises ValueError."""
        challenge = webauthn.base64url_to_bytes(str(json.loads(client_data)["challenge"]))
        until, meant = self._open.pop(challenge, (0.0, ""))
        if until <= time.monotonic() or meant != account_id:
            raise ValueError("no open challenge")
        return challenge


def _text(id_: bytes) -> str:
    return urlsafe_b64encode(id_).rstrip(b"=").decode()
