"""``vsdk audit``: what happened, without names."""

import json
from dataclasses import asdict

from vsdk.commands.database import opened
from vsdk.domain.ids import PracticeId, VisitId
from vsdk.hooks.store import AuditEntry
from vsdk.links.output import standard_output, writing
from vsdk.settings import Settings


async def show(
    settings: Settings, practice_id: PracticeId | None, visit_id: VisitId | None, *, table: bool
) -> int:
    out = standard_output()
    async with opened(settings) as store:
        entries = await store.audit(practice_id, visit_id)
    with writing():
        for entry in entries:
            print(_in_columns(entry) if table else _in_json(entry), file=out)
        out.flush()
    return 0


def _in_json(entry: AuditEntry) -> str:
    return json.dumps(asdict(entry), default=str, ensure_ascii=False)


def _in_columns(entry: AuditEntry) -> str:
    who = entry.participant_id or "-"
    details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
    return f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.visit_id}  {who:4} {entry.what:24} {details}".rstrip()
