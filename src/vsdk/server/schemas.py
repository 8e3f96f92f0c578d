"""The JSON of the HTTP API (``/api/v1``), as pydantic models; they make the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vsdk.hooks.json_text import interchangeable


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VisitRequest(_Request):
    """A FHIR Appointment for which a video visit is wanted."""

    appointment: Annotated[dict[str, Any], AfterValidator(interchangeable)] = Field(
        description="FHIR Appointment, R4, R4B or R5", repr=False
    )
    fhir_version: str = Field("R4", description="`R4`, `R4B` or `R5`; never guessed")


class LinkReply(BaseModel):
    """One participant's link. It is a credential: give it to that participant only."""

    participant: str = Field(description="FHIR reference of the actor, such as `Patient/17`")
    role: str
    join_url: str
    opens: datetime
    closes: datetime


class VisitReply(BaseModel):
    """A visit, its links, and a grant for the practice's widget."""

    visit: str
    appointment: str
    state: str
    version: int
    links: list[LinkReply]
    grant: str = Field(description="access grant for `<vsdk-practice-queue>`")
    expires: datetime
    signalling: str = Field(description="WebSocket address")


class HandleRequest(_Request):
    handle: str = Field(
        min_length=1, max_length=64, description="what follows the # of a join link", repr=False
    )


class CalendarRequest(HandleRequest):
    language: str = Field("", max_length=35, description="BCP 47; empty: that of the person")


class ProbeRequest(_Request):
    """Who measures: the holder of a join link, or of an access grant."""

    handle: str | None = Field(None, min_length=1, max_length=64, repr=False)
    grant: str | None = Field(None, min_length=1, max_length=4096, repr=False)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.handle is None) == (self.grant is None):
            raise ValueError("give either a handle or a grant")
        return self


class ProbeOffer(ProbeRequest):
    sdp: str = Field(min_length=1, max_length=64 * 1024, repr=False, description="a complete offer")


class ProbeReply(BaseModel):
    ice_servers: list[dict[str, Any]] = Field(description="RTCIceServer dictionaries; none without TURN")
    echo: bool = Field(description="whether POST /api/v1/probe/echo can be had")


class ProbeAnswer(BaseModel):
    sdp: str


class PracticeReply(BaseModel):
    id: str
    name: str
    phone: str


class PreviewReply(BaseModel):
    """What a join link stands for. Asking changes nothing."""

    practice: PracticeReply
    practitioner: str
    role: str
    start: datetime
    end: datetime
    opens: datetime
    closes: datetime
    time_zone: str
    language: str
    problem: str | None = Field(description="error code, when the link does not open now")
    push_key: str = Field("", description="what to subscribe to Web Push with; empty: no push here")


class GrantReply(BaseModel):
    grant: str
    expires: datetime
    signalling: str = Field(description="WebSocket address")


class SignInRequest(_Request):
    practice: str = Field(max_length=64)
    params: dict[str, str] = Field(description="as the practice's identity provider needs them", repr=False)


class PracticeRequest(_Request):
    practice: str = Field(max_length=64)


class PasskeyOptionsReply(BaseModel):
    options: dict[str, Any] = Field(description="as JSON for `PublicKeyCredential.parse…FromJSON`")


class PasskeyRequest(_Request):
    credential: str = Field(max_length=20_000, description="the credential's `toJSON()`, as text", repr=False)


class SignInWayReply(BaseModel):
    asks: list[str] = Field(description="what the page asks for; empty: it leads to `url`")
    url: str


class SignOutReply(BaseModel):
    url: str = Field(description="where to sign out there too; empty: nowhere")


class SignInEntry(BaseModel):
    id: str
    name: str
    role: str
    provider: str
    device: str = Field(description="browser and system, such as `Firefox, Windows`")
    since: datetime
    used: datetime
    current: bool = Field(description="the one behind this grant")


class SignInsReply(BaseModel):
    sign_ins: list[SignInEntry] = Field(description="last used first")


class IdentityReply(BaseModel):
    name: str
    role: str


class SignInReply(GrantReply):
    practice: PracticeReply
    identity: IdentityReply


class MessageReply(BaseModel):
    """What became of one message."""

    id: str
    template: str
    participant: str = Field(description="id of the participant; `practice` for the practice's own team")
    role: str = Field(description="role of that person in the visit; `staff` for the practice's own team")
    channel: str = Field(description="kind of the channel that took it or was tried last, such as `sms`")
    plugin: str
    recipient: str = Field(description="masked, such as `+49 … 01`")
    state: str = Field(
        description="`queued`, `sent`, `delivered`, `undelivered`, `failed`, `expired` or `suppressed`"
    )
    code: str = Field(description="why it is where it is; an error code, or empty")
    created: datetime
    updated: datetime
    segments: int = Field(description="number of SMS that it took; 0 for anything but an SMS")
    attempts: int


class MessagesReply(BaseModel):
    """All messages of one visit, oldest first."""

    messages: list[MessageReply]


class SendRequest(_Request):
    """A message to be sent now."""

    template: Literal["invitation", "link-at-time", "reminder", "delay", "invited-back"]
    participant: str | None = Field(
        None, max_length=64, description="to this one only; without it, to everyone who comes by a link"
    )
    minutes: int | None = Field(None, strict=True, description="for `delay`: how much later the visit begins")


class DelayRequest(_Request):
    minutes: int = Field(
        strict=True, description="how much later than planned the visit begins; 0 takes it back"
    )


class DelayReply(BaseModel):
    visit: str
    delay_minutes: int


class OutboxEntryReply(BaseModel):
    """A message or a write-back that was given up."""

    id: str
    kind: Literal["message", "write-back"]
    template: str | None
    visit: str | None
    name: str = Field(description="the patient, or whom the message was for", repr=False)
    role: str | None = Field(description="role of the person that the message was for")
    start: datetime | None = Field(description="start of the appointment")
    over: bool = Field(description="the visit is over or cancelled: nothing can be made good any more")
    recipient: str = Field(description="masked, such as `+49 … 01`")
    channel: str
    code: str = Field(description="why it was given up; an error code")
    since: datetime
    attempts: int


class OutboxReply(BaseModel):
    """All that was given up in the practice, oldest first."""

    entries: list[OutboxEntryReply]


class PreferencesReply(BaseModel):
    """How the person of a join link is sent messages."""

    practice: PracticeReply
    addresses: list[str] = Field(description="masked, such as `e … @example.org`")
    opted_out: bool


class OptOutRequest(HandleRequest):
    out: bool = Field(description="true: no messages any more; false: messages again")


class PushKeyReply(BaseModel):
    key: str = Field(description="`applicationServerKey` for `PushManager.subscribe` (W3C Push API)")


class PushSubscriptionRequest(_Request):
    """As `PushSubscription.toJSON()` gives it (W3C Push API)."""

    subscription: Annotated[dict[str, Any], AfterValidator(interchangeable)] = Field(repr=False)


class PingReply(BaseModel):
    """Proof that the server answers; made for measuring round trips."""

    ok: bool = True


class ProblemReply(BaseModel):
    """RFC 9457 problem document. `code` is stable: docs/errors.md."""

    type: str
    title: str
    status: int
    code: str
    detail: str
