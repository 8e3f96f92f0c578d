"""Media types and preferences of a request (hl7.org/fhir/http.html#mime-type, RFC 9110, RFC 7240)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from vsdk.domain.errors import InvalidAppointment, UsageError
from vsdk.hooks import json_text

MEDIA_TYPE = "application/fhir+json"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"
"""of all answers, which must name their encoding (hl7.org/fhir/http.html#mime-type)"""
JSON_PATCH = "application/json-patch+json"
VERSIONS = {"STU3": "3.0", "R4": "4.0", "R4B": "4.3", "R5": "5.0"}
"""The media type parameter ``fhirVersion`` of each release; its keys are the releases that are offered."""
MOST_LEVELS = 100
"""of objects and lists, which no FHIR resource needs"""
_JSON = ("application/fhir+json", "application/json", "text/json", "application/json+fhir", "json")

Returned = Literal["minimal", "representation", "OperationOutcome"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The header Prefer: what a change answers with, and whether unknown search parameters are errors."""

    returned: Returned = "representation"
    strict: bool = False

    @classmethod
    def of(cls, prefer: str) -> "Preferences":
        asked = {part.strip().replace('"', "") for part in prefer.replace(";", ",").split(",")}
        returned: Returned = "representation"
        if "return=minimal" in asked:
            returned = "minimal"
        elif "return=OperationOutcome" in asked:
            returned = "OperationOutcome"
        return cls(returned, "handling=strict" in asked)


def check_release(release: str) -> None:
    """Raises InvalidAppointment ``release-unsupported``."""
    if release not in VERSIONS:
        releases = ", ".join(VERSIONS)
        raise InvalidAppointment(f"the FHIR release must be one of {releases}", code="release-unsupported")


def check_accepted(accept: str, formats: Sequence[str], release: str) -> None:
    """``_format`` decides where it is given, else Accept. Raises UsageError ``format-not-offered``."""
    ranges = [formats[-1].replace(" ", "+")] if any(formats) else (accept or "*/*").split(",")
    if not any(_acceptable(text, release) for text in ranges):
        raise UsageError(
            f"answers are {MEDIA_TYPE} of FHIR {VERSIONS[release]}, nothing else",
            code="format-not-offered",
        )


def check_content(headers: Mapping[str, str], release: str, offered: str = MEDIA_TYPE) -> None:
    """A body without a type counts as the right one. Raises UsageError ``media-type``."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UsageError("the body must be sent as it is, not compressed", code="media-type")
    content_type = headers.get("content-type", "")
    if not content_type.strip():
        return
    type_, parameters = _parsed(content_type)
    known = _JSON if offered == MEDIA_TYPE else (offered,)
    version = parameters.get("fhirversion", VERSIONS[release])
    charset = parameters.get("charset", "utf-8").lower()
    if type_ not in known or version != VERSIONS[release] or charset not in ("utf-8", "utf8"):
        raise UsageError(f"the body must be {offered} in UTF-8, of the release asked for", code="media-type")


def parse(body: bytes) -> Any:
    """JSON. Raises UsageError ``not-json``."""
    try:
        value = json_text.parse(body)
    except ValueError:
        raise UsageError("the body is not JSON", code="not-json") from None
    if json_text.is_deeper(value, MOST_LEVELS):
        raise UsageError(f"the body has more than {MOST_LEVELS} levels", code="not-json")
    return value


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises UsageError ``not-json`` or ``not-json-object``."""
    value = parse(body)
    if not isinstance(value, dict):
        raise UsageError("the body is not a JSON object", code="not-json-object")
    return value


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """``a=1&b=2`` with percent encoding; bytes that are no UTF-8 become replacement characters."""
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


def names_version(tags: str | None, current: int) -> bool:
    """Whether one of these entity tags is the current one; weak comparison (RFC 9110 section 8.8.3.2)."""
    listed = (tag.strip().removeprefix("W/") for tag in (tags or "").split(","))
    return any(tag in ("*", f'"{current}"') for tag in listed)


def _acceptable(text: str, release: str) -> bool:
    type_, parameters = _parsed(text)
    if parameters.get("q", "1") in ("0", "0.0", "0.00", "0.000"):
        return False
    if type_ not in (*_JSON, "*/*", "application/*"):
        return False
    return parameters.get("fhirversion", VERSIONS[release]) == VERSIONS[release]


def _parsed(media_type: str) -> tuple[str, dict[str, str]]:
    """Type and parameters, their names in lower case."""
    type_, *parameters = media_type.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return type_.strip().lower(), {name.strip().lower(): v.strip().strip('"') for name, _, v in pairs}
