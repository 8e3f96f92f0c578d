"""The command line: demo, serve, links, plugins, new, user, audit, outbox, check.

Exit codes: 0 done, 1 something could not be done (and was said), 2 wrong usage or configuration.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vsdk.domain.errors import ConfigurationError, UsageError, VsdkError
from vsdk.scaffold.project import KINDS
from vsdk.settings import Settings

if TYPE_CHECKING:
    from vsdk.commands.outbox import Chosen
    from vsdk.sdk import VideoSdk


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the ``vsdk`` command."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except UsageError as error:
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
    demo.add_argument("--lan", action="store_true", help="over HTTPS, for phones in the same network")
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

    _add_new(commands)

    audit = commands.add_parser("audit", help="what happened, without names")
    audit.add_argument("--practice", metavar="ID")
    audit.add_argument("--visit", metavar="ID")
    audit.add_argument("--format", choices=("jsonl", "table"), default="table")
    audit.set_defaults(run=_audit)

    _add_user(commands)
    _add_outbox(commands)
    _add_check(commands)
    return top


def _add_new(commands: Any) -> None:
    new = commands.add_parser("new", help="begin a plugin of one's own")
    plugin = new.add_subparsers(required=True, metavar="WHAT").add_parser(
        "plugin", help="a package with its tests, from a template"
    )
    plugin.add_argument("name", metavar="NAME", help="such as acme_sms")
    plugin.add_argument("--kind", choices=tuple(KINDS), required=True, help="what it gives to vsdk")
    plugin.add_argument(
        "--directory", metavar="DIR", help="folder of the project (default: vsdk- and the name, here)"
    )
    plugin.set_defaults(run=_new_plugin)


def _add_user(commands: Any) -> None:
    actions = commands.add_parser(
        "user", help="who may sign in with an account of the practice"
    ).add_subparsers(required=True, metavar="ACTION")
    for name, text in (
        ("add", "let somebody in"),
        ("password", "give a new password, and sign out everywhere"),
        ("remove", "let somebody in no more, and sign out everywhere"),
        ("list", "who may, and how often they are signed in"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--practice", metavar="ID", help="default: the only one of the settings")
        action.set_defaults(run=_user, action=name)
        if name == "list":
            action.add_argument("--format", choices=("jsonl", "table"), default="table")
            continue
        action.add_argument("login", metavar="LOGIN")
        if name == "add":
            action.add_argument("--name", help="as the others read it (default: LOGIN)")
            action.add_argument("--role", choices=("practitioner", "staff"), default="practitioner")
        if name != "remove":
            action.add_argument("--generate", action="store_true", help="make a password and show it once")


def _add_outbox(commands: Any) -> None:
    outbox = commands.add_parser("outbox", help="messages and write-backs that were given up")
    outbox.add_argument("--practice", metavar="ID")
    outbox.add_argument("--format", choices=("jsonl", "table"), default="table")
    outbox.set_defaults(run=_outbox)
    actions = outbox.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="show them, oldest first")
    listing.add_argument("--practice", metavar="ID", default=argparse.SUPPRESS)
    listing.add_argument("--format", choices=("jsonl", "table"), default=argparse.SUPPRESS)
    for name, run, text in (
        ("retry", _outbox_retry, "try them again"),
        ("drop", _outbox_drop, "forget them for good"),
    ):
        action = actions.add_parser(name, help=text)
        which = action.add_mutually_exclusive_group(required=True)
        which.add_argument("ids", nargs="*", metavar="ID", default=[], help="as `vsdk outbox` shows it")
        which.add_argument("--all", action="store_true", help="all of them; asks first on a terminal")
        action.add_argument(
            "--practice", metavar="ID", default=argparse.SUPPRESS, help="with --all: only this practice"
        )
        action.add_argument("--yes", action="store_true", help="do not ask")
        action.set_defaults(run=run)


def _add_check(commands: Any) -> None:
    check = commands.add_parser(
        "check", help="load settings and plugins, reach the database, show the result; or look at a plugin"
    )
    check.set_defaults(run=_check)
    plugin = check.add_subparsers(metavar="WHAT").add_parser(
        "plugin", help="look at an installed plugin, and say how good it is"
    )
    plugin.add_argument("name", metavar="NAME", help="as `vsdk plugins` shows it")
    plugin.add_argument("--tests", metavar="DIR", help="where its tests are (default: in its project)")
    plugin.add_argument("--format", choices=("text", "json"), default="text")
    plugin.set_defaults(run=_check_plugin)


def _demo(options: argparse.Namespace) -> int:
    from vsdk.demo import run

    return run(options.port, in_network=options.lan)


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    from vsdk.server import logs
    from vsdk.serving import server_options

    logs.configure()
    settings = Settings.load(options.config)
    uvicorn.run(
        _sdk(settings),
        host=options.host,
        port=options.port,
        **server_options(settings),
    )
    return 0


def _sdk(settings: Settings) -> "VideoSdk":
    from vsdk.sdk import VideoSdk

    return VideoSdk(settings)


def _links(options: argparse.Namespace) -> int:
    from vsdk.links.command import Wish, run

    video = _sdk(Settings.load(options.config))
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
    from vsdk.commands.plugins import show

    return show(Settings.load(options.config), sys.stdout)


def _new_plugin(options: argparse.Namespace) -> int:
    from vsdk.commands.new import new_plugin

    return new_plugin(options.name, options.kind, options.directory, sys.stdout)


def _audit(options: argparse.Namespace) -> int:
    from vsdk.commands.audit import show

    settings = Settings.load(options.config)
    return asyncio.run(show(settings, options.practice, options.visit, table=options.format == "table"))


def _user(options: argparse.Namespace) -> int:
    from vsdk.commands import users
    from vsdk.domain.participant import Role

    settings, out = Settings.load(options.config), sys.stdout
    if options.action == "list":
        practice = users.practice_of(settings, options.practice) if options.practice else None
        return asyncio.run(users.show(settings, practice, table=options.format == "table", out=out))
    chosen = users.practice_of(settings, options.practice)
    if options.action == "remove":
        return asyncio.run(users.remove(settings, chosen, options.login, out))
    password = users.new_password(generate=options.generate, out=out)
    if options.action == "password":
        return asyncio.run(users.change_password(settings, chosen, options.login, password, out))
    role = Role(options.role)
    return asyncio.run(users.add(settings, chosen, options.login, options.name or "", role, password, out))


def _outbox(options: argparse.Namespace) -> int:
    from vsdk.commands.outbox import show
    from vsdk.links.output import standard_output

    settings = Settings.load(options.config)
    table = options.format == "table"
    return asyncio.run(show(settings, options.practice, table=table, out=standard_output()))


def _outbox_retry(options: argparse.Namespace) -> int:
    from vsdk.commands.outbox import retry

    return asyncio.run(retry(Settings.load(options.config), _chosen(options), sys.stdout))


def _outbox_drop(options: argparse.Namespace) -> int:
    from vsdk.commands.outbox import drop

    return asyncio.run(drop(Settings.load(options.config), _chosen(options), sys.stdout))


def _chosen(options: argparse.Namespace) -> "Chosen":
    from vsdk.commands.outbox import Chosen

    if options.ids and options.practice:
        raise UsageError("--practice goes with --all, not with ids")
    return Chosen(options.ids, options.practice, options.yes)


def _check(options: argparse.Namespace) -> int:
    from vsdk.commands.configuration import check

    return asyncio.run(check(Settings.load(options.config), sys.stdout))


def _check_plugin(options: argparse.Namespace) -> int:
    from vsdk.commands.quality.command import check_plugin
    from vsdk.links.output import standard_output

    return check_plugin(
        Settings.load(options.config),
        options.name,
        options.tests,
        as_json=options.format == "json",
        out=standard_output(),
    )
