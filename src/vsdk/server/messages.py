"""The wire messages of ``vsdk.v1``, one model per type: ``docs/protocol.md`` in code.

Unknown fields are ignored, unknown types are refused with their own code.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vsdk.domain.errors import UsageError
from vsdk.server.entries import CheckResult, Entry, Interrupted, InterruptionCause

MAX_BYTES = 64 * 1024
SUBPROTOCOL = "vsdk.v1"

Id = Annotated[str, Field(min_length=1, max_length=64)]
Sdp = Annotated[str, Field(min_length=1, max_length=MAX_BYTES)]
Epoch = Annotated[int, Field(ge=1, le=1_000_000)]
ChatKeyText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{87}$")]
"""a public key of P-256, uncompressed (65 bytes, SEC 1), as base64url without padding"""
Box = Annotated[str, Field(min_length=1, max_length=60_000, pattern=r"^[A-Za-z0-9_-]+$", repr=False)]
"""ciphertext as base64url without padding"""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: Annotated[str, Field(max_length=64)] | None = None


class Hello(_Message):
    type: Literal["hello"] = "hello"
    grant: Annotated[str, Field(max_length=4096, repr=False)]
    seat: Annotated[str, Field(min_length=16, max_length=64)]


class Check(CheckResult, _Message):
    type: Literal["check"] = "check"


class Admit(_Message):
    type: Literal["admit"] = "admit"
    participant: Id
    visit: Id | None = None


class Offer(_Message):
    type: Literal["offer"] = "offer"
    to: Id
    epoch: Epoch
    sdp: Sdp


class Answer(_Message):
    type: Literal["answer"] = "answer"
    to: Id
    epoch: Epoch
    sdp: Sdp


class Candidate(BaseModel):
    """RTCIceCandidateInit (W3C WebRTC, 4.8.1)."""

    model_config = ConfigDict(extra="ignore")
    candidate: Annotated[str, Field(max_length=2048)]
    sdpMid: Annotated[str, Field(max_length=64)] | None = None  # noqa: N815 (W3C name)
    sdpMLineIndex: int | None = None  # noqa: N815 (W3C name)
    usernameFragment: Annotated[str, Field(max_length=256)] | None = None  # noqa: N815 (W3C name)


class Ice(_Message):
    type: Literal["ice"] = "ice"
    to: Id
    epoch: Epoch
    candidate: Candidate | None


class Interruption(_Message):
    """Sound or picture stop on purpose of no one: a phone call, a locked screen, an unplugged device."""

    type: Literal["interruption"] = "interruption"
    state: Literal["begin", "end"]
    cause: InterruptionCause
    kinds: Annotated[list[Literal["audio", "video"]], Field(min_length=1, max_length=2)]


class ChatKey(_Message):
    """This page can be written to."""

    type: Literal["chat-key"] = "chat-key"
    key: ChatKeyText


class Chat(_Message):
    """For one peer, sealed."""

    type: Literal["chat"] = "chat"
    to: Id
    box: Box


class Connected(_Message):
    type: Literal["connected"] = "connected"


class Lost(_Message):
    type: Literal["lost"] = "lost"


class Bye(_Message):
    type: Literal["bye"] = "bye"


class Close(_Message):
    type: Literal["close"] = "close"
    visit: Id


class Invite(_Message):
    type: Literal["invite"] = "invite"
    visit: Id
    participant: Id


class Ping(_Message):
    type: Literal["ping"] = "ping"


BrowserMessage = (
    Hello
    | Check
    | Admit
    | Offer
    | Answer
    | Ice
    | Interruption
    | ChatKey
    | Chat
    | Connected
    | Lost
    | Bye
    | Close
    | Invite
    | Ping
)
Relayed = Offer | Answer | Ice


class You(BaseModel):
    participant: str
    role: str
    name: str = Field(repr=False)
    capabilities: list[str]


class VisitInfo(BaseModel):
    id: str
    state: str
    start: datetime
    end: datetime
    practice: str
    practitioner: str = Field(repr=False)


class Peer(BaseModel):
    participant: str
    seat: str
    role: str
    name: str = Field(repr=False)
    polite: bool
    interruption: Interrupted | None = None


class Welcome(BaseModel):
    type: Literal["welcome"] = "welcome"
    you: You
    visit: VisitInfo | None
    ice_servers: list[dict[str, Any]]


class Grant(BaseModel):
    type: Literal["grant"] = "grant"
    grant: str = Field(repr=False)
    expires: datetime


class Queue(BaseModel):
    type: Literal["queue"] = "queue"
    entries: list[Entry]
    given_up: int = 0
    """how many messages and write-backs of the practice were given up"""


class Waiting(BaseModel):
    type: Literal["waiting"] = "waiting"
    since: datetime
    start: datetime
    practitioner: str = Field(repr=False)
    delay_minutes: int = 0


class Admitted(BaseModel):
    type: Literal["admitted"] = "admitted"
    peers: list[Peer]
    ice_servers: list[dict[str, Any]]


class ChatPeer(BaseModel):
    participant: str
    role: str
    name: str = Field(repr=False)
    key: ChatKeyText


class ChatPeers(BaseModel):
    type: Literal["chat-peers"] = "chat-peers"
    peers: list[ChatPeer]


class _FromPeer(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)
    sender: str = Field(alias="from")


class RelayedChat(_FromPeer):
    type: Literal["chat"] = "chat"
    box: Box


class PeerLost(_FromPeer):
    type: Literal["lost"] = "lost"
    sender: str = Field(alias="from")


class PeerBye(_FromPeer):
    type: Literal["bye"] = "bye"
    sender: str = Field(alias="from")


class Ended(BaseModel):
    type: Literal["ended"] = "ended"
    by: str
    come_back_until: datetime | None


class Cancelled(BaseModel):
    type: Literal["cancelled"] = "cancelled"


class Error(BaseModel):
    type: Literal["error"] = "error"
    code: str
    detail: str
    ref: str | None = None


class Pong(BaseModel):
    type: Literal["pong"] = "pong"


class RelayedDescription(_FromPeer):
    """An offer or answer as it reaches the other side."""

    type: Literal["offer", "answer"]
    epoch: Epoch
    sdp: Sdp


class RelayedIce(_FromPeer):
    type: Literal["ice"] = "ice"
    epoch: Epoch
    candidate: Candidate | None


ServerMessage = (
    Welcome
    | Grant
    | Queue
    | Waiting
    | Admitted
    | RelayedDescription
    | RelayedIce
    | ChatPeers
    | RelayedChat
    | PeerLost
    | PeerBye
    | Ended
    | Cancelled
    | Error
    | Pong
)

_BROWSER: TypeAdapter[BrowserMessage] = TypeAdapter(Annotated[BrowserMessage, Field(discriminator="type")])
_SERVER: TypeAdapter[ServerMessage] = TypeAdapter(Annotated[ServerMessage, Field(discriminator="type")])


def read(text: str) -> BrowserMessage:
    """Raises UsageError ``message-too-big``, ``unknown-type`` or ``bad-message``."""
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        raise UsageError("a message may have at most 64 KiB", code="message-too-big")
    try:
        return _BROWSER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] == "union_tag_invalid":
            raise UsageError("this type of message is not known", code="unknown-type") from None
        where = ".".join(str(part) for part in first["loc"][1:]) or "message"
        raise UsageError(f"{where}: {first['msg']}", code="bad-message") from None


def reference(text: str) -> str | None:
    """The ``id`` of a message that could not be read, where it has one."""
    try:
        value = json.loads(text)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return value[:64] if isinstance(value, str) else None


def write(message: ServerMessage) -> str:
    return message.model_dump_json()


def relay(message: Relayed, sender: str) -> str:
    """What the other side gets: the same, with ``from`` instead of ``to``."""
    if isinstance(message, Ice):
        return RelayedIce(sender=sender, epoch=message.epoch, candidate=message.candidate).model_dump_json()
    return RelayedDescription(
        type=message.type, sender=sender, epoch=message.epoch, sdp=message.sdp
    ).model_dump_json()


def schema() -> dict[str, Any]:
    """JSON Schema of both directions (``docs/reference/signalling.schema.json``)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SUBPROTOCOL,
        "browser": _BROWSER.json_schema(),
        "server": _SERVER.json_schema(mode="serialization"),
    }
