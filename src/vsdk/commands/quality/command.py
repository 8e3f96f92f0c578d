"""Prints the findings, and the grade."""

import json
from collections.abc import Sequence
from typing import TextIO

from vsdk.commands.quality.checks import inspect
from vsdk.commands.quality.subject import Subject, find
from vsdk.commands.quality.verdict import Finding, Tier, grade
from vsdk.settings import PluginConfig, Settings


def check_plugin(settings: Settings, name: str, tests: str | None, *, as_json: bool, out: TextIO) -> int:
    """1 where not even `Tier.BASIC` is reached."""
    subject = find(name, tests)
    findings = inspect(subject, PluginConfig(settings))
    reached = grade(findings)
    if as_json:
        print(_in_json(subject, findings, reached), file=out)
    else:
        for line in _in_lines(subject, findings, reached):
            print(line, file=out)
    out.flush()
    return 0 if reached else 1


def _in_json(subject: Subject, findings: Sequence[Finding], reached: Tier | None) -> str:
    checks = [
        {"check": f.check, "tier": f.tier, "state": f.verdict.state, "detail": f.verdict.detail}
        for f in findings
    ]
    return json.dumps(
        {
            "plugin": subject.name,
            "distribution": subject.distribution.name,
            "version": subject.distribution.version,
            "grade": reached or "none",
            "checks": checks,
        },
        ensure_ascii=False,
        indent=2,
    )


def _in_lines(subject: Subject, findings: Sequence[Finding], reached: Tier | None) -> list[str]:
    lines = [f"{subject.name}, of {subject.distribution.name} {subject.distribution.version}"]
    for tier in Tier:
        lines += ["", tier]
        lines += [
            f"  {f.verdict.state:12} {f.check:15} {f.verdict.detail}" for f in findings if f.tier is tier
        ]
    return [*lines, "", f"grade: {reached or 'none'}{_to_do(findings, reached)}"]


def _to_do(findings: Sequence[Finding], reached: Tier | None) -> str:
    """What stands between the grade and the next one."""
    tiers = list(Tier)
    if reached is tiers[-1]:
        return ""
    following = tiers[tiers.index(reached) + 1] if reached else tiers[0]
    lacking = ", ".join(f.check for f in findings if f.tier is following and not f.ok)
    return f" ({following} needs: {lacking})"
