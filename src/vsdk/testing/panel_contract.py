"""The contract of a Panel (see `vsdk.testing.contracts`)."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from vsdk.hooks.ports import Panel
from vsdk.testing.contract import KEBAB, Contract

ELEMENT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
"""the plain part of what HTML, 4.13.2 allows as the name of a custom element"""
RESERVED = frozenset(
    {
        "annotation-xml",
        "color-profile",
        "font-face",
        "font-face-format",
        "font-face-name",
        "font-face-src",
        "font-face-uri",
        "missing-glyph",
    }
)
"""hyphenated names of SVG and MathML (HTML, 4.13.2)"""
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`\\])//[^\n]*", re.DOTALL)
_IMPORT = re.compile(
    r"""(?:\bimport\s*\(?\s*|\bfrom\s*|\bimportScripts\s*\(\s*|\bWorker\s*\(\s*)(["'`])(?P<place>[^"'`]*)\1"""
)
_SCRIPTS = (".js", ".mjs")


class PanelContract(Contract):
    """Give

    - fixture ``panel``;
    - fixture ``static``: the folder of the plugin's static files, as it is packaged;
    - ``plugin``: the name of the plugin, as in its entry point; names begin with it, so that no two plugins
      give the same.
    """

    plugin: ClassVar[str] = ""

    @pytest.fixture
    def panel(self) -> Panel:
        raise NotImplementedError("give the panel under test")

    @pytest.fixture
    def static(self) -> Path:
        raise NotImplementedError("give the folder of the plugin's static files")

    def test_it_is_a_panel_with_names_of_its_plugin(self, panel: Panel) -> None:
        assert isinstance(panel, Panel)
        assert self.plugin, "give the name of the plugin"
        prefix = self.plugin.replace("_", "-")
        assert KEBAB.fullmatch(panel.name)
        assert panel.name == prefix or panel.name.startswith(f"{prefix}-")
        assert panel.element.startswith(f"{prefix}-") or panel.element == prefix
        assert KEBAB.fullmatch(panel.slot)

    def test_its_element_has_a_name_that_html_allows(self, panel: Panel) -> None:
        assert ELEMENT.fullmatch(panel.element), "lower case, with a hyphen"
        assert panel.element not in RESERVED

    def test_its_module_is_a_static_file_of_the_plugin_or_an_address(
        self, panel: Panel, static: Path
    ) -> None:
        if _is_address(panel.module):
            address = urlsplit(panel.module)
            assert address.scheme == "https"
            assert address.hostname
            assert not address.username, "an address in a page is no place for a secret"
            assert not address.query
            assert not address.fragment
        else:
            assert PurePosixPath(panel.module).suffix in _SCRIPTS
            _file(static, panel.module)

    def test_its_module_defines_the_element(self, panel: Panel, static: Path) -> None:
        if _is_address(panel.module):
            pytest.skip("the module is elsewhere")
        found = "".join(_FileText(file).code for file in _modules(static, panel.module))
        define = rf"""customElements\s*\.\s*define\s*\(\s*(["'`]){re.escape(panel.element)}\1"""
        assert re.search(define, found), f"no customElements.define('{panel.element}', …)"

    def test_its_module_loads_nothing_from_other_origins(self, panel: Panel, static: Path) -> None:
        if _is_address(panel.module):
            pytest.skip("the module is elsewhere")
        for file in _modules(static, panel.module):
            for place in _FileText(file).imports:
                assert place.startswith(("./", "../")), f"{file.name} loads {place!r}: it must be relative"


class _FileText:
    def __init__(self, file: Path) -> None:
        self.code = _COMMENT.sub(" ", file.read_text(encoding="utf-8"))

    @property
    def imports(self) -> list[str]:
        return [found["place"] for found in _IMPORT.finditer(self.code)]


def _is_address(module: str) -> bool:
    return bool(urlsplit(module).scheme) or module.startswith("//")


def _file(static: Path, path: str) -> Path:
    assert re.fullmatch(r"[^/\\?#][^\\?#]*", path), "a relative path, without query and fragment"
    file = (static / path).resolve()
    assert file.is_relative_to(static.resolve()), f"{path} is outside of the static files"
    assert file.is_file(), f"there is no {path} among the static files"
    return file


def _modules(static: Path, module: str) -> Iterator[Path]:
    """The module, and what it imports by relative paths, each once."""
    root = static.resolve()
    ahead, seen = [_file(static, module)], set[Path]()
    while ahead:
        file = ahead.pop()
        if file in seen:
            continue
        seen.add(file)
        yield file
        for place in _FileText(file).imports:
            if place.startswith(("./", "../")):
                target = (file.parent / place).resolve()
                assert target.is_relative_to(root), f"{file.name} imports {place}, which is outside"
                assert target.is_file(), f"{file.name} imports {place}, which is not there"
                ahead.append(target)
