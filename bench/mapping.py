"""An Appointment from bytes to the domain, beside the model of fhir.resources on the same bytes.

In one process and in turns. The model's first call, which builds classes, is not counted. The two do not do
the same: the model checks and keeps every element, and says nothing of who is who or whether it is by video.

What costs us most is what only JSON has to look at: a long narrative, extensions, many levels. A quarter to a
third of the time is JSON.
"""

import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from fhir.resources.appointment import Appointment as R5Appointment
from fhir.resources.R4B.appointment import Appointment as R4BAppointment

from bench.report import Section, spread
from vsdk.adapters.scheduling.fhir.format import FhirFormat
from vsdk.hooks import json_text
from vsdk.testing.factories import a_practice

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = REPOSITORY / "examples/appointments"
REAL = REPOSITORY.parent / "shared/data/appointments"
FILES = [
    EXAMPLES / "r4/01-first-of-the-day.json",
    EXAMPLES / "r4/04-with-companion.json",
    EXAMPLES / "r5/01-first-of-the-day.json",
    EXAMPLES / "r5/04-with-interpreter.json",
    REAL / "hl7-r4/Appointment-example.json",
    REAL / "hl7-r4/Appointment-2docs.json",
    REAL / "hl7-r5/Appointment-example.json",
    REAL / "hl7-r5/Appointment-2docs.json",
    REAL / "de-gematik-isik/stufe4-Appointment-ISiKTerminExample.json",
    REAL / "fr-ans-sas/feat-container-mode-Appointment-1.json",
]
TURNS = 25
CALLS = 200
"""of each in a turn"""


def measure() -> Section:
    files = [file for file in FILES if file.exists()]
    timed = {file: _Timed(file) for file in files}
    for _ in range(TURNS):
        for one in timed.values():
            one.turn()
    ratios = [statistics.median(one.ratios) for one in timed.values()]
    return Section(
        "Mapping an Appointment",
        ["file", "bytes", "JSON, µs", "mapping, µs", "together", "fhir.resources, µs", "times faster"],
        [one.row() for one in timed.values()],
        notes=[
            f"Median over {TURNS} turns of {CALLS} calls each; times faster: median (min–max) of the turns. "
            f"Over the files: {spread(ratios, 1)}. JSON is `vsdk.hooks.json_text.parse`, mapping is "
            "`FhirFormat.read` with the rules for video visits and the search for links of others. "
            "fhir.resources is `model_validate_json` of its R4B model, for R4, or its R5 model. It validates "
            "and keeps all elements; the mapping reads those that a visit needs.",
        ],
        versions=[f"fhir.resources {version('fhir.resources')}"],
    )


class _Timed:
    """One file, and what was measured so far; all times in µs for one call."""

    def __init__(self, file: Path) -> None:
        self.name = f"{file.parent.name}/{file.stem}"
        self.text = file.read_bytes()
        release = "R5" if "r5" in file.parent.name else "R4"
        model = R5Appointment if release == "R5" else R4BAppointment
        practice, format_, resource = a_practice(), FhirFormat(), json_text.parse(self.text)
        self.parse: Callable[[], object] = lambda: json_text.parse(self.text)
        self.map: Callable[[], object] = lambda: format_.read(resource, release=release, practice=practice)
        self.model: Callable[[], object] = lambda: model.model_validate_json(self.text)
        self.turns: list[tuple[float, float, float]] = []
        self.model()

    def turn(self) -> None:
        self.turns.append((_clock(self.parse), _clock(self.map), _clock(self.model)))

    @property
    def ratios(self) -> list[float]:
        return [model / (parse + mapping) for parse, mapping, model in self.turns]

    def row(self) -> list[str]:
        parse, mapping, model = (statistics.median(column) for column in zip(*self.turns, strict=True))
        together = statistics.median(parse + mapping for parse, mapping, _ in self.turns)
        times = [f"{value:.0f}" for value in (parse, mapping, together, model)]
        return [self.name, str(len(self.text)), *times, spread(self.ratios, 1)]


def _clock(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1e6
