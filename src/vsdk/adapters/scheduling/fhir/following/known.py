"""What is known of appointments otherwise than by searching: what we wrote, and what was read by its id.

Some servers show in a search only after a while what a read shows at once.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from vsdk.adapters.scheduling.fhir.following.pictures import Seen, digest, key_of
from vsdk.adapters.scheduling.fhir.times import instant
from vsdk.adapters.scheduling.fhir.values import as_object, as_text
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Json

MOST_KNOWN = 1000
"""appointments that are remembered until the search shows them"""


class _Known(NamedTuple):
    digest: bytes
    before: bytes
    """what it was before our own writing; the same as ``digest`` where we did not write"""
    version: tuple[str, str]
    """the version that had ``before``"""
    updated: datetime | None
    gone: bool = False


_GONE = _Known(b"", b"", ("", ""), None, gone=True)


class Known:
    """The newest of each appointment, of as many as may be."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._of: dict[str, _Known] = {}

    def wrote(self, read: Json, written: Json) -> None:
        """We made ``written`` of ``read``. Writing twice counts as one change."""
        key, before, version = key_of(written), digest(read), _version(read)
        earlier = self._of.get(key)
        if earlier and earlier.digest == before:
            before, version = earlier.before, earlier.version
        self._remember(key, _Known(digest(written), before, version, self._updated(written)))

    def read(self, resource: Json) -> None:
        key, now = key_of(resource), digest(resource)
        earlier = self._of.get(key)
        if earlier is None or earlier.digest != now:
            self._remember(key, _Known(now, now, _version(resource), self._updated(resource)))

    def does_not_find(self, key: str) -> None:
        """The server said that there is none: a search that shows it is asked about once more."""
        self._remember(key, _GONE)

    def is_ours(self, key: str, now: Seen, before: Seen) -> bool:
        """Whether what became of ``before`` is our own writing, and nothing that others did before it."""
        known = self._of.get(key)
        return known is not None and (known.before, known.digest) == (before.digest, now.digest)

    def is_undone(self, key: str, resource: Json) -> bool:
        """Whether someone put back what was gone, or, in another version, what was before our writing."""
        known = self._of.get(key)
        if known is None or known.gone:
            return known is not None
        return known.digest != known.before and known.version != _version(resource)

    def is_newer(self, key: str, resource: Json) -> bool:
        """Whether a search shows less than we know: what is gone, or what the server itself says is older."""
        known = self._of.get(key)
        if known is None or known.updated is None:
            return known is not None and known.gone
        updated = self._updated(resource)
        return updated is not None and updated < known.updated

    def forget(self, key: str) -> None:
        self._of.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def _remember(self, key: str, known: _Known) -> None:
        self.forget(key)
        while len(self._of) >= MOST_KNOWN:
            self.forget(next(iter(self._of)))
        self._of[key] = known

    def _updated(self, resource: Json) -> datetime | None:
        return instant(as_object(resource.get("meta")).get("lastUpdated"), self._practice.time_zone)


def _version(resource: Json) -> tuple[str, str]:
    meta = as_object(resource.get("meta"))
    return as_text(meta.get("versionId")), as_text(meta.get("lastUpdated"))
