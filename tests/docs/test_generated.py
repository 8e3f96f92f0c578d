"""What is generated is what is in the repository: ``python docs/generate.py`` writes it anew."""

import json
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
HINT = "changed: run `python docs/generate.py` and review the difference"


def test_the_diagram_is_that_of_the_state_table(generate: ModuleType) -> None:
    text = (DOCS / "visit.md").read_text(encoding="utf-8")
    assert generate.between_marks(text, generate.visit_diagram()) == text, HINT


def test_the_diagram_shows_every_row_of_the_table(generate: ModuleType) -> None:
    from vsdk.domain.visit import TABLE, VisitState

    diagram = generate.visit_diagram()
    for state in VisitState:
        assert f'"{state.value}"' in diagram
    for (state, event), target in TABLE.items():
        shown = target.value if target is not state else "(stays)"
        row = next(
            line
            for line in diagram.splitlines()
            if line.startswith(f"| {state} |") and event.__name__ in line
        )
        assert row.endswith(f"| {shown} |")


@pytest.mark.parametrize(
    ("file", "function"),
    [
        ("openapi.json", "openapi"),
        ("signalling.schema.json", "signalling_schema"),
        ("public-api.txt", "public_api"),
    ],
)
def test_the_reference_is_up_to_date(generate: ModuleType, file: str, function: str) -> None:
    assert getattr(generate, function)() == (DOCS / "reference" / file).read_text(encoding="utf-8"), HINT


def test_openapi_has_the_routes_that_a_vendor_is_told_of() -> None:
    document = json.loads((DOCS / "reference" / "openapi.json").read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/visits", "/api/v1/join", "/fhir/{release}/Appointment/{appointment_id}"} <= set(
        document["paths"]
    )


def test_a_changed_signature_would_be_noticed(generate: ModuleType) -> None:
    text = generate.public_api()
    assert "async def deliver(self, message: Message) -> Receipt" in text
    assert "idempotency_key: str" in text
    assert "_check" not in text
