"""``vsdk check``: whether a server could run with these settings."""

import json
import re
import sys
from typing import TextIO

from vsdk.domain.errors import VsdkError
from vsdk.hooks.ports import CheckedSource
from vsdk.sdk import VideoSdk
from vsdk.settings import Settings


async def check(settings: Settings, out: TextIO) -> int:
    """1 where a schedule source does not answer. Raises what stops the start of a server."""
    shown = settings.model_dump(mode="json", exclude={"plugin"})
    shown["database"] = re.sub(r"(?<=:)[^:/]*(?=@)", "**********", settings.database)
    print(json.dumps(shown, indent=2, ensure_ascii=False), file=out)
    video = VideoSdk(settings)
    await video.store.open()
    try:
        await video.store.ready()
    finally:
        await video.store.close()
    plan = video.registry.plan
    print(f"plugins:    {', '.join(video.registry.plugins) or 'none'}", file=out)
    print(f"links open: {plan.opens_before} before the start, until {plan.closes_after} after it", file=out)
    print(f"rules:      {len(video.registry.rules)}", file=out)
    print("database:   answers", file=out)
    for practice in video.practices.values():
        for template, language, length in video.words.lengths(practice):
            of = f"{length.units} of {length.limit} {length.encoding}"
            print(f"SMS:        {practice.id} {language} {template}: {of}, {length.segments} SMS", file=out)
    try:
        return await _check_sources(video, out)
    finally:
        await video.http.close()


async def _check_sources(video: VideoSdk, out: TextIO) -> int:
    failures = 0
    for practice_id, source in video.sources.items():
        if not isinstance(source, CheckedSource):
            continue
        try:
            async for sentence in source.check(practice_id):
                print(f"{source.name}, {practice_id}: {sentence}", file=out)
        except VsdkError as error:
            failures += 1
            print(f"{source.name}, {practice_id}: {error.code}: {error.detail}", file=sys.stderr)
    return 1 if failures else 0
