"""Appointments from a folder of files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vsdk.adapters.scheduling.folder import FolderSchedule, vsdk_schedule_sources
from vsdk.domain.appointment import AppointmentStatus, VirtualService
from vsdk.domain.errors import ConfigurationError, InvalidAppointment, NotFound, PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.testing.contracts import ScheduleSourceContract
from vsdk.testing.factories import a_practice
from vsdk.testing.fakes import FakeConfig

PRACTICE = PracticeId("practice")
LINK = VirtualService("https://praxis.example/video/j#h4ndle")


def resource(id_: str = "a1", **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": id_,
        "status": "booked",
        "start": "2026-11-23T09:00:00+01:00",
        "participant": [{"actor": {"reference": "Patient/1", "display": "Jörg"}}],
    } | changes


def write(path: Path, *resources: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in resources), encoding="utf-8")
    return path


def source(folder: Path, **section: Any) -> FolderSchedule:
    (found,) = vsdk_schedule_sources(FakeConfig({"folder_schedule": {"directory": str(folder)} | section}))
    return found


class FolderContract(ScheduleSourceContract):
    @pytest.fixture
    def practice_id(self) -> PracticeId:
        return PRACTICE

    @pytest.fixture
    def appointment_id(self) -> AppointmentId:
        return AppointmentId("a2")


class TestSingleFiles(FolderContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FolderSchedule:
        write(tmp_path / "r5" / "one.json", resource("a1"))
        write(tmp_path / "r5" / "two.json", resource("a2"))
        return source(tmp_path)


class TestABundle(FolderContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FolderSchedule:
        entries = [
            {"resource": {"resourceType": "Patient"}},
            *({"resource": resource(i)} for i in ("a1", "a2")),
        ]
        write(tmp_path / "bundle.json", {"resourceType": "Bundle", "type": "collection", "entry": entries})
        return source(tmp_path, fhir_version="R4")


class TestLines(FolderContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FolderSchedule:
        write(tmp_path / "R4B" / "all.ndjson", resource("a1"), resource("a2"), resource("a3"))
        return source(tmp_path)


async def test_only_what_changed_is_given_again(tmp_path: Path) -> None:
    write(tmp_path / "r4/one.json", resource("a1"))
    two = write(tmp_path / "r4/two.json", resource("a2"))
    folder = source(tmp_path)
    first = await folder.changed_since(PRACTICE, None)
    write(two, resource("a2", status="cancelled"))
    write(tmp_path / "r4/three.json", resource("a3"))
    second = await folder.changed_since(PRACTICE, first.cursor)
    assert {s.appointment.id for s in second.appointments} == {"a2", "a3"}
    assert (await folder.changed_since(PRACTICE, second.cursor)).appointments == ()


async def test_after_a_restart_an_unchanged_folder_has_no_news(tmp_path: Path) -> None:
    one = write(tmp_path / "r4/one.json", resource("a1"))
    cursor = (await source(tmp_path).changed_since(PRACTICE, None)).cursor
    assert (await source(tmp_path).changed_since(PRACTICE, cursor)).appointments == ()
    write(one, resource("a1", status="cancelled"))
    assert len((await source(tmp_path).changed_since(PRACTICE, cursor)).appointments) == 1


async def test_what_cannot_be_read_has_a_code_and_disturbs_nothing(tmp_path: Path) -> None:
    write(tmp_path / "r4/good.json", resource())
    write(tmp_path / "r4/id.json", resource(id=None))
    write(tmp_path / "r4/list.json", [])
    write(tmp_path / "r4/other.json", {"resourceType": "Patient"})
    write(tmp_path / "r4/lines.ndjson", resource("a2"), "text")
    write(tmp_path / "elsewhere/what.json", resource("a3"))
    (tmp_path / "r4/broken.json").write_bytes(b"{")
    (tmp_path / "r4/binary.json").write_bytes(b"\xff\x00")
    (tmp_path / "r4/deep.json").write_bytes(b"[" * 100_000)
    (tmp_path / "r4/notes.txt").write_text("no appointment")
    changes = await source(tmp_path).changed_since(PRACTICE, None)
    assert [s.appointment.id for s in changes.appointments] == ["a1", "a2"]
    assert sorted(changes.unreadable) == [
        "appointment-without-id",
        "not-json",
        "not-json",
        "not-json",
        "not-json-object",
        "not-json-object",
        "release-unknown",
        "wrong-resource-type",
    ]


async def test_the_folder_or_the_settings_tell_the_release(tmp_path: Path) -> None:
    file = write(tmp_path / "r5/one.json", resource())
    (found,) = (await source(tmp_path).changed_since(PRACTICE, None)).appointments
    assert found.release == "R5"
    (found,) = (await source(tmp_path / "r5").changed_since(PRACTICE, None)).appointments
    assert found.release == "R5"
    (found,) = (await source(tmp_path, fhir_version="STU3").changed_since(PRACTICE, None)).appointments
    assert found.release == "STU3"
    as_r4b = source(tmp_path, fhir_version="R4B")
    (found,) = (await as_r4b.changed_since(PRACTICE, None)).appointments
    assert found.release == "R4"
    await as_r4b.write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    assert {"extension"} == set(json.loads(file.read_text(encoding="utf-8"))) - set(resource())


async def test_the_practice_chooses_where_the_link_is_written(tmp_path: Path) -> None:
    file = write(tmp_path / "r4/one.json", resource())
    conventions = replace(a_practice().fhir, carrier="patient-instruction")
    config = FakeConfig({"folder_schedule": {"directory": str(tmp_path)}}, [a_practice(fhir=conventions)])
    (folder,) = vsdk_schedule_sources(config)
    await folder.write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    assert LINK.url in json.loads(file.read_text(encoding="utf-8"))["patientInstruction"]
    await folder.write_back(PRACTICE, AppointmentId("a1"), (), None)
    assert json.loads(file.read_text(encoding="utf-8")) == resource()


async def test_a_link_that_cannot_be_written_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    link = {
        "resourceType": "Endpoint",
        "id": "appointment-meeting-endpoint-0",
        "address": "https://zoom.example",
    }
    file = write(tmp_path / "r4/one.json", resource(contained=[link]))
    before = file.read_bytes()
    conventions = replace(a_practice().fhir, carrier="contained-endpoint")
    config = FakeConfig({"folder_schedule": {"directory": str(tmp_path)}}, [a_practice(fhir=conventions)])
    (folder,) = vsdk_schedule_sources(config)
    with pytest.raises(InvalidAppointment) as caught:
        await folder.write_back(PRACTICE, AppointmentId("a1"), (LINK,), AppointmentStatus.ARRIVED)
    assert caught.value.code == "foreign-link"
    assert file.read_bytes() == before


async def test_neighbours_in_a_file_stay_as_they_are(tmp_path: Path) -> None:
    lines = write(tmp_path / "r4/all.ndjson", resource("a1"), "junk", resource("a2"))
    before = lines.read_bytes().split(b"\n")
    lines.chmod(0o640)
    await source(tmp_path).write_back(PRACTICE, AppointmentId("a2"), (LINK,), None)
    after = lines.read_bytes().split(b"\n")
    assert after[:2] == before[:2]
    assert LINK.url in after[2].decode()
    assert "Jörg" in after[2].decode()
    assert lines.stat().st_mode & 0o777 == 0o640
    assert list(lines.parent.iterdir()) == [lines]


async def test_a_file_that_says_so_already_is_not_written(tmp_path: Path) -> None:
    file = write(tmp_path / "r4/one.json", resource())
    inode = file.stat().st_ino
    await source(tmp_path).write_back(PRACTICE, AppointmentId("a1"), None, AppointmentStatus.BOOKED)
    assert file.stat().st_ino == inode
    await source(tmp_path).write_back(PRACTICE, AppointmentId("a1"), None, AppointmentStatus.ARRIVED)
    assert file.stat().st_ino != inode


@pytest.mark.parametrize("now", ["checked-in", "cancelled", "fulfilled"])
async def test_a_status_never_goes_backwards(tmp_path: Path, now: str) -> None:
    file = write(tmp_path / "r4/one.json", resource(status=now))
    await source(tmp_path).write_back(PRACTICE, AppointmentId("a1"), (LINK,), AppointmentStatus.ARRIVED)
    written = json.loads(file.read_text(encoding="utf-8"))
    assert (written["status"], LINK.url in json.dumps(written)) == (now, True)


@pytest.mark.parametrize("name", ["r4/one.json", "r4/all.ndjson"])
async def test_decimals_stay_as_they_were_written(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, resource())
    decimal = '"extension": [{"url": "https://pms.example/fee", "valueDecimal": 21.50}]'
    file.write_text(file.read_text(encoding="utf-8").replace("{", f"{{{decimal}, ", 1), encoding="utf-8")
    await source(tmp_path).write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    assert LINK.url in (after := file.read_text(encoding="utf-8"))
    assert "21.50" in after


async def test_a_write_that_fails_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "r4/one.json", resource())
    before = file.read_bytes()

    def refuse(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(PartnerError) as caught:
        await source(tmp_path).write_back(PRACTICE, AppointmentId("a1"), (LINK,), None)
    assert caught.value.retryable
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


async def test_a_folder_that_vanishes_is_a_passing_failure(tmp_path: Path) -> None:
    folder = source(tmp_path)
    tmp_path.rmdir()
    with pytest.raises(PartnerError) as caught:
        await folder.changed_since(PRACTICE, None)
    assert caught.value.retryable


async def test_each_of_several_practices_has_its_own_folder(tmp_path: Path) -> None:
    write(tmp_path / "north/r4/one.json", resource("n1"))
    write(tmp_path / "south/r4/one.json", resource("s1"))
    practices = [a_practice(id=PracticeId(id_)) for id_ in ("north", "south")]
    config = FakeConfig({"folder_schedule": {"directory": str(tmp_path)}}, practices)
    (folder,) = vsdk_schedule_sources(config)
    (found,) = (await folder.changed_since(PracticeId("south"), None)).appointments
    assert (found.appointment.id, found.appointment.practice_id) == ("s1", "south")
    with pytest.raises(NotFound):
        await folder.get(PracticeId("north"), AppointmentId("s1"))


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no folder"):
        source(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError):
        source(tmp_path, fhir_version="R3")
    with pytest.raises(ConfigurationError):
        vsdk_schedule_sources(FakeConfig())


async def test_a_cancelled_appointment_without_times_is_told_as_gone(tmp_path: Path) -> None:
    bare = {"resourceType": "Appointment", "id": "a1", "status": "cancelled"}
    (tmp_path / "a1.json").write_text(json.dumps(bare), encoding="utf-8")
    practice = a_practice()
    changes = await FolderSchedule({practice.id: (practice, tmp_path)}, "R4").changed_since(practice.id, None)
    assert (changes.vanished, changes.unreadable) == (("a1",), ("appointment-without-time",))
