"""The contract of a PolicyRule (see `vsdk.testing.contracts`)."""

import inspect
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from vsdk.domain.participant import Role
from vsdk.domain.plan import Window
from vsdk.domain.policy import (
    Admit,
    Finding,
    Join,
    Outcome,
    PolicyQuestion,
    Present,
    Schedule,
    Word,
)
from vsdk.hooks.ports import PolicyRule
from vsdk.testing.contract import KEBAB, Contract
from vsdk.testing.factories import NOON

TEXTS = ("", " ", "\0", "Łukasz Müller-Ö'Neill", "王伟", "محمد علي", "\ud800 surrogate", "{url", "x" * 10_000)
TIMES = (datetime(1, 2, 2, tzinfo=UTC), NOON, datetime(9999, 11, 29, tzinfo=UTC))
"""a month from the ends of time, where the window of a plan can still be told"""
HOUR = timedelta(hours=1)

ODD_QUESTIONS: tuple[PolicyQuestion, ...] = (
    *(Schedule(start, Window(opens, closes)) for start in TIMES for opens in TIMES for closes in TIMES),
    Schedule(NOON, Window(NOON + HOUR, NOON - HOUR)),
    *(Join(role, name) for role in Role for name in TEXTS),
    *(Admit(by, role) for by in Role for role in Role),
    *(Present(frozenset({origin})) for origin in (*TEXTS, "https://[", "data:", "https://x.example:port")),
    Present(frozenset()),
    *(
        Word(template, part, "tlh", text)
        for text in TEXTS
        for template in ("invitation", "")
        for part in ("sms", "")
    ),
)
"""asked of every rule that takes questions of their kind"""


class PolicyRuleContract(Contract):
    """Give the fixtures

    - ``rule``;
    - ``satisfying`` and ``violating``: questions to which it has no objection, and to which it objects, one
      or more each;
    - where there is such: ``other_edition``, the same rule as it stands in another edition of its document.
    """

    @pytest.fixture
    def rule(self) -> PolicyRule:
        raise NotImplementedError("give the rule under test")

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        raise NotImplementedError("give questions to which the rule has no objection")

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        raise NotImplementedError("give questions to which it objects")

    @pytest.fixture
    def other_edition(self) -> PolicyRule | None:
        return None

    def test_it_is_a_policy_rule(self, rule: PolicyRule) -> None:
        assert isinstance(rule, PolicyRule)
        assert not inspect.iscoroutinefunction(rule.evaluate)
        assert KEBAB.fullmatch(rule.id)
        assert rule.clause
        assert isinstance(rule.applies_to, frozenset)
        assert rule.applies_to
        assert rule.applies_to <= set(PolicyQuestion.__args__)

    def test_it_is_satisfied(self, rule: PolicyRule, satisfying: Sequence[PolicyQuestion]) -> None:
        assert satisfying, "a rule that nothing satisfies forbids everything"
        for question in satisfying:
            assert self._finding(rule, question).outcome is Outcome.SATISFIED

    def test_it_is_violated_with_a_reason(
        self, rule: PolicyRule, violating: Sequence[PolicyQuestion]
    ) -> None:
        assert violating, "a rule that nothing violates is no rule"
        for question in violating:
            finding = self._finding(rule, question)
            assert finding.outcome is Outcome.VIOLATED
            assert KEBAB.fullmatch(finding.reason)

    def test_it_has_an_answer_to_every_question_of_its_kinds(self, rule: PolicyRule) -> None:
        for question in ODD_QUESTIONS:
            if type(question) in rule.applies_to:
                finding = self._finding(rule, question)
                assert finding.outcome is not Outcome.VIOLATED or KEBAB.fullmatch(finding.reason)

    def test_all_its_findings_are_of_one_edition(
        self, rule: PolicyRule, satisfying: Sequence[PolicyQuestion], violating: Sequence[PolicyQuestion]
    ) -> None:
        assert len({rule.evaluate(question).edition for question in (*satisfying, *violating)}) == 1

    def test_in_another_edition_it_is_the_same_rule_and_says_which_edition(
        self, rule: PolicyRule, other_edition: PolicyRule | None, violating: Sequence[PolicyQuestion]
    ) -> None:
        if other_edition is None:
            pytest.skip("the fixture `other_edition` is not given: there is one edition")
        assert (other_edition.id, other_edition.applies_to) == (rule.id, rule.applies_to)
        for question in violating:
            one, another = self._finding(rule, question), self._finding(other_edition, question)
            assert one.edition != another.edition, "nobody could tell later which wording was applied"

    def _finding(self, rule: PolicyRule, question: PolicyQuestion) -> Finding:
        assert type(question) in rule.applies_to
        try:
            finding = rule.evaluate(question)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}, which denies without a reason") from error
        assert isinstance(finding, Finding)
        assert finding == rule.evaluate(question), "the same question gets the same answer"
        assert (finding.rule, finding.clause) == (rule.id, rule.clause)
        assert finding.edition
        name = getattr(question, "name", "").strip()
        assert len(name) < 2 or name not in repr(finding), "findings are kept: they hold no personal data"
        return finding
