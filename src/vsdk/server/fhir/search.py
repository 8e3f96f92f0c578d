"""Search parameters of Appointment (hl7.org/fhir/search.html), read into a query of the store.

Several values after a comma are alternatives, a parameter that is repeated narrows. Pages go in the order of
ids; where a page begins is told by an opaque parameter of its link.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from vsdk.domain.errors import UsageError
from vsdk.domain.ids import AppointmentId
from vsdk.hooks.store import AppointmentQuery
from vsdk.server.fhir import dates

Params = Sequence[tuple[str, str]]

PARAMETERS = {
    "_id": ("token", "ids"),
    "_lastUpdated": ("date", "one of eq, ge, gt, le, lt, sa, eb, and no alternatives after a comma"),
    "date": ("date", "when it begins; partial dates and times without a zone are the practice's"),
    "status": ("token", "codes"),
    "patient": ("reference", "ids, Patient/id, or the address that the appointment has"),
    "practitioner": ("reference", "the same of Practitioner or PractitionerRole"),
    "actor": ("reference", "patients and practitioners; no other actors"),
    "identifier": ("token", "system|value, |value, system| or value"),
}
"""Each with its type and what may be said of it in the CapabilityStatement."""
CONTROLS = ("_count", "_page", "_format", "_pretty", "_total")
"""What narrows nothing. The total is always there and exact, whatever ``_total`` asks for."""
TOTAL_ALONE = ("_summary", "count")
DEFAULT_COUNT, MAX_COUNT = 50, 200
MAX_ALTERNATIVES, MAX_PARAMETERS = 100, 50

_STATUS_SYSTEM = "http://hl7.org/fhir/appointmentstatus"
_TYPES = {
    "patient": ("Patient",),
    "practitioner": ("Practitioner", "PractitionerRole"),
    "actor": ("Patient", "Practitioner", "PractitionerRole"),
}
_NOTHING = ""
"""no appointment's id or status: what is sought cannot be there"""


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for, as it was understood."""

    query: AppointmentQuery
    understood: tuple[tuple[str, str], ...] = ()
    """the parameters that narrow, for the self link"""
    ignored: int = 0
    """how many parameters were not understood"""

    @property
    def page_size(self) -> int:
        return self.query.limit

    def page_after(self, id_: AppointmentId) -> str:
        """The value of ``_page`` for what follows that appointment."""
        place = json.dumps([_fingerprint(self.understood), id_]).encode()
        return urlsafe_b64encode(place).rstrip(b"=").decode()


def understand(params: Params, blank: AppointmentQuery, zone: tzinfo, *, strict: bool) -> Search:
    """``blank`` with all conditions that these parameters set.

    Raises UsageError: ``search-parameter-unknown`` (when ``strict``), ``search-modifier-unsupported``,
    ``search-value-invalid``, ``page-invalid``.
    """
    if len(params) > MAX_PARAMETERS:
        raise UsageError(f"a search has at most {MAX_PARAMETERS} parameters", code="search-value-invalid")
    search = Search(replace(blank, limit=DEFAULT_COUNT))
    page = ""
    for key, value in params:
        name, _, modifier = key.partition(":")
        if name.partition(".")[0] in PARAMETERS and "." in name:
            raise UsageError("chained parameters are not offered", code="search-modifier-unsupported")
        if name in PARAMETERS and value:
            query = _narrowed(search.query, name, modifier, value, zone)
            search = replace(search, query=query, understood=(*search.understood, (key, value)))
        elif name == "_count" and value:
            search = replace(search, query=replace(search.query, limit=_count(value)))
        elif name == "_page":
            page = value
        elif name not in PARAMETERS and name not in CONTROLS and (key, value) != TOTAL_ALONE:
            search = replace(search, ignored=search.ignored + 1)
    if strict and search.ignored:
        raise UsageError(
            f"only these parameters are understood: {', '.join(PARAMETERS)}", code="search-parameter-unknown"
        )
    if TOTAL_ALONE in params:
        search = replace(search, query=replace(search.query, limit=0))
    if page:
        search = replace(search, query=replace(search.query, after=_place(page, search.understood)))
    return search


def values(text: str) -> list[str]:
    """The alternatives, as they are written; a comma after a backslash is part of one."""
    return re.findall(r"(?:\\.|[^,])+", text, re.DOTALL)


def _plain(value: str) -> str:
    """Without the backslashes that guard (hl7.org/fhir/search.html#escaping)."""
    return re.sub(r"\\([,$|\\])", r"\1", value)


def _narrowed(q: AppointmentQuery, name: str, modifier: str, text: str, zone: tzinfo) -> AppointmentQuery:
    alternatives = values(text)
    if not 0 < len(alternatives) <= MAX_ALTERNATIVES or "\x00" in text:
        raise UsageError(
            f"a parameter takes 1 to {MAX_ALTERNATIVES} values, a comma between",
            code="search-value-invalid",
        )
    if modifier and not (name in _TYPES and modifier in _TYPES["actor"]):
        raise UsageError(
            "this modifier of a search parameter is not offered", code="search-modifier-unsupported"
        )
    if name == "identifier":
        return replace(q, keys=(*q.keys, (name, tuple(alternatives))))
    alternatives = [_plain(one) for one in alternatives]
    match name:
        case "_id":
            return replace(q, ids=tuple(map(AppointmentId, _both(q.ids, alternatives))))
        case "status":
            return replace(q, statuses=_both(q.statuses, [_status(one) for one in alternatives]))
        case "date":
            return replace(q, start=(*q.start, dates.span(text, zone)))
        case "_lastUpdated":
            return replace(q, updated=(*q.updated, dates.span(text, zone)))
        case _:
            references = (r for one in alternatives for r in _references(name, modifier, one))
            return replace(q, keys=(*q.keys, (name, tuple(references))))


def _both(before: tuple[str, ...], now: Sequence[str]) -> tuple[str, ...]:
    """What is in both, or that nothing can be; where nothing was said before, all of ``now``."""
    return tuple(one for one in now if not before or one in before) or (_NOTHING,)


def _status(token: str) -> str:
    system, bar, code = token.rpartition("|")
    return code if not bar or system in ("", _STATUS_SYSTEM) else ""


def _references(name: str, modifier: str, value: str) -> list[str]:
    if value.startswith("urn:"):
        return [value]
    if "/" in value:
        kind = value.split("/")[-2]
        if name == "actor" and kind not in _TYPES["actor"]:
            raise UsageError(
                "actors can be sought who are patients or practitioners", code="search-value-invalid"
            )
        return [value]
    return [f"{kind}/{value}" for kind in ((modifier,) if modifier else _TYPES[name])]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError("_count is a number", code="search-value-invalid")
    return min(int(text), MAX_COUNT)


def _fingerprint(understood: Params) -> str:
    return hashlib.sha256(repr(sorted(understood)).encode()).hexdigest()[:16]


def _place(page: str, understood: Params) -> AppointmentId:
    try:
        fingerprint, id_ = json.loads(urlsafe_b64decode(page + "=" * (-len(page) % 4)))
    except (ValueError, TypeError, RecursionError):
        fingerprint, id_ = "", ""
    if fingerprint != _fingerprint(understood) or not isinstance(id_, str) or not id_:
        raise UsageError("this page does not belong to this search: begin it again", code="page-invalid")
    return AppointmentId(id_)
