"""The HTML of mails: the same words, nothing to load, one button, whatever names contain."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

from vsdk.testing.factories import PATIENT, PRACTITIONER, a_practice, an_appointment
from vsdk.widgets.texts import LANGUAGES

from .messages_of import LIST_URL, TEMPLATES, TO_TEAM, URL, message, with_texts

HOSTILE = {
    "script": '<script>alert(1)</script><img src="https://ads.example/x.png">',
    "quotes": '"><a href=\'https://ads.example\'>Dr." style="x"</a> & Söhne',
    "lines": "Dr.\r\n\r\n{url}\n<br>\u2028Muster\x0bX",
    "bidi": "Dr. \u202eretsuM\u202c\u2066\u200f\u0000\ud800",
    "endless": "Łäng" * 5000,
    "words without end": "a" * 200_000,
    "jinja": "{{ practice }} {% raw %} {# x #}",
}
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Document(HTMLParser):
    """What a mail program sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are closed in order"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "head" not in self.open:
            self.text += data

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def document(template: str, language: str = "de", name: str = "", **changes: Any) -> Document:
    if name:
        changes["practice"] = a_practice(name=name)
        changes["appointment"] = an_appointment(participants=(PATIENT, replace(PRACTITIONER, name=name)))
    return Document(message(template, language, "email", **changes).html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_it_says_what_the_text_says(template: str, language: str) -> None:
    words = message(template, language, "email")
    seen = " ".join(Document(words.html).text.split())
    for line in filter(None, words.text.splitlines()):
        for part in re.split(r": http\S+", line):
            assert part in seen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [t for t in TEMPLATES if t not in ("cancelled", "sign-in-code")])
def test_one_button_leads_where_the_text_does_and_its_link_is_written_out(
    template: str, language: str
) -> None:
    found = document(template, language)
    wanted = LIST_URL if template in TO_TEAM else URL
    links = [a["href"] for a in found.of("a") if not a["href"].startswith("tel:")]
    assert links == [wanted, wanted]
    assert [a["class"] for a in found.of("a") if a["href"] == wanted] == ["label", "link"]
    assert found.text.count(wanted) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_cancelled_has_no_button(language: str) -> None:
    assert [a["href"] for a in document("cancelled", language).of("a")] == ["tel:+49301234567"]
    assert not [a for a in document("invitation", language, url=None).of("a") if "http" in a["href"]]


def test_a_phone_number_can_be_dialled_however_it_is_written() -> None:
    found = document("cancelled", practice=a_practice(phone="+49 (30) 12-34"))
    assert [a["href"] for a in found.of("a")] == ["tel:+49301234"]
    assert "+49 (30) 12-34" in found.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_it_names_its_language_and_tables_are_no_tables(template: str, language: str) -> None:
    found = document(template, language)
    (html,) = found.of("html")
    assert (html["lang"], html["dir"]) == (language, "ltr")
    assert found.of("table")
    assert all(table["role"] == "presentation" for table in found.of("table"))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_names_stay_words(template: str, language: str, hostile: str) -> None:
    usual, found = document(template, language), document(template, language, HOSTILE[hostile])
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in usual.tags]
    assert [a["href"] for a in found.of("a")] == [a["href"] for a in usual.of("a")]
    assert found.open == []
    assert not set("\u202e\u202c\u2066\u200f\u0000\ud800\x0b") & set(found.text)
    assert len(found.text) < 3000


@pytest.mark.parametrize("template", TEMPLATES)
def test_there_is_nothing_to_load_and_nothing_to_count_readers_with(template: str) -> None:
    html = message(template, "de", "email").html
    harmless = "html head meta title style body table tr td p br a strong"
    assert {tag for tag, _ in Document(html).tags} <= set(harmless.split())
    assert not re.search(r"src\s*=|url\s*\(|@import|background\s*=|\bon\w+\s*=", html)


def test_when_it_is_stands_out() -> None:
    html = message("moved", "de", "email").html
    assert "<strong>Montag, 2. März</strong> um <strong>13:00</strong> Uhr" in html


def test_a_link_within_a_sentence_stays_there_and_has_a_button_below(tmp_path: Path) -> None:
    text = "First {url} and then {url}.\\n\\nWrite to us.\\n\\n{url}"
    messages = with_texts(
        tmp_path, "en", **{"message__survey__email-subject": "Survey", "message__survey__email-text": text}
    )
    found = Document(message("survey", "en", "email", messages).html)
    assert [a["class"] for a in found.of("a")] == ["link", "link", "label", "link", "link"]
    assert f"First {URL} and then {URL}." in found.text


def test_a_line_that_says_nothing_is_no_paragraph(tmp_path: Path) -> None:
    texts = {"message__survey__email-subject": "A\\nB", "message__survey__email-text": "{name}\\n{url}"}
    messages = with_texts(tmp_path, "en", **texts)
    words = message("survey", "en", "email", messages, participant=None)
    assert words.subject == "A B"
    assert len(Document(words.html).of("p")) == 2, "the practice, and the written link"


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 320, "height": 700}, color_scheme=request.param)
    yield context.new_page()
    context.close()


CONTRASTS = """
() => {
  const shine = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? ground(element.parentElement) : color;
  };
  return [...document.querySelectorAll('p, a, strong')].map((element) => {
    const both = [shine(getComputedStyle(element).color), shine(ground(element))].sort((a, b) => b - a);
    return (both[0] + 0.05) / (both[1] + 0.05);
  });
}
"""


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["Dr. Jonas Muster", HOSTILE["words without end"]], ids=["usual", "endless"])
def test_it_fits_a_small_screen_can_be_read_and_asks_nobody(page: Page, name: str) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    appointment = an_appointment(participants=(PATIENT, replace(PRACTITIONER, name=name)))
    page.set_content(message("invitation", "de", "email", appointment=appointment).html)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.locator("a.label").bounding_box()["height"] >= 44  # type: ignore[index]
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 8
    assert min(contrasts) >= 4.5
    assert asked == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_below_a_mail_with_a_link_stands_where_to_refuse_messages(language: str) -> None:
    words = message("invitation", language, "email", url="https://praxis.example/video/j#H4ndle")
    stop = "https://praxis.example/video/m#H4ndle"
    assert words.text.rstrip().endswith(stop)
    assert [a["href"] for a in Document(words.html).of("a")][-1] == stop


@pytest.mark.parametrize("url", ["https://elsewhere.example/j#H4ndle", None])
def test_without_a_link_of_ours_there_is_nothing_to_refuse_by(url: str | None) -> None:
    words = message("invitation", "de", "email", url=url)
    assert "/m#" not in words.html + words.text
