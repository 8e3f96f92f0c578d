"""Our own plugins through the real registry and the real settings, as a server loads them."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from vsdk.domain.errors import ConfigurationError
from vsdk.domain.message import Message
from vsdk.domain.plan import Window
from vsdk.domain.policy import PolicyQuestion, Schedule
from vsdk.service.registry import Registry, installed, load
from vsdk.settings import PluginConfig, Settings
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeHttp
from vsdk.widgets.texts import Texts

REPOSITORY = Path(__file__).parents[2]
PLUGIN_FILES = sorted(
    [*REPOSITORY.glob("plugins/*/src/**/*.py"), REPOSITORY / "examples/sms_gateway/vsdk_acme_sms.py"]
)
OWN = ["folder_schedule", "standard_plan", "console_messages", "local_login"]
FIRST_PARTY = ["kbv_compliance", "doctolib_like"]


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PARK_CODE", "quiet-otter-swims")
    return "quiet-otter-swims"


def registry(plugins: list[str], folder: Path) -> Registry:
    sections = {
        "folder_schedule": {"directory": str(folder)},
        "local_login": {"codes": {"park": {"env": "PARK_CODE"}}},
    }
    settings = Settings.of(
        {
            "plugins": plugins,
            "practices": [{"id": "park", "name": "Praxis am Park"}],
            "plugin": {name: section for name, section in sections.items() if name in plugins},
        }
    )
    return load(plugins, PluginConfig(settings), FakeHttp())


async def test_all_of_them_load_together(tmp_path: Path, code: str) -> None:
    found = registry([*OWN, *FIRST_PARTY], tmp_path)
    assert set(found.schedule_sources) == {"folder"}
    given = [(given.plugin, given.channel.channel) for given in found.channels]
    assert given == [("console_messages", "sms"), ("console_messages", "email")]
    assert set(found.identity_providers) == {"local"}
    assert set(found.pages) == {
        ("console_messages", "messages"),
        ("doctolib_like", "appointments"),
        ("doctolib_like", "confirmation"),
    }
    assert len(found.rules) == 6
    assert [folder.name for folder in found.catalogs] == ["locale"]


async def test_channel_and_page_of_one_server_belong_together(tmp_path: Path, code: str) -> None:
    one, other = registry(OWN, tmp_path), registry(OWN, tmp_path)
    await one.channels[0].channel.deliver(Message("+491713920001", "only here", "k", "link-at-time", "de"))
    assert "only here" in await one.pages["console_messages", "messages"].body("en")
    assert "only here" not in await other.pages["console_messages", "messages"].body("en")


def test_windows_intersect_and_the_rules_hold(tmp_path: Path, code: str) -> None:
    found = registry([*OWN, *FIRST_PARTY], tmp_path)
    assert found.plan.opens_before == timedelta(minutes=10)
    assert found.plan.closes_after == timedelta(minutes=60)
    assert [(n.key, n.before) for n in found.plan.notices] == [("link", timedelta(minutes=10))]
    question: PolicyQuestion = Schedule(NOON, found.plan.window(NOON))
    (window,) = (rule for rule in found.rules if rule.id == "kbv-window")
    assert window.evaluate(question).outcome == "satisfied"
    wide = Schedule(NOON, Window(NOON - timedelta(hours=2), NOON))
    assert window.evaluate(wide).outcome == "violated"


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_the_plugins_words_replace_ours(language: str, tmp_path: Path, code: str) -> None:
    catalogs = registry([*OWN, *FIRST_PARTY], tmp_path).catalogs
    for part in ("sms", "email-subject", "email-text"):
        key = f"message.link-at-time.{part}"
        assert "{begins}" in Texts(catalogs).get(language, key)
        assert "{begins}" not in Texts().get(language, key)


@pytest.mark.parametrize("file", PLUGIN_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_plugin_needs_the_public_packages_only(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    ours = {module for module in modules if module.split(".")[0] == "vsdk"}
    assert all(module == "vsdk" or module.startswith(("vsdk.domain", "vsdk.hooks")) for module in ours)


def test_the_sources_of_plugins_were_found() -> None:
    assert len(PLUGIN_FILES) >= 7


def test_settings_that_are_missing_stop_the_start(tmp_path: Path) -> None:
    for name in ("folder_schedule", "local_login"):
        settings = Settings.of({"plugins": [name]})
        with pytest.raises(ConfigurationError, match=name):
            load([name], PluginConfig(settings), FakeHttp())


def test_each_is_installed_under_its_name() -> None:
    assert {*OWN, *FIRST_PARTY} <= installed().keys()
