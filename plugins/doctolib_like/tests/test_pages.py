"""My appointments and the confirmation, with the core's side written out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vsdk import NotFound, PageRequest, Refused, UsageError
from vsdk.domain.errors import RateLimited
from vsdk.hooks.ports import InteractivePage, PageSource, PatientVisit
from vsdk.testing.factories import a_practice
from vsdk_doctolib_like import vsdk_pages
from vsdk_doctolib_like.appointments import MyAppointments

NOW = datetime.now(UTC)


def a_visit(**changes: Any) -> PatientVisit:
    usual: dict[str, Any] = {
        "visit_id": "v1",
        "practice": a_practice(),
        "practitioner": "Dr. <Muster>",
        "start": NOW + timedelta(minutes=5),
        "end": NOW + timedelta(minutes=25),
        "opens": NOW - timedelta(minutes=5),
        "closes": NOW + timedelta(hours=1),
        "url": "https://praxis.example/j#handle",
    }
    return PatientVisit(**usual | changes)


class Patients:
    """A PatientAccess of one patient, whose code is 123456."""

    def __init__(self, *visits: PatientVisit) -> None:
        self.known = visits
        self.asked: list[str] = []

    async def send_code(self, contact: str, language: str) -> None:
        if contact == "nonsense":
            raise UsageError("no", code="contact-invalid")
        if contact == "often":
            raise RateLimited("no", retry_after=9)

    async def sign_in(self, contact: str, code: str) -> str:
        if code != "123456":
            raise Refused("no", code="sign-in-code-wrong")
        return "session-1"

    async def visits(self, session: str) -> Sequence[PatientVisit]:
        if session != "session-1":
            raise Refused("no", code="sign-in-over")
        return self.known

    async def calendar(self, session: str, visit_id: str, language: str) -> str:
        return "BEGIN:VCALENDAR"

    async def ask_to_cancel(self, session: str, visit_id: str) -> None:
        self.asked.append(visit_id)


def request(patients: Patients, session: str = "", **form: str) -> PageRequest:
    return PageRequest(
        method="POST" if form else "GET",
        language="en",
        text=lambda key, **values: key,
        time=lambda at, zone: "some day",
        patients=patients,  # type: ignore[arg-type]
        form=form,
        session=session,
    )


def test_both_pages_are_offered() -> None:
    pages = vsdk_pages()
    assert [page.path for page in pages] == ["appointments", "confirmation"]
    assert all(isinstance(page, PageSource) for page in pages)
    assert isinstance(pages[0], InteractivePage)


async def test_the_confirmation_knows_nothing_of_anyone() -> None:
    body = await vsdk_pages()[1].body("fr")
    assert 'lang="fr"' in body
    assert "handle" not in body


@pytest.mark.parametrize(
    ("contact", "problem"), [("nonsense", "doctolib.contact-wrong"), ("often", "doctolib.too-many")]
)
async def test_what_was_typed_stays_when_it_is_refused(contact: str, problem: str) -> None:
    reply = await MyAppointments().answer(request(Patients(), do="code", contact=contact))
    assert problem in reply.body
    assert f'value="{contact}"' in reply.body


async def test_a_code_signs_in_and_a_wrong_one_does_not() -> None:
    page = MyAppointments()
    wrong = await page.answer(request(Patients(), do="sign-in", contact="+49", code="0"))
    assert "doctolib.code-wrong" in wrong.body
    assert wrong.session is None
    right = await page.answer(request(Patients(), do="sign-in", contact="+49", code="123456"))
    assert (right.session, right.redirect) == ("session-1", True)


async def test_what_is_open_can_be_started_and_names_are_escaped() -> None:
    body = (await MyAppointments().answer(request(Patients(a_visit()), "session-1"))).body
    assert 'href="https://praxis.example/j#handle"' in body
    assert "Dr. &lt;Muster&gt;" in body
    later = a_visit(opens=NOW + timedelta(hours=1))
    assert "j#handle" not in (await MyAppointments().answer(request(Patients(later), "session-1"))).body


async def test_asking_to_cancel_is_asked_back_first() -> None:
    patients, page = Patients(a_visit()), MyAppointments()
    question = await page.answer(request(patients, "session-1", do="cancel", visit="v1"))
    assert "cancel-yes" in question.body
    assert patients.asked == []
    assert (await page.answer(request(patients, "session-1", do="cancel-yes", visit="v1"))).redirect
    assert patients.asked == ["v1"]
    with pytest.raises(NotFound):
        await page.answer(request(patients, "session-1", do="cancel-yes", visit="v2"))


async def test_a_session_that_is_over_is_forgotten_and_begins_anew() -> None:
    reply = await MyAppointments().answer(request(Patients(), "old"))
    assert reply.session == ""
    assert "doctolib.over" in reply.body


async def test_a_calendar_file_is_saved_and_signing_out_forgets() -> None:
    page = MyAppointments()
    file = await page.answer(request(Patients(a_visit()), "session-1", do="calendar", visit="v1"))
    assert (file.file, file.media_type) == ("BEGIN:VCALENDAR", "text/calendar")
    assert (await page.answer(request(Patients(), "session-1", do="sign-out"))).session == ""
    assert (await page.answer(request(Patients(), "session-1", do="juggle"))).redirect
