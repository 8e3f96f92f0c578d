"""Broken Appointments: whatever is in them, they are understood or explained. Two fuzzers try."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.adapters.fuzzing import REAL, REPOSITORY, check, junk, mutated, nested, seeds

from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.domain.errors import InvalidAppointment, Issue
from vsdk.hooks import json_text

RUNS = 20_000
SECONDS = 20

fuzzed = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
randoms = st.randoms(use_true_random=False)


def test_what_the_fuzzers_begin_with_is_fine_itself() -> None:
    for seed in seeds():
        check(json_text.parse(seed))


@pytest.mark.parametrize(
    ("error", "noticed"),
    [
        (lambda _: KeyError("id"), KeyError),
        (lambda _: RecursionError(), RecursionError),
        (lambda _: InvalidAppointment("no issues"), AssertionError),
        (
            lambda resource: InvalidAppointment(
                f"about {resource['actor']['display']}", issues=[Issue("a", "b", "c")]
            ),
            AssertionError,
        ),
        (
            lambda resource: InvalidAppointment(
                "x", issues=[Issue("a", "b", resource["actor"]["reference"])]
            ),
            AssertionError,
        ),
    ],
)
def test_the_fuzzers_would_notice(
    error: Callable[[Any], Exception], noticed: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: FhirFormat, resource: Any, **__: Any) -> None:
        raise error(resource)

    monkeypatch.setattr(FhirFormat, "read", stumble)
    with pytest.raises(noticed):
        check({"id": "x", "actor": {"reference": "Patient/17", "display": "Erika Beispiel"}})


def test_words_that_an_explanation_has_anyway_are_no_repetition() -> None:
    check({"resourceType": "Appointment", "id": "a1", "language": " patient", "comment": "has no"})


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real Appointments is not beside the repository"
)
def test_the_fuzzers_begin_with_real_appointments_too() -> None:
    assert len(seeds()) >= 14 + 40 + 1


@fuzzed
@given(st.data(), randoms, st.integers(1, 6))
def test_a_broken_appointment_is_understood_or_explained(
    data: st.DataObject, random: Random, times: int
) -> None:
    seed = json.loads(data.draw(st.sampled_from(seeds())))
    check(mutated(seed, random, times))


@fuzzed
@given(randoms, st.data())
def test_junk_in_any_element_is_understood_or_explained(random: Random, data: st.DataObject) -> None:
    seed = json.loads(seeds()[-1])
    seed[data.draw(st.sampled_from(sorted(seed)))] = junk(random)
    check(seed)


@pytest.mark.parametrize("element", sorted(json.loads(seeds()[-1])))
def test_as_many_levels_as_json_may_have_are_no_hindrance(element: str) -> None:
    check(json.loads(seeds()[-1]) | {element: nested(700)})


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_coverage_guided_fuzzing_finds_no_other_exception(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / f"{number}.json").write_bytes(seed)
    limits = [f"-runs={RUNS}", f"-max_total_time={SECONDS}", "-max_len=8192", "-seed=1", "-timeout=10"]
    command = [sys.executable, "-m", "tests.adapters.fuzz_reader", *limits, f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [*command, str(corpus)], cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS + 30
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Done " in done.stderr
