"""Patients who have proved that a phone number or mail address is theirs: codes, sessions, their visits.

Codes and sessions live in the memory of this process: a restart asks for a new code. Nothing tells whether an
address is known: a code is sent by a task of its own, whether there is anyone to send it to or not.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from vsdk.domain.appointment import Appointment
from vsdk.domain.effects import Audit, Notify
from vsdk.domain.errors import Conflict, NotFound, PartnerError, RateLimited, Refused, UsageError
from vsdk.domain.events import CancellationAsked
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.message import Message
from vsdk.domain.messaging import PRACTICE
from vsdk.domain.participant import Participant, Role
from vsdk.domain.practice import Practice
from vsdk.domain.visit import FINAL
from vsdk.hooks.ports import PatientVisit
from vsdk.hooks.store import Store, VisitChange
from vsdk.service.clock import Clock
from vsdk.service.delivery import MessageRenderer, Way
from vsdk.service.grants import Grants
from vsdk.service.scheduling import IssuedLink, Scheduled, SchedulingService
from vsdk.service.visits import ATTEMPTS, VisitService

log = logging.getLogger(__name__)

CODE_LIVES = timedelta(minutes=10)
SESSION_LIVES = timedelta(minutes=30)
"""after its last use"""
TRIES = 5
"""for one code"""
CODES = 3
"""for one address within `CODE_LIVES`"""
AHEAD = timedelta(days=60)
AT_ONCE = timedelta(days=7)
"""of these: so that others get their turn while a large practice is looked through"""
KEPT = 10_000
"""codes, and sessions, at most; the oldest give way"""

Normalise = Callable[[str, Practice], str]
"""a contact as the appointments of that practice would have it, E.164 or a mail address; empty for neither"""


@dataclass(slots=True)
class _Codes:
    """What was sent when a contact was typed: a code for each address that it means and that is known here.

    The reader of one has proved that its address is theirs, and no other.
    """

    until: datetime
    addresses: dict[bytes, str] = field(default_factory=dict, repr=False)
    """by the digest of the code"""
    tries: int = 0


@dataclass(slots=True)
class _Session:
    address: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    """A visit with the link of the person who is looking."""

    scheduled: Scheduled
    link: IssuedLink


class PatientAccessService:
    """The `vsdk.hooks.ports.PatientAccess` of this server."""

    def __init__(
        self,
        store: Store,
        visits: VisitService,
        scheduling: SchedulingService,
        renderer: MessageRenderer,
        ways: Mapping[PracticeId, Sequence[Way]],
        grants: Grants,
        clock: Clock,
        practices: Mapping[PracticeId, Practice],
        normalise: Normalise,
        tell_team: frozenset[PracticeId],
    ) -> None:
        """``tell_team`` are the practices that can be reached themselves."""
        self._store = store
        self._visits = visits
        self._scheduling = scheduling
        self._renderer = renderer
        self._ways = ways
        self._grants = grants
        self._clock = clock
        self._practices = practices
        self._normalise = normalise
        self._tell_team = tell_team
        self._asked: dict[str, list[datetime]] = {}
        """when codes were asked for, by address"""
        self._codes: dict[frozenset[str], _Codes] = {}
        """by all addresses that what was typed can mean"""
        self._sessions: dict[str, _Session] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Semaphore(1)

    async def send_code(self, contact: str, language: str) -> None:
        now = self._clock.now()
        self._forget(now)
        addresses = self._meant(contact)
        if not addresses:
            raise UsageError("this is neither a phone number nor a mail address", code="contact-invalid")
        asked = [self._asked.get(address, []) for address in addresses]
        if often := [times for times in asked if len(times) >= CODES]:
            wait = (max(times[0] for times in often) + CODE_LIVES - now).total_seconds()
            raise RateLimited("too many codes were asked for; wait a moment", retry_after=max(1.0, wait))
        for address in addresses:
            self._asked.setdefault(address, []).append(now)
        codes = self._codes[addresses] = _Codes(now + CODE_LIVES)
        task = asyncio.create_task(self._send(addresses, codes, language))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def sign_in(self, contact: str, code: str) -> str:
        now, addresses = self._clock.now(), self._meant(contact)
        self._forget(now)
        known = self._codes.get(addresses)
        if known is None or known.tries >= TRIES:
            raise Refused("this code is not valid, or not any more", code="sign-in-code-wrong")
        known.tries += 1
        given = _digest("".join(code.split()))
        proved = [known.addresses[sent] for sent in known.addresses if hmac.compare_digest(given, sent)]
        if not proved:
            raise Refused("this code is not valid, or not any more", code="sign-in-code-wrong")
        del self._codes[addresses]
        session = secrets.token_urlsafe(32)
        self._sessions[session] = _Session(proved[0], now + SESSION_LIVES)
        return session

    def sign_out(self, session: str) -> None:
        """The session is over; one that is not known is over already."""
        self._sessions.pop(session, None)

    async def visits(self, session: str) -> Sequence[PatientVisit]:
        found = await self._upcoming(self._address(session))
        shown = (self._shown(one) for one in found)
        return sorted(shown, key=lambda visit: visit.start)

    async def calendar(self, session: str, visit_id: VisitId, language: str) -> str:
        found = await self._one(session, visit_id)
        mirrored = found.scheduled.mirrored
        return self._renderer.calendar(
            language,
            practice=self._practices[mirrored.appointment.practice_id],
            appointment=mirrored.appointment,
            url=found.link.url,
            now=self._clock.now(),
            sequence=mirrored.version,
        )

    async def ask_to_cancel(self, session: str, visit_id: VisitId) -> None:
        found = await self._one(session, visit_id)
        participant = found.link.participant.id
        for _ in range(ATTEMPTS):
            visit = await self._visits.get(visit_id)
            if visit.cancellation_asked or visit.state in FINAL:
                return
            line = Audit(visit.practice_id, visit.id, "cancellation-asked", participant)
            told = [Notify(visit.id, PRACTICE, "cancellation-asked")]
            effects = (line, *(told if visit.practice_id in self._tell_team else ()))
            changed = replace(visit, cancellation_asked=True, version=visit.version + 1)
            try:
                await self._store.commit(VisitChange(changed, visit.version, effects), self._clock.now())
            except Conflict:
                continue
            await self._visits.announce(changed, CancellationAsked(participant))
            return
        raise Conflict("the visit kept changing; try again")

    async def stop(self) -> None:
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _meant(self, contact: str) -> frozenset[str]:
        """The addresses that it can be; a national number means one in each country of the practices."""
        meant = (self._normalise(contact, practice).casefold() for practice in self._practices.values())
        return frozenset(filter(None, meant))

    def _forget(self, now: datetime) -> None:
        """What is over, and the oldest of what is too much."""
        for address, times in list(self._asked.items()):
            if recent := [at for at in times if at > now - CODE_LIVES]:
                self._asked[address] = recent
            else:
                del self._asked[address]
        kept: tuple[dict[Any, _Codes] | dict[Any, _Session], ...] = (self._codes, self._sessions)
        for entries in kept:
            for key in [key for key, entry in entries.items() if entry.until <= now]:
                del entries[key]
            while len(entries) >= KEPT:
                del entries[next(iter(entries))]

    def _address(self, session: str) -> frozenset[str]:
        now = self._clock.now()
        self._forget(now)
        known = self._sessions.get(session)
        if known is None:
            raise Refused("please sign in again", code="sign-in-over")
        known.until = now + SESSION_LIVES
        return frozenset({known.address})

    async def _one(self, session: str, visit_id: VisitId) -> _Found:
        for found in await self._upcoming(self._address(session)):
            if found.scheduled.visit and found.scheduled.visit.id == visit_id:
                return found
        raise NotFound("there is no such visit", code="visit-unknown")

    async def _upcoming(self, addresses: frozenset[str]) -> list[_Found]:
        """Looks through what is planned: a few thousand appointments take less than a second."""
        now = self._clock.now()
        found: list[_Found] = []
        for practice_id in self._practices:
            theirs: dict[AppointmentId, None] = {}
            begin = now - timedelta(days=1)
            while begin < now + AHEAD:
                planned = await self._store.visits_between(practice_id, begin, begin + AT_ONCE)
                ahead = [mirrored.appointment for visit, mirrored in planned if visit.state not in FINAL]
                theirs |= dict.fromkeys(one.id for one in ahead if _people(one, addresses))
                begin += AT_ONCE
            known = await self._store.known(practice_id, [*theirs][:1000])
            for one in known.values():
                if one.mirrored and one.visit and one.visit.closes > now:
                    scheduled = self._scheduling.issued(one.mirrored, one.visit, one.links)
                    people = _people(one.mirrored.appointment, addresses)
                    link = next((x for x in scheduled.links if x.participant in people), None)
                    found += [_Found(scheduled, link)] if link else []
        return found

    def _shown(self, found: _Found) -> PatientVisit:
        appointment, visit = found.scheduled.mirrored.appointment, found.scheduled.visit
        assert visit is not None
        practitioner = appointment.first(Role.PRACTITIONER)
        return PatientVisit(
            visit_id=visit.id,
            practice=self._practices[appointment.practice_id],
            practitioner=practitioner.name if practitioner else "",
            start=appointment.start,
            end=appointment.end,
            opens=visit.window.opens,
            closes=visit.closes,
            url=found.link.url,
            cancellation_asked=visit.cancellation_asked,
        )

    async def _send(self, addresses: frozenset[str], codes: _Codes, language: str) -> None:
        """Directly, not by the outbox: a code is of no use later, and is written down nowhere."""
        try:
            async with self._one_at_a_time:
                found = await self._upcoming(addresses)
            next_of: dict[str, tuple[str, _Found]] = {}
            for one in sorted(found, key=lambda f: f.scheduled.mirrored.appointment.start):
                for recipient in _reached(one.link.participant, addresses):
                    next_of.setdefault(recipient.casefold(), (recipient, one))
            drawn = secrets.SystemRandom().sample(range(1_000_000), len(next_of))  # no two are the same
            for number, (address, (recipient, one)) in zip(drawn, next_of.items(), strict=True):
                digits = f"{number:06}"
                codes.addresses[_digest(digits)] = address
                await self._deliver(one, recipient, digits, language)
        except Exception as error:
            reason = getattr(error, "code", type(error).__name__)
            log.warning("sign-in code not sent", extra={"code": reason})

    async def _deliver(self, found: _Found, recipient: str, digits: str, language: str) -> None:
        appointment, person = found.scheduled.mirrored.appointment, found.link.participant
        practice = self._practices[appointment.practice_id]
        hashed = self._grants.address_hash(recipient)
        if hashed in await self._store.opted_out(practice.id, [hashed]):
            return
        for way in self._ways[practice.id]:
            if way.kind != ("email" if "@" in recipient else "sms"):
                continue
            words = self._renderer.render(
                "sign-in-code",
                language,
                way.kind,
                practice=practice,
                appointment=appointment,
                participant=person,
                url="",
                list_url="",
                now=self._clock.now(),
                values={"code": digits},
                sequence=0,
            )
            message = Message(
                recipient=recipient,
                text=words.text,
                idempotency_key=secrets.token_urlsafe(16),
                template="sign-in-code",
                language=words.language or language,
                subject=words.subject,
                html=words.html,
                expires=self._clock.now() + CODE_LIVES,
                practice_id=practice.id,
                role=person.role.value,
            )
            try:
                await way.channel.deliver(message)
            except PartnerError as error:
                log.warning("sign-in code not sent", extra={"plugin": way.plugin, "code": error.code})
                continue
            return


def _people(appointment: Appointment, addresses: frozenset[str]) -> list[Participant]:
    """Those of the appointment whom these addresses reach, without those who work in the practice."""
    return [
        person
        for person in appointment.participants
        if person.role not in (Role.PRACTITIONER, Role.STAFF) and _reached(person, addresses)
    ]


def _reached(person: Participant, addresses: frozenset[str]) -> list[str]:
    return [own for own in (person.phone, person.email) if own and own.casefold() in addresses]


def _digest(digits: str) -> bytes:
    return hashlib.sha256(digits.encode()).digest()
