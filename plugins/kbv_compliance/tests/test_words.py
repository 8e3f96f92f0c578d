"""What messages may not say, tried with what practices write."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import vsdk
from vsdk.domain.policy import PolicyQuestion, Word
from vsdk.hooks.ports import PolicyRule
from vsdk.testing.contracts import PolicyRuleContract
from vsdk.testing.fakes import FakeConfig
from vsdk_kbv_compliance import vsdk_policy_rules

PLUGINS = Path(__file__).parents[2]
CATALOGUES = sorted(
    [
        *(Path(str(vsdk.__file__)).parent / "locale").glob("*/messages.po"),
        *PLUGINS.glob("*/src/*/locale/*/*.po"),
    ]
)
RULES = {rule.id: rule for rule in vsdk_policy_rules(FakeConfig())}
OLDER = {
    rule.id: rule
    for rule in vsdk_policy_rules(FakeConfig({"kbv_compliance": {"edition": "anlage31b@2021-03"}}))
}
ADVERTISING, DISCREET = "kbv-no-advertising-in-messages", "kbv-discreet-messages"


def word(text: str, language: str = "de", part: str = "sms") -> Word:
    return Word("invitation", part, language, text)


def reason(rule: str, text: str, language: str = "de") -> str:
    return str(RULES[rule].evaluate(word(text, language)).reason)


class TestNoAdvertising(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> PolicyRule:
        return RULES[ADVERTISING]

    @pytest.fixture
    def other_edition(self) -> PolicyRule:
        return OLDER[ADVERTISING]

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        return [word("Termin: {url}"), word("Zur Liste: {list_url}"), word("")]

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        return [word("Jetzt 20 % Rabatt! {url}"), word("{url} https://ads.example", part="email-text")]


class TestDiscreet(PolicyRuleContract):
    @pytest.fixture
    def rule(self) -> PolicyRule:
        return RULES[DISCREET]

    @pytest.fixture
    def other_edition(self) -> PolicyRule:
        return OLDER[DISCREET]

    @pytest.fixture
    def satisfying(self) -> Sequence[PolicyQuestion]:
        return [word("Videosprechstunde mit {practitioner}"), word("")]

    @pytest.fixture
    def violating(self) -> Sequence[PolicyQuestion]:
        return [word("Ihre Psychotherapie: {url}"), word("Votre grossesse", "fr"), word("HIV test", "en")]


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda p: f"{p.parents[2].name}/{p.parent.name}")
def test_all_words_of_our_own_are_allowed(file: Path) -> None:
    with file.open("rb") as content:
        texts = [str(m.string) for m in read_po(content, abort_invalid=True) if m.id]
    assert texts
    for text in texts:
        for id_ in (ADVERTISING, DISCREET):
            assert reason(id_, text, file.parent.name) == "", text


def test_catalogues_of_all_languages_are_among_them() -> None:
    assert [file.parent.name for file in CATALOGUES].count("fr") == 3
    assert len(CATALOGUES) == 9


@pytest.mark.parametrize(
    "text",
    [
        "Mehr: https://praxis.example/angebote",
        "Mehr: HTTP://praxis.example",
        "Mehr auf www.praxis.example",
        "praxis-am-park.de",
        "Siehe praxis.de/termine, bitte",
        "https://track.example/?to={url}",
        "bit.ly/3xYz",
        "ftp://praxis.example",
    ],
)
def test_a_link_other_than_the_placeholders_is_found(text: str) -> None:
    assert reason(ADVERTISING, text) == "foreign-link"
    assert reason(ADVERTISING, text, "tr") == "foreign-link", "in any language"


@pytest.mark.parametrize(
    "text",
    [
        "({url}).",
        "Am 30.12.2026 um 14.30 Uhr",
        "info@praxis-am-park.de",
        "z.B. heute",
        "Dr. med. {practitioner}",
        "Uhr.Bitte",
        "Link:{url}",
    ],
)
def test_what_is_no_link_is_none(text: str) -> None:
    assert reason(ADVERTISING, text) == ""


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Unser Angebot: {url}"),
        ("de", "NEUE ANGEBOTE"),
        ("de", "Rabattaktion bis Freitag"),
        ("de", "Nutzen Sie unsere Aktion!"),
        ("de", "Gutscheine"),
        ("de-CH", "Abonnieren Sie den Newsletter"),
        ("de", "gratis"),
        ("de", "Als IGeL-Leistung"),
        ("de", "für Selbstzahler"),
        ("fr", "Promo : -20 %"),
        ("fr", "Découvrez nos offres"),
        ("fr", "L’offre du mois"),
        ("fr", "une réduction"),
        ("en", "Get a discount"),
        ("en", "Special offer: {url}"),
        ("en", "summer sale"),
        ("en", "your voucher"),
    ],
)
def test_words_of_advertising_are_found(language: str, text: str) -> None:
    assert reason(ADVERTISING, text, language) == "advertising-words"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Es ist keine Aktion von Ihnen nötig."),
        ("de", "Das Terminangebot gilt bis morgen."),
        ("de", "Der Anruf ist kostenlos."),
        ("de", "Igelweg 3"),
        ("de", "{angebot}"),
        ("fr", "Le docteur vous offre un rendez-vous."),
        ("fr", "la remise de votre ordonnance"),
        ("fr", "le solde"),
        ("en", "We can offer you another time."),
        ("en", "No action is needed."),
        ("en", "wholesale"),
        ("tr", "gratis newsletter"),
    ],
)
def test_ordinary_words_are_not_taken_for_advertising(language: str, text: str) -> None:
    assert reason(ADVERTISING, text, language) == ""


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Termin in der Onkologie"),
        ("de", "psychiatrische Sprechstunde"),
        ("de", "Ihre PSYCHOTHERAPIE"),
        ("de", "Beratung zu Sucht"),
        ("de", "Suchtberatung"),
        ("de", "HIV-Test"),
        ("de", "Schwangerschaftsvorsorge"),
        ("de", "Kinderwunschzentrum"),
        ("de", "Befundbesprechung"),
        ("de-AT", "Krebsnachsorge"),
        ("fr", "en oncologie"),
        ("fr", "votre grossesse"),
        ("fr", "dépistage du VIH"),
        ("fr", "psychothérapie"),
        ("fr", "arrêt de travail"),
        ("en", "oncology visit"),
        ("en", "Gynaecology"),
        ("en", "pregnancy"),
        ("en", "HIV test"),
        ("en", "your test results"),
    ],
)
def test_words_that_tell_a_reason_are_found(language: str, text: str) -> None:
    assert reason(DISCREET, text, language) == "tells-a-reason"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Jemand sucht Sie im Wartezimmer."),
        ("de", "Bitte besuchten Sie uns"),
        ("de", "Der Link ist automatisch gültig."),
        ("de", "{diagnose}"),
        ("fr", "Patient(e) en attente"),
        ("fr", "Ouvrez la liste"),
        ("en", "first test of your camera"),
        ("en", "Please restart"),
    ],
)
def test_ordinary_words_tell_no_reason(language: str, text: str) -> None:
    assert reason(DISCREET, text, language) == ""


def test_the_finding_repeats_nothing_of_the_text() -> None:
    finding = RULES[DISCREET].evaluate(word("Ihre Psychotherapie bei Frau Beispiel"))
    assert "Psycho" not in repr(finding)
    assert "not in Anlage 31b" in finding.clause
    assert RULES[ADVERTISING].clause == "Anlage 31b § 5 (1)"
