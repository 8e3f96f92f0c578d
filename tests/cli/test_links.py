"""``vsdk links``: Appointments in, join links out."""

import asyncio
import gzip
import io
import json
import os
import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from tests.cli.conftest import NOW, Vsdk, appointment

from vsdk.domain.errors import VsdkError
from vsdk.hooks.ports import SourcedAppointment
from vsdk.links.documents import Documents
from vsdk.links.printing import Progress
from vsdk.sdk import VideoSdk
from vsdk.settings import Settings

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
    given = io.BufferedReader(io.BytesIO(json.dumps(appointment()).encode()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(given))
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


def test_a_failure_names_the_appointment_and_the_id_of_nothing_else(vsdk: Vsdk, tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "A123456789"}
    file = write(
        tmp_path, "n.ndjson", f"{json.dumps(patient)}\n{json.dumps(appointment('a1', status='x'))}\n"
    )
    assert [row.get("appointment") for row in lines(vsdk("links", file).out)] == [None, "a1"]


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


# files of every kind


def ndjson(*ids: str) -> str:
    return "".join(f"{json.dumps(appointment(id_))}\n" for id_ in ids)


def found(vsdk: Vsdk, file: str) -> list[tuple[str, str]]:
    """Of each row the appointment, or the place and the code of the failure."""
    rows = lines(vsdk("links", file).out)
    return [
        (row["source"].removeprefix(file), row["error"])
        if "error" in row
        else (row["appointment"], row["role"])
        for row in rows
    ]


def both(id_: str) -> list[tuple[str, str]]:
    return [(id_, "patient"), (id_, "practitioner")]


def test_gzip_is_known_by_its_content(vsdk: Vsdk, tmp_path: Path) -> None:
    file = tmp_path / "feed.ndjson"
    file.write_bytes(gzip.compress(ndjson("a1").encode()) + gzip.compress(ndjson("a2").encode()))
    assert found(vsdk, str(file)) == both("a1") + both("a2")


def test_standard_input_may_be_gzip_too(vsdk: Vsdk, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(ndjson("a1", "a2").encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(packed))))
    assert len(lines(vsdk("links", "-").out)) == 4


@pytest.mark.parametrize("keep", [5, 60])
def test_damaged_gzip_is_said(vsdk: Vsdk, tmp_path: Path, keep: int) -> None:
    file = tmp_path / "feed.gz"
    file.write_bytes(gzip.compress(ndjson("a1").encode())[:keep])
    assert found(vsdk, str(file)) == [("", "file-unreadable")]


@pytest.mark.parametrize("cut", [1, 8, 2000])
def test_what_came_before_the_damage_is_done(vsdk: Vsdk, tmp_path: Path, cut: int) -> None:
    file = tmp_path / "feed.gz"
    chance = random.Random(1)
    some = (json.dumps(appointment(f"a{n}", comment=chance.randbytes(200).hex())) for n in range(100))
    file.write_bytes(gzip.compress("\n".join(some).encode())[:-cut])
    *rows, last = found(vsdk, str(file))
    assert last == ("", "file-unreadable")
    assert len(rows) > 100
    assert rows == [row for n in range(len(rows) // 2) for row in both(f"a{n}")]


def test_no_standard_input_at_all_is_said(vsdk: Vsdk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    (row,) = lines(vsdk("links", "-").out)
    assert (row["source"], row["error"]) == ("-", "file-unreadable")


def test_byte_order_mark_and_windows_lines_are_no_hindrance(vsdk: Vsdk, tmp_path: Path) -> None:
    file = tmp_path / "feed.ndjson"
    text = ndjson("a1") + "\n  \n" + ndjson("a2").rstrip()
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert found(vsdk, str(file)) == both("a1") + both("a2")
    file.write_bytes(b"\xef\xbb\xbf\r\n" + json.dumps(appointment("a3"), indent=1).encode())
    assert found(vsdk, str(file)) == both("a3")


def test_a_line_separator_within_a_text_ends_no_line(vsdk: Vsdk, tmp_path: Path) -> None:
    odd = json.dumps(appointment("a1", comment="one\u2028two\x85three"), ensure_ascii=False)
    assert found(vsdk, write(tmp_path, "n.ndjson", f"{odd}\n{ndjson('a2')}")) == both("a1") + both("a2")


PRETTY = json.dumps({"resourceType": "Bundle", "entry": [{"resource": appointment("a1")}] * 2}, indent=2)
SPLIT = '{"resourceType": "Bundle", "entry": [{"resource":\n' + ndjson("a1") + '}, {"resource":\n'


@pytest.mark.parametrize(
    "text",
    [PRETTY, f"\n\n{PRETTY}\n\n", SPLIT + ndjson("a1") + "}]}", SPLIT + ndjson("a1") + "}\n]\n}\n"],
)
def test_a_document_may_have_many_lines_in_any_way(vsdk: Vsdk, tmp_path: Path, text: str) -> None:
    assert [id_ for id_, _ in found(vsdk, write(tmp_path, "b.json", text))] == ["a1"] * 4


@pytest.mark.parametrize("damage", ["{broken", '{"id": "cut in the mid', '{"id": 7,', "{", '"', "]", "[1,"])
def test_a_damaged_first_line_spoils_no_other(vsdk: Vsdk, tmp_path: Path, damage: str) -> None:
    ids = [f"a{n}" for n in range(5)]
    rows = found(vsdk, write(tmp_path, "n.ndjson", f"{damage}\n{ndjson(*ids)}"))
    assert rows == [(":1", "not-json"), *(row for id_ in ids for row in both(id_))]


def test_a_damaged_document_is_one_failure(vsdk: Vsdk, tmp_path: Path) -> None:
    broken = json.dumps(appointment("a1"), indent=2).replace('"booked"', "booked")
    assert found(vsdk, write(tmp_path, "a.json", broken)) == [("", "not-json")]
    assert found(vsdk, write(tmp_path, "a.json", "\n \n")) == [("", "not-json")]


def test_a_line_that_is_not_utf8_is_one_failure(vsdk: Vsdk, tmp_path: Path) -> None:
    file = tmp_path / "n.ndjson"
    file.write_bytes(f'{ndjson("a1")}{{"x": "\xfc"}}\n{ndjson("a2")}'.encode("latin-1"))
    assert found(vsdk, str(file)) == [*both("a1"), (":2", "not-json"), *both("a2")]


@pytest.mark.parametrize("where", [0, 1])
def test_a_line_of_more_than_a_mebibyte_is_refused_among_others(
    vsdk: Vsdk, tmp_path: Path, where: int
) -> None:
    big = [json.dumps(appointment("big", comment="x" * 2**20)), *ndjson("a1", "a2").splitlines()]
    big.insert(where, big.pop(0))
    rows = found(vsdk, write(tmp_path, "n.ndjson", "\n".join(big)))
    expected = both("a1") + both("a2")
    expected.insert(2 * where, (f":{where + 1}", "message-too-big"))
    assert rows == expected


def test_a_line_may_have_a_mebibyte(vsdk: Vsdk, tmp_path: Path) -> None:
    spare = 2**20 - len(json.dumps(appointment("a1", comment="")))
    exact = [json.dumps(appointment(id_, comment="x" * spare)) for id_ in ("a1", "a2")]
    assert {len(line) for line in exact} == {2**20}
    file = tmp_path / "n.ndjson"
    file.write_bytes("\r\n".join(exact).encode())
    assert found(vsdk, str(file)) == both("a1") + both("a2")


def test_a_document_alone_may_have_more_in_one_line(vsdk: Vsdk, tmp_path: Path) -> None:
    assert found(vsdk, write(tmp_path, "a.json", appointment("a1", comment="x" * 2**21))) == both("a1")


@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_is_refused_when_it_would_fill_the_memory(
    vsdk: Vsdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    monkeypatch.setattr("vsdk.links.documents.LARGEST_DOCUMENT", 3000)
    resource = appointment("a1", extension=[{"url": "urn:x", "valueString": "x"}] * 100)
    large = write(tmp_path, "large.json", json.dumps(resource, indent=indent))
    result = vsdk("links", large, write(tmp_path, "a.json", appointment("a2")))
    failure, *rows = lines(result.out)
    assert (failure["source"], failure["error"]) == (large, "file-too-large")
    assert [row["appointment"] for row in rows] == ["a2", "a2"]


def test_a_file_name_that_is_no_text_can_be_shown(vsdk: Vsdk, tmp_path: Path) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/\xff.json")
    Path(name).write_text("{")
    (row,) = lines(vsdk("links", name).out)
    assert row["source"].endswith("\ufffd.json")


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_content_raises_anything(content: bytes, packed: bool) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "x")
        file.write_bytes(gzip.compress(content) if packed else content)
        for place, resource in Documents([str(file)]).resources():
            assert place.startswith(str(file))
            assert isinstance(resource, VsdkError | dict | list | str | int | float | bool | None)


@given(
    st.lists(
        st.sampled_from(['{"resourceType": "Appointment"}', "{", "}", "[", "]", '"x": ', ",", "\n", " "])
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_json_as_a_whole_is_read_as_a_whole(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        value = json.loads(text)
    except ValueError:
        return
    with TemporaryDirectory() as folder:
        file = Path(folder, "x")
        file.write_text(text)
        assert list(Documents([str(file)]).resources()) == [(str(file), value)]


# progress


def test_nothing_but_rows_is_said_where_nobody_looks(vsdk: Vsdk, tmp_path: Path) -> None:
    assert vsdk("links", write(tmp_path, "a.json", appointment())).err == ""


def test_progress_is_one_line_with_a_summary_at_the_end(vsdk: Vsdk, tmp_path: Path) -> None:
    result = vsdk("links", "--progress", write(tmp_path, "n.ndjson", ndjson("a1", "a2") + "{\n"))
    assert len(lines(result.out)) == 5
    assert result.err.count("\n") == 1
    assert re.fullmatch(r"3 appointments in 0:0\d \([\d,]+/s\), 1 failed *\n", result.err.rpartition("\r")[2])
    assert "100%, 0:00 left" in result.err


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1000, "1,500 appointments, 150/s, 2 failed, 25%, 0:30 left"),
        (None, "1,500 appointments, 150/s, 2 failed"),
        (0, "1,500 appointments, 150/s, 2 failed"),
    ],
)
def test_progress_tells_what_is_left_when_the_size_is_known(size: int | None, expected: str) -> None:
    times = iter([0.0, 10.0, 10.1, 3700.0])
    out = io.StringIO()
    progress = Progress(out, size, clock=lambda: next(times))
    progress.show(1500, 2, 250)
    progress.show(1600, 2, 260)
    assert out.getvalue() == f"\r{expected}"
    progress.finish(100_000, 0)
    last = out.getvalue().rpartition("\r")[2]
    assert last.rstrip() == "100,000 appointments in 1:01:40 (27/s), 0 failed"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (100, "1,500 appointments, 150/s, 2 failed, 25%, 0:30 left [#######                       ]"),
        (80, "1,500 appointments, 150/s, 2 failed, 25%, 0:30 left [######                   ]"),
        (60, "1,500 appointments, 150/s, 2 failed, 25%, 0:30 left"),
        (50, "1,500 appointments, 2 failed, 25%, 0:30 left"),
        (40, "1,500 appointments, 25%, 0:30 left"),
        (20, "1,500 appointments"),
        (9, "1,500 ap"),
    ],
)
def test_progress_on_a_terminal_stays_in_one_line_with_a_bar_where_there_is_room(
    columns: int, expected: str
) -> None:
    times = iter([0.0, 10.0])
    out = io.StringIO()
    progress = Progress(out, 1000, clock=lambda: next(times), columns=lambda _: columns)
    progress.show(1500, 2, 250)
    assert out.getvalue() == f"\r{expected}"
    assert len(expected) < columns


def test_the_time_left_is_that_of_the_pace_of_the_last_seconds() -> None:
    """The first half was stored before; what is new takes ten times as long."""
    now = 0.0
    out = io.StringIO()
    progress = Progress(out, 2000, clock=lambda: now)
    for step in range(1, 151):
        now = step * 0.5
        progress.show(step, 0, 20 * min(step, 50) + 2 * max(step - 50, 0))
    assert out.getvalue().rpartition("\r")[2].strip() == "150 appointments, 2/s, 0 failed, 60%, 3:20 left"


def test_the_table_of_many_is_printed_as_it_grows(
    vsdk: Vsdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsdk.links.command.BATCH", 2)
    ids = ["a1", "a2", "a3", "an-id-that-is-longer-than-those-of-the-first-rows"]
    result = vsdk("links", "--format", "table", write(tmp_path, "n.ndjson", ndjson(*ids) + "{\n"))
    head, *links, failure = result.out.splitlines()
    assert head.split()[0] == "APPOINTMENT"
    assert [line.split()[0] for line in links] == [id_ for id_ in ids for _ in range(2)]
    assert len({line.index("https://") for line in links[:6]}) == 1
    assert "not-json" in failure


def test_r5_is_read_when_told(vsdk: Vsdk, tmp_path: Path) -> None:
    virtual = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
    r5 = appointment(**{"class": [{"coding": [virtual]}]})
    del r5["serviceType"]
    file = write(tmp_path, "a.json", r5)
    assert vsdk("links", "--fhir-version", "R5", file).code == 0
    assert vsdk("links", "--fhir-version", "R3", file).code == 2


def test_stu3_is_read_when_told(vsdk: Vsdk, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", appointment())
    assert vsdk("links", "--fhir-version", "STU3", file).code == 0


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


def test_a_cancellation_without_times_is_explained_and_yet_ends_the_visit(vsdk: Vsdk, tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    bare = {"resourceType": "Appointment", "id": "a1", "status": "cancelled"}
    file.write_text(f"{json.dumps(appointment())}\n{json.dumps(bare)}\n")
    result = vsdk("links", str(file))
    assert [json.loads(line).get("error") for line in result.out.splitlines()][
        -1
    ] == "appointment-without-time"
    assert "appointment-cancelled" in vsdk("audit").out


def states(config: Path) -> list[str]:
    """Of the visits, as they were made."""
    engine = create_engine(f"sqlite:///{config.parent}/vsdk.sqlite3")
    with engine.connect() as connection:
        found = list(connection.execute(text("SELECT state FROM visit ORDER BY seq")).scalars())
    engine.dispose()
    return found


def test_a_bare_cancellation_has_its_place_in_the_order(vsdk: Vsdk, config: Path, tmp_path: Path) -> None:
    """Booked, called off and booked again: the last links hold."""
    bare = {"resourceType": "Appointment", "id": "a1", "status": "cancelled"}
    again = [*both("a1"), (":2", "appointment-without-time"), *both("a1")]
    file = write(tmp_path, "n.ndjson", f"{ndjson('a1')}{json.dumps(bare)}\n{ndjson('a1')}")
    assert found(vsdk, file) == again
    assert states(config) == ["cancelled", "planned"]
    assert found(vsdk, write(tmp_path, "n.ndjson", f"{json.dumps(bare)}\n{ndjson('a1')}"))[1:] == both("a1")
    assert states(config) == ["cancelled", "cancelled", "planned"]


@pytest.mark.parametrize("files", [1, 2])
def test_an_appointment_that_is_no_longer_by_video_loses_its_links(
    vsdk: Vsdk, config: Path, tmp_path: Path, files: int
) -> None:
    on_site = json.dumps(appointment("a1", serviceType=[]))
    lines_of = [ndjson("a1", "a2"), f"{on_site}\n"] if files == 2 else [f"{ndjson('a1', 'a2')}{on_site}\n"]
    for n, content in enumerate(lines_of):
        result = vsdk("links", write(tmp_path, f"{n}.ndjson", content))
    assert result.code == 1
    assert lines(result.out)[-1]["error"] == "not-a-video-visit"
    assert states(config) == ["cancelled", "planned"]


def test_an_appointment_that_never_was_by_video_is_not_kept(vsdk: Vsdk, config: Path, tmp_path: Path) -> None:
    assert vsdk("links", write(tmp_path, "a.json", appointment("a1", serviceType=[]))).code == 1
    engine = create_engine(f"sqlite:///{config.parent}/vsdk.sqlite3")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM appointment")).scalar_one() == 0
    engine.dispose()


async def hand_over(resource: dict[str, Any], config: Path) -> None:
    """As ``POST /api/v1/visits`` does: whoever asks, wants a video visit."""
    video = VideoSdk(Settings.load(str(config)))
    practice = next(iter(video.practices.values()))
    read = video.appointment_format.read(resource, release="R4", practice=practice, assume_video=True)
    await video.store.open()
    await video.scheduling.schedule(SourcedAppointment(read, "R4", resource))
    await video.store.close()


def test_a_visit_that_was_asked_for_is_not_ended_by_a_file_that_does_not_speak_of_video(
    vsdk: Vsdk, config: Path, tmp_path: Path
) -> None:
    silent = appointment("a1", serviceType=[])
    asyncio.run(hand_over(silent, config))
    assert found(vsdk, write(tmp_path, "a.json", silent | {"comment": "new"})) == [("", "not-a-video-visit")]
    assert states(config) == ["planned"]
