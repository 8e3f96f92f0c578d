"""The two tags that a PMS in any language needs."""

from html.parser import HTMLParser
from pathlib import Path

from vsdk.widgets.assets import STATIC_FOLDER, Assets

PAGE = Path(__file__).parents[2] / "examples" / "embed.html"


class Tags(HTMLParser):
    """All start tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.found


def test_two_tags_are_ours() -> None:
    page = PAGE.read_text(encoding="utf-8")
    ours = [(t, a) for t, a in tags(page) if t == "script" or t.startswith("vsdk-")]
    assert ours == [
        ("script", {"type": "module", "src": "https://praxis.example/video/static/vsdk.js"}),
        (
            "vsdk-practice-queue",
            {"server": "https://praxis.example/video", "grant": "GRANT", "lang": "de"},
        ),
    ]


def test_the_script_is_one_that_is_served_without_a_hash() -> None:
    asset = Assets("/video").read("vsdk.js")
    assert asset is not None
    assert asset.content_type.startswith("text/javascript")


def test_the_element_and_its_attributes_exist() -> None:
    element = (STATIC_FOLDER / "elements" / "practice-queue.js").read_text(encoding="utf-8")
    assert "'vsdk-practice-queue'" in element
    base = (STATIC_FOLDER / "ui" / "element.js").read_text(encoding="utf-8")
    for attribute in ("grant", "server", "lang"):
        assert f"getAttribute('{attribute}')" in element + base or f"'{attribute}'" in element + base


def test_the_documentation_shows_the_same_two_tags() -> None:
    text = (PAGE.parents[1] / "docs" / "embedding.md").read_text(encoding="utf-8")
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith(("<script", "<vsdk-")):
            assert line in text


def test_the_documentation_shows_the_python_example_as_it_is() -> None:
    text = (PAGE.parents[1] / "docs" / "embedding.md").read_text(encoding="utf-8")
    code = PAGE.with_name("embed_fastapi.py").read_text(encoding="utf-8").partition('"""\n\n')[2]
    assert code.strip() in text
