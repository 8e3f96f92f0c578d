from typing import Any

import pytest
from tests.service.conftest import Rule

from vsdk.domain.participant import Role
from vsdk.domain.policy import Admit, Join, Outcome
from vsdk.service.policy import PolicyService, as_details, explain

QUESTION = Join(role=Role.PATIENT, name="Erika Beispiel")


def yes(_: object) -> Outcome:
    return Outcome.SATISFIED


def no(_: object) -> Outcome:
    return Outcome.VIOLATED


def crash(question: Any) -> Outcome:
    raise ValueError(question.name)


def ask(*rules: Rule, required: bool = False) -> Any:
    return PolicyService(rules, compliance_required=required).ask(QUESTION)


def test_all_rules_of_the_question_are_asked_in_order() -> None:
    decision = ask(Rule(Join, yes, "one"), Rule(Admit, no, "not-asked"), Rule(Join, yes, "two"))
    assert decision.allowed
    assert [finding.rule for finding in decision.findings] == ["one", "two"]


def test_one_violation_denies_and_the_others_are_asked_all_the_same() -> None:
    decision = ask(Rule(Join, no, "one"), Rule(Join, yes, "two"))
    assert not decision.allowed
    assert [finding.rule for finding in decision.findings] == ["one", "two"]
    assert explain(decision) == "one (§ 1): because"


def test_a_rule_that_crashes_denies_and_says_nothing_personal(caplog: pytest.LogCaptureFixture) -> None:
    decision = ask(Rule(Join, yes, "one"), Rule(Join, crash, "two"))
    assert not decision.allowed
    assert [(f.rule, f.reason) for f in decision.violations] == [("two", "rule-failed")]
    assert [(r.__dict__["rule"], r.__dict__["error"]) for r in caplog.records] == [("two", "ValueError")]
    assert "Erika" not in caplog.text + repr(decision) + explain(decision)


@pytest.mark.parametrize("answer", [None, True, "satisfied", ()])
def test_a_rule_whose_answer_is_no_finding_denies(answer: object) -> None:
    decision = ask(Rule(Join, lambda _: answer))
    assert [f.reason for f in decision.violations] == ["rule-failed"]


def test_where_compliance_is_required_someone_has_to_say_yes() -> None:
    assert ask().allowed
    silent = ask(Rule(Admit, yes), required=True)
    assert not silent.allowed
    assert "no rule had anything to say" in explain(silent)
    assert ask(Rule(Join, yes), required=True).allowed


def test_the_audit_trail_keeps_what_was_found() -> None:
    assert as_details(ask(Rule(Join, no))) == [
        {"rule": "rule-1", "clause": "§ 1", "edition": "2024", "outcome": "violated", "reason": "because"}
    ]
