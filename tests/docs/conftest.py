"""Reading the documentation: sections, tables, and the generator beside it."""

import re
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="session")
def page() -> Callable[[str], str]:
    """The text of a page of the documentation."""
    return lambda name: (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def sections() -> Callable[[str, str], dict[str, str]]:
    """The parts of a page by heading, for headings of one level such as ``###``."""

    def of(name: str, level: str) -> dict[str, str]:
        text = (DOCS / name).read_text(encoding="utf-8")
        parts = re.split(rf"^{level} (.+)$", text, flags=re.MULTILINE)
        bodies = [re.split(r"^#{1,3} ", body, flags=re.MULTILINE)[0] for body in parts[2::2]]
        return dict(zip((heading.strip("`") for heading in parts[1::2]), bodies, strict=True))

    return of


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    """``docs/generate.py`` as a module."""
    spec = spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
