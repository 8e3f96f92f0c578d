"""The plan's times, and texts that replace vsdk's own in every language."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from vsdk import VisitPlan
from vsdk.domain.participant import Role
from vsdk.domain.plan import combine
from vsdk.testing.contracts import VisitPlanContract
from vsdk_doctolib_like import vsdk_message_catalogs, vsdk_visit_plans

MINUTE = timedelta(minutes=1)
KEYS = {f"message.link-at-time.{part}" for part in ("sms", "email-subject", "email-text")}
KNOWN = {"begins", "practitioner", "practice", "phone", "name", "date", "day", "time", "url"}


def texts(language: str) -> dict[str, str]:
    (folder,) = vsdk_message_catalogs()
    with (folder / language / "doctolib.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, abort_invalid=True) if m.id}


class TestPlan(VisitPlanContract):
    @pytest.fixture
    def plan(self) -> VisitPlan:
        (plan,) = vsdk_visit_plans()
        return plan


def test_the_link_opens_ten_minutes_before_and_the_patient_is_told_then() -> None:
    (plan,) = vsdk_visit_plans()
    assert (plan.opens_before, plan.closes_after) == (10 * MINUTE, 60 * MINUTE)
    (notice,) = plan.notices
    assert (notice.key, notice.template, notice.before) == ("link", "link-at-time", plan.opens_before)
    assert notice.to is Role.PATIENT


def test_d13_while_a_patient_waits_the_practice_is_told_every_two_minutes() -> None:
    (plan,) = vsdk_visit_plans()
    (waiting,) = plan.waiting
    assert (waiting.template, waiting.every, waiting.to) == (
        "patient-waiting",
        2 * MINUTE,
        Role.PRACTITIONER,
    )


def test_beside_a_wider_plan_ten_minutes_hold_and_one_message_is_sent() -> None:
    (plan,) = vsdk_visit_plans()
    wider = VisitPlan("wide", 60 * MINUTE, 60 * MINUTE, plan.notices)
    both = combine([wider, plan])
    assert both.opens_before == 10 * MINUTE
    assert len(both.notices) == 1


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_every_language_says_with_whom_in_ten_minutes_and_where(language: str) -> None:
    found = texts(language)
    assert found.keys() == KEYS
    for key, text in found.items():
        used = set(re.findall(r"\{(\w+)\}", text))
        assert used <= KNOWN
        assert "practitioner" in used
        assert "begins" in used
        if not key.endswith("subject"):
            assert {"time", "url"} <= used
            assert any(line == "{url}" for line in text.splitlines()), "the link stands alone"


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_an_sms_fits_into_two_parts(language: str) -> None:
    values = {
        "practitioner": "Dr. med. Katharina Berg",
        "time": "09:00",
        "begins": "dans 10 minutes",
        "url": "https://praxis.example/v/j#" + "x" * 22,
    }
    text = texts(language)["message.link-at-time.sms"]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    assert len(text) <= 306 - 40


def test_the_catalogues_are_in_the_package() -> None:
    (folder,) = vsdk_message_catalogs()
    assert sorted(Path(p).name for p in folder.iterdir()) == ["de", "en", "fr"]
