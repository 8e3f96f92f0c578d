"""Each hook at work, through the registry as a server loads it."""

import inspect
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from tests.hooks.conftest import Plugins

from vsdk.domain import events as on
from vsdk.domain.ids import PracticeId, VisitId
from vsdk.domain.message import Message
from vsdk.domain.participant import Role
from vsdk.domain.plan import Notice
from vsdk.domain.policy import Join
from vsdk.hooks import compliance, identity, lifecycle, notification, presentation, scheduling
from vsdk.hooks.lifecycle import Happened
from vsdk.service.listeners import Listeners
from vsdk.service.policy import PolicyService
from vsdk.service.registry import SPECIFICATIONS
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeConfig, FakeHttp

PRACTICE = PracticeId("practice")
MINUTE = timedelta(minutes=1)


def specified(module: ModuleType) -> set[str]:
    """The names of the hooks that a module specifies."""
    return {name for name, function in inspect.getmembers(module) if hasattr(function, "vsdk_spec")}


async def test_hook_vsdk_schedule_sources(plugins: Plugins) -> None:
    plugins.install(
        "pms",
        """
        @hookimpl
        def vsdk_schedule_sources(config, http):
            source = Source("pms")
            source.base_url, source.http = config.base_url, http
            return [source]
        """,
    )
    http = FakeHttp()
    registry = plugins.load("pms", http=http)
    source = registry.schedule_sources["pms"]
    assert (await source.changed_since(PRACTICE, None)).cursor == "c"
    assert source.base_url == "https://praxis.example/video"  # type: ignore[attr-defined]
    assert source.http is http  # type: ignore[attr-defined]


def test_hook_vsdk_visit_plans(plugins: Plugins) -> None:
    for name, opens, closes in (("wide", 60, 30), ("narrow", 10, 240)):
        plugins.install(
            name,
            f"""
            @hookimpl
            def vsdk_visit_plans(config):
                minute = timedelta(minutes=1)
                notice = Notice("{name}", "link-at-time", {opens} * minute)
                return [VisitPlan("{name}", {opens} * minute, {closes} * minute, (notice,))]
            """,
        )
    plan = plugins.load("wide", "narrow").plan
    assert (plan.opens_before, plan.closes_after) == (10 * MINUTE, 30 * MINUTE)
    assert plan.notices == (
        Notice("wide", "link-at-time", 60 * MINUTE),
        Notice("narrow", "link-at-time", 10 * MINUTE),
    )


async def test_hook_vsdk_notification_channels(plugins: Plugins) -> None:
    plugins.install(
        "acme_sms",
        """
        from pydantic import BaseModel

        class Settings(BaseModel):
            sender: str

        @hookimpl
        def vsdk_notification_channels(config):
            return [Channel(config.plugin("acme_sms", Settings).sender)]
        """,
    )
    registry = plugins.load("acme_sms", config=FakeConfig({"acme_sms": {"sender": "sms"}}))
    (registered,) = registry.channels
    assert (registered.plugin, registered.channel.channel) == ("acme_sms", "sms")
    receipt = await registered.channel.deliver(Message("+49", "text", "key", "template", "de"))
    assert receipt.provider_id == "1"


def test_hook_vsdk_message_catalogs(plugins: Plugins) -> None:
    for name in ("one", "two"):
        plugins.install(
            name, f"@hookimpl\ndef vsdk_message_catalogs():\n    return [Path('locale-of-{name}')]"
        )
    assert plugins.load("two", "one").catalogs == (Path("locale-of-two"), Path("locale-of-one"))


async def test_hook_vsdk_identity_providers(plugins: Plugins) -> None:
    plugins.install("oidc", "@hookimpl\ndef vsdk_identity_providers():\n    return [Provider('oidc')]")
    provider = plugins.load("oidc").identity_providers["oidc"]
    assert (
        await provider.begin(PRACTICE, "https://praxis.example/back")
    ).url == "https://praxis.example/back"
    assert await provider.complete(PRACTICE, {}) is None


def test_hook_vsdk_policy_rules(plugins: Plugins) -> None:
    plugins.install(
        "law",
        """
        class NoStaff(Rule):
            def evaluate(self, question):
                outcome = Outcome.VIOLATED if question.role is Role.STAFF else Outcome.SATISFIED
                return Finding(self.id, self.clause, "2024", outcome, "staff")

        @hookimpl
        def vsdk_policy_rules(config):
            return [NoStaff("no-staff")]
        """,
    )
    policy = PolicyService(plugins.load("law").rules, compliance_required=True)
    assert policy.ask(Join(Role.PATIENT, "")).allowed
    assert not policy.ask(Join(Role.STAFF, "")).allowed


def test_hook_vsdk_panels(plugins: Plugins) -> None:
    plugins.install(
        "card",
        """
        @hookimpl
        def vsdk_panels():
            return [Panel("card", "visit-side", "card-capture", "card.js")]
        """,
    )
    (registered,) = plugins.load("card").panels
    panel = registered.panel
    assert registered.plugin == "card"
    assert (panel.name, panel.slot, panel.element, panel.module) == (
        "card",
        "visit-side",
        "card-capture",
        "card.js",
    )


async def test_hook_vsdk_pages(plugins: Plugins) -> None:
    plugins.install("doctolib_like", "@hookimpl\ndef vsdk_pages(config):\n    return [Page('appointments')]")
    page = plugins.load("doctolib_like").pages["doctolib_like", "appointments"]
    assert (page.title, await page.body("fr")) == ("A page", "<p>fr</p>")


async def test_hook_vsdk_event(plugins: Plugins) -> None:
    plugins.install(
        "statistics",
        """
        heard = []
        @hookimpl
        async def vsdk_event(event):
            heard.append(event)
        """,
    )
    plugins.install("counter", "count = []\n@hookimpl\ndef vsdk_event():\n    count.append(1)")
    plugins.install("broken", "@hookimpl\ndef vsdk_event(event):\n    raise RuntimeError")
    listeners = Listeners(plugins.load("broken", "statistics", "counter").listeners)
    happened = Happened(PRACTICE, VisitId("v1"), on.PeersConnected(), NOON)
    await listeners.tell(happened)
    modules = [__import__(plugins.modules[name]) for name in ("statistics", "counter")]
    assert [modules[0].heard, modules[1].count] == [[happened], [1]]
    assert listeners.failures == {"broken": 1}


CONCERNS = (scheduling, notification, identity, compliance, presentation, lifecycle)


def test_each_hook_has_a_test_that_shows_it() -> None:
    hooks = {name for module in SPECIFICATIONS for name in specified(module)}
    tests = {name.removeprefix("test_hook_") for name in globals() if name.startswith("test_hook_")}
    assert hooks == tests
    assert len(hooks) >= 9


def test_each_module_of_hooks_is_known_to_the_registry() -> None:
    assert set(SPECIFICATIONS) == set(CONCERNS)
    folder = Path(inspect.getfile(scheduling)).parent
    others = {"__init__", "json_text", "markers", "ports", "sign_ins", "store"}
    assert {path.stem for path in folder.glob("*.py")} - others == {
        module.__name__.rpartition(".")[2] for module in CONCERNS
    }


@pytest.mark.parametrize("module", CONCERNS, ids=lambda module: module.__name__)
def test_each_hook_says_when_how_it_combines_and_what_happens_on_failure(module: ModuleType) -> None:
    for name in specified(module):
        text = inspect.getdoc(getattr(module, name)) or ""
        assert name.startswith("vsdk_")
        assert all(f"{word}:" in text or f"{word} of" in text for word in ("When", "Combination", "Failure"))
