"""Each rule as a table, through the same contract as any other rule."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest

from vsdk import ConfigurationError, Outcome, Role, VisitPlan
from vsdk.domain.plan import Window, combine
from vsdk.domain.policy import Admit, Join, PolicyQuestion, Present, Schedule, Word
from vsdk.hooks.ports import PolicyRule
from vsdk.testing.contracts import PolicyRuleContract, VisitPlanContract
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeConfig
from vsdk_kbv_compliance import vsdk_policy_rules, vsdk_visit_plans
from vsdk_kbv_compliance.editions import EDITIONS, NEWEST_CONFIRMED, in_force

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def rule(id_: str, **section: str) -> PolicyRule:
    return next(r for r in vsdk_policy_rules(FakeConfig({"kbv_compliance": section})) if r.id == id_)


def schedule(before: timedelta, after: timedelta) -> Schedule:
    return Schedule(NOON, Window(NOON - before, NOON + after))


def reason(id_: str, question: PolicyQuestion) -> str:
    return str(rule(id_).evaluate(question).reason)


class TestWindow(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> PolicyRule:
        return rule("kbv-window")

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        return [schedule(HOUR, HOUR), schedule(timedelta(minutes=10), HOUR), schedule(timedelta(0), SECOND)]

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        return [schedule(HOUR + SECOND, HOUR), schedule(HOUR, HOUR + SECOND), schedule(24 * HOUR, HOUR)]


def test_the_window_tells_which_end_is_wrong_and_that_it_is_no_law() -> None:
    assert reason("kbv-window", schedule(2 * HOUR, HOUR)) == "opens-too-early"
    assert reason("kbv-window", schedule(HOUR, 2 * HOUR)) == "closes-too-late"
    assert "product rule M19" in rule("kbv-window").clause
    assert "not in Anlage 31b" in rule("kbv-window").clause


class TestRealName(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> PolicyRule:
        return rule("kbv-real-name")

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        return [Join(Role.PATIENT, "Erika Beispiel"), Join(Role.PRACTITIONER, "Dr. M"), Join(Role.STAFF, "")]

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        return [Join(Role.PATIENT, "Sonnenblume77"), Join(Role.COMPANION, "Petra")]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Erika Beispiel", ""),
        ("Frau Dr. Erika Beispiel", ""),
        ("Beispiel, Erika", ""),
        ("Anna-Lena von der Heide", ""),
        ("Erika M. Beispiel", ""),
        ("O'Brien, Seán", ""),
        ("Li Wu", ""),
        ("王 伟", ""),
        ("王伟", ""),
        ("김민준", ""),
        ("Ольга Иванова", ""),
        ("محمد علي", ""),
        ("Michael Gast", ""),
        ("", "name-missing"),
        ("  ", "name-missing"),
        ("Frau", "name-missing"),
        ("...", "name-missing"),
        ("Erika", "name-incomplete"),
        ("Frau Beispiel", "name-incomplete"),
        ("Erika B.", "name-incomplete"),
        ("E. B.", "name-incomplete"),
        ("王", "name-incomplete"),
        ("Patient 4", "name-alias"),
        ("sunny_girl Berlin", "name-alias"),
        ("erika@example.org", "name-alias"),
        ("Test Patient", "name-placeholder"),
        ("Gast Test", "name-placeholder"),
        ("Frau Patientin Beispiel", "name-placeholder"),
        ("Unbekannt Unbekannt", "name-placeholder"),
        ("N.N.", "name-incomplete"),
        ("NN Beispiel", "name-placeholder"),
    ],
)
def test_a_name_is_judged_by_its_form(name: str, problem: str) -> None:
    for role in (Role.PATIENT, Role.COMPANION):
        assert reason("kbv-real-name", Join(role, name)) == problem
    assert reason("kbv-real-name", Join(Role.PRACTITIONER, name)) == ""


def test_before_2022_real_names_were_a_recommendation() -> None:
    older = rule("kbv-real-name", edition="anlage31b@2021-03").evaluate(Join(Role.PATIENT, "Erika"))
    assert (older.outcome, older.reason) == (Outcome.NOT_APPLICABLE, "")


class TestNoThirdParty(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> PolicyRule:
        return rule("kbv-no-third-party")

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        return [Present(frozenset())]

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        return [Present(frozenset({"https://ads.example"}))]


class TestStaffWithoutMedia(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> PolicyRule:
        return rule("kbv-staff-without-media")

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        return [Admit(Role.PRACTITIONER, role) for role in Role if role is not Role.STAFF]

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        return [Admit(Role.STAFF, Role.PATIENT), Admit(Role.PRACTITIONER, Role.STAFF)]


class TestPlan(VisitPlanContract):
    @pytest.fixture
    def plan(self) -> VisitPlan:
        (plan,) = vsdk_visit_plans()
        return plan


@pytest.mark.parametrize("hours", [1, 2, 24])
def test_whatever_other_plans_say_the_rule_is_kept(hours: int) -> None:
    plan = combine([VisitPlan("wide", hours * HOUR, hours * HOUR), *vsdk_visit_plans()])
    question = Schedule(NOON, plan.window(NOON))
    assert rule("kbv-window").evaluate(question).outcome is Outcome.SATISFIED


def test_ids_are_unique_and_each_kind_of_question_has_its_rule() -> None:
    found = vsdk_policy_rules(FakeConfig())
    assert len({r.id for r in found}) == len(found) == 6
    assert {kind for r in found for kind in r.applies_to} == set(PolicyQuestion.__args__)


def test_a_question_of_another_kind_is_not_applicable() -> None:
    for found in vsdk_policy_rules(FakeConfig()):
        others: list[PolicyQuestion] = [
            Present(frozenset()),
            Admit(Role.STAFF, Role.STAFF),
            Join(Role.PATIENT, ""),
            schedule(HOUR, HOUR),
            Word("invitation", "sms", "de", "Rabatt"),
        ]
        for question in others:
            if type(question) not in found.applies_to:
                assert found.evaluate(question).outcome is Outcome.NOT_APPLICABLE


def test_findings_name_the_edition_and_an_unread_one_says_so() -> None:
    question = Present(frozenset())
    assert rule("kbv-no-third-party").evaluate(question).edition == NEWEST_CONFIRMED.id == "anlage31b@2022-06"
    assert rule("kbv-no-third-party").evaluate(question).evidence == ""
    newest = rule("kbv-no-third-party", edition="anlage31b@2026-07").evaluate(question)
    assert newest.edition == "anlage31b@2026-07"
    assert "not been confirmed" in newest.evidence


def test_an_unknown_edition_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="anlage31b@2022-06"):
        rule("kbv-window", edition="anlage31b@1999-01")


def test_editions_follow_each_other_without_gaps() -> None:
    editions = sorted(EDITIONS.values(), key=lambda e: e.valid_from)
    for earlier, later in pairwise(editions):
        assert earlier.valid_until == later.valid_from - timedelta(days=1)
    assert editions[-1].valid_until is None
    assert not EDITIONS["anlage31b@2026-07"].confirmed


@pytest.mark.parametrize(
    ("day", "id_"),
    [
        (date(2022, 6, 14), "anlage31b@2021-03"),
        (date(2022, 6, 15), "anlage31b@2022-06"),
        (date(2026, 11, 23), "anlage31b@2026-07"),
    ],
)
def test_the_edition_in_force_is_found_by_its_day(day: date, id_: str) -> None:
    edition = in_force(day)
    assert edition
    assert edition.id == id_


def test_before_the_first_known_edition_there_is_none() -> None:
    assert in_force(date(2019, 1, 1)) is None
