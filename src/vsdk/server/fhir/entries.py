"""Entries of a Bundle, read into the interactions that they ask for."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from vsdk.domain.errors import NotFound, UsageError, VsdkError
from vsdk.hooks.ports import Json
from vsdk.server.clients import Caller
from vsdk.server.fhir.calls import Call
from vsdk.server.fhir.negotiation import JSON_PATCH, parse


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it came. ``call`` is what it asks for, or why that cannot be told."""

    call: Call | VsdkError
    full_url: str = ""


def read(entry: Any, caller: Caller, release: str, *, strict: bool) -> Entry:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict):
        return Entry(UsageError("an entry needs a request", code="bundle-invalid"))
    method, url = request.get("method"), request.get("url")
    if not isinstance(url, str) or not isinstance(method, str):
        return Entry(UsageError("a request needs method and url", code="bundle-invalid"))
    try:
        id_, params = _place(url, release)
        call = Call(
            caller,
            release,
            _checked(method, id_, params),
            id_,
            params,
            _body(method, entry.get("resource")),
            _text(request, "ifMatch"),
            _text(request, "ifNoneMatch"),
            _text(request, "ifNoneExist"),
            strict,
        )
    except VsdkError as error:
        return Entry(error)
    full_url = entry.get("fullUrl")
    return Entry(call, full_url if isinstance(full_url, str) else "")


def _place(url: str, release: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Id and search parameters of ``Appointment/1``, ``Appointment?…``, or the same below our address."""
    path, _, query = url.partition("?")
    try:
        path = urlsplit(path).path
    except ValueError:
        raise UsageError("the url of a request is none", code="bundle-invalid") from None
    kind, *rest = path.rpartition(f"/fhir/{release}/")[2].strip("/").split("/")
    if kind != "Appointment":
        raise NotFound("only Appointments are kept here", code="resource-type-unknown")
    if len(rest) > 1:
        raise NotFound("there is nothing at this address")
    return unquote(rest[0]) if rest else "", tuple(parse_qsl(query, keep_blank_values=True))


def _checked(method: str, id_: str, params: tuple[tuple[str, str], ...]) -> str:
    offered = ("GET", "PUT", "PATCH", "DELETE") if id_ else ("GET", "POST", "PUT")
    if method not in offered or (id_ and params and method != "GET"):
        raise UsageError("this interaction is not offered", code="method-not-allowed")
    return method


def _body(method: str, resource: Any) -> Any:
    """The resource, or the operations of a JSON Patch, which come as a Binary."""
    if method != "PATCH":
        return resource
    binary = resource if isinstance(resource, dict) else {}
    type_, data = binary.get("contentType"), binary.get("data")
    if binary.get("resourceType") != "Binary" or type_ != JSON_PATCH or not isinstance(data, str):
        raise UsageError(f"a patch is a Binary of {JSON_PATCH}", code="media-type")
    try:
        return parse(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        raise UsageError("the data of the Binary are no base64", code="bundle-invalid") from None


def _text(request: Json, name: str) -> str | None:
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} is text", code="bundle-invalid")
    return value
