import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vsdk.domain.participant import Role
from vsdk.domain.policy import Finding, Join, Outcome, combine

findings = st.builds(
    Finding,
    rule=st.sampled_from(["one", "two"]),
    clause=st.just("§ 1"),
    edition=st.just("2024"),
    outcome=st.sampled_from(Outcome),
)


def a_finding(outcome: Outcome) -> Finding:
    return Finding("rule", "§ 1", "2024", outcome)


@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        (Outcome.SATISFIED, True),
        (Outcome.NOT_APPLICABLE, True),
        (Outcome.NEEDS_ATTESTATION, True),
        (Outcome.VIOLATED, False),
    ],
)
def test_only_a_violation_denies(outcome: Outcome, allowed: bool) -> None:
    decision = combine([a_finding(Outcome.SATISFIED), a_finding(outcome)])
    assert decision.allowed is allowed


def test_nothing_said_denies_where_compliance_is_required() -> None:
    assert combine([]).allowed
    assert not combine([], compliance_required=True).allowed
    assert combine([a_finding(Outcome.SATISFIED)], compliance_required=True).allowed


@settings(deadline=None)
@given(st.lists(findings), findings, st.integers(0, 20), st.booleans())
def test_one_more_finding_never_turns_a_violation_into_permission(
    said: list[Finding], more: Finding, place: int, required: bool
) -> None:
    before = combine(said, compliance_required=required)
    after = combine([*said[:place], more, *said[place:]], compliance_required=required)
    if before.violations:
        assert not after.allowed
    if not before.allowed and after.allowed:
        assert not said, "only the first answer can end the denial for want of any answer"


@settings(deadline=None)
@given(st.lists(findings), st.booleans())
def test_a_decision_keeps_all_findings_in_order(said: list[Finding], required: bool) -> None:
    decision = combine(said, compliance_required=required)
    assert decision.findings == tuple(said)
    assert decision.violations == tuple(f for f in said if f.outcome is Outcome.VIOLATED)
    if decision.violations:
        assert not decision.allowed


def test_a_question_does_not_show_the_name_that_it_asks_about() -> None:
    assert "Erika" not in repr(Join(role=Role.PATIENT, name="Erika Beispiel"))
