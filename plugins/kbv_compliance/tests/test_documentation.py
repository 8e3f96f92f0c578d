"""Every rule, reason and edition of the compliance plugin is in the documentation."""

import re
from pathlib import Path

import pytest

from vsdk_kbv_compliance import names, rules
from vsdk_kbv_compliance.editions import EDITIONS, NEWEST_CONFIRMED

DOCUMENT = (Path(__file__).parents[3] / "docs/compliance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", rules.rules_of(NEWEST_CONFIRMED), ids=lambda rule: rule.id)
def test_a_rule_has_its_paragraph(rule: rules.Rule) -> None:
    paragraph = DOCUMENT.split(f"### {rule.id}\n")[1].split("\n##")[0]
    assert f"`{rule.question.__name__}`" in paragraph


def test_every_reason_is_explained() -> None:
    source = Path(str(rules.__file__)).read_text(encoding="utf-8") + Path(str(names.__file__)).read_text(
        encoding="utf-8"
    )
    reasons = set(re.findall(r'return (?:None if \w+ else )?"([a-z-]+)"', source))
    reasons |= set(re.findall(r'return "([a-z-]+)" if', source))
    assert len(reasons) == 12
    for reason in reasons:
        assert f"`{reason}`" in DOCUMENT, reason


def test_every_edition_is_listed() -> None:
    for edition in EDITIONS.values():
        assert f"`{edition.id}`" in DOCUMENT
