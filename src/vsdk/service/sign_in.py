"""Signing in for a practice: from what an identity provider vouches for to a sign-in, and to grants."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vsdk.domain.effects import Audit
from vsdk.domain.errors import NotFound, PartnerError, Refused
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import AccessGrant
from vsdk.domain.participant import CAPABILITIES, Capability, Role
from vsdk.domain.practice import Practice
from vsdk.domain.sign_in import LONGEST, SignIn, device_of
from vsdk.hooks.ports import Identity, IdentityProvider, PasskeyProvider, Redirect
from vsdk.hooks.store import Store
from vsdk.service.clock import Clock
from vsdk.service.join import Granted, JoinService

LONGEST_NAME = 255
"""characters of a subject (OpenID Connect Core 1.0, 2) and of a name, as the database has room for"""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``secret`` is what the browser keeps, 256 random bits; it is not known here afterwards."""

    secret: str = field(repr=False)
    sign_in: SignIn
    granted: Granted
    practice: Practice


class SignInService:
    """Sign-ins of all practices. ``ended`` is told of each that somebody ends, so that its pages close."""

    def __init__(
        self,
        store: Store,
        join: JoinService,
        clock: Clock,
        practices: Mapping[PracticeId, Practice],
        providers: Mapping[PracticeId, Sequence[IdentityProvider]],
        ended: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._join = join
        self._clock = clock
        self._practices = practices
        self._providers = providers
        self._ended = ended

    def asks(self, practice_id: PracticeId) -> tuple[str, ...]:
        """What the page asks for; empty where the browser goes elsewhere. Raises NotFound
        ``practice-unknown`` where nobody can sign in."""
        return tuple(getattr(self._provider(practice_id), "asks", ()))

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        """Raises NotFound ``practice-unknown``, and as the provider does."""
        return await self._provider(practice_id).begin(practice_id, return_to)

    async def complete(
        self, practice_id: PracticeId, params: Mapping[str, str], user_agent: str = ""
    ) -> SignedIn:
        """Always a new sign-in with a secret of its own. Raises Refused ``sign-in-refused``."""
        practice = self._practices.get(practice_id)
        provider, identity = await self._identify(practice_id, params)
        if practice is None or not _belongs(identity, practice_id) or len(identity.subject) > LONGEST_NAME:
            raise Refused("sign-in is not possible with this", code="sign-in-refused")
        now, secret = self._clock.now(), secrets.token_urlsafe(32)
        sign_in = SignIn(
            id=secrets.token_hex(16),
            practice_id=practice_id,
            subject=identity.subject,
            role=identity.role,
            name=identity.name[:LONGEST_NAME],
            provider=provider.name,
            device=device_of(user_agent),
            since=now,
            used=now,
            ends=now + LONGEST,
        )
        await self._store.add_sign_in(sign_in, _hash(secret))
        await self._note(sign_in, "signed-in")
        return SignedIn(secret, sign_in, self._grant(sign_in), practice)

    async def _identify(
        self, practice_id: PracticeId, params: Mapping[str, str]
    ) -> tuple[IdentityProvider, Identity]:
        """By the first provider whose parameters these are."""
        for provider in self._providers.get(practice_id, ()):
            identity = await provider.complete(practice_id, params)
            if identity is not None:
                return provider, identity
        raise Refused("sign-in is not possible with this", code="sign-in-refused")

    async def resume(self, practice_id: PracticeId, secret: str) -> SignedIn:
        """A page that was loaded anew. Raises Refused ``sign-in-over``."""
        found = await self._store.sign_in(secret_hash=_hash(secret)) if secret else None
        if found is None or found.practice_id != practice_id or not found.valid(self._clock.now()):
            raise Refused("please sign in again", code="sign-in-over")
        await self._store.use_sign_in(found.id, self._clock.now())
        return SignedIn(secret, found, self._grant(found), self._practices[practice_id])

    async def forget(self, secret: str) -> SignIn | None:
        """Ends the sign-in of this browser, if there is one, and tells which it was."""
        found = await self._store.sign_in(secret_hash=_hash(secret)) if secret else None
        if found is not None:
            await self._end(found)
        return found

    async def sign_out(self, secret: str) -> str:
        """Where the browser goes to sign out there too; empty where it stays. Nothing happens twice."""
        found = await self.forget(secret)
        if found is None:
            return ""
        for provider in self._providers.get(found.practice_id, ()):
            if provider.name == found.provider and hasattr(provider, "leave"):
                try:
                    return str(await provider.leave(found.practice_id))
                except PartnerError:  # signed out here, whatever is the matter there
                    return ""
        return ""

    async def passkey_options(self, practice_id: PracticeId) -> dict[str, Any]:
        """What a browser is asked for. Raises NotFound ``passkeys-not-offered``."""
        for provider in self._providers.get(practice_id, ()):
            if isinstance(provider, PasskeyProvider):
                return await provider.ask_for_passkey()
        raise NotFound("this practice has no passkeys", code="passkeys-not-offered")

    async def new_passkey_options(self, holder: AccessGrant) -> dict[str, Any]:
        """For whoever is signed in. Raises NotFound ``passkeys-not-offered``."""
        provider, subject = await self._passkeys_of(holder)
        return await provider.ask_for_new_passkey(holder.practice_id, subject)

    async def keep_passkey(self, holder: AccessGrant, answer: str) -> None:
        """Raises NotFound ``passkeys-not-offered``, Refused ``passkey-refused``."""
        provider, subject = await self._passkeys_of(holder)
        await provider.keep_passkey(holder.practice_id, subject, answer)

    async def _passkeys_of(self, holder: AccessGrant) -> tuple[PasskeyProvider, str]:
        found = await self._store.sign_in(id_=holder.sign_in) if holder.sign_in else None
        for provider in self._providers.get(holder.practice_id, ()):
            if found and provider.name == found.provider and isinstance(provider, PasskeyProvider):
                return provider, found.subject
        raise NotFound("this sign-in has no passkeys", code="passkeys-not-offered")

    async def listed(self, holder: AccessGrant) -> list[SignIn]:
        """A practitioner sees those of the practice, everyone else their own."""
        now = self._clock.now()
        found = await self._store.sign_ins(_of_list(holder).practice_id)
        return [one for one in found if one.valid(now) and _may_end(holder, one)]

    async def end(self, holder: AccessGrant, id_: str) -> None:
        """Raises NotFound ``sign-in-unknown``."""
        found = await self._store.sign_in(id_=id_)
        if found is None or not _may_end(_of_list(holder), found):
            raise NotFound("there is no such sign-in", code="sign-in-unknown")
        await self._end(found)

    async def end_all(self, practice_id: PracticeId, subject: str) -> int:
        """Of someone who must not get in any more. How many there were."""
        ended = await self._store.end_sign_ins(practice_id, subject=subject)
        for id_ in ended:
            await self._ended(id_)
        return len(ended)

    async def _end(self, sign_in: SignIn) -> None:
        if await self._store.end_sign_ins(sign_in.practice_id, id_=sign_in.id):
            await self._note(sign_in, "signed-out")
            await self._ended(sign_in.id)

    def _grant(self, sign_in: SignIn) -> Granted:
        return self._join.grant_list(sign_in.practice_id, sign_in.role, sign_in.subject, sign_in=sign_in.id)

    def _provider(self, practice_id: PracticeId) -> IdentityProvider:
        """The one that its page offers."""
        if not self._providers.get(practice_id):
            raise NotFound("this practice has no way to sign in", code="practice-unknown")
        return self._providers[practice_id][0]

    async def _note(self, sign_in: SignIn, what: str) -> None:
        details: dict[str, object] = {
            "sign_in": sign_in.id,
            "role": sign_in.role.value,
            "provider": sign_in.provider,
        }
        audit = Audit(sign_in.practice_id, VisitId(""), what, ParticipantId(_short(sign_in.subject)), details)
        await self._store.record(audit, self._clock.now())


def _belongs(identity: Identity, practice_id: PracticeId) -> bool:
    return identity.practice_id == practice_id and Capability.LIST in CAPABILITIES[identity.role]


def _of_list(holder: AccessGrant) -> AccessGrant:
    if holder.visit_id is not None:
        raise Refused("this access grant is for a visit, not for a list", code="not-permitted")
    return holder


def _may_end(holder: AccessGrant, sign_in: SignIn) -> bool:
    if holder.practice_id != sign_in.practice_id:
        return False
    return holder.role is Role.PRACTITIONER or holder.participant_id == sign_in.subject


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _short(subject: str) -> str:
    """Of a person, without their login: the audit trail holds no names."""
    return hashlib.sha256(subject.encode()).hexdigest()[:16]
