"""``docs/hooks.md`` against the hook specifications, and its examples against the registry's own checks."""

import ast
import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pluggy
import pytest

from vsdk import API_VERSION
from vsdk.domain import plan
from vsdk.domain.events import EveryoneLeft
from vsdk.domain.ids import AppointmentId, PracticeId, VisitId
from vsdk.domain.message import Message, Receipt
from vsdk.domain.policy import PolicyQuestion
from vsdk.hooks import ports
from vsdk.hooks.lifecycle import Happened
from vsdk.service.registry import SPECIFICATIONS
from vsdk.service.tracing import PORTS, Tracer
from vsdk.testing.fakes import FakeConfig, FakeHttp

Sections = Callable[[str, str], dict[str, str]]
DOCS = Path(__file__).parents[2] / "docs"
LABELS = ("**When:**", "**Returns:**", "**Combination:**", "**Failure:**", "**Real one:**")


def signatures() -> dict[str, str]:
    """Every hook with its signature as it is written."""
    found = {}
    for module in SPECIFICATIONS:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("vsdk_"):
                assert node.returns
                found[node.name] = f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
    return found


HOOKS = signatures()


def example_of(section: str) -> str:
    return section.partition("```python\n")[2].partition("```")[0]


def plugin_of(name: str, section: str) -> ModuleType:
    module = ModuleType(f"example_{name}")
    module.__file__ = str(DOCS / "hooks.md")
    exec(compile(example_of(section), f"hooks.md, {name}", "exec"), vars(module))
    return module


def call(plugin: ModuleType, hook: str) -> Any:
    arguments = {"config": FakeConfig(), "http": FakeHttp()}
    function = getattr(plugin, hook)
    return function(**{name: arguments[name] for name in inspect.signature(function).parameters})


def test_there_are_hooks() -> None:
    assert len(HOOKS) == 9


def test_exactly_the_hooks_that_exist_are_described(sections: Sections) -> None:
    assert list(sections("hooks.md", "###")) == list(
        dict.fromkeys(name for name in sections("hooks.md", "###") if name in HOOKS)
    )
    assert set(sections("hooks.md", "###")) == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_its_exact_signature_and_all_that_one_must_know(hook: str, sections: Sections) -> None:
    section = sections("hooks.md", "###")[hook]
    assert f"```\n{HOOKS[hook]}\n```" in section
    for label in LABELS:
        assert label in section
    assert example_of(section)


@pytest.mark.parametrize("hook", HOOKS)
def test_each_specification_says_when_how_it_combines_and_what_failure_means(hook: str) -> None:
    module = next(m for m in SPECIFICATIONS if hasattr(m, hook))
    text = inspect.getdoc(getattr(module, hook)) or ""
    for word in ("When:", "Combination:", "Failure"):
        assert word in text


@pytest.mark.parametrize("hook", HOOKS)
def test_each_example_is_accepted_as_a_plugin(hook: str, sections: Sections) -> None:
    manager = pluggy.PluginManager("vsdk")
    for specification in SPECIFICATIONS:
        manager.add_hookspecs(specification)
    plugin = plugin_of(hook, sections("hooks.md", "###")[hook])
    manager.register(plugin)
    manager.check_pending()
    assert [caller.name for caller in manager.get_hookcallers(plugin) or []] == [hook]


@pytest.mark.parametrize("hook", sorted(set(HOOKS) - {"vsdk_event", "vsdk_message_catalogs"}))
def test_each_example_gives_what_the_hook_is_for(hook: str, sections: Sections) -> None:
    wanted = HOOKS[hook].rpartition("Sequence[")[2].rstrip("]")
    kind = getattr(ports, wanted, None) or getattr(plan, wanted)
    given = call(plugin_of(hook, sections("hooks.md", "###")[hook]), hook)
    assert given
    assert all(isinstance(item, kind) for item in given)


def test_the_example_of_catalogs_gives_a_folder(sections: Sections) -> None:
    hook = "vsdk_message_catalogs"
    assert call(plugin_of(hook, sections("hooks.md", "###")[hook]), hook) == [DOCS / "locale"]


def test_the_example_of_events_counts(sections: Sections) -> None:
    plugin = plugin_of("vsdk_event", sections("hooks.md", "###")["vsdk_event"])
    happened = Happened(PracticeId("park"), VisitId("v1"), EveryoneLeft(), datetime.now(UTC))
    plugin.vsdk_event(event=happened)
    assert plugin.seen == {"EveryoneLeft": 1}


@pytest.mark.parametrize("kind", PORTS, ids=lambda kind: kind.__name__)
def test_all_that_an_object_may_have_is_named_where_its_hook_is(kind: type[Any], sections: Sections) -> None:
    hook = next(name for name, signature in HOOKS.items() if f"Sequence[{kind.__name__}]" in signature)
    section = sections("hooks.md", "###")[hook]
    for port in PORTS[kind]:
        assert f"`{port.__name__}`" in section
        for member in vars(port):
            assert member.startswith("_") or f"`{member}`" in section, member


def test_the_fields_of_a_plan_that_send_something_are_named(sections: Sections) -> None:
    section = sections("hooks.md", "###")["vsdk_visit_plans"]
    for word in ("Notice", "notices", "before", "WaitingNotice", "waiting", "every", "most", "invites"):
        assert f"`{word}`" in section


def test_every_policy_question_is_named(sections: Sections) -> None:
    section = sections("hooks.md", "###")["vsdk_policy_rules"]
    for question in get_args(PolicyQuestion):
        assert f"`{question.__name__}`" in section


def test_the_version_that_a_plugin_states_is_the_newest(page: Callable[[str], str]) -> None:
    assert f"`vsdk_api = {API_VERSION}`" in page("hooks.md")


async def test_a_trace_looks_as_it_is_shown(
    sections: Sections, page: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    class AcmeSms:
        channel = "sms"

        async def deliver(self, message: Message) -> Receipt:
            return Receipt(provider_id="acme-7017")

    def vsdk_notification_channels(config: ports.Config, http: ports.Http) -> list[AcmeSms]:
        return [AcmeSms()]

    tracer, hook = Tracer(), "vsdk_notification_channels"
    (channel,) = tracer.called(
        "acme_sms", hook, vsdk_notification_channels, {"config": FakeConfig(), "http": FakeHttp()}
    )
    message = Message(
        recipient="+491713920001",
        text="…",
        idempotency_key="q3xb7WgHK1sYbV9kT3xqZg",
        template="reminder",
        language="de",
        practice_id=PracticeId("park"),
        visit_id=VisitId("WgHK1sYbV9kT3xqPd2uM0A"),
        appointment_id=AppointmentId("a1"),
        role="patient",
    )
    await tracer.object("acme_sms", channel, ports.NotificationChannel).deliver(message)
    lines = capsys.readouterr().err.splitlines()
    described = sections("hooks.md", "##")["Tracing"].partition("```text\n")[2].splitlines()
    assert [line.rpartition(", ")[0] for line in lines] == [
        line.rpartition(", ")[0] for line in described[:2]
    ]
