"""Compliance: rules that must hold."""

from collections.abc import Sequence

from vsdk.hooks.markers import hookspec
from vsdk.hooks.ports import Config, PolicyRule


@hookspec
def vsdk_policy_rules(config: Config) -> Sequence[PolicyRule]:  # type: ignore[empty-body]
    """Give rules.

    When: once, at start-up; the rules are then asked whenever their question arises. Combination: all are
    asked, any violation denies. Failure of the hook: start-up fails. Failure of a rule: a denial.
    """
