"""What the registry takes from plugins, and what it refuses: with a stable code and a sentence that helps."""

import warnings
from types import ModuleType

import pytest
from tests.hooks.conftest import Plugins

from vsdk.domain.errors import ConfigurationError
from vsdk.domain.plan import DEFAULT_PLAN
from vsdk.hooks.markers import API_VERSION, HookDeprecation
from vsdk.service import registry
from vsdk.service.registry import Registry, installed


def refusal(plugins: Plugins, *names: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        plugins.load(*names)
    return caught.value


REFUSED = {
    "new style wrapper": (
        "plugin-wrapper",
        "return your own objects instead",
        """
        @hookimpl(wrapper=True)
        def vsdk_policy_rules():
            yield
            return []
        """,
    ),
    "old style wrapper": (
        "plugin-wrapper",
        "return your own objects instead",
        """
        @hookimpl(hookwrapper=True)
        def vsdk_policy_rules():
            outcome = yield
            outcome.force_result([])
        """,
    ),
    "tryfirst": (
        "plugin-order",
        "the order is that of plugins in the settings",
        """
        @hookimpl(tryfirst=True)
        def vsdk_policy_rules():
            return []
        """,
    ),
    "trylast": (
        "plugin-order",
        "the order is that of plugins in the settings",
        """
        @hookimpl(trylast=True)
        def vsdk_event(event): ...
        """,
    ),
    "unknown hook": (
        "plugin-unknown-hook",
        "docs/hooks.md",
        """
        @hookimpl
        def vsdk_policy_rulez(config):
            return []
        """,
    ),
    "unknown parameter": (
        "plugin-invalid",
        "practice",
        """
        @hookimpl
        def vsdk_policy_rules(config, practice):
            return []
        """,
    ),
    "parameter with a default": (
        "plugin-default-parameter",
        "remove the default",
        """
        @hookimpl
        def vsdk_policy_rules(config=None):
            return []
        """,
    ),
    "asynchronous hook": (
        "plugin-async-hook",
        "make it `def`",
        """
        @hookimpl
        async def vsdk_policy_rules(config):
            return []
        """,
    ),
    "two sources of one name": (
        "plugin-duplicate",
        "schedule source named 'x'",
        """
        @hookimpl
        def vsdk_schedule_sources():
            return [Source("x"), Source("x")]
        """,
    ),
    "two providers of one name": (
        "plugin-duplicate",
        "identity provider named 'x'",
        """
        @hookimpl
        def vsdk_identity_providers():
            return [Provider("x"), Provider("x")]
        """,
    ),
    "two panels of one name": (
        "plugin-duplicate",
        "panel named 'x'",
        """
        @hookimpl
        def vsdk_panels():
            return [Panel("x", "slot", "a-b", "m.js"), Panel("x", "other", "c-d", "n.js")]
        """,
    ),
    "two rules of one id": (
        "plugin-duplicate",
        "policy rule named 'x'",
        """
        @hookimpl
        def vsdk_policy_rules():
            return [Rule("x"), Rule("x")]
        """,
    ),
    "two pages of one path": (
        "plugin-duplicate",
        "page named 'bad/x'",
        """
        @hookimpl
        def vsdk_pages():
            return [Page("x"), Page("x")]
        """,
    ),
    "a plain method where a coroutine is due": (
        "plugin-sync-method",
        "must be `async def`",
        """
        class Plain(Channel):
            def deliver(self, message): return Receipt("1")

        @hookimpl
        def vsdk_notification_channels():
            return [Plain("sms")]
        """,
    ),
    "a plain method of a source": (
        "plugin-sync-method",
        "Plain.write_back must be `async def`",
        """
        class Plain(Source):
            def write_back(self, practice_id, appointment_id, services, status): ...

        @hookimpl
        def vsdk_schedule_sources():
            return [Plain("x")]
        """,
    ),
    "reports of a channel in a plain method": (
        "plugin-sync-method",
        "Plain.reported must be `async def`",
        """
        class Plain(Channel):
            def reported(self, notification): return ()

        @hookimpl
        def vsdk_notification_channels():
            return [Plain("sms")]
        """,
    ),
    "notifications of a source in a plain method": (
        "plugin-sync-method",
        "Plain.notified must be `async def`",
        """
        class Plain(Source):
            def notified(self, practice_id, notification): ...

        @hookimpl
        def vsdk_schedule_sources():
            return [Plain("x")]
        """,
    ),
    "a plain method of a provider": (
        "plugin-sync-method",
        "Plain.complete must be `async def`",
        """
        class Plain(Provider):
            def complete(self, practice_id, params): ...

        @hookimpl
        def vsdk_identity_providers():
            return [Plain("x")]
        """,
    ),
    "a plain method of a page": (
        "plugin-sync-method",
        "Plain.body must be `async def`",
        """
        class Plain(Page):
            def body(self, language): return ""

        @hookimpl
        def vsdk_pages():
            return [Plain("x")]
        """,
    ),
    "a rule that is a coroutine": (
        "plugin-wrong-object",
        "evaluate must be a plain `def`",
        """
        class Slow(Rule):
            async def evaluate(self, question): return None

        @hookimpl
        def vsdk_policy_rules():
            return [Slow("x")]
        """,
    ),
    "an object of another kind": (
        "plugin-wrong-object",
        "returned a Channel, which is not a PolicyRule",
        """
        @hookimpl
        def vsdk_policy_rules():
            return [Channel("sms")]
        """,
    ),
    "a text where a folder is due": (
        "plugin-wrong-object",
        "returned a str, which is not a Path",
        """
        @hookimpl
        def vsdk_message_catalogs():
            return ["locale"]
        """,
    ),
    "an object instead of a list": (
        "plugin-broken",
        "vsdk_policy_rules failed: TypeError",
        """
        @hookimpl
        def vsdk_policy_rules():
            return Rule("x")
        """,
    ),
    "a hook that returns nothing": (
        "plugin-broken",
        "vsdk_visit_plans failed: TypeError",
        """
        @hookimpl
        def vsdk_visit_plans(): ...
        """,
    ),
    "a hook that crashes": (
        "plugin-broken",
        "vsdk_visit_plans failed: ZeroDivisionError",
        """
        @hookimpl
        def vsdk_visit_plans():
            return 1 / 0
        """,
    ),
    "a module that cannot be imported": (
        "plugin-broken",
        "cannot be imported: No module named 'there_is_none'",
        "import there_is_none",
    ),
    "a newer hook API": (
        "plugin-api-too-new",
        "upgrade vsdk or install an older release of the plugin",
        f"vsdk_api = ({API_VERSION[0]}, {API_VERSION[1] + 1})",
    ),
    "a much newer hook API": (
        "plugin-api-too-new",
        f"needs version {API_VERSION[0] + 1}.0",
        f"vsdk_api = ({API_VERSION[0] + 1}, 0)",
    ),
}
NAMED_OTHERWISE = {"schedule source", "identity provider", "panel", "policy rule"}
"""these sentences name what is there twice, as either of two plugins may be the one to go"""


@pytest.mark.parametrize(("code", "sentence", "source"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(plugins: Plugins, code: str, sentence: str, source: str) -> None:
    plugins.install("bad", source)
    error = refusal(plugins, "bad")
    assert error.code == code
    assert sentence in error.detail
    assert "bad" in error.detail or any(kind in error.detail for kind in NAMED_OTHERWISE)


@pytest.mark.parametrize(("code", "sentence", "source"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_does_no_harm_while_it_is_not_enabled(
    plugins: Plugins, code: str, sentence: str, source: str
) -> None:
    plugins.install("bad", source)
    assert plugins.load().plugins == ()
    assert not plugins.is_imported("bad")


@pytest.mark.parametrize(
    ("hook", "source"),
    [
        ("vsdk_schedule_sources", 'Source("x")'),
        ("vsdk_identity_providers", 'Provider("x")'),
        ("vsdk_panels", 'Panel("x", "slot", "a-b", "m.js")'),
        ("vsdk_policy_rules", 'Rule("x")'),
    ],
)
def test_two_plugins_may_not_bring_the_same_name(plugins: Plugins, hook: str, source: str) -> None:
    for name in ("one", "two"):
        plugins.install(name, f"@hookimpl\ndef {hook}():\n    return [{source}]")
    error = refusal(plugins, "one", "two")
    assert error.code == "plugin-duplicate"
    assert "'x'" in error.detail
    assert "disable one of them" in error.detail
    assert plugins.load("one").plugins == ("one",)


def test_two_plugins_may_have_pages_of_the_same_path_and_channels_of_the_same_kind(plugins: Plugins) -> None:
    for name in ("one", "two"):
        plugins.install(
            name,
            """
            @hookimpl
            def vsdk_pages():
                return [Page("x")]
            @hookimpl
            def vsdk_notification_channels():
                return [Channel("sms")]
            """,
        )
    registry = plugins.load("one", "two")
    assert list(registry.pages) == [("one", "x"), ("two", "x")]
    assert [(one.plugin, one.channel.channel) for one in registry.channels] == [
        ("one", "sms"),
        ("two", "sms"),
    ]


def test_what_is_not_installed_is_refused_and_what_is_installed_is_listed(plugins: Plugins) -> None:
    plugins.install("acme_sms", "")
    plugins.install("beta_sms", "")
    error = refusal(plugins, "acme_smz")
    assert error.code == "plugin-not-installed"
    assert "'acme_smz'" in error.detail
    assert "installed are: acme_sms, beta_sms" in error.detail
    assert not plugins.is_imported("acme_sms")


def test_without_anything_installed_the_sentence_says_none(plugins: Plugins) -> None:
    assert "installed are: none" in refusal(plugins, "acme").detail


def test_the_same_plugin_twice_is_refused(plugins: Plugins) -> None:
    plugins.install("one", "")
    error = refusal(plugins, "one", "one")
    assert (error.code, error.detail) == ("plugin-invalid", "plugin 'one' is enabled twice; name it once")


def test_what_a_plugin_says_of_its_own_settings_is_passed_on(plugins: Plugins) -> None:
    plugins.install(
        "one",
        """
        @hookimpl
        def vsdk_visit_plans(config):
            raise ConfigurationError("in plugin.one: minutes: not a number", code="its-own-code")
        """,
    )
    error = refusal(plugins, "one")
    assert (error.code, error.detail) == ("its-own-code", "in plugin.one: minutes: not a number")


def test_enabled_is_not_installed_others_are_never_imported(plugins: Plugins) -> None:
    plugins.install("wanted", "")
    plugins.install("other", "raise SystemExit('this must not be imported')")
    assert set(installed()) == {"wanted", "other"}
    assert plugins.load("wanted").plugins == ("wanted",)
    assert plugins.is_imported("wanted")
    assert not plugins.is_imported("other")


def test_entry_points_of_other_groups_are_no_plugins(plugins: Plugins) -> None:
    plugins.install("elsewhere", "", group="pytest11")
    assert refusal(plugins, "elsewhere").code == "plugin-not-installed"


def install_numbered(plugins: Plugins, *names: str) -> None:
    for name in names:
        plugins.install(
            name,
            f"""
            @hookimpl
            def vsdk_policy_rules():
                return [Rule("{name}-1"), Rule("{name}-2")]
            @hookimpl
            def vsdk_notification_channels():
                return [Channel("{name}")]
            @hookimpl
            def vsdk_event(event): return "{name}"
            @hookimpl
            def vsdk_visit_plans():
                minutes = timedelta(minutes=1)
                return [VisitPlan("{name}", minutes, minutes, (Notice("key", "{name}", minutes),))]
            """,
        )


@pytest.mark.parametrize("order", [("one", "two", "three"), ("three", "one", "two"), ("two", "three", "one")])
def test_the_order_is_that_of_the_settings(plugins: Plugins, order: tuple[str, ...]) -> None:
    install_numbered(plugins, "one", "two", "three")
    registry = plugins.load(*order)
    assert registry.plugins == order
    assert [rule.id for rule in registry.rules] == [f"{name}-{n}" for name in order for n in (1, 2)]
    assert [(one.plugin, one.channel.channel) for one in registry.channels] == [
        (name, name) for name in order
    ]
    assert [name for name, _ in registry.listeners] == list(order)
    assert registry.plan.name == "+".join(order)
    assert [notice.template for notice in registry.plan.notices] == [order[-1]]


def test_nothing_enabled_is_a_registry_with_the_default_plan(plugins: Plugins) -> None:
    registry = plugins.load()
    assert registry.plan is DEFAULT_PLAN
    assert (registry.channels, registry.rules, registry.panels, registry.listeners) == ((), (), (), ())
    assert (dict(registry.schedule_sources), dict(registry.identity_providers), dict(registry.pages)) == (
        {},
        {},
        {},
    )


def test_an_older_hook_api_is_fine(plugins: Plugins) -> None:
    plugins.install("same", f"vsdk_api = {API_VERSION}")
    plugins.install("older", "vsdk_api = (0, 9)")
    assert plugins.load("same", "older").plugins == ("same", "older")


def specified(source: str) -> ModuleType:
    """A module of specifications that exists in this test only."""
    module = ModuleType("a_specification")
    exec(source, vars(module))
    return module


FADING = """
from vsdk.hooks.markers import HookDeprecation, hookspec

@hookspec(warn_on_impl_args={"colour": HookDeprecation("`colour` goes in 2.0; ask the page")})
def vsdk_doors(config, colour): ...

@hookspec(warn_on_impl=HookDeprecation("`vsdk_windows` goes in 2.0; use vsdk_doors"))
def vsdk_windows(config): ...
"""


@pytest.fixture
def fading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hooks more: one with a parameter that is about to go, one that goes as a whole."""
    monkeypatch.setattr(registry, "SPECIFICATIONS", (*registry.SPECIFICATIONS, specified(FADING)))


@pytest.mark.usefixtures("fading")
def test_a_parameter_that_is_about_to_go_is_a_warning_with_plugin_and_hook(plugins: Plugins) -> None:
    plugins.install("acme", "@hookimpl\ndef vsdk_doors(config, colour): return []")
    with pytest.warns(HookDeprecation) as caught:
        plugins.load("acme")
    (warning,) = caught
    assert str(warning.message) == "plugin 'acme', vsdk_doors: `colour` goes in 2.0; ask the page"
    assert warning.filename.endswith(f"{plugins.modules['acme']}.py")


@pytest.mark.usefixtures("fading")
def test_a_hook_that_is_about_to_go_is_a_warning_for_each_plugin_that_has_it(plugins: Plugins) -> None:
    for name in ("one", "two"):
        plugins.install(name, "@hookimpl\ndef vsdk_windows(): return []")
    with pytest.warns(HookDeprecation) as caught:
        plugins.load("one", "two")
    text = "vsdk_windows: `vsdk_windows` goes in 2.0; use vsdk_doors"
    assert [str(warning.message) for warning in caught] == [f"plugin 'one', {text}", f"plugin 'two', {text}"]


@pytest.mark.usefixtures("fading")
def test_who_does_not_use_what_goes_is_not_warned(plugins: Plugins) -> None:
    plugins.install("acme", "@hookimpl\ndef vsdk_doors(config): return []")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plugins.load("acme")
    assert caught == []


@pytest.mark.usefixtures("fading")
def test_other_warnings_of_a_plugin_are_not_swallowed(plugins: Plugins) -> None:
    plugins.install("acme", "import warnings\nwarnings.warn('old library', DeprecationWarning)")
    with pytest.warns(DeprecationWarning, match="old library"):
        plugins.load("acme")


def test_a_deprecation_is_seen_by_whoever_looks_for_deprecations() -> None:
    assert issubclass(HookDeprecation, DeprecationWarning)


def test_a_registry_cannot_be_changed(plugins: Plugins) -> None:
    install_numbered(plugins, "one")
    plugins.install("named", "@hookimpl\ndef vsdk_schedule_sources():\n    return [Source('x')]")
    registry = plugins.load("one", "named")
    with pytest.raises(AttributeError):
        registry.rules = ()  # type: ignore[misc]
    for mapping in (registry.schedule_sources, registry.identity_providers, registry.pages):
        with pytest.raises(TypeError):
            mapping["x"] = None  # type: ignore[index]
    for field in Registry.__slots__:
        assert not isinstance(getattr(registry, field), list | dict | set), field


def test_two_registries_in_one_process_share_no_state(plugins: Plugins) -> None:
    install_numbered(plugins, "one", "two")
    both, second, again = plugins.load("one", "two"), plugins.load("two"), plugins.load("one", "two")
    assert [rule.id for rule in both.rules] == ["one-1", "one-2", "two-1", "two-2"]
    assert [rule.id for rule in second.rules] == ["two-1", "two-2"]
    assert [rule.id for rule in again.rules] == ["one-1", "one-2", "two-1", "two-2"]
    assert not {id(rule) for rule in both.rules} & {id(rule) for rule in again.rules}
    assert second.plugins == ("two",)
