"""The contracts of sources, identity providers, rules and plans: sloppy ones are found out."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.hooks.found_out import nowhere_used, run

from vsdk.domain.errors import NotFound, PartnerError, Refused
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice, VisitPlan, WaitingNotice
from vsdk.domain.policy import Finding, Join, Outcome, Schedule
from vsdk.hooks.ports import Changes, Identity, Redirect, SourcedAppointment
from vsdk.testing.contract import Contract, Overheard
from vsdk.testing.contracts import (
    IdentityProviderContract,
    PolicyRuleContract,
    ScheduleSourceContract,
    VisitPlanContract,
)
from vsdk.testing.factories import a_sourced_appointment

PRACTICE = PracticeId("practice")
ID = AppointmentId("a1")


# Sources


class GoodSource:
    """One appointment, in memory."""

    name = "memory"

    def __init__(self, away: bool = False) -> None:
        self.away = away
        self.held = a_sourced_appointment()
        self.changes = 1

    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        self.reach()
        if (practice_id, appointment_id) != (PRACTICE, ID):
            raise NotFound("no such appointment")
        return self.held

    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        self.reach()
        return Changes(() if cursor == str(self.changes) else (self.held,), str(self.changes))

    async def write_back(
        self, practice_id: PracticeId, appointment_id: AppointmentId, services: Any, status: Any
    ) -> None:
        held = await self.get(practice_id, appointment_id)
        original, appointment = dict(held.original), held.appointment
        if services is not None:
            original["virtualService"] = [service.url for service in services]
        if status is not None:
            appointment = replace(appointment, status=status)
        if (original, appointment) != (held.original, held.appointment):
            self.changes += 1
        self.held = replace(held, appointment=appointment, original=original)

    def reach(self) -> None:
        if self.away:
            raise PartnerError("the system is away", retryable=True)


class TestAGoodSource(ScheduleSourceContract):
    @pytest.fixture
    def source(self) -> GoodSource:
        return GoodSource()

    @pytest.fixture
    def away(self) -> GoodSource:
        return GoodSource(away=True)

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PRACTICE

    @pytest.fixture
    def appointment_id(self) -> AppointmentId:
        return ID


class NumberedCursor(GoodSource):
    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        changes = await super().changed_since(practice_id, cursor)
        return replace(changes, cursor=1)  # type: ignore[arg-type]


class StrictCursor(GoodSource):
    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        return await super().changed_since(practice_id, str(int(cursor)) if cursor else None)


class EmptyWhenAway(GoodSource):
    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        return Changes((), "") if self.away else await super().changed_since(practice_id, cursor)


class MissingWhenAway(GoodSource):
    def reach(self) -> None:
        if self.away:
            raise NotFound("no such appointment")


class CrashingWhenAway(GoodSource):
    def reach(self) -> None:
        if self.away:
            raise ConnectionError("refused")


class QuietlyNotWritingWhenAway(GoodSource):
    async def write_back(self, *args: Any) -> None:
        if not self.away:
            await super().write_back(*args)


class ShowingTheLink(GoodSource):
    async def write_back(self, *args: Any) -> None:
        logging.getLogger("acme").debug("writing %s", args[2][0].url)
        await super().write_back(*args)


class NamedBadly(GoodSource):
    name = "My PMS"


class ForgettingTheRest(GoodSource):
    async def write_back(self, *args: Any) -> None:
        await super().write_back(*args)
        self.held.original.pop("start", None)


class AlwaysThere(GoodSource):
    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        self.reach()
        return self.held


class OfAnother(GoodSource):
    async def get(self, practice_id: PracticeId, appointment_id: AppointmentId) -> SourcedAppointment:
        found = await super().get(practice_id, appointment_id)
        return replace(found, appointment=replace(found.appointment, practice_id=PracticeId("other")))


class AddingLinks(GoodSource):
    async def write_back(self, practice_id: Any, appointment_id: Any, services: Any, status: Any) -> None:
        before = self.held.original.get("virtualService", [])
        await super().write_back(practice_id, appointment_id, services, status)
        links = [*before, *self.held.original.get("virtualService", [])]
        self.held = replace(self.held, original=self.held.original | {"virtualService": links})


class Unchanging(GoodSource):
    async def changed_since(self, practice_id: PracticeId, cursor: str | None) -> Changes:
        return Changes((self.held,), "1")


AWAY = "test_a_system_that_is_away_is_a_partner_error_and_no_missing_appointment"
CHANGES = "test_at_first_everything_changed_and_then_nothing"

BAD_SOURCES: list[tuple[type[GoodSource], str]] = [
    (NamedBadly, "test_it_is_a_schedule_source"),
    (OfAnother, "test_an_appointment_is_found"),
    (AlwaysThere, "test_an_unknown_appointment_or_practice_is_not_found"),
    (AlwaysThere, "test_writing_back_to_an_unknown_appointment_is_not_found"),
    (NumberedCursor, CHANGES),
    (Unchanging, CHANGES),
    (StrictCursor, "test_a_cursor_of_unknown_origin_misses_nothing"),
    (AddingLinks, "test_writing_back_twice_is_writing_back_once"),
    (ForgettingTheRest, "test_what_is_not_given_is_left_alone"),
    (EmptyWhenAway, AWAY),
    (MissingWhenAway, AWAY),
    (CrashingWhenAway, AWAY),
    (QuietlyNotWritingWhenAway, AWAY),
    (ShowingTheLink, AWAY),
]


# Identity providers

SECRET = "s3cret-of-nobody"


class GoodProvider:
    """A page of another server, which sends people back with a ticket."""

    name = "acme-login"

    def __init__(self) -> None:
        self.used: set[str] = set()

    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        return Redirect(f"https://login.example/?practice={practice_id}&back={quote(return_to, safe='')}")

    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        if "ticket" not in params:
            return None
        ticket = params["ticket"]
        if practice_id != PRACTICE or ticket not in ("ticket-good", "ticket-once") or ticket in self.used:
            raise Refused("this ticket is not valid", code="sign-in-refused")
        if ticket == "ticket-once":
            self.used.add(ticket)
        return Identity("anna", Role.PRACTITIONER, practice_id, "Dr. Anna Muster")


class TestAGoodProvider(IdentityProviderContract):
    secrets = (SECRET,)

    @pytest.fixture
    def provider(self) -> GoodProvider:
        return GoodProvider()

    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PRACTICE

    @pytest.fixture
    def good(self) -> Mapping[str, str]:
        return {"ticket": "ticket-good"}

    @pytest.fixture
    def bad(self) -> Mapping[str, str]:
        return {"ticket": "ticket-bad"}

    @pytest.fixture
    def expired(self) -> Mapping[str, str]:
        return {"ticket": "ticket-old"}

    @pytest.fixture
    def single_use(self) -> Mapping[str, str]:
        return {"ticket": "ticket-once"}


class OneWay(GoodProvider):
    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        return Redirect("https://login.example/")


class InClear(GoodProvider):
    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        return Redirect(f"http://login.example/?back={return_to}")


class SecretInAddress(GoodProvider):
    async def begin(self, practice_id: PracticeId, return_to: str) -> Redirect:
        return Redirect(f"https://login.example/?back={return_to}&key={quote(SECRET)}")


class Reusable(GoodProvider):
    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        self.used.clear()
        return await super().complete(practice_id, params)


class Patient(GoodProvider):
    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        return await super().complete(practice_id, {**params, "ticket": "ticket-good"} if params else {})


class AnyPractice(GoodProvider):
    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        return await super().complete(PRACTICE, params)


class Grabbing(GoodProvider):
    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        return await super().complete(practice_id, {"ticket": ""} | dict(params))


class Parsing(GoodProvider):
    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        if "ticket" in params:
            json.loads(f'["{params["ticket"]}"]')
        return await super().complete(practice_id, params)


class ShowingTheTicket(GoodProvider):
    async def complete(self, practice_id: PracticeId, params: Mapping[str, str]) -> Identity | None:
        logging.getLogger("acme").debug("got", extra={"params": dict(params)})
        return await super().complete(practice_id, params)


class SpelledBadly(GoodProvider):
    name = "ACME login"


BEGIN = "test_signing_in_begins_with_a_redirect_that_leads_back_and_tells_nothing"

BAD_PROVIDERS: list[tuple[type[GoodProvider], str]] = [
    (SpelledBadly, "test_it_is_an_identity_provider"),
    (OneWay, BEGIN),
    (InClear, BEGIN),
    (SecretInAddress, BEGIN),
    (ShowingTheTicket, "test_who_is_known_is_let_in_to_that_practice"),
    (Grabbing, "test_parameters_of_others_are_left_to_others"),
    (ShowingTheTicket, "test_wrong_parameters_are_refused_and_not_shown"),
    (Patient, "test_wrong_parameters_are_refused_and_not_shown"),
    (Patient, "test_senseless_values_let_nobody_in"),
    (Parsing, "test_senseless_values_let_nobody_in"),
    (Patient, "test_what_is_out_of_date_is_refused"),
    (Reusable, "test_what_is_good_once_is_refused_the_second_time"),
    (AnyPractice, "test_nobody_is_let_in_to_another_practice"),
]


# Rules


class GoodRule:
    """Names have two words; windows open an hour before the start at the earliest."""

    id = "acme-full-name"
    clause = "§ 5"
    applies_to = frozenset({Join, Schedule})

    def __init__(self, edition: str = "2024") -> None:
        self.edition = edition

    def evaluate(self, question: Any) -> Finding:
        if isinstance(question, Schedule):
            return self.found(question.window.opens >= question.start - timedelta(hours=1))
        return self.found(len(question.name.split()) > 1)

    def found(self, satisfied: bool, **changes: Any) -> Finding:
        outcome, reason = (Outcome.SATISFIED, "") if satisfied else (Outcome.VIOLATED, "name-incomplete")
        return replace(Finding(self.id, self.clause, self.edition, outcome, reason), **changes)


SATISFYING = [Join(Role.PATIENT, "Erika Beispiel")]
VIOLATING = [Join(Role.PATIENT, "Sonnenblume77")]


class TestAGoodRule(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> GoodRule:
        return GoodRule()

    @pytest.fixture
    def satisfying(self) -> list[Join]:
        return SATISFYING

    @pytest.fixture
    def violating(self) -> list[Join]:
        return VIOLATING

    @pytest.fixture
    def other_edition(self) -> GoodRule:
        return GoodRule("2026")


class Fragile(GoodRule):
    def evaluate(self, question: Any) -> Finding:
        if isinstance(question, Join) and not question.name.split()[0]:
            return self.found(False)
        return super().evaluate(question)


class AsciiOnly(GoodRule):
    def evaluate(self, question: Any) -> Finding:
        if isinstance(question, Join):
            question.name.encode()
        return super().evaluate(question)


class Quoting(GoodRule):
    def evaluate(self, question: Any) -> Finding:
        found = super().evaluate(question)
        return replace(found, evidence=question.name) if isinstance(question, Join) else found


class Wordless(GoodRule):
    def found(self, satisfied: bool, **changes: Any) -> Finding:
        return super().found(satisfied, reason="")


class OfAnotherId(GoodRule):
    def found(self, satisfied: bool, **changes: Any) -> Finding:
        return super().found(satisfied, rule="another")


class Moody(GoodRule):
    def __init__(self, edition: str = "2024") -> None:
        super().__init__(edition)
        self.asked = 0

    def found(self, satisfied: bool, **changes: Any) -> Finding:
        self.asked += 1
        return super().found(self.asked % 2 == 0)


class TwoEditions(GoodRule):
    def found(self, satisfied: bool, **changes: Any) -> Finding:
        return super().found(satisfied, edition="2024" if satisfied else "2026")


class WithoutKinds(GoodRule):
    applies_to = frozenset()


BAD_RULES: list[tuple[type[GoodRule], str]] = [
    (WithoutKinds, "test_it_is_a_policy_rule"),
    (OfAnotherId, "test_it_is_satisfied"),
    (Moody, "test_it_is_satisfied"),
    (Quoting, "test_it_is_violated_with_a_reason"),
    (Wordless, "test_it_is_violated_with_a_reason"),
    (Fragile, "test_it_has_an_answer_to_every_question_of_its_kinds"),
    (AsciiOnly, "test_it_has_an_answer_to_every_question_of_its_kinds"),
    (Wordless, "test_it_has_an_answer_to_every_question_of_its_kinds"),
    (TwoEditions, "test_all_its_findings_are_of_one_edition"),
    (TwoEditions, "test_in_another_edition_it_is_the_same_rule_and_says_which_edition"),
]


# Plans

MINUTE = timedelta(minutes=1)
GOOD_PLAN = VisitPlan(
    "acme",
    opens_before=10 * MINUTE,
    closes_after=60 * MINUTE,
    notices=(Notice("link", "link-at-time", 10 * MINUTE), Notice("day", "reminder", timedelta(days=1))),
    waiting=(WaitingNotice("waiting"), WaitingNotice("desk", to=Role.STAFF)),
)


class TestAGoodPlan(VisitPlanContract):
    @pytest.fixture
    def plan(self) -> VisitPlan:
        return GOOD_PLAN


TIMES = "test_times_are_sensible"
NOTICES = "test_notices_are_told_apart_and_come_before_the_start"
WAITING = "test_notices_about_who_waits_are_told_apart_and_do_not_press"

BAD_PLANS: list[tuple[dict[str, Any], str]] = [
    ({"closes_after": -MINUTE}, "test_the_start_is_within_the_window"),
    ({"opens_before": -MINUTE}, "test_it_combines_with_another_plan"),
    ({"name": ""}, TIMES),
    ({"grace": -MINUTE}, TIMES),
    ({"grace": timedelta(days=400)}, TIMES),
    ({"opens_before": timedelta(days=400)}, TIMES),
    ({"notices": (Notice("a", "reminder", MINUTE), Notice("a", "reminder", 2 * MINUTE))}, NOTICES),
    ({"notices": (Notice("a", "reminder", -MINUTE),)}, NOTICES),
    ({"notices": (Notice("A b", "reminder", MINUTE),)}, NOTICES),
    ({"notices": [Notice("a", "reminder", MINUTE)]}, NOTICES),
    ({"notices": (Notice("a", "reminder", MINUTE, to="patient"),)}, NOTICES),  # type: ignore[arg-type]
    ({"waiting": (WaitingNotice("a"), WaitingNotice("a", to=Role.STAFF))}, WAITING),
    ({"waiting": (WaitingNotice("A b"),)}, WAITING),
    ({"waiting": (WaitingNotice("a", template="Patient waiting"),)}, WAITING),
    ({"waiting": (WaitingNotice("a", every=timedelta(seconds=29)),)}, WAITING),
    ({"waiting": (WaitingNotice("a", most=0),)}, WAITING),
    ({"waiting": (WaitingNotice("a", to="desk"),)}, WAITING),  # type: ignore[arg-type]
]


# All of them


def given_sources(made: type[GoodSource]) -> dict[str, Any]:
    return {"source": made(), "away": made(away=True)}


def given_rules(made: type[GoodRule]) -> dict[str, Any]:
    return {"rule": made(), "other_edition": made("2026")}


BAD: list[tuple[type[Contract], str, dict[str, Any], dict[str, Any]]] = [
    *((TestAGoodSource, test, given_sources(GoodSource), given_sources(bad)) for bad, test in BAD_SOURCES),
    *(
        (TestAGoodProvider, test, {"provider": GoodProvider()}, {"provider": bad()})
        for bad, test in BAD_PROVIDERS
    ),
    *((TestAGoodRule, test, given_rules(GoodRule), given_rules(bad)) for bad, test in BAD_RULES),
    *(
        (TestAGoodPlan, test, {"plan": GOOD_PLAN}, {"plan": replace(GOOD_PLAN, **changes)})
        for changes, test in BAD_PLANS
    ),
]
GIVEN: dict[str, Any] = {
    "practice_id": PRACTICE,
    "appointment_id": ID,
    "good": {"ticket": "ticket-good"},
    "bad": {"ticket": "ticket-bad"},
    "expired": {"ticket": "ticket-old"},
    "single_use": {"ticket": "ticket-once"},
    "satisfying": SATISFYING,
    "violating": VIOLATING,
}


@pytest.mark.parametrize(("contract", "caught_by", "well", "badly"), BAD)
async def test_a_sloppy_one_is_found_out(
    contract: type[Contract],
    caught_by: str,
    well: dict[str, Any],
    badly: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Overheard(caplog, capsys) as ears:
        await run(contract(), caught_by, overheard=ears, **(GIVEN | well))
        with pytest.raises((Exception, pytest.fail.Exception)):
            await run(contract(), caught_by, overheard=ears, **(GIVEN | badly))
    caplog.clear()


@pytest.mark.parametrize(
    "contract", [ScheduleSourceContract, IdentityProviderContract, PolicyRuleContract, VisitPlanContract]
)
def test_for_each_thing_that_is_asked_there_is_a_sloppy_one(contract: type[Contract]) -> None:
    used = [test for kind, test, *_ in BAD if issubclass(kind, contract)]
    assert nowhere_used(contract, used) == set()
