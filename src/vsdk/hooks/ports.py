"""Ports: the Protocols that plugin objects satisfy. At most five methods each, async where they do I/O.

Methods raise `vsdk.domain.errors.PartnerError` when another system fails; the injected `Http` already turns
transport failures and error statuses into it.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ssl import SSLContext
from typing import Any, Protocol, TypeVar, runtime_checkable
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from vsdk.domain.appointment import Appointment, AppointmentStatus, VirtualService
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.message import DeliveryReport, Message, Receipt
from vsdk.domain.participant import Role
from vsdk.domain.policy import Finding, PolicyQuestion
from vsdk.domain.practice import Practice

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


class Config(Protocol):
    """What a plugin may know of the settings."""

    @property
    def base_url(self) -> str:
        """Where patients reach this server, without a slash at the end."""

    @property
    def practices(self) -> Sequence[Practice]: ...

    def plugin(self, name: str, model: type[M]) -> M:
        """The section ``[plugin.NAME]`` of the settings, validated. Raises ConfigurationError."""


class HttpReply(Protocol):
    """An answer with a status below 400."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...
    def json(self) -> Any:
        """The decoded body. Raises PartnerError (not retryable) when it is not JSON."""


class Http(Protocol):
    """The only way out to other systems. Failures and statuses from 400 raise PartnerError."""

    async def get(self, url: str, **options: Any) -> HttpReply: ...
    async def post(self, url: str, **options: Any) -> HttpReply: ...
    async def request(self, method: str, url: str, **options: Any) -> HttpReply:
        """Options: ``headers``, ``params``, ``json``, ``data``, ``content``, ``auth`` (user, password), and
        ``answers``: statuses from 400 on that come back as a reply instead of a PartnerError."""

    def over(self, context: SSLContext) -> "Http":
        """The same over TLS of one's own: a client certificate (RFC 8705), a private authority."""


@dataclass(frozen=True, slots=True)
class SourcedAppointment:
    """An appointment as read, and the resource it came from, given back unchanged but for our link."""

    appointment: Appointment
    release: str
    """``STU3``, ``R4`` (also R4B) or ``R5``"""
    original: Json = field(repr=False)
    source: str = ""
    """name of the schedule source that can say whether it still exists; empty where none can"""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor. ``unreadable`` holds the stable codes of what could not be mapped."""

    appointments: tuple[SourcedAppointment, ...]
    cursor: str
    unreadable: tuple[str, ...] = ()
    vanished: tuple[AppointmentId, ...] = ()
    """gone from the source, which confirmed it when asked for each by its id; or called off and unreadable"""


@runtime_checkable
class ScheduleSource(Protocol):
    """Where appointments come from, and where their link and status go back to."""

    @property
    def name(self) -> str: ...
    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        """Raises NotFound when the source says that it has no such appointment, and for nothing else."""

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        """Everything when ``cursor`` is None."""

    async def write_back(
        self,
        practice_id: PracticeId,
        appointment_id: AppointmentId,
        services: tuple[VirtualService, ...] | None,
        status: AppointmentStatus | None,
    ) -> None:
        """Idempotent: the same call twice leaves the same appointment.

        ``services`` holds the way in of each participant who has one; an empty tuple removes what was
        written before. None, for either, means: leave that part alone.
        """


@dataclass(frozen=True, slots=True)
class Notification:
    """A call from outside: something changed in a source's system, or a gateway reports on a message."""

    method: str
    path: str
    """what stands below the address that was given to it; empty for the address itself"""
    headers: Mapping[str, str] = field(repr=False)
    """names in lower case"""
    body: bytes = field(repr=False)
    url: str = field(default="", repr=False)
    """the whole address that was called, as the caller saw it, with its query"""


@dataclass(frozen=True, slots=True)
class Notified:
    """What a notification asks us to read again."""

    appointments: tuple[AppointmentId, ...] = ()
    everything: bool = False
    """the notification did not say which, or some before it were lost"""


@runtime_checkable
class NotifiedSource(Protocol):
    """A ScheduleSource that also hears of changes: at ``/hooks/{practice}`` and below, by POST and PUT."""

    async def notified(self, practice_id: PracticeId, notification: Notification) -> Notified:
        """Raises Refused ``notification-refused`` when it does not carry the secret that was agreed on."""


@runtime_checkable
class CheckedSource(Protocol):
    """A ScheduleSource that can be tried out by ``vsdk check``, without changing anything."""

    def check(self, practice_id: PracticeId) -> AsyncIterator[str]:
        """What was found, a sentence each, without personal data. Raises PartnerError in the end, or not."""


@runtime_checkable
class AppointmentFormat(Protocol):
    """Reads and writes the JSON of one kind of appointment; pure functions."""

    def read(
        self, resource: Json, *, release: str, practice: Practice, assume_video: bool = False
    ) -> Appointment:
        """Raises InvalidAppointment with FHIRPath issues. ``assume_video``: the caller asked for a visit."""

    def write(
        self,
        original: Json,
        *,
        release: str,
        practice: Practice,
        services: Sequence[VirtualService] | None,
        status: AppointmentStatus | None = None,
    ) -> Json:
        """The original with our links where the practice's system looks for them, and all else unchanged.

        No services: without our links. None: links as they are. Raises InvalidAppointment ``foreign-link``
        when the place is taken by someone else's link.
        """

    def own_links(self, resource: Json, *, practice: Practice) -> frozenset[str]:
        """The addresses of our links that stand in it, wherever they stand."""


@runtime_checkable
class NotificationChannel(Protocol):
    """A way to reach a person."""

    @property
    def channel(self) -> str:
        """Its kind, which decides what `Message.recipient` is: ``sms`` takes E.164 numbers, ``email`` mail
        addresses, ``push`` PushSubscriptions; any other gets the FHIR reference of the person."""

    async def deliver(self, message: Message) -> Receipt:
        """Hands the message over. Raises PartnerError (try again if retryable) or DeliveryFailed (never)."""


@runtime_checkable
class ReportingChannel(Protocol):
    """A NotificationChannel whose gateway reports what became of a message, at ``/receipts/<plugin>`` and
    below, by GET or POST."""

    async def reported(self, notification: Notification) -> Sequence[DeliveryReport]:
        """Raises Refused ``receipt-refused`` when the call does not carry the signature that was agreed on,
        and UsageError ``receipt-invalid`` when it cannot be understood."""


@runtime_checkable
class PushChannel(Protocol):
    """A NotificationChannel of the kind ``push``, whose recipients browsers hand over themselves."""

    @property
    def key(self) -> str:
        """What a browser needs to subscribe: the ``applicationServerKey`` (W3C Push API), as base64url."""

    def validate_subscription(self, subscription: Mapping[str, Any]) -> Json:
        """What is to be kept of a PushSubscription. Raises UsageError ``push-subscription-invalid``."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser goes. What is ``kept`` comes back with ``complete`` as ``params["kept"]``, by that
    browser only: it lies in a cookie meanwhile, and binds the answer to who asked."""

    url: str
    kept: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, and as what, in which practice."""

    subject: str
    role: Role
    practice_id: PracticeId
    name: str = field(default="", repr=False)


@runtime_checkable
class IdentityProvider(Protocol):
    """Tells who a practitioner is.

    It may have ``asks``, names of what the page asks for (``code``, ``login``, ``password``); without, the
    browser goes where ``begin`` says. And ``async leave(practice_id) -> str``: where to sign out there too.
    """

    @property
    def name(self) -> str: ...
    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        """Where the browser goes to sign in."""

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        """None: these parameters are not mine. Raises Refused: mine, and wrong."""


@runtime_checkable
class PasskeyProvider(Protocol):
    """An IdentityProvider whose people may come with a passkey (W3C Web Authentication). Options are JSON."""

    async def ask_for_passkey(self) -> dict[str, Any]: ...
    async def ask_for_new_passkey(self, practice_id: PracticeId, subject: str) -> dict[str, Any]: ...
    async def keep_passkey(self, practice_id: PracticeId, subject: str, answer: str) -> None:
        """Raises Refused ``passkey-refused``."""


@runtime_checkable
class PolicyRule(Protocol):
    """One rule. Pure and synchronous; an exception counts as a violation."""

    @property
    def id(self) -> str: ...
    @property
    def clause(self) -> str: ...
    @property
    def applies_to(self) -> frozenset[type[PolicyQuestion]]: ...
    def evaluate(self, question: Any) -> Finding: ...


@runtime_checkable
class PageSource(Protocol):
    """A page of a plugin, shown at ``/plugins/<plugin>/<path>`` inside the ordinary page frame."""

    @property
    def path(self) -> str: ...
    @property
    def title(self) -> str: ...
    async def body(self, language: str) -> str:
        """HTML of the page's main part. The plugin escapes what it inserts."""


@dataclass(frozen=True, slots=True)
class PatientVisit:
    """An upcoming video visit, as whoever comes by its link may see it. Times are in UTC."""

    visit_id: VisitId
    practice: Practice
    practitioner: str = field(repr=False)
    start: datetime
    end: datetime
    opens: datetime
    closes: datetime
    url: str = field(repr=False)
    """their own join link"""
    cancellation_asked: bool = False


class PatientAccess(Protocol):
    """What patients may do who have proved that a phone number or mail address is theirs.

    Nothing tells whether an address is known here: asking for a code gives the same answer in the same time.
    """

    async def send_code(self, contact: str, language: str) -> None:
        """Sends a code of six digits, valid once and for ten minutes, if an upcoming visit names the contact.

        Raises UsageError ``contact-invalid`` and RateLimited.
        """

    async def sign_in(self, contact: str, code: str) -> str:
        """A session for 30 minutes after its last use. Raises Refused ``sign-in-code-wrong``."""

    async def visits(self, session: str) -> Sequence[PatientVisit]:
        """Those to come, soonest first. Raises Refused ``sign-in-over``."""

    async def calendar(self, session: str, visit_id: VisitId, language: str) -> str:
        """One of them as iCalendar. Raises Refused ``sign-in-over``, NotFound ``visit-unknown``."""

    async def ask_to_cancel(self, session: str, visit_id: VisitId) -> None:
        """Tells the practice; asking twice is asking once. Raises as `calendar`."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a page is asked for: looked at, or a form of it was sent."""

    method: str
    """``GET`` or ``POST``"""
    language: str
    text: Callable[..., str] = field(repr=False)
    """a text of the catalogues in that language: ``text("acme.hello", name="Ada")``"""
    time: Callable[[datetime, ZoneInfo], str] = field(repr=False)
    """a time of that zone with its day, as people read it in that language"""
    patients: PatientAccess = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    session: str = field(default="", repr=False)
    """what an earlier reply of the same page kept in this browser"""


@dataclass(frozen=True, slots=True)
class PageReply:
    """What a page answers: a body, a file, or another address."""

    body: str = field(default="", repr=False)
    """HTML of the page's main part. The plugin escapes what it inserts."""
    file: str = field(default="", repr=False)
    """content to be saved, in the place of a body"""
    file_name: str = ""
    media_type: str = "text/html"
    redirect: bool = False
    """whether the page is to be looked at anew, so that a reload does not send a form again"""
    session: str | None = field(default=None, repr=False)
    """kept in this browser for this page only, until it is closed; empty ends it; None leaves it"""


@runtime_checkable
class InteractivePage(PageSource, Protocol):
    """A PageSource that also reads forms, and is asked by `answer` only. Forms come from its own pages."""

    async def answer(self, request: PageRequest) -> PageReply: ...


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page: a custom element and the ES module that defines it.

    ``module`` is a path below the plugin's own static files, or an address; other origins than the server's
    own are a policy question.
    """

    name: str
    slot: str
    element: str
    module: str
