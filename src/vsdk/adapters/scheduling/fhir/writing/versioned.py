"""Changing a resource that others change too: read, edit, send with If-Match, and from the start if refused.

hl7.org/fhir/http.html#concurrency. Nothing that others write is lost as long as the server honours If-Match,
or, with JSON Patch, the test of the version.
"""

import re
from collections.abc import Callable

from vsdk.adapters.scheduling.fhir.rest.client import Fetched, FhirClient
from vsdk.adapters.scheduling.fhir.values import as_object, as_text
from vsdk.adapters.scheduling.fhir.writing.dialects import Dialect
from vsdk.domain.errors import PartnerError
from vsdk.hooks.ports import Json

Edit = Callable[[Json], Json]
"""gives the resource as it should be, and the very same where it is so already"""

MOST_ATTEMPTS = 6
_REFUSED = frozenset({400, 404, 409, 410, 412, 422, 423})
"""what servers answer when it is not the version, or not the state, that a change was made for"""
_CONFLICT = frozenset({409, 412, 423})
_VERSION = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""hl7.org/fhir/datatypes.html#id"""


class Versioned:
    """One server and its dialect."""

    def __init__(self, client: FhirClient, dialect: Dialect) -> None:
        self._client = client
        self._dialect = dialect

    async def change(self, path: str, edit: Edit) -> Json:
        """The resource as the server gave it back; empty when nothing was sent, or nothing came back.

        Raises NotFound, what ``edit`` raises, and PartnerError: ``write-conflict`` (retryable) when others
        were always faster, or when the server refuses although it is the version that was read;
        ``write-refused`` when it wants no such change.
        """
        written: Json = {}
        for step in range(self._dialect.steps):
            sent = await self._step(path, edit, step)
            if sent is not None:
                written = sent.resource
            elif step > 0:
                break
        return written

    async def _step(self, path: str, edit: Edit, step: int) -> Fetched | None:
        """One call that is accepted; None when there is nothing to say."""
        fetched, alternative = await self._client.read(path), 0
        for _ in range(MOST_ATTEMPTS):
            changed = edit(fetched.resource)
            same = changed == fetched.resource
            bodies = [] if same else self._dialect.bodies(fetched.resource, changed, step)
            if not bodies:
                return None
            try:
                return await self._client.send(
                    self._dialect.method,
                    path,
                    bodies[alternative],
                    content_type=self._dialect.content_type,
                    headers=_headers(fetched),
                )
            except PartnerError as error:
                if error.status not in _REFUSED and not _is_unclear(error):
                    raise
                before, fetched = fetched, await self._client.read(path)
                if fetched != before:
                    alternative = 0
                elif alternative + 1 < len(bodies):
                    alternative += 1
                elif error.status in _CONFLICT:
                    raise _conflict(error.status, error.retry_after) from None
                elif error.status in _REFUSED:
                    raise _refusal(error.status) from None
                else:
                    raise
        raise _conflict(None, None)


def _headers(fetched: Fetched) -> dict[str, str]:
    """hl7.org/fhir/http.html#ops: what it has become is wanted back."""
    version = fetched.etag or _entity_tag(fetched.resource)
    condition = {"if-match": version} if version else {}
    return {"prefer": "return=representation", **condition}


def _entity_tag(resource: Json) -> str:
    """As the server would write it (hl7.org/fhir/http.html#versioning), where it leaves the header out."""
    version = as_text(as_object(resource.get("meta")).get("versionId"))
    return f'W/"{version}"' if _VERSION.fullmatch(version) else ""


def _is_unclear(error: PartnerError) -> bool:
    """Whether it was answered, but not as FHIR says: only reading shows what became of the change."""
    return error.status is None and not error.retryable


def _conflict(status: int | None, retry_after: float | None) -> PartnerError:
    return PartnerError(
        "the FHIR server does not take the change now, or others change the same resource at the same time",
        retryable=True,
        retry_after=retry_after,
        status=status,
        code="write-conflict",
    )


def _refusal(status: int | None) -> PartnerError:
    return PartnerError(
        f"the FHIR server does not accept the change (status {status})",
        retryable=False,
        status=status,
        code="write-refused",
    )
