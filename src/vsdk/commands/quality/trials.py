"""Checks that run something: the plugin's tests, and the type checker."""

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from vsdk.commands.quality.loading import Loaded
from vsdk.commands.quality.reading import own_ways_out, takes_http
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Verdict, missing, not_checked, ok

CONTRACTS = {
    "vsdk_schedule_sources": ("ScheduleSourceContract",),
    "vsdk_visit_plans": ("VisitPlanContract",),
    "vsdk_notification_channels": ("NotificationChannelContract", "AnyChannelContract"),
    "vsdk_identity_providers": ("IdentityProviderContract",),
    "vsdk_policy_rules": ("PolicyRuleContract",),
    "vsdk_panels": ("PanelContract",),
}
"""for each hook that has one, the contracts in `vsdk.testing.contracts` of which one must hold"""
REPORTS = "ReportingChannelContract"
"""of a channel that is a ReportingChannel too"""
_NO_TESTS = "no tests were found: install it from its folder with --editable, or name theirs with --tests"
_INJECTING = frozenset({"failing", "hanging", "silent"})
"""methods of the fake Http that make it fail"""
_SECONDS = 300
_NO_TEST_COLLECTED = 5
"""exit code of pytest"""


def contract(subject: Subject, plugin: Loaded) -> Verdict:
    if not plugin.hooks:
        return not_checked("no hook is to be seen: it does not load, or nothing is marked with @hookimpl")
    if subject.tests is None:
        return not_checked(_NO_TESTS)
    wanted = {hook: CONTRACTS[hook] for hook in sorted(plugin.hooks) if hook in CONTRACTS}
    if "vsdk_notification_channels" in wanted and _has_reports(subject):
        wanted["its reports"] = (REPORTS,)
    tested = set(_bases(subject))
    lacking = [f"{names[0]} for {hook}" for hook, names in wanted.items() if not tested.intersection(names)]
    if lacking:
        return missing(f"add a test class from vsdk.testing.contracts: {', '.join(lacking)}")
    if not wanted:
        return ok("its hooks have no contract")
    return ok(", ".join(sorted(tested & {name for names in wanted.values() for name in names})))


def tests_pass(subject: Subject, plugin: Loaded) -> Verdict:
    if subject.tests is None:
        return not_checked(_NO_TESTS)
    if find_spec("pytest") is None:
        return not_checked("install pytest")
    folder = subject.tests
    done = _run(["pytest", "-q", "-p", "no:cacheprovider", str(folder)], subject.project or folder)
    if done is None:
        return missing(f"the tests in {folder} took longer than {_SECONDS} seconds")
    if done.returncode == _NO_TEST_COLLECTED:
        return not_checked(f"there is no test in {folder}")
    if done.returncode:
        return missing(f"run pytest {folder}: {_last_line(done)}")
    return ok(_last_line(done))


def failure_tests(subject: Subject, plugin: Loaded) -> Verdict:
    if not takes_http(subject) and not own_ways_out(subject):
        return ok("it asks no other system, so none can fail")
    if subject.tests is None:
        return not_checked(_NO_TESTS)
    injected = any(
        isinstance(node, ast.Attribute) and node.attr in _INJECTING
        for source in subject.test_sources
        for node in ast.walk(source.tree)
    )
    if injected or "NotificationChannelContract" in _bases(subject):
        return ok("its tests let the other system fail")
    return missing("test what it does when the other system fails: mock_http.failing(), mock_http.hanging()")


def typed(subject: Subject, plugin: Loaded) -> Verdict:
    if not subject.is_package:
        return missing(
            "a single module cannot tell that it is typed (PEP 561): make it a package with py.typed"
        )
    if not (subject.root / "py.typed").is_file():
        return missing(f"add an empty file py.typed to {subject.root.name}")
    return ok("its annotations count for others (py.typed)")


def strict_types(subject: Subject, plugin: Loaded) -> Verdict:
    if find_spec("mypy") is None:
        return not_checked("install mypy")
    with TemporaryDirectory(prefix="vsdk-mypy-") as name:
        settings = subject.project / "pyproject.toml" if subject.project else None
        options = ["--config-file", str(settings) if settings and settings.is_file() else os.devnull]
        cache = os.environ.get("MYPY_CACHE_DIR") or name
        target = str(subject.root)
        done = _run(
            ["mypy", "--strict", *options, "--cache-dir", cache, "--", target], subject.project or Path(name)
        )
    if done is None:
        return not_checked(f"mypy took longer than {_SECONDS} seconds")
    if done.returncode == 0:
        return ok("mypy --strict finds nothing")
    return missing(f"run mypy --strict {target}: {_last_line(done)}")


def _has_reports(subject: Subject) -> bool:
    return any(
        isinstance(node, ast.AsyncFunctionDef) and node.name == "reported"
        for source in subject.sources
        for node in ast.walk(source.tree)
    )


def _bases(subject: Subject) -> set[str]:
    return {
        base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
        for source in subject.test_sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }


def _run(module: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str] | None":
    """``python -m`` in that folder; None where it took too long."""
    command = [sys.executable, "-m", *module]
    try:
        return subprocess.run(  # noqa: S603 - the plugin that is to be checked, by whoever installed it
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None


def _last_line(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip("= ") for line in (done.stdout or done.stderr).splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {done.returncode}"
