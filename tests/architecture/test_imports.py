"""Who may import whom: the contracts in pyproject.toml, and what import-linter cannot say."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPURE = frozenset(
    {"asyncio", "time", "random", "secrets", "os", "logging", "socket", "threading", "subprocess"}
)
HEAVY = (
    "fastapi",
    "starlette",
    "sqlalchemy",
    "aiortc",
    "av",
    "fhir",
    "httpx",
    "uvicorn",
    "jinja2",
    "babel",
    "joserfc",
)
PLUGINS_MAY = ("vsdk", "vsdk.hooks", "vsdk.domain")


def imported(file: Path) -> list[str]:
    """Modules that a file names in its imports, wherever in it."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
    return names


def foreign_to_plugins(name: str) -> bool:
    """Whether this is a part of vsdk that a plugin may not know."""
    inside = name == "vsdk" or name.startswith("vsdk.")
    return (
        inside and name != "vsdk" and not any(name == p or name.startswith(f"{p}.") for p in PLUGINS_MAY[1:])
    )


def plugin_files() -> list[Path]:
    gateway = (ROOT / "examples" / "sms_gateway").glob("**/*.py")
    sources = [*(ROOT / "plugins").glob("*/src/**/*.py"), *gateway]
    return [file for file in sources if "tests" not in file.parts and not file.name.startswith("test_")]


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_third_party_package_that_has_a_home_is_protected() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    protected = {m for c in settings["contracts"] if c["type"] == "protected" for m in c["protected_modules"]}
    assert protected >= {*HEAVY, "alembic", "pluggy", "limits", "structlog", "vsdk.testing"}


@pytest.mark.parametrize("file", sorted((ROOT / "src/vsdk/domain").glob("*.py")), ids=lambda f: f.name)
def test_the_domain_needs_the_standard_library_only_and_nothing_impure(file: Path) -> None:
    for name in imported(file):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or name.startswith("vsdk.domain"), name
        assert top not in IMPURE, name


def test_plugins_know_nothing_but_the_public_names_hooks_and_the_domain() -> None:
    wrong = [
        f"{f.relative_to(ROOT)}: {n}" for f in plugin_files() for n in imported(f) if foreign_to_plugins(n)
    ]
    assert not wrong


def test_plugins_do_not_import_each_other() -> None:
    packages = {init.parent.name for init in (ROOT / "plugins").glob("*/src/*/__init__.py")}
    for file in plugin_files():
        others = packages - set(file.parts)
        assert not [n for n in imported(file) if n.split(".")[0] in others], file


def test_what_plugins_may_not_import_is_recognised() -> None:
    allowed = ["vsdk", "vsdk.hooks", "vsdk.hooks.ports", "vsdk.domain.plan", "vsdk_other", "pydantic"]
    assert not [name for name in allowed if foreign_to_plugins(name)]
    assert foreign_to_plugins("vsdk.server.app")
    assert foreign_to_plugins("vsdk.settings")
    assert foreign_to_plugins("vsdk.hooksmith")


@pytest.mark.parametrize(
    "statement", ["import vsdk", "from vsdk import hookimpl", "from vsdk import Message, Notice"]
)
def test_what_a_plugin_imports_first_loads_nothing_heavy(statement: str) -> None:
    script = f"import sys; {statement}; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "vsdk" in loaded
    assert not loaded & {*HEAVY, "pydantic", "pydantic_core", "alembic", "structlog", "asyncio", "pytest"}
