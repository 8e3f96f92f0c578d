"""The command line: demo, serve, links, plugins, audit, check.

Exit codes: 0 done, 1 something could not be done (and was said), 2 wrong usage or configuration.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from vsdk.domain.errors import ConfigurationError, VsdkError
from vsdk.hooks.ports import CheckedSource
from vsdk.hooks.store import AuditEntry
from vsdk.settings import Settings

if TYPE_CHECKING:
    from vsdk.sdk import VideoSdk


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the ``vsdk`` command."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ConfigurationError as error:
        print(f"vsdk: {error.code}: {error.detail}", file=sys.stderr)
        return 2
    except VsdkError as error:
        print(f"vsdk: {error.code}: {error.detail}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        from vsdk.links.output import discard_output

        discard_output()
        return 130
    except Exception as error:
        from vsdk.store.database import failure

        failed = failure(error)
        if failed is None:
            raise
        print(f"vsdk: {failed.code}: {failed.detail}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands with their options; ``docs/cli.md`` lists them."""
    top = argparse.ArgumentParser(prog="vsdk", description="Video visits for practice management systems.")
    top.add_argument("--config", metavar="FILE", help="settings (default: $VSDK_CONFIG, then vsdk.toml)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo", help="a practice to try out, with sample appointments, on this machine only"
    )
    demo.add_argument("--port", type=int, help="default: 8000, or a free one")
    demo.set_defaults(run=_demo)

    serve = commands.add_parser("serve", help="run the server")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.set_defaults(run=_serve)

    links = commands.add_parser("links", help="FHIR Appointments in, join links out")
    links.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="Appointment, Bundle, NDJSON, also gzip; - for standard input",
    )
    links.add_argument("--fhir-version", choices=("STU3", "R4", "R4B", "R5"), default="R4")
    links.add_argument("--practice", metavar="ID", help="default: the first of the settings")
    links.add_argument("--format", choices=("jsonl", "table"), default="jsonl")
    links.add_argument("--strict", action="store_true", help="also refuse what is not valid FHIR")
    links.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show on standard error how far it is (default: when only that is a terminal)",
    )
    links.set_defaults(run=_links)

    plugins = commands.add_parser("plugins", help="which plugins are installed, and which are enabled")
    plugins.set_defaults(run=_plugins)

    audit = commands.add_parser("audit", help="what happened, without names")
    audit.add_argument("--practice", metavar="ID")
    audit.add_argument("--visit", metavar="ID")
    audit.add_argument("--format", choices=("jsonl", "table"), default="table")
    audit.set_defaults(run=_audit)

    check = commands.add_parser(
        "check", help="load settings and plugins, reach the database, show the result"
    )
    check.set_defaults(run=_check)
    return top


def _demo(options: argparse.Namespace) -> int:
    from vsdk.demo import run

    return run(options.port)


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    from vsdk.server import logs
    from vsdk.serving import server_options

    logs.configure()
    settings = Settings.load(options.config)
    uvicorn.run(
        _sdk(options, settings),
        host=options.host,
        port=options.port,
        **server_options(settings),
    )
    return 0


def _sdk(options: argparse.Namespace, settings: Settings | None = None) -> "VideoSdk":
    from vsdk.sdk import VideoSdk

    return VideoSdk(settings or Settings.load(options.config))


def _links(options: argparse.Namespace) -> int:
    from vsdk.links.command import Wish, run

    video = _sdk(options)
    practices = video.practices
    if options.practice and options.practice not in practices:
        raise ConfigurationError(f"there is no practice {options.practice!r} in the settings")
    practice = practices[options.practice] if options.practice else next(iter(practices.values()))
    if options.strict:
        practice = replace(practice, fhir=replace(practice.fhir, strict=True))
    wish = Wish(
        options.files,
        options.fhir_version,
        practice,
        table=options.format == "table",
        progress=options.progress,
    )
    try:
        return 1 if run(video, wish) else 0
    except KeyboardInterrupt:
        print("vsdk: stopped; what was printed is stored, the same command does the rest", file=sys.stderr)
        raise


def _plugins(options: argparse.Namespace) -> int:
    from vsdk.service.registry import installed

    enabled = Settings.load(options.config).plugins
    for name, entry in sorted(installed().items()):
        distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
        state = f"enabled ({enabled.index(name) + 1})" if name in enabled else "installed, not enabled"
        print(f"{name:24} {state:24} {distribution}")
    missing = [name for name in enabled if name not in installed()]
    for name in missing:
        print(f"{name:24} {'enabled, not installed':24}")
    return 1 if missing else 0


def _audit(options: argparse.Namespace) -> int:
    return asyncio.run(_print_audit(options))


async def _print_audit(options: argparse.Namespace) -> int:
    from vsdk.links.output import standard_output, writing
    from vsdk.store.sql import SqlStore

    out = standard_output()
    store = SqlStore(Settings.load(options.config).database)
    await store.open()
    try:
        entries = await store.audit(options.practice, options.visit)
    finally:
        await store.close()
    with writing():
        for entry in entries:
            print(_in_json(entry) if options.format == "jsonl" else _in_columns(entry), file=out)
        out.flush()
    return 0


def _in_json(entry: AuditEntry) -> str:
    return json.dumps(asdict(entry), default=str, ensure_ascii=False)


def _in_columns(entry: AuditEntry) -> str:
    who = entry.participant_id or "-"
    details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
    return f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.visit_id}  {who:4} {entry.what:24} {details}".rstrip()


def _check(options: argparse.Namespace) -> int:
    return asyncio.run(_check_all(options))


async def _check_all(options: argparse.Namespace) -> int:
    settings = Settings.load(options.config)
    shown = settings.model_dump(mode="json", exclude={"plugin"})
    shown["database"] = re.sub(r"(?<=:)[^:/]*(?=@)", "**********", settings.database)
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    video = _sdk(options, settings)
    await video.store.open()
    try:
        await video.store.ready()
    finally:
        await video.store.close()
    plan = video.registry.plan
    print(f"plugins:    {', '.join(video.registry.plugins) or 'none'}")
    print(f"links open: {plan.opens_before} before the start, until {plan.closes_after} after it")
    print(f"rules:      {len(video.registry.rules)}")
    print("database:   answers")
    try:
        return await _check_sources(video)
    finally:
        await video.http.close()


async def _check_sources(video: "VideoSdk") -> int:
    failures = 0
    for practice_id, source in video.sources.items():
        if not isinstance(source, CheckedSource):
            continue
        try:
            async for sentence in source.check(practice_id):
                print(f"{source.name}, {practice_id}: {sentence}")
        except VsdkError as error:
            failures += 1
            print(f"{source.name}, {practice_id}: {error.code}: {error.detail}", file=sys.stderr)
    return 1 if failures else 0
