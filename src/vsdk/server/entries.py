"""What is told of a visit and its people: an entry of the practice's list, a check, an interruption."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Rating = Literal["good", "fair", "bad"]
ProblemCode = Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,39}$")]
InterruptionCause = Literal["audio-session", "os-mute", "hidden", "ended", "device-lost"]


class CheckResult(BaseModel):
    """How a device check went: grades, and what was wrong in stable codes (``docs/device-check.md``)."""

    model_config = ConfigDict(frozen=True)
    camera: Rating
    microphone: Rating
    connection: Rating
    speaker: Rating | None = None
    problems: Annotated[list[ProblemCode], Field(max_length=16)] = []


class Interrupted(BaseModel):
    """An interruption that goes on, with its begin by the server's clock."""

    model_config = ConfigDict(frozen=True)
    cause: InterruptionCause
    kinds: list[Literal["audio", "video"]]
    since: datetime


class Person(BaseModel):
    participant: str
    name: str = Field(repr=False)
    role: str
    present: bool
    waiting: bool
    since: datetime | None
    check: CheckResult | None
    interruption: Interrupted | None = None
    phone: str = Field("", repr=False)
    """the number of the appointment (E.164), so that the practice can call; empty when it has none"""


class LatestMessage(BaseModel):
    """The message of a visit that changed last."""

    template: str
    state: str
    at: datetime


class MessageSummary(BaseModel):
    """What was sent to the people of a visit."""

    total: int
    latest: LatestMessage | None = None
    problem: str | None = None
    """why a message did not arrive that nothing later made good; an error code"""


class Entry(BaseModel):
    visit: str
    start: datetime
    end: datetime
    state: str
    waiting_since: datetime | None
    people: list[Person]
    come_back_until: datetime | None
    not_written_back: str | None = None
    """why the PMS could not be told the link or the status of this appointment; an error code"""
    delay_minutes: int = 0
    messages: MessageSummary | None = None
    """None on a visit connection"""
    cancellation_asked: bool = False
    """someone who comes by a link asked to cancel"""
