"""How a FHIR server is searched for appointments: ``[plugin.fhir_schedule.PRACTICE.search]``."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SearchSettings(BaseModel):
    """Which appointments there are to follow, in the search parameters that the server understands.

    ``date`` is always asked for (hl7.org/fhir/R4/appointment.html#search). Some servers want exactly one
    person or place beside it, hence ``by`` and ``actors``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["none", "practitioner", "location", "patient", "actor"] = Field(
        "none", description="search parameter that names whose appointments"
    )
    actors: list[str] = Field([], description="what it names, one search each: Practitioner/17")
    days_back: int = Field(1, ge=0, le=366, description="days before today")
    days_ahead: int = Field(14, ge=0, le=366, description="days after today")
    days_per_request: int = Field(7, ge=1, le=366, description="days that one search spans")
    page_size: int = Field(100, ge=0, le=1000, description="`_count`; 0 leaves it to the server")
    parameters: dict[str, str] = Field({}, description="further search parameters, the same in every search")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.by == "none") != (not self.actors):
            raise ValueError("by and actors belong together: name whose appointments, or neither")
        if not all(actor.strip() for actor in self.actors):
            raise ValueError("an actor is a reference, such as Practitioner/17")
        if {"date", "_count", self.by} & set(self.parameters):
            raise ValueError("date, _count and what `by` names are no further parameters")
        return self
