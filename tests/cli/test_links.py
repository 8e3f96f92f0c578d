"""``vsdk links``: Appointments in, join links out."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import NOW, Vsdk, appointment

KEYS = {"appointment", "participant", "role", "join_url", "opens", "expires"}


def write(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_one_line_per_participant_with_the_documented_keys(vsdk: Vsdk, tmp_path: Path) -> None:
    result = vsdk("links", write(tmp_path, "a.json", appointment()))
    assert (result.code, result.err) == (0, "")
    rows = lines(result.out)
    assert all(set(row) == KEYS for row in rows)
    assert [(r["appointment"], r["participant"], r["role"]) for r in rows] == [
        ("a1", "Patient/17", "patient"),
        ("a1", "Practitioner/berg", "practitioner"),
    ]
    for row in rows:
        assert row["join_url"].startswith("https://praxis.example/video/j#")
        assert datetime.fromisoformat(row["opens"]) == NOW + timedelta(minutes=45)
        assert datetime.fromisoformat(row["expires"]) == NOW + timedelta(hours=2)
    assert "Sommerfeld" not in result.out


def test_running_it_twice_gives_the_same_links(vsdk: Vsdk, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", appointment())
    assert vsdk("links", file).out == vsdk("links", file).out


def test_several_files_are_read_in_their_order(vsdk: Vsdk, tmp_path: Path) -> None:
    files = [write(tmp_path, f"{id_}.json", appointment(id_)) for id_ in ("z", "a")]
    assert [row["appointment"] for row in lines(vsdk("links", *files).out)] == ["z", "z", "a", "a"]


def test_standard_input_is_read_for_a_dash(
    vsdk: Vsdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(appointment())))
    assert len(lines(vsdk("links", "-").out)) == 2


def test_a_bundle_gives_the_links_of_its_appointments(vsdk: Vsdk, tmp_path: Path) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": appointment("a1")},
            {"resource": {"resourceType": "Patient", "id": "17"}},
            {"resource": appointment("a2", start=None)},
            {"fullUrl": "urn:x"},
            "nonsense",
            {"resource": appointment("a3")},
        ],
    }
    file = write(tmp_path, "b.json", bundle)
    result = vsdk("links", file)
    assert result.code == 1
    good = [row for row in lines(result.out) if "error" not in row]
    (bad,) = (row for row in lines(result.out) if "error" in row)
    assert [row["appointment"] for row in good] == ["a1", "a1", "a3", "a3"]
    assert (bad["source"], bad["error"]) == (f"{file}#Bundle.entry[2]", "appointment-without-time")


def test_ndjson_goes_on_after_a_bad_line(vsdk: Vsdk, tmp_path: Path) -> None:
    text = "\n".join([json.dumps(appointment("a1")), "{broken", "", "[1]", json.dumps(appointment("a2")), ""])
    file = write(tmp_path, "n.ndjson", text)
    result = vsdk("links", file)
    assert result.code == 1
    rows = lines(result.out)
    assert [row.get("appointment") for row in rows] == ["a1", "a1", None, None, "a2", "a2"]
    assert [(r["source"], r["error"]) for r in rows if "error" in r] == [
        (f"{file}:2", "not-json"),
        (f"{file}:4", "not-json-object"),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "not-json"),
        ("{", "not-json"),
        ("[" * 100_000, "not-json"),
        ([], "not-json-object"),
        ("7", "not-json-object"),
        ({"resourceType": "Patient"}, "wrong-resource-type"),
        (appointment(id=None), "appointment-without-id"),
        (appointment(status="s3cret"), "appointment-status-unknown"),
        (appointment(start="s3cret"), "appointment-time-invalid"),
        (appointment(participant=[]), "appointment-without-participant"),
        (appointment(serviceType=[]), "not-a-video-visit"),
        (appointment(status="cancelled"), "appointment-cancelled"),
        (appointment(start="2020-01-01T10:00:00Z", end="2020-01-01T10:20:00Z"), "appointment-over"),
    ],
)
def test_what_cannot_have_links_is_a_line_with_a_code_and_nothing_of_its_content(
    vsdk: Vsdk, tmp_path: Path, content: Any, code: str
) -> None:
    file = write(tmp_path, "x.json", content)
    result = vsdk("links", file)
    assert result.code == 1
    (row,) = lines(result.out)
    assert (row["error"], row["source"]) == (code, file)
    assert row["detail"]
    for secret in ("s3cret", "Sommerfeld"):
        assert secret not in result.out + result.err


def test_files_that_cannot_be_read_are_said_and_the_others_are_done(vsdk: Vsdk, tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"x": "\xfc"}')
    good = write(tmp_path, "a.json", appointment())
    result = vsdk("links", str(tmp_path / "none.json"), str(tmp_path / "latin.json"), str(tmp_path), good)
    assert result.code == 1
    rows = lines(result.out)
    assert [row["error"] for row in rows if "error" in row] == ["file-unreadable"] * 3
    assert len(rows) == 5


def test_half_a_character_and_nan_are_refused_and_no_obstacle_to_the_rest(vsdk: Vsdk, tmp_path: Path) -> None:
    """Python would read them; no other system could read what we gave back (RFC 7493)."""
    odd = json.dumps(appointment("odd\ud800", note="\ud800"))
    number = json.dumps(appointment("nan", note=float("nan")))
    file = write(tmp_path, "n.ndjson", f"{odd}\n{number}\n{json.dumps(appointment('a2'))}\n")
    result = vsdk("links", file)
    assert result.code == 1
    found = lines(result.out)
    assert [(row["source"].rpartition(":")[2], row["error"]) for row in found if "error" in row] == [
        ("1", "not-json"),
        ("2", "not-json"),
    ]
    assert {row["appointment"] for row in found if "error" not in row} == {"a2"}


def test_a_cancelled_appointment_revokes_the_links_it_had(vsdk: Vsdk, tmp_path: Path) -> None:
    assert vsdk("links", write(tmp_path, "a.json", appointment())).code == 0
    assert vsdk("links", write(tmp_path, "a.json", appointment(status="cancelled"))).code == 1
    assert "appointment-cancelled" in vsdk("audit").out


def test_the_table_is_for_people(vsdk: Vsdk, tmp_path: Path) -> None:
    files = [write(tmp_path, "a.json", appointment()), write(tmp_path, "b.json", "{")]
    result = vsdk("links", "--format", "table", *files)
    assert result.code == 1
    head, patient, practitioner, failure = result.out.splitlines()
    assert head.split() == ["APPOINTMENT", "PARTICIPANT", "ROLE", "OPENS", "EXPIRES", "JOIN_URL"]
    assert patient.split()[1:3] == ["Patient/17", "patient"]
    assert practitioner.index("https://") == patient.index("https://") == head.index("JOIN_URL")
    assert failure == f"{files[1]}: not-json: this is not JSON"


def test_r5_is_read_when_told(vsdk: Vsdk, tmp_path: Path) -> None:
    virtual = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
    r5 = appointment(**{"class": [{"coding": [virtual]}]})
    del r5["serviceType"]
    file = write(tmp_path, "a.json", r5)
    assert vsdk("links", "--fhir-version", "R5", file).code == 0
    assert vsdk("links", "--fhir-version", "R3", file).code == 2


def test_strict_refuses_what_is_not_valid_fhir_and_lenient_does_not(vsdk: Vsdk, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", appointment(unheardOf=True))
    assert vsdk("links", file).code == 0
    result = vsdk("links", "--strict", file)
    assert result.code == 1
    (row,) = lines(result.out)
    assert row["error"] == "fhir-invalid"
    assert "Appointment.unheardOf" in [issue["path"] for issue in row["issues"]]


def test_practices_are_apart_and_must_exist(vsdk: Vsdk, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", appointment())
    park, mitte = vsdk("links", file), vsdk("links", "--practice", "mitte", file)
    assert park.code == mitte.code == 0
    assert {r["join_url"] for r in lines(park.out)}.isdisjoint(r["join_url"] for r in lines(mitte.out))
    unknown = vsdk("links", "--practice", "nowhere", file)
    assert unknown.code == 2
    assert "'nowhere'" in unknown.err


def test_the_samples_of_the_repository_can_be_read(vsdk: Vsdk, config: Path) -> None:
    from vsdk.demo import samples

    for release, folder in (("R4", "r4"), ("R5", "r5")):
        files = [str(f) for f in sorted((samples() / folder).glob("*.json"))]
        result = vsdk("links", "--fhir-version", release, *files)
        errors = {row["error"] for row in lines(result.out) if "error" in row}
        assert errors <= {"appointment-cancelled", "not-a-video-visit", "appointment-over"}
