"""Pages: in every language, with hostile input, and readable before any script."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from jinja2 import Environment, UndefinedError

from vsdk.testing.factories import a_practice
from vsdk.widgets.assets import STATIC_FOLDER, Assets
from vsdk.widgets.render import Pages
from vsdk.widgets.texts import LANGUAGES, Texts

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
BASE_URL = "https://pms.example/video"
ASSETS = Assets("/video")
PAGES = Pages(Texts(), ASSETS, BASE_URL)

Render = Callable[[Pages, str], str]
RENDER: dict[str, Render] = {
    "join": lambda pages, language: pages.join(language),
    "practice": lambda pages, language: pages.practice(language, a_practice(name=HOSTILE, id=HOSTILE)),
    "practice_messages": lambda pages, language: pages.practice_messages(
        language, a_practice(name=HOSTILE, id=HOSTILE)
    ),
    "choice": lambda pages, language: pages.choice(language),
    "check": lambda pages, language: pages.check(language),
    "home": lambda pages, language: pages.home(language),
    "problem": lambda pages, language: pages.problem(language, HOSTILE, 404),
    "plugin_page": lambda pages, language: pages.plugin_page(language, HOSTILE, "<p id='own'>7</p>"),
}
every_page = pytest.mark.parametrize("name", RENDER)
every_language = pytest.mark.parametrize("language", LANGUAGES)


class Tags(HTMLParser):
    """All tags of a page with their attributes, and the text in each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.tags[-1][0] if self.tags else "", data.strip()))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_every_page_has_a_test() -> None:
    assert set(RENDER) == {name for name in vars(Pages) if not name.startswith("_")}


@every_language
@every_page
def test_page_needs_no_inline_script_or_style(name: str, language: str) -> None:
    tags = Tags(RENDER[name](PAGES, language))
    assert not tags.of("style")
    assert not [
        script for script in tags.of("script") if not script.get("src") or script.get("type") != "module"
    ]
    for _, attributes in tags.tags:
        assert not [a for a in attributes if a == "style" or a.startswith("on")]
    assert not [text for tag, text in tags.texts if tag == "script"]


@every_language
@every_page
def test_hostile_names_stay_text(name: str, language: str) -> None:
    page = RENDER[name](PAGES, language)
    assert "<script>alert" not in page
    assert not Tags(page).of("img")
    assert "49" not in page.replace(ASSETS.hash, "")


@every_language
@every_page
def test_page_has_language_title_heading_and_no_index(name: str, language: str) -> None:
    page = RENDER[name](PAGES, language)
    tags = Tags(page)
    assert tags.of("html") == [{"lang": language}]
    assert {"name": "robots", "content": "noindex"} in tags.of("meta")
    assert [text for tag, text in tags.texts if tag == "title"]
    assert len(tags.of("h1")) == 1
    assert not re.search(r"\b(page|problem|practice)\.[a-z-]+\b", " ".join(text for _, text in tags.texts))


@every_language
@every_page
def test_page_offers_every_language(name: str, language: str) -> None:
    links = [link for link in Tags(RENDER[name](PAGES, language)).of("a") if "hreflang" in link]
    assert [link["href"] for link in links] == [f"?lang={code}" for code in LANGUAGES]
    assert [link["hreflang"] for link in links if "aria-current" in link] == [language]


@every_page
def test_everything_is_loaded_from_below_the_base_url(name: str) -> None:
    tags = Tags(RENDER[name](PAGES, "en"))
    sources = [a["href"] for a in tags.of("link")] + [a["src"] for a in tags.of("script")]
    assert sources
    for source in sources:
        assert source
        assert source.startswith(f"/video/static/{ASSETS.hash}/")
        assert ASSETS.read(source.removeprefix("/video/static/")) is not None


@pytest.mark.parametrize("name", ["join", "practice", "practice_messages", "choice"])
def test_page_with_scripts_says_what_to_do_without_them(name: str) -> None:
    tags = Tags(RENDER[name](PAGES, "de"))
    assert tags.of("noscript")
    assert any("JavaScript" in text for _, text in tags.texts)


def test_join_page_holds_the_visit_element() -> None:
    assert Tags(PAGES.join("fr")).of("vsdk-video-visit") == [{"server": "/video", "lang": "fr"}]


def test_practice_page_holds_the_list_of_that_practice() -> None:
    (element,) = Tags(PAGES.practice("de", a_practice())).of("vsdk-practice-queue")
    assert element == {
        "server": "/video",
        "practice": "practice",
        "practice-name": "Praxis am Park",
        "time-zone": "Europe/Berlin",
        "lang": "de",
    }


def test_page_of_what_did_not_arrive_signs_in_like_the_list() -> None:
    (element,) = Tags(PAGES.practice_messages("de", a_practice())).of("vsdk-practice-messages")
    (of_list,) = Tags(PAGES.practice("de", a_practice())).of("vsdk-practice-queue")
    assert element == of_list


def test_page_of_choice_knows_nobody() -> None:
    assert Tags(PAGES.choice("fr")).of("vsdk-message-choice") == [{"server": "/video", "lang": "fr"}]


def test_page_of_a_plugin_keeps_its_html() -> None:
    assert "<p id='own'>7</p>" in RENDER["plugin_page"](PAGES, "en")


@pytest.mark.parametrize(
    ("code", "status", "title"),
    [
        ("not-found", 404, "There is no such page"),
        ("practice-unknown", 404, "There is no such page"),
        ("rate-limited", 429, "Please wait a moment"),
        ("partner-error", 502, "Sorry, that did not work"),
        ("policy-denied", 403, "That is not possible right now"),
    ],
)
def test_problem_page_speaks_of_what_happened(code: str, status: int, title: str) -> None:
    page = PAGES.problem("en", code, status)
    assert f"<h1>{title}</h1>" in page
    assert f"{code} ({status})" in page


def test_unknown_language_becomes_english() -> None:
    assert PAGES.home("xx-YY") == PAGES.home("en")


def test_server_without_english_uses_its_first_language() -> None:
    pages = Pages(Texts(languages=["fr"]), Assets(""), "https://video.example")
    assert pages.home("en") == pages.home("fr")
    assert "Cette page n’existe pas" in pages.problem("en", "not-found", 404)


def test_server_at_the_root_of_its_origin_needs_no_path() -> None:
    page = Pages(Texts(), Assets(""), "https://video.example/").join("en")
    assert 'server=""' in page
    assert 'href="/static/' in page


def test_undefined_names_in_templates_are_errors() -> None:
    environment: Environment = PAGES._jinja
    with pytest.raises(UndefinedError):
        environment.from_string("{{ nobody_gave_this }}").render()
    assert environment.autoescape is True


def tokens(css: str) -> list[tuple[str, str]]:
    return re.findall(r"(--vsdk-[\w-]+):\s*([^;]+);", css)


def test_frame_and_elements_have_the_same_tokens() -> None:
    frame = tokens((STATIC_FOLDER / "page.css").read_text())
    elements = tokens((STATIC_FOLDER / "ui" / "styles.js").read_text())
    assert sorted(frame) == sorted(elements)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_enough_contrast(theme: int) -> None:
    css = (STATIC_FOLDER / "page.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    colours = dict(tokens((light, dark)[theme]))
    for surface in ("surface", "raised"):
        for text in ("text", "muted", "accent", "good", "fair", "bad"):
            assert contrast(colours[f"--vsdk-{text}"], colours[f"--vsdk-{surface}"]) >= 4.5, (text, surface)
        assert contrast(colours["--vsdk-edge"], colours[f"--vsdk-{surface}"]) >= 3
    assert contrast(colours["--vsdk-on-accent"], colours["--vsdk-accent"]) >= 4.5
    assert contrast(colours["--vsdk-on-danger"], colours["--vsdk-danger"]) >= 4.5
