"""FHIR over REST (hl7.org/fhir/http.html): reading, searching through all pages, and sending.

Errors name the host, the status and what is wrong; never a path, a query or a body: these hold patients.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from vsdk.adapters.scheduling.fhir.rest.access import Access
from vsdk.adapters.scheduling.fhir.rest.origin import is_same_origin
from vsdk.adapters.scheduling.fhir.values import as_object, as_objects, as_text
from vsdk.domain.errors import NotFound, PartnerError
from vsdk.hooks import json_text
from vsdk.hooks.ports import Http, HttpReply, Json

FHIR_JSON = "application/fhir+json"
MOST_PAGES = 200
"""of one search; more are taken for a server that never ends"""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_PATH = re.compile(r"(?P<kind>[A-Za-z]+)(/(?P<id>.*))?", re.DOTALL)
_RELEASES = {"3.0": "STU3", "4.0": "R4", "4.1": "R4B", "4.3": "R4B", "5.0": "R5"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """One resource, and its version as the server told it."""

    resource: Json = field(repr=False)
    """empty where the answer to a write has no content"""
    etag: str | None
    status: int


class FhirClient:
    """One FHIR server, as one client of it. Without ``release``, the server is asked for it.

    Everything may raise PartnerError: what `Http` raises, ``access-refused`` for 401 and 403, ``not-fhir``
    for an answer that is no FHIR, and what `Access` raises. An answer 401 makes the access be renewed once.
    """

    def __init__(self, http: Http, base_url: str, access: Access, release: str = "") -> None:
        self._http = http
        self._base = base_url.rstrip("/")
        self._host = urlsplit(base_url).hostname or ""
        self._access = access
        self._release = release

    async def read(self, path: str) -> Fetched:
        """``Appointment/17``. Raises NotFound for 404 and 410, when it is a FHIR server that says so."""
        try:
            reply = await self._request("GET", self._url(path))
        except PartnerError as error:
            if error.status == 404:
                await self._confirm()
            if error.status in (404, 410):
                raise NotFound("the FHIR server has no such resource") from None
            raise
        resource = self._resource(reply, path.partition("/")[0])
        return Fetched(resource, reply.headers.get("etag"), reply.status)

    async def search(self, kind: str, params: Sequence[tuple[str, str]]) -> list[Json]:
        """All resources of that kind on all pages; without OperationOutcomes and what was included.

        Raises PartnerError ``paging-elsewhere`` when the next page is on another origin, and
        ``too-many-pages`` when there are more than `MOST_PAGES`, or one comes twice.
        """
        url = self._url(kind)
        reply = await self._request("GET", url, params=list(params))
        seen: set[str] = set()
        found: list[Json] = []
        while True:
            bundle = self._resource(reply, "Bundle")
            found += _matches(bundle, kind)
            onwards = self._next(bundle, url)
            if onwards is None:
                return found
            if onwards in seen or len(seen) >= MOST_PAGES:
                raise PartnerError(
                    f"the pages of a search at {self._host} do not end",
                    retryable=False,
                    code="too-many-pages",
                )
            seen.add(url := onwards)
            reply = await self._request("GET", url)

    async def send(
        self,
        method: str,
        path: str,
        body: Json | list[Any] | None,
        *,
        content_type: str = FHIR_JSON,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Fetched:
        """One call that changes something. The ``status`` of a PartnerError is what the server said."""
        options: dict[str, Any] = {"headers": dict(headers)}
        if body is not None:
            options["headers"]["content-type"] = content_type
            options["content"] = _encoded(body)
        reply = await self._request(method, self._url(path), **options)
        resource = self._resource(reply) if reply.text.strip() else {}
        return Fetched(resource, reply.headers.get("etag"), reply.status)

    async def release(self) -> str:
        """``STU3``, ``R4``, ``R4B`` or ``R5``: as told, or of CapabilityStatement.fhirVersion, asked once.

        Raises PartnerError ``release-unknown`` for all others.
        """
        if not self._release:
            statement = self._resource(
                await self._request("GET", self._url("metadata")), "CapabilityStatement"
            )
            version = ".".join(as_text(statement.get("fhirVersion")).split(".")[:2])
            if version not in _RELEASES:
                raise PartnerError(
                    f"{self._host} does not say which FHIR release it speaks, or one that is not supported",
                    retryable=False,
                    code="release-unknown",
                )
            self._release = _RELEASES[version]
        return self._release

    async def _request(self, method: str, url: str, **options: Any) -> HttpReply:
        given = {"accept": FHIR_JSON} | options.pop("headers", {})
        access = await self._access.headers()
        try:
            return await self._http.request(method, url, headers=given | access, **options)
        except PartnerError as error:
            if error.status == 401:
                self._access.forget(access)
                renewed = await self._access.headers()
            if error.status != 401 or renewed == access:
                raise self._explained(error) from None
        try:
            return await self._http.request(method, url, headers=given | renewed, **options)
        except PartnerError as error:
            raise self._explained(error) from None

    def _explained(self, error: PartnerError) -> PartnerError:
        if error.status not in (401, 403):
            return error
        return PartnerError(
            f"{self._host} does not permit this to us: are access and its scope right?",
            retryable=False,
            status=error.status,
            code="access-refused",
        )

    async def _confirm(self) -> None:
        """Raises unless there is a FHIR server at the address: a proxy's 404 says nothing of appointments."""
        try:
            await self._capabilities()
        except PartnerError:
            raise PartnerError(
                f"{self._host} answered with status 404, and not as a FHIR server",
                retryable=True,
                status=404,
                code="not-fhir",
            ) from None

    async def _capabilities(self) -> Json:
        return self._resource(await self._request("GET", self._url("metadata")), "CapabilityStatement")

    def _url(self, path: str) -> str:
        """The id is percent-encoded, whatever is in it. Raises NotFound for what no address can name."""
        parts = _PATH.fullmatch(path)
        id_ = parts["id"] if parts else "."
        if parts is None or (id_ is not None and not id_.strip(".")):
            raise NotFound("the FHIR server can have no such resource")
        try:
            tail = "" if id_ is None else f"/{quote(id_, safe='')}"
        except UnicodeEncodeError:
            raise NotFound("the FHIR server can have no such resource") from None
        return f"{self._base}/{parts['kind']}{tail}"

    def _resource(self, reply: HttpReply, kind: str = "") -> Json:
        try:
            value = json_text.parse_leniently(reply.text)
        except ValueError:
            raise self._not_fhir("something that is not JSON") from None
        if not isinstance(value, dict) or not as_text(value.get("resourceType")):
            raise self._not_fhir("something that is no FHIR resource")
        if kind and value["resourceType"] != kind:
            raise self._not_fhir("another resource than was asked for")
        return value

    def _not_fhir(self, what: str) -> PartnerError:
        return PartnerError(f"{self._host} answered with {what}", retryable=False, code="not-fhir")

    def _next(self, bundle: Json, url: str) -> str | None:
        """The address of the next page: absolute, or relative to the base (hl7.org/fhir/bundle.html)."""
        links = as_objects(bundle.get("link"))
        given = next((as_text(link.get("url")) for link in links if link.get("relation") == "next"), "")
        if not given:
            return None
        try:
            onwards = urljoin(url if given.startswith("?") else f"{self._base}/", given)
        except ValueError:
            onwards = ""
        if not is_same_origin(onwards, self._base):
            raise PartnerError(
                f"{self._host} says that the next page of a search is on another origin, to which no access "
                "is sent",
                retryable=False,
                code="paging-elsewhere",
            )
        return onwards


def _matches(bundle: Json, kind: str) -> list[Json]:
    resources = (
        as_object(entry.get("resource"))
        for entry in as_objects(bundle.get("entry"))
        if as_object(entry.get("search")).get("mode") not in ("include", "outcome")
    )
    return [resource for resource in resources if resource.get("resourceType") == kind]


def _encoded(body: Json | list[Any]) -> bytes:
    try:
        escaped = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        return json_text.write(body)
    except UnicodeEncodeError:  # half a character, which only an escape can say
        return escaped
    except (ValueError, RecursionError):
        raise PartnerError(
            "the resource cannot be written as JSON", retryable=False, code="not-fhir"
        ) from None
