"""All checks in their order, each of one tier. ``docs/plugin-quality.md`` explains them."""

from collections.abc import Callable

from vsdk.commands.quality import blocking, documents, loading, privacy, reading, trials
from vsdk.commands.quality.loading import Loaded, loaded
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Finding, Tier, Verdict
from vsdk.hooks.ports import Config

Check = Callable[[Subject, Loaded], Verdict]
CHECKS: dict[Tier, dict[str, Check]] = {
    Tier.BASIC: {
        "entry-point": documents.entry_point,
        "dependency": documents.dependency,
        "loads": loading.loads,
        "settings-model": loading.settings_model,
        "imports": reading.imports,
        "private-data": privacy.private_data,
        "not-blocking": blocking.not_blocking,
        "contract": trials.contract,
        "tests-pass": trials.tests_pass,
    },
    Tier.GOOD: {
        "hook-api": loading.hook_api,
        "readme": documents.readme,
        "repeatable": reading.repeatable,
        "time-limits": reading.time_limits,
        "translations": documents.translations,
    },
    Tier.EXCELLENT: {
        "typed": trials.typed,
        "strict-types": trials.strict_types,
        "retention": documents.retention,
        "failure-tests": trials.failure_tests,
    },
}


def inspect(subject: Subject, config: Config) -> list[Finding]:
    plugin = loaded(subject, config)
    return [
        Finding(name, tier, check(subject, plugin))
        for tier, checks in CHECKS.items()
        for name, check in checks.items()
    ]
