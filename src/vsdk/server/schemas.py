"""The JSON of the HTTP API (``/api/v1``), as pydantic models; they make the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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


class GrantReply(BaseModel):
    grant: str
    expires: datetime
    signalling: str = Field(description="WebSocket address")


class SignInRequest(_Request):
    practice: str = Field(max_length=64)
    params: dict[str, str] = Field(description="as the practice's identity provider needs them", repr=False)


class IdentityReply(BaseModel):
    name: str
    role: str


class SignInReply(GrantReply):
    practice: PracticeReply
    identity: IdentityReply


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
