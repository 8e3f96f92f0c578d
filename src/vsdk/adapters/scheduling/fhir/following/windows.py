"""Following a FHIR server by asking it: the appointments of some days, compared with those of the last time.

``_lastUpdated`` is not dependable: several vendors do not offer it for Appointment, and a deletion shows in
no search. So all appointments of a few days are searched for, and what their content is now is compared with
what it was. ``meta`` is left out of that: some servers count up the version of what did not change, and some
do not count up that of what did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vsdk.adapters.scheduling.fhir.following.known import Known
from vsdk.adapters.scheduling.fhir.following.pictures import (
    NAMELESS,
    Picture,
    Seen,
    days_around,
    is_among,
    key_of,
    seen,
    takes_place,
    windows,
)
from vsdk.adapters.scheduling.fhir.following.window_settings import SearchSettings
from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.adapters.scheduling.fhir.rest.client import FhirClient
from vsdk.domain.errors import InvalidAppointment, NotFound, PartnerError
from vsdk.domain.ids import AppointmentId
from vsdk.domain.practice import Practice
from vsdk.hooks import json_text
from vsdk.hooks.ports import Changes, Json, SourcedAppointment

MOST_CONFIRMATIONS = 50
"""reads by id in one poll, for what the search no longer finds, or not yet as it is"""


@dataclass(slots=True)
class _Poll:
    """One poll on its way to being `Changes`: what it compares with, and what it found."""

    release: str
    days: Sequence[datetime]
    before: Picture
    picture: Picture
    appointments: list[SourcedAppointment] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    vanished: list[AppointmentId] = field(default_factory=list)
    news: set[str] = field(default_factory=set)
    doubtful: list[str] = field(default_factory=list)
    """what the search shows as it was before something that we know"""

    def postpone(self, key: str) -> None:
        """What could not be asked for is as it was."""
        if key in self.before:
            self.picture[key] = self.before[key]
        else:
            self.picture.pop(key, None)


class Windows:
    """What changed among the appointments of the days around today.

    A cursor names a picture of them that is kept in memory: any other cursor, such as one from before a
    restart, gives everything. ``now`` is the current time, aware.
    """

    def __init__(
        self,
        client: FhirClient,
        practice: Practice,
        settings: SearchSettings,
        source_name: str,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._practice = practice
        self._settings = settings
        self._source_name = source_name
        self._now = now
        self._format = FhirFormat()
        self._run = now().isoformat()
        self._generation = 0
        self._pictures: dict[str, Picture] = {}
        self.known = Known(practice)
        """what was written, or read by its id, meanwhile"""

    async def changes(self, cursor: str | None) -> Changes:
        """What is new or different since the picture that ``cursor`` names.

        ``vanished`` is what was there, is no longer found, and is 404 or 410 when read by its id. Raises
        PartnerError when any of the searches fails: half a picture is none.
        """
        settings, before = self._settings, self._pictures.get(cursor or "", {})
        days = days_around(self._now(), self._practice, settings.days_back, settings.days_ahead)
        release = await self._client.release()
        found = await self._search(days)
        poll = _Poll(release, days, before, {key: now for key, (now, _) in found.items()})
        for key, (now, resource) in found.items():
            if not self._is_news(key, now, before.get(key), resource):
                continue
            if self.known.is_newer(key, resource):
                poll.doubtful.append(key)
            else:
                self._map(poll, resource)
                poll.news.add(key)
        await self._confirm(poll)
        self._forget_what_shows(poll)
        return Changes(
            tuple(poll.appointments),
            self._keep(cursor, poll),
            tuple(poll.unreadable),
            tuple(poll.vanished),
        )

    async def _search(self, days: Sequence[datetime]) -> dict[str, tuple[Seen, Json]]:
        """Of all windows and actors, each appointment once; without what a server that ignores dates adds."""
        settings, found = self._settings, dict[str, tuple[Seen, Json]]()
        fixed = list(settings.parameters.items())
        if settings.page_size:
            fixed.append(("_count", str(settings.page_size)))
        for actor in settings.actors or [""]:
            who = [(settings.by, actor)] if actor else []
            for since, until in windows(days, settings.days_per_request):
                dates = [("date", f"ge{since:%Y-%m-%dT%H:%M:%SZ}"), ("date", f"lt{until:%Y-%m-%dT%H:%M:%SZ}")]
                for resource in await self._client.search("Appointment", [*who, *dates, *fixed]):
                    now = seen(resource, self._practice)
                    if is_among(now.start, days):
                        found[key_of(resource)] = (now, resource)
        return found

    def _is_news(self, key: str, now: Seen, before: Seen | None, resource: Json) -> bool:
        if before is None:
            return True
        if now.digest == before.digest:
            return self.known.is_undone(key, resource)
        return not self.known.is_ours(key, now, before)

    def _map(self, poll: _Poll, resource: Json) -> None:
        try:
            json_text.interchangeable(resource)
            appointment = self._format.read(resource, release=poll.release, practice=self._practice)
        except ValueError:
            poll.unreadable.append("not-json")
        except InvalidAppointment as error:
            poll.unreadable.append(error.code)
            if error.called_off:
                poll.vanished.append(error.called_off)
        else:
            release = "R4" if poll.release == "R4B" else poll.release
            poll.appointments.append(SourcedAppointment(appointment, release, resource, self._source_name))

    async def _confirm(self, poll: _Poll) -> None:
        """Asks by its id for what the search no longer finds, or finds older than we know it to be.

        What merely slid into the past is let go. What could not be asked for stays in the picture. So does
        what is there although the search hides it, as long as it takes place: only asking again would tell
        that it is gone. That comes last next time.
        """
        gone = [key for key, before in poll.before.items() if self._is_gone(key, before, poll)]
        gone += poll.doubtful
        asked: Picture = {}
        for place, key in enumerate(gone):
            if place >= MOST_CONFIRMATIONS:
                poll.postpone(key)
                continue
            try:
                resource = (await self._client.read(f"Appointment/{key}")).resource
            except NotFound:
                poll.vanished.append(AppointmentId(key))
                poll.picture.pop(key, None)
                self.known.does_not_find(key)
            except PartnerError as error:
                if key in poll.before:
                    asked[key] = poll.before[key]
                else:
                    poll.postpone(key)
                if error.retryable:
                    for other in gone[place + 1 :]:
                        poll.postpone(other)
                    break
            else:
                self._is_there(poll, key, resource, asked)
        poll.picture |= asked

    def _is_gone(self, key: str, before: Seen, poll: _Poll) -> bool:
        return key not in poll.picture and not key.startswith(NAMELESS) and is_among(before.start, poll.days)

    def _is_there(self, poll: _Poll, key: str, resource: Json, asked: Picture) -> None:
        now = seen(resource, self._practice)
        if self._is_news(key, now, poll.before.get(key), resource):
            self._map(poll, resource)
        self.known.read(resource)
        if takes_place(resource) or key in poll.doubtful:
            asked[key] = now

    def _forget_what_shows(self, poll: _Poll) -> None:
        """What a search shows needs no remembering, unless it still shows what was there before."""
        for key in [key for key in self.known if key in poll.picture and key not in poll.doubtful]:
            still_as_before = key in poll.before and poll.picture[key].digest == poll.before[key].digest
            if key in poll.news or not still_as_before:
                self.known.forget(key)

    def _keep(self, cursor: str | None, poll: _Poll) -> str:
        """Names the new picture. The one before it stays, for whoever could not take over the changes."""
        self._generation += 1
        here = f"{self._run}/{self._generation}"
        kept = {cursor: poll.before} if cursor in self._pictures else {}
        self._pictures = {**kept, here: poll.picture}
        return here
