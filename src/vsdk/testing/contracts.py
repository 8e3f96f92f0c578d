"""A contract per port: what every adapter must survive. Subclass it in your tests and give the fixtures.

::

    class TestAcme(NotificationChannelContract):
        secrets = ("the-token",)

        @pytest.fixture
        def adapter(self, mock_http):
            return AcmeSms(AcmeConfig(token="the-token"), mock_http.answering(json={"id": "1"}))
"""

import inspect
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import NotFound, Refused
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.plan import VisitPlan
from vsdk.domain.policy import Finding, Outcome, PolicyQuestion
from vsdk.hooks.ports import (
    Identity,
    IdentityProvider,
    Json,
    PolicyRule,
    Redirect,
    ScheduleSource,
)
from vsdk.testing.channel_contract import KEBAB, AnyChannelContract, Contract, NotificationChannelContract
from vsdk.testing.factories import NOON

__all__ = [
    "AnyChannelContract",
    "IdentityProviderContract",
    "NotificationChannelContract",
    "PolicyRuleContract",
    "ScheduleSourceContract",
    "VisitPlanContract",
]


class ScheduleSourceContract(Contract):
    """Fixtures ``source``, holding at least the booked appointment ``appointment_id`` of ``practice_id``."""

    link: ClassVar[VirtualService] = VirtualService("https://praxis.example/video/j#h4ndle-of-nobody")

    @pytest.fixture
    def source(self) -> ScheduleSource:
        raise NotImplementedError("give the source under test")

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        raise NotImplementedError("give the practice whose appointments it holds")

    @pytest.fixture
    def appointment_id(self) -> AppointmentId:
        raise NotImplementedError("give the id of an appointment that it holds")

    def test_it_is_a_schedule_source(self, source: ScheduleSource) -> None:
        assert isinstance(source, ScheduleSource)
        assert all(
            inspect.iscoroutinefunction(m) for m in (source.get, source.changed_since, source.write_back)
        )

    async def test_an_appointment_is_found(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        found = await source.get(practice_id, appointment_id)
        assert found.appointment.id == appointment_id == found.original["id"]
        assert found.appointment.practice_id == practice_id
        assert found.appointment.start.utcoffset() is not None, "times are aware"
        assert found.release in ("STU3", "R4", "R5")
        assert found.source in (source.name, "")

    async def test_an_unknown_appointment_or_practice_is_not_found(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        with pytest.raises(NotFound):
            await source.get(practice_id, AppointmentId("there-is-no-such-appointment"))
        with pytest.raises(NotFound):
            await source.get(PracticeId("there-is-no-such-practice"), appointment_id)

    async def test_at_first_everything_changed_and_then_nothing(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        first = await source.changed_since(practice_id, None)
        assert appointment_id in [s.appointment.id for s in first.appointments]
        assert (await source.changed_since(practice_id, first.cursor)).appointments == ()
        again = await source.changed_since(practice_id, None)
        assert again.appointments == first.appointments

    async def test_a_cursor_of_unknown_origin_misses_nothing(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        changes = await source.changed_since(practice_id, "a cursor from another life")
        assert appointment_id in [s.appointment.id for s in changes.appointments]

    async def test_writing_back_twice_is_writing_back_once(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        await source.write_back(practice_id, appointment_id, (self.link,), AppointmentStatus.ARRIVED)
        once = await source.get(practice_id, appointment_id)
        assert once.appointment.status is AppointmentStatus.ARRIVED
        assert self.link.url in repr(once.original)
        await source.write_back(practice_id, appointment_id, (self.link,), AppointmentStatus.ARRIVED)
        assert await source.get(practice_id, appointment_id) == once

    async def test_what_is_not_given_is_left_alone(
        self, source: ScheduleSource, practice_id: PracticeId, appointment_id: AppointmentId
    ) -> None:
        before = await source.get(practice_id, appointment_id)
        await source.write_back(practice_id, appointment_id, None, None)
        assert await source.get(practice_id, appointment_id) == before
        await source.write_back(practice_id, appointment_id, (self.link,), None)
        await source.write_back(practice_id, appointment_id, None, AppointmentStatus.FULFILLED)
        after = await source.get(practice_id, appointment_id)
        assert self.link.url in repr(after.original)
        assert after.appointment.status is AppointmentStatus.FULFILLED
        assert _rest(after.original) == _rest(before.original)
        await source.write_back(practice_id, appointment_id, (), None)
        assert self.link.url not in repr((await source.get(practice_id, appointment_id)).original)

    async def test_writing_back_to_an_unknown_appointment_is_not_found(
        self, source: ScheduleSource, practice_id: PracticeId
    ) -> None:
        with pytest.raises(NotFound):
            await source.write_back(
                practice_id, AppointmentId("there-is-no-such-appointment"), None, AppointmentStatus.ARRIVED
            )


class IdentityProviderContract(Contract):
    """Fixtures ``provider``, ``practice_id``, ``good`` parameters of a practitioner, and ``bad`` ones."""

    @pytest.fixture
    def provider(self) -> IdentityProvider:
        raise NotImplementedError("give the provider under test")

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        raise NotImplementedError("give a practice that it knows")

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        raise NotImplementedError("give parameters with which a practitioner is let in")

    @pytest.fixture
    def bad(self) -> Mapping[str, str]:
        raise NotImplementedError("give parameters that are meant for this provider, and wrong")

    def test_it_is_an_identity_provider(self, provider: IdentityProvider) -> None:
        assert isinstance(provider, IdentityProvider)
        assert inspect.iscoroutinefunction(provider.begin)
        assert inspect.iscoroutinefunction(provider.complete)

    async def test_signing_in_begins_with_a_redirect(
        self, provider: IdentityProvider, practice_id: PracticeId
    ) -> None:
        assert isinstance(await provider.begin(practice_id, "https://praxis.example/back"), Redirect)

    async def test_who_is_known_is_let_in_to_that_practice(
        self, provider: IdentityProvider, practice_id: PracticeId, good: Mapping[str, str]
    ) -> None:
        identity = await provider.complete(practice_id, good)
        assert isinstance(identity, Identity)
        assert identity.practice_id == practice_id
        assert identity.subject

    async def test_parameters_of_others_are_left_to_others(
        self, provider: IdentityProvider, practice_id: PracticeId
    ) -> None:
        assert await provider.complete(practice_id, {"of-another-provider": "x"}) is None

    async def test_wrong_parameters_are_refused_and_not_shown(
        self,
        provider: IdentityProvider,
        practice_id: PracticeId,
        bad: Mapping[str, str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level("DEBUG")
        with pytest.raises(Refused) as caught:
            await provider.complete(practice_id, bad)
        self.assert_silent([v for v in bad.values() if v], caplog.text, caught.value)

    async def test_nobody_is_let_in_to_another_practice(
        self, provider: IdentityProvider, good: Mapping[str, str]
    ) -> None:
        with pytest.raises(Refused):
            await provider.complete(PracticeId("there-is-no-such-practice"), good)


class PolicyRuleContract(Contract):
    """Fixtures ``rule``, and questions that are ``satisfying`` and ``violating`` to it, one or more each."""

    @pytest.fixture
    def rule(self) -> PolicyRule:
        raise NotImplementedError("give the rule under test")

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        raise NotImplementedError("give questions to which the rule has no objection")

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        raise NotImplementedError("give questions to which it objects")

    def test_it_is_a_policy_rule(self, rule: PolicyRule) -> None:
        assert isinstance(rule, PolicyRule)
        assert not inspect.iscoroutinefunction(rule.evaluate)
        assert KEBAB.fullmatch(rule.id)
        assert rule.clause
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

    def _finding(self, rule: PolicyRule, question: PolicyQuestion) -> Finding:
        assert type(question) in rule.applies_to
        finding = rule.evaluate(question)
        assert finding == rule.evaluate(question), "the same question gets the same answer"
        assert (finding.rule, finding.clause) == (rule.id, rule.clause)
        assert finding.edition
        name = getattr(question, "name", "")
        assert not name or name not in repr(finding), "findings are kept: they hold no personal data"
        return finding


class VisitPlanContract(Contract):
    """Fixture ``plan``."""

    @pytest.fixture
    def plan(self) -> VisitPlan:
        raise NotImplementedError("give the plan under test")

    def test_the_start_is_within_the_window(self, plan: VisitPlan) -> None:
        window = plan.window(NOON)
        assert window.opens <= NOON < window.closes

    def test_times_are_sensible(self, plan: VisitPlan) -> None:
        assert plan.name
        assert timedelta(0) <= plan.opens_before <= timedelta(days=31)
        assert timedelta(0) < plan.closes_after <= timedelta(days=31)
        assert plan.grace >= timedelta(0)

    def test_notices_are_told_apart_and_come_before_the_start(self, plan: VisitPlan) -> None:
        keys = [notice.key for notice in plan.notices]
        assert len(set(keys)) == len(keys)
        for notice in plan.notices:
            assert KEBAB.fullmatch(notice.key)
            assert KEBAB.fullmatch(notice.template)
            assert notice.before >= timedelta(0)


def _rest(original: Json) -> dict[str, Any]:
    """All but what a link and a status are written to."""
    ours = (
        "status",
        "virtualService",
        "extension",
        "contained",
        "supportingInformation",
        "meta",
        "participant",
        "patientInstruction",
    )
    return {name: value for name, value in original.items() if name not in ours}
