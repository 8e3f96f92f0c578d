"""The composition root: settings become a registry, a registry becomes services, services become an app.

This is the only module that knows concrete classes of every layer.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from vsdk import choices
from vsdk.adapters.http import HttpClient
from vsdk.adapters.scheduling.fhir.contact import email, phone
from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.domain.errors import ConfigurationError, VsdkError
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.policy import Present, Word
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import ScheduleSource
from vsdk.rtc.ice import LIFETIME, TEST_LIFETIME, ice_servers
from vsdk.server import (
    api,
    fhir,
    hooks,
    message_api,
    outbox_api,
    pages,
    probe_api,
    problems,
    receipts,
    recipient_api,
    sign_in_api,
)
from vsdk.server.app import make_app
from vsdk.server.board import Board
from vsdk.server.limits import AttemptLimit
from vsdk.server.rooms import HoldTimes, Rooms
from vsdk.server.signalling import Signalling
from vsdk.service import registry as plugins
from vsdk.service.clients import Client, ClientService
from vsdk.service.clock import Clock, SystemClock
from vsdk.service.deadlines import DeadlineService
from vsdk.service.delivery import Delivery
from vsdk.service.errands import Errands, reaches_team
from vsdk.service.following import FollowingService
from vsdk.service.grants import Grants
from vsdk.service.join import JoinService
from vsdk.service.listeners import Listeners
from vsdk.service.messages import MessageService
from vsdk.service.outbox import OutboxService
from vsdk.service.own_links import LostLinks, OwnLinks
from vsdk.service.patient_access import PatientAccessService
from vsdk.service.policy import PolicyService, explain
from vsdk.service.scheduling import SchedulingService
from vsdk.service.sign_in import SignInService
from vsdk.service.visits import VisitService
from vsdk.service.write_back import WritingBack
from vsdk.settings import PluginConfig, Settings
from vsdk.signing_key import signing_key
from vsdk.store.sql import SqlStore
from vsdk.widgets.assets import Assets
from vsdk.widgets.render import Messages, Pages
from vsdk.widgets.texts import Texts

NOT_STARTED = (
    "vsdk was mounted but not started: pass its lifespan to your application, "
    "as in FastAPI(lifespan=video.lifespan)"
)


class VideoSdk:
    """Everything that makes video visits, as one ASGI application.

    Mount it into any ASGI framework and pass on `lifespan`, because frameworks do not start what is mounted::

        video = VideoSdk(Settings.load("vsdk.toml"))
        pms = FastAPI(lifespan=video.lifespan)
        pms.mount("/video", video)

    Raises ConfigurationError at once when settings or plugins cannot work. Several may live in one process.
    """

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, hold_times: HoldTimes | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.http = HttpClient()
        config = PluginConfig(settings)
        self.store = SqlStore(settings.database)
        self.registry = plugins.load(
            settings.plugins, config, self.http, self.store, trace=settings.trace_hooks
        )
        practices = {p.id: p for p in config.practices}
        self.practices: Mapping[PracticeId, Practice] = practices
        self.sources: Mapping[PracticeId, ScheduleSource] = choices.chosen(
            settings, "schedule_source", self.registry.schedule_sources
        )
        providers = choices.identity_providers(settings, self.registry.identity_providers)
        texts = Texts(self.registry.catalogs, settings.languages)
        self.words = messages = Messages(texts)
        self.policy = PolicyService(self.registry.rules, compliance_required=settings.compliance_required)
        origins = choices.foreign_origins(settings, self.registry)
        decision = self.policy.ask(Present(origins))
        if not decision.allowed:
            raise ConfigurationError(f"the pages may not be shown: {explain(decision)}", code="policy-denied")
        self._check_words(messages)

        self._key = signing_key(settings)
        self.grants = Grants(self._key, timedelta(minutes=settings.grant_minutes))
        self.appointment_format = FhirFormat()
        self.listeners = Listeners(self.registry.listeners)
        self.visits = VisitService(self.store, self.policy, self.listeners, self.clock, self.registry.plan)
        own_links = OwnLinks(self.appointment_format, practices)
        self.scheduling = SchedulingService(
            self.store,
            self.visits,
            self.policy,
            self.grants,
            self.registry.plan,
            self.clock,
            settings.base_url,
            own_links.without,
        )
        self.join = JoinService(self.store, self.grants, self.policy, self.clock)
        ways = choices.ways(settings, self.registry.channels)
        teams = {id_ for id_, p in practices.items() if reaches_team(p, [way.kind for way in ways[id_]])}
        errands = Errands(self.store, self.scheduling, practices)
        delivery = Delivery(self.store, errands, messages, self.clock, ways, self.grants, teams)
        writing_back = WritingBack(self.store, self.scheduling, self.clock, practices, self.sources)
        self.outbox = OutboxService(self.store, delivery, writing_back, self.clock, self.visits)
        self.visits.wake = self.outbox.wake
        self.messages = MessageService(
            self.store,
            self.visits,
            self.clock,
            self.grants,
            choices.reporting(self.registry.channels),
        )
        self.deadlines = DeadlineService(self.store, self.visits, self.outbox, self.clock, teams)
        lost_links = LostLinks(own_links, self.store, self.outbox.wake, self.clock)
        self.following = FollowingService(self.scheduling, lost_links, self.sources, settings.poll_seconds)
        self.patients = PatientAccessService(
            self.store,
            self.visits,
            self.scheduling,
            messages,
            ways,
            self.grants,
            self.clock,
            practices,
            lambda contact, practice: phone(contact, practice.phone) or email(contact),
            frozenset(teams),
        )
        self._echoes = probe_api.Echoes()
        self._rooms = Rooms(hold_times or HoldTimes(), self._vacated)
        self.sign_ins = SignInService(
            self.store, self.join, self.clock, practices, providers, self._rooms.end_sign_in
        )
        board = Board(self._rooms, self.visits, self.messages, self.clock, practices, self._ice_servers)
        self.visits.subscribe(board.visit_changed)
        self._app = self._make_app(board, texts, origins)
        self._started = False

    def _make_app(
        self,
        board: Board,
        texts: Texts,
        origins: frozenset[str],
    ) -> Any:
        settings = self.settings
        attempts = AttemptLimit(settings.exchanges_per_minute, self.clock)
        assets = Assets(urlsplit(settings.base_url).path)
        site = pages.Site(
            Pages(texts, assets, settings.base_url),
            assets,
            texts,
            self.practices,
            self.registry.pages,
            settings.base_url,
            self.patients,
            attempts,
        )
        keys = api.PracticeKeys(
            {PracticeId(p.id): p.api_key.get_secret_value() for p in settings.practices if p.api_key}
        )
        shared: dict[str, Any] = {
            "scheduling": self.scheduling,
            "appointment_format": self.appointment_format,
            "practices": self.practices,
            "keys": keys,
        }
        organising: dict[str, Any] = {
            "organisers": message_api.Organisers(keys, self.join),
            "messages": self.messages,
            "visits": self.visits,
        }
        names = {id_: practice.name for id_, practice in self.practices.items()}
        csp = pages.content_security_policy(settings.base_url, settings.embed_origins, origins)
        return make_app(
            routers=[
                api.make_router(
                    join=self.join,
                    attempts=attempts,
                    base_url=settings.base_url,
                    words=self.words,
                    clock=self.clock,
                    push_keys=choices.push_keys(settings, self.registry.channels),
                    **shared,
                ),
                fhir.make_router(
                    base_url=settings.base_url,
                    clock=self.clock,
                    clients=self._clients(),
                    attempts=attempts,
                    **shared,
                ),
                hooks.make_router(following=self.following),
                message_api.make_router(find=self.store.message, clock=self.clock, **organising),
                outbox_api.make_router(scheduling=self.scheduling, **organising),
                recipient_api.make_router(
                    join=self.join,
                    messages=self.messages,
                    practices=self.practices,
                    attempts=attempts,
                    push=choices.push(self.registry.channels),
                ),
                probe_api.make_router(
                    join=self.join, attempts=attempts, servers=self._test_servers, echoes=self._echoes
                ),
                receipts.make_router(messages=self.messages, base_url=settings.base_url),
                sign_in_api.make_router(
                    sign_ins=self.sign_ins, join=self.join, attempts=attempts, base_url=settings.base_url
                ),
                pages.make_router(site),
            ],
            site=site,
            signalling=Signalling(
                self.join, self.visits, self._rooms, board, self.clock, self._ice_servers, names
            ),
            headers=pages.security_headers(csp),
            embed_origins=settings.embed_origins,
            version=version("vsdk"),
        )

    def _clients(self) -> ClientService | None:
        """Who may get access tokens; None where nobody may."""
        named = [
            Client(
                client.id,
                PracticeId(practice.id),
                tuple(client.scopes),
                client.secret.get_secret_value() if client.secret else "",
                choices.key_set(client),
            )
            for practice in self.settings.practices
            for client in practice.clients
        ]
        token_url = f"{self.settings.base_url}/oauth/token"
        return ClientService(named, self._key, self.clock, token_url) if named else None

    @asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Opens the database and starts the workers; stops them cleanly at the end."""
        async with AsyncExitStack() as stack:
            await self.store.open()
            await self.store.release_claims()
            stack.push_async_callback(self.store.close)
            stack.push_async_callback(self.http.close)
            stack.push_async_callback(self.listeners.finish)
            for visit in await self.store.active_visits():
                self._rooms.expect(visit.id, [arrival.participant for arrival in visit.arrivals])
            stack.callback(self._rooms.stop)
            stack.push_async_callback(self._echoes.stop)
            stack.push_async_callback(self.patients.stop)
            await stack.enter_async_context(
                _running(self.outbox.run(), self.deadlines.run(), self.following.run())
            )
            self._started = True
            try:
                yield
            finally:
                self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._own_lifespan(receive, send)
        elif self._started:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            error = VsdkError(NOT_STARTED, code="not-started")
            answer = JSONResponse(
                problems.problem(error), problems.status_of(error), media_type=problems.MEDIA_TYPE
            )
            await answer(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1012, "reason": NOT_STARTED[:120]})

    async def _own_lifespan(self, receive: Receive, send: Send) -> None:
        """When it is run by itself, as by ``vsdk serve`` (ASGI lifespan protocol)."""
        await receive()
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _vacated(
        self, visit_id: VisitId, participant: ParticipantId, anyone_else: bool, connected: bool
    ) -> None:
        await self.visits.left(visit_id, participant, anyone_else=anyone_else, still_connected=connected)

    def _ice_servers(self, subject: str, lifetime: int = LIFETIME) -> list[dict[str, Any]]:
        turn = self.settings.turn
        if turn is None:
            return []
        return ice_servers(turn.urls, turn.secret.get_secret_value(), self.clock.now(), subject, lifetime)

    def _test_servers(self, subject: str) -> list[dict[str, Any]]:
        return self._ice_servers(subject, TEST_LIFETIME)

    def _check_words(self, messages: Messages) -> None:
        """Each message has words, which can be sent as meant, and no rule forbids them."""
        plan = self.registry.plan
        for template in [*(n.template for n in plan.notices), *(n.template for n in plan.waiting)]:
            if not messages.has(template):
                raise ConfigurationError(
                    f"the plan sends {template!r}, and no catalogue has a text of that name",
                    code="template-unknown",
                )
        for practice in self.practices.values():
            messages.check(practice)
            for template, part, language, text in messages.every(practice):
                decision = self.policy.ask(Word(template, part, language, text))
                if decision.violations:
                    raise ConfigurationError(
                        f"the {part} text of the message {template!r} in {language!r} may not be sent: "
                        f"{explain(decision)}",
                        code="policy-denied",
                    )


@asynccontextmanager
async def _running(*workers: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
