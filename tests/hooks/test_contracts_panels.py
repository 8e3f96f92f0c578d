"""The contract of panels: a good one passes, and for each thing it asks a bad one is found out."""

from pathlib import Path

import pytest
from tests.hooks.found_out import is_found_out, nowhere_used, run

from vsdk.hooks.ports import Panel
from vsdk.testing.contracts import PanelContract

GOOD = Panel("acme-notes", "visit-side", "acme-notes", "notes.js")
SCRIPT = """
// after https://html.spec.whatwg.org/multipage/custom-elements.html
import { words } from "./parts/words.js";
/* import "https://cdn.example/not.js" is what we do not do */
class Notes extends HTMLElement {
  connectedCallback() { this.textContent = words.hello + " https://acme.example"; }
}
customElements.define("acme-notes", Notes);
"""


def a_static_folder(path: Path, script: str = SCRIPT) -> Path:
    (path / "parts").mkdir(parents=True)
    (path / "notes.js").write_text(script, encoding="utf-8")
    (path / "parts" / "words.js").write_text('export const words = { hello: "Grüß Gott" };', encoding="utf-8")
    (path.parent / "outside.js").write_text(SCRIPT, encoding="utf-8")
    return path


class TestAGoodPanel(PanelContract):
    plugin = "acme"

    @pytest.fixture
    def panel(self) -> Panel:
        return GOOD

    @pytest.fixture
    def static(self, tmp_path: Path) -> Path:
        return a_static_folder(tmp_path / "static")


class TestAPanelFromElsewhere(TestAGoodPanel):
    plugin = "acme_notes"

    @pytest.fixture
    def panel(self) -> Panel:
        return Panel("acme-notes", "visit-side", "acme-notes-list", "https://static.acme.example/notes.js")


NAMES = "test_it_is_a_panel_with_names_of_its_plugin"
ELEMENT = "test_its_element_has_a_name_that_html_allows"
FILE = "test_its_module_is_a_static_file_of_the_plugin_or_an_address"
DEFINES = "test_its_module_defines_the_element"
LOADS = "test_its_module_loads_nothing_from_other_origins"


def a_panel(name: str = "", slot: str = "", element: str = "", module: str = "") -> Panel:
    return Panel(name or GOOD.name, slot or GOOD.slot, element or GOOD.element, module or GOOD.module)


BAD_PANELS = [
    (a_panel(name="notes"), NAMES),
    (a_panel(name="acme_notes"), NAMES),
    (a_panel(name="acmenotes"), NAMES),
    (a_panel(slot="Visit side"), NAMES),
    (a_panel(element="other-notes"), NAMES),
    (a_panel(element="acmenotes"), ELEMENT),
    (a_panel(element="Acme-Notes"), ELEMENT),
    (a_panel(element="acme-"), ELEMENT),
    (a_panel(element="1acme-notes"), ELEMENT),
    (a_panel(element="font-face"), ELEMENT),
    (a_panel(module="missing.js"), FILE),
    (a_panel(module="/notes.js"), FILE),
    (a_panel(module="../outside.js"), FILE),
    (a_panel(module="parts\\words.js"), FILE),
    (a_panel(module="notes.js?v=1"), FILE),
    (a_panel(module="parts"), FILE),
    (a_panel(module="notes.css"), FILE),
    (a_panel(module="http://static.acme.example/notes.js"), FILE),
    (a_panel(module="//static.acme.example/notes.js"), FILE),
    (a_panel(module="https://anna:pw@static.acme.example/notes.js"), FILE),
    (a_panel(module="https://static.acme.example/notes.js?token=1"), FILE),
    (a_panel(module="data:text/javascript,0"), FILE),
    (a_panel(element="acme-others"), DEFINES),
    (a_panel(module="parts/words.js"), DEFINES),
]


@pytest.mark.parametrize(("panel", "caught_by"), BAD_PANELS)
async def test_a_bad_panel_is_found_out(panel: Panel, caught_by: str, tmp_path: Path) -> None:
    static = a_static_folder(tmp_path / "static")
    await run(TestAGoodPanel(), caught_by, panel=GOOD, static=static)
    assert await is_found_out(TestAGoodPanel(), caught_by, panel=panel, static=static)


@pytest.mark.parametrize(
    "line",
    [
        'import "https://cdn.example/lit.js";',
        "import { html } from 'https://cdn.example/lit.js'",
        'import{html}from"//cdn.example/lit.js"',
        "import { html } from 'lit'",
        "const lit = await import(`https://cdn.example/lit.js`);",
        'export * from "http://cdn.example/lit.js";',
        'export * from "/elsewhere.js";',
        'import "./missing.js";',
        'import "../outside.js";',
        'new Worker("https://cdn.example/worker.js")',
    ],
)
async def test_a_module_that_loads_what_is_not_its_own_is_found_out(line: str, tmp_path: Path) -> None:
    direct = a_static_folder(tmp_path / "direct" / "static", SCRIPT + line)
    assert await is_found_out(TestAGoodPanel(), LOADS, panel=GOOD, static=direct)
    indirect = a_static_folder(tmp_path / "indirect" / "static")
    (indirect / "parts" / "words.js").write_text(line.replace("../", "../../"), encoding="utf-8")
    assert await is_found_out(TestAGoodPanel(), LOADS, panel=GOOD, static=indirect)


async def test_a_definition_in_a_comment_is_none(tmp_path: Path) -> None:
    static = a_static_folder(tmp_path / "static", "// customElements.define('acme-notes', Notes)")
    assert await is_found_out(TestAGoodPanel(), DEFINES, panel=GOOD, static=static)


async def test_modules_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    static = a_static_folder(tmp_path / "static")
    (static / "parts" / "words.js").write_text('import "../notes.js";', encoding="utf-8")
    await run(TestAGoodPanel(), LOADS, panel=GOOD, static=static)


async def test_without_the_name_of_the_plugin_nothing_is_proven(tmp_path: Path) -> None:
    assert await is_found_out(PanelContract(), NAMES, panel=GOOD, static=tmp_path)


def test_for_each_thing_that_is_asked_there_is_a_bad_panel() -> None:
    assert nowhere_used(PanelContract, [*(test for _, test in BAD_PANELS), LOADS]) == set()
