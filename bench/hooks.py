"""Ten implementations of one hook: called by the registry, by pluggy alone, and by a plain loop; and traced.

In one process and in turns. Each implementation returns a list of one rule, and each rule answers a question.
The registry's call happens once, at start-up, and does more than the others: it takes the order of the
settings, lets none be left out, names the plugin of each result and checks what came. Later nothing but
methods of what was registered is called, so the other comparison is ten rules asked: the objects that a
registry holds, against pluggy calling ten functions that do the same.
"""

import io
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pluggy

from bench.report import Section, Table, spread
from vsdk.domain.participant import Role
from vsdk.domain.policy import Finding, Join, Outcome
from vsdk.hooks import compliance
from vsdk.hooks.markers import hookimpl, hookspec
from vsdk.hooks.ports import PolicyRule
from vsdk.service.registry import _Calls
from vsdk.service.tracing import Tracer

PLUGINS = 10
TURNS = 25
CALLS = 500
"""of each in a turn"""
QUESTION = Join(Role.PATIENT, "")
CONFIG = SimpleNamespace(base_url="https://praxis.example/video", practices=())


class Rule:
    clause = "house rule 1"
    applies_to = frozenset({Join})

    def __init__(self, number: int) -> None:
        self.id = f"rule-{number}"

    def evaluate(self, question: Any) -> Finding:
        return Finding(self.id, self.clause, "2026", Outcome.SATISFIED)


def plugin(number: int) -> SimpleNamespace:
    """A plugin with the hook, and with a hook of this benchmark that answers the question at once."""
    rules = [Rule(number)]

    @hookimpl
    def vsdk_policy_rules(config: Any) -> list[Rule]:
        return rules

    @hookimpl
    def evaluate(question: Any) -> Finding:
        return rules[0].evaluate(question)

    return SimpleNamespace(vsdk_policy_rules=vsdk_policy_rules, evaluate=evaluate)


class Asking:
    @hookspec
    def evaluate(self, question: Any) -> Finding:  # type: ignore[empty-body]
        """What a rule says, asked through pluggy."""


def measure() -> Section:
    manager = pluggy.PluginManager("vsdk")
    manager.add_hookspecs(compliance)
    manager.add_hookspecs(Asking)
    plugins = [plugin(number) for number in range(PLUGINS)]
    for number, one in enumerate(plugins):
        manager.register(one, f"plugin_{number}")
    registering = {
        "plain loop": lambda: [rule for one in plugins for rule in one.vsdk_policy_rules(config=CONFIG)],
        "pluggy alone": lambda: manager.hook.vsdk_policy_rules(config=CONFIG),
        "registry": _registry(manager, None),
        "registry, traced": _registry(manager, Tracer()),
    }
    functions = [one.evaluate for one in plugins]
    with redirect_stderr(io.StringIO()):
        found, traced = _registry(manager, None)(), _registry(manager, Tracer())()
    asking = {
        "plain loop": lambda: [function(question=QUESTION) for function in functions],
        "pluggy alone": lambda: manager.hook.evaluate(question=QUESTION),
        "registered objects": lambda: [rule.evaluate(QUESTION) for _, rule in found],
        "registered objects, traced": lambda: [rule.evaluate(QUESTION) for _, rule in traced],
    }
    columns = [f"{PLUGINS} implementations", "µs", ": plain loop", ": pluggy alone"]
    return Section(
        "Calling hooks",
        [f"at start-up, {columns[0]}", *columns[1:]],
        _rows(registering),
        more=[Table("While it runs:", [f"asked once, {columns[0]}", *columns[1:]], _rows(asking))],
        notes=[
            f"Median (min–max) over {TURNS} turns of {CALLS} calls each, all ways in turns; ratios are of "
            "the same turn. The registry's call is made once for each hook and start. The objects it holds "
            "without tracing are the plugins' own, so they cost what a method costs. A trace is one line for "
            "each implementation, here into memory.",
        ],
        versions=[f"pluggy {version('pluggy')}"],
    )


def _registry(manager: pluggy.PluginManager, tracer: Tracer | None) -> Callable[[], list[tuple[str, Any]]]:
    calls = _Calls(manager, {"config": CONFIG, "http": None}, tracer)

    def call() -> list[tuple[str, Any]]:
        return calls.objects("vsdk_policy_rules", PolicyRule)

    return call


def _rows(ways: dict[str, Callable[[], object]]) -> list[list[str]]:
    """One row for each way; the first two are what the others are compared with."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    with redirect_stderr(io.StringIO()) as trace:
        for _ in range(TURNS):
            for name, call in ways.items():
                began = time.perf_counter()
                for _ in range(CALLS):
                    call()
                times[name].append((time.perf_counter() - began) / CALLS * 1e6)
                trace.seek(0)
                trace.truncate()
    references = list(times.values())[:2]
    return [
        [
            name,
            f"{statistics.median(own):.1f}",
            *(
                "" if own is other else spread([a / b for a, b in zip(own, other, strict=True)], 2)
                for other in references
            ),
        ]
        for name, own in times.items()
    ]
