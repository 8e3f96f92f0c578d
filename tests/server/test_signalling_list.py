"""A list connection: end a visit, invite someone back, and nothing of another practice."""

from typing import Any

from tests.server.draining import drained

from vsdk.domain.effects import WriteBack
from vsdk.domain.errors import PartnerError
from vsdk.domain.ids import AppointmentId, PracticeId
from vsdk.domain.participant import Role
from vsdk.testing.fakes import FakeClock

PARK = PracticeId("park")


class FailingSource:
    """A ScheduleSource whose appointments nobody may change, until ``refuses`` is taken back."""

    name = "failing"
    refuses = True

    async def write_back(self, *_: Any) -> None:
        if self.refuses:
            raise PartnerError("no", retryable=False, code="foreign-link")


async def test_the_list_says_what_could_not_be_written_back_until_it_was(server: Any) -> None:
    video, source = server.video, FailingSource()
    video.sources[PARK] = source
    board = await server.list(await server.plan())
    await board.queue(lambda entries: entries[0]["not_written_back"] == "foreign-link")
    source.refuses = False
    assert await video.store.write_back_again(WriteBack(PARK, AppointmentId("a1"), None), video.clock.now())
    video.outbox.wake()
    await board.queue(lambda entries: entries[0]["not_written_back"] is None)


async def test_close_ends_a_running_visit(server: Any) -> None:
    planned = await server.plan()
    board = await server.list(planned)
    patient, doctor = await server.together(planned)
    await board.send("close", visit=planned["visit"])
    for page in (patient, doctor):
        assert (await page.get("ended"))["by"] == "practitioner"
        assert await page.closed() == 1000
    assert await server.state(planned) == "ended"


async def test_close_ends_a_visit_in_which_someone_only_waits(server: Any) -> None:
    planned = await server.plan()
    board, patient = await server.list(planned), await server.patient(planned)
    await patient.get("waiting")
    await board.send("close", visit=planned["visit"])
    assert (await patient.get("ended"))["by"] == "practice"
    assert await patient.closed() == 1000


async def test_who_is_invited_back_can_come_with_the_old_link_and_gets_a_message(
    server: Any, clock: FakeClock
) -> None:
    planned = await server.plan()
    board = await server.list(planned)
    patient, doctor = await server.together(planned)
    await doctor.send("bye")
    await patient.get("ended")
    clock.advance(minutes=20)
    await board.send("invite", visit=planned["visit"], participant="p1")
    await board.settle()
    assert await server.state(planned) == "planned"
    await drained(server.video)
    lines = [e.details for e in await server.video.store.audit() if e.what == "message-sent"]
    assert {"template": "invited-back", "channel": "sms"} in lines
    clock.advance(minutes=25)
    await (await server.patient(planned)).get("waiting")


async def test_what_is_not_possible_now_is_an_error_with_a_reference(server: Any) -> None:
    planned = await server.plan()
    board = await server.list(planned)
    for type_ in ("invite", "close", "admit"):
        await board.send(type_, visit=planned["visit"], participant="p1", id=type_)
        error = await board.get("error")
        assert (error["code"], error["ref"]) == ("visit-state", type_)
        assert error["detail"] == "this is not possible now"


async def test_visits_of_another_practice_are_out_of_reach(server: Any) -> None:
    planned = await server.plan()
    await (await server.patient(planned)).get("waiting")
    other = await server.plan("b1", key="mitte-key-0123456789", patient="Zoe Mitte")
    board = await server.list(other)
    for type_ in ("admit", "close", "invite"):
        await board.send(type_, visit=planned["visit"], participant="p1")
        assert (await board.get("error"))["code"] == "not-permitted", type_
        await board.send(type_, visit="no-such-visit", participant="p1")
        assert (await board.get("error"))["code"] == "visit-unknown", type_
    assert await server.state(planned) == "waiting"
    assert "Marlene Sommerfeld" not in str(board.seen)


async def test_messages_of_a_visit_do_not_belong_on_a_list(server: Any) -> None:
    board = await server.list(await server.plan())
    for type_, fields in (
        ("check", {"camera": "good", "microphone": "good", "connection": "good"}),
        ("offer", {"to": "p1", "epoch": 1, "sdp": "v=0"}),
        ("ice", {"to": "p1", "epoch": 1, "candidate": None}),
        ("connected", {}),
        ("lost", {}),
        ("admit", {"participant": "p1"}),
    ):
        await board.send(type_, **fields)
        assert (await board.get("error"))["code"] == "wrong-connection", type_


async def test_messages_of_a_list_do_not_belong_on_a_visit(server: Any) -> None:
    planned = await server.plan()
    doctor = await server.doctor(planned)
    await doctor.send("close", visit=planned["visit"])
    assert (await doctor.get("error"))["code"] == "wrong-connection"


async def test_staff_see_the_list_and_decide_nothing(server: Any) -> None:
    planned = await server.plan()
    await (await server.patient(planned)).get("waiting")
    granted = server.video.join.grant_list(PracticeId("park"), Role.STAFF, "reception")
    staff = await server.hello(granted.token)
    assert (await staff.get("queue"))["entries"][0]["people"][0]["waiting"] is True
    for type_, fields in (("admit", {"participant": "p1"}), ("close", {}), ("invite", {"participant": "p1"})):
        await staff.send(type_, visit=planned["visit"], **fields)
        assert (await staff.get("error"))["code"] == "not-permitted"
    entry = await server.http.post(
        f"/api/v1/visits/{planned['visit']}/grant", headers={"Authorization": f"Bearer {granted.token}"}
    )
    assert (entry.status_code, entry.json()["code"]) == (403, "not-permitted")
    assert await server.state(planned) == "waiting"


async def test_bye_closes_a_list_and_touches_no_visit(server: Any) -> None:
    planned = await server.plan()
    patient, _ = await server.together(planned)
    board = await server.list(planned)
    await board.send("bye")
    assert await board.closed() == 1000
    assert await patient.settle() == []
    assert await server.state(planned) == "admitted"


async def test_a_cancelled_appointment_closes_the_page_of_who_waits(server: Any) -> None:
    planned = await server.plan()
    board, page = await server.list(planned), await server.patient(planned)
    grant = await server.grant(planned)
    await page.get("waiting")
    await server.plan(status="cancelled")
    assert await page.get("cancelled") == {"type": "cancelled"}
    assert await page.closed() == 1000
    late = await server.hello(grant)
    assert await late.next() == {"type": "cancelled"}
    assert await late.closed() == 1000
    await board.queue(lambda entries: entries[0]["state"] == "cancelled")


async def test_a_new_appointment_appears_on_the_open_list(server: Any) -> None:
    board = await server.list(await server.plan())
    added = await server.plan("a2", patient="Bruno Anderwald")
    await board.queue(lambda entries: added["visit"] in [entry["visit"] for entry in entries])
