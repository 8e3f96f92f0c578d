"""The rules, each with its clause. ``docs/compliance.md`` has a paragraph on each.

A check is a pure function from a question to a reason code, or None where the rule is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vsdk import Finding, Outcome, Role
from vsdk.domain.policy import Admit, Join, PolicyQuestion, Present, Schedule, Word
from vsdk_kbv_compliance.editions import Edition
from vsdk_kbv_compliance.names import problem
from vsdk_kbv_compliance.plan import WIDEST
from vsdk_kbv_compliance.words import ADVERTISING, MEDICINE, has, has_link

UNCONFIRMED = "the wording of this edition has not been confirmed"


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule for one kind of question."""

    id: str
    clause: str
    edition: Edition
    question: type[PolicyQuestion]
    check: Callable[[Any], str | None]
    in_force: bool = True
    """False where the edition makes it a recommendation only"""

    @property
    def applies_to(self) -> frozenset[type[PolicyQuestion]]:
        return frozenset({self.question})

    def evaluate(self, question: PolicyQuestion) -> Finding:
        reason = ""
        outcome = Outcome.NOT_APPLICABLE
        if self.in_force and isinstance(question, self.question):
            reason = self.check(question) or ""
            outcome = Outcome.VIOLATED if reason else Outcome.SATISFIED
        evidence = "" if self.edition.confirmed else UNCONFIRMED
        return Finding(self.id, self.clause, self.edition.id, outcome, reason, evidence)


def rules_of(edition: Edition) -> tuple[Rule, ...]:
    """All rules, as that edition has them."""
    return (
        Rule("kbv-window", "product rule M19, not in Anlage 31b", edition, Schedule, window),
        Rule(
            "kbv-real-name",
            "Anlage 31b § 5 (1)",
            edition,
            Join,
            real_name,
            in_force=edition.real_names_required,
        ),
        Rule("kbv-no-third-party", "Anlage 31b § 5 (1), § 2 (4)", edition, Present, no_third_party),
        Rule("kbv-staff-without-media", "Anlage 31b § 5 (1)", edition, Admit, staff_without_media),
        Rule("kbv-no-advertising-in-messages", "Anlage 31b § 5 (1)", edition, Word, no_advertising),
        Rule(
            "kbv-discreet-messages",
            "product rule on § 203 StGB and Art. 9 GDPR, not in Anlage 31b",
            edition,
            Word,
            discreet,
        ),
    )


def window(question: Schedule) -> str | None:
    """Links live from one hour before the start to one hour after it, at most."""
    if question.window.opens < question.start - WIDEST:
        return "opens-too-early"
    if question.window.closes > question.start + WIDEST:
        return "closes-too-late"
    return None


def real_name(question: Join) -> str | None:
    """The practitioner recognises patient and companion by their real names."""
    return problem(question.name) if question.role in (Role.PATIENT, Role.COMPANION) else None


def no_third_party(question: Present) -> str | None:
    """Nothing of anyone else's is shown around a visit: no advertising, and nobody who could pass data on."""
    return "third-party-content" if question.origins else None


def staff_without_media(question: Admit) -> str | None:
    """The second access of the practice's staff serves to organise; no visit is held with it."""
    if question.by is Role.STAFF:
        return "staff-admits"
    return "staff-in-visit" if question.role is Role.STAFF else None


def no_advertising(question: Word) -> str | None:
    """Messages lead to the visit and nowhere else, and praise nothing."""
    if has_link(question.text):
        return "foreign-link"
    return "advertising-words" if has(ADVERTISING, question.language, question.text) else None


def discreet(question: Word) -> str | None:
    """Whoever looks at the phone of a patient does not learn why they see a practitioner."""
    return "tells-a-reason" if has(MEDICINE, question.language, question.text) else None
