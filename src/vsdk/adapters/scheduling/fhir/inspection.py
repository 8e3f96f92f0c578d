"""What vsdk would do with a practice's FHIR server: asked once for ``vsdk check``; nothing is written."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from vsdk.adapters.scheduling.fhir import video
from vsdk.adapters.scheduling.fhir.connection import Connection
from vsdk.adapters.scheduling.fhir.people import attendees
from vsdk.hooks.ports import Changes


async def inspect(server: Connection) -> AsyncIterator[str]:
    """One sentence each, without personal data. Raises PartnerError where the server cannot be read.

    Our public keys come first: they are needed where they are not registered yet.
    """
    if server.public_keys:
        yield f"our public keys, to be registered there: {json.dumps(server.public_keys)}"
    yield f"it speaks FHIR {await server.client.release()}"
    for sentence in _appointments(server, await server.windows.changes(None)):
        yield sentence


def _appointments(server: Connection, changes: Changes) -> Iterator[str]:
    conventions = server.practice.fhir
    resources = [sourced.original for sourced in changes.appointments]
    rules = Counter(rule for r in resources if (rule := video.why(r, attendees(r), conventions)))
    by = f" ({', '.join(f'{count} by {rule}' for rule, count in rules.most_common())})" if rules else ""
    yield f"appointments in the days that are searched: {len(resources)}, video visits: {rules.total()}{by}"
    if elsewhere := sum(video.is_elsewhere(r, conventions) for r in resources):
        yield f"left to others, whose link they have: {elsewhere}"
    for code, count in Counter(changes.unreadable).most_common():
        yield f"not readable ({code}): {count}"
