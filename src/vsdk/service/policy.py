"""Asks every rule, and keeps what they said."""

import logging
from collections.abc import Sequence

from vsdk.domain.policy import Finding, Outcome, PolicyDecision, PolicyQuestion, combine
from vsdk.hooks.ports import PolicyRule

log = logging.getLogger(__name__)


class PolicyService:
    """All rules of the enabled plugins, as one decision. A rule that crashes denies."""

    def __init__(self, rules: Sequence[PolicyRule], *, compliance_required: bool) -> None:
        self._rules = tuple(rules)
        self._compliance_required = compliance_required

    def ask(self, question: PolicyQuestion) -> PolicyDecision:
        findings = [self._evaluate(r, question) for r in self._rules if type(question) in r.applies_to]
        return combine(findings, compliance_required=self._compliance_required)

    def _evaluate(self, rule: PolicyRule, question: PolicyQuestion) -> Finding:
        try:
            finding = rule.evaluate(question)
            if not isinstance(finding, Finding):
                raise TypeError("a rule answers with a Finding")
            return finding
        except Exception as error:
            log.error("policy rule failed", extra={"rule": rule.id, "error": type(error).__name__})
            return Finding(rule.id, rule.clause, "", Outcome.VIOLATED, reason="rule-failed")


def explain(decision: PolicyDecision) -> str:
    """The violated rules in one sentence, for an error's detail."""
    if not decision.violations:
        return "compliance is required and no rule had anything to say"
    return "; ".join(f"{f.rule} ({f.clause}): {f.reason}" for f in decision.violations)


def as_details(decision: PolicyDecision) -> list[dict[str, str]]:
    """The findings as they stand in the audit trail."""
    return [
        {
            "rule": f.rule,
            "clause": f.clause,
            "edition": f.edition,
            "outcome": f.outcome.value,
            "reason": f.reason,
        }
        for f in decision.findings
    ]
