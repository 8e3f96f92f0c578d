"""D4: what patients may do who have proved that a number is theirs, and what nobody learns."""

import asyncio
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from tests.server.conftest import KEY, OTHER_KEY

from vsdk.domain.errors import NotFound, RateLimited, Refused, UsageError
from vsdk.domain.ids import PracticeId
from vsdk.service.patient_access import CODE_LIVES, CODES, SESSION_LIVES, TRIES
from vsdk.testing.factories import NOON
from vsdk.testing.fakes import FakeClock

PAGE = "/plugins/console_messages/messages"


def reached_at(phone: str) -> list[dict[str, Any]]:
    telecom = [{"system": "phone", "value": phone}]
    return [{"resourceType": "Patient", "id": "patient", "telecom": telecom}]


async def codes(server: Any) -> list[str]:
    """Those that were sent, newest first, as their readers get them."""
    await asyncio.gather(*server.video.patients._sending)
    shown = (await server.http.get(PAGE)).text
    return re.findall(r"\b(\d{6}) (?:ist Ihr Code|is your code)", shown)


async def number(server: Any, planned: dict[str, Any]) -> str:
    visit = await server.video.store.visit(planned["visit"])
    appointment = await server.video.visits.appointment(visit)
    return next(str(p.phone) for p in appointment.participants if p.phone)


async def signed_in(server: Any, planned: dict[str, Any]) -> str:
    contact = await number(server, planned)
    await server.video.patients.send_code(contact, "de")
    return str(await server.video.patients.sign_in(contact, (await codes(server))[0]))


async def test_a_code_opens_what_is_to_come_and_works_once(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    patients = server.video.patients
    contact = await number(server, planned)
    await patients.send_code(contact, "de")
    (code,) = await codes(server)
    session = await patients.sign_in(f" {contact[:5]} {contact[5:]}", f"{code[:3]} {code[3:]}")
    (visit,) = await patients.visits(session)
    assert visit.visit_id == planned["visit"]
    assert visit.url == next(x["join_url"] for x in planned["links"] if x["role"] == "patient")
    with pytest.raises(Refused) as again:
        await patients.sign_in(contact, code)
    assert again.value.code == "sign-in-code-wrong"


async def test_a_number_as_it_is_dialled_is_the_same_number(server: Any) -> None:
    planned = await server.plan()
    contact = await number(server, planned)
    dialled = "0" + contact.removeprefix("+49")
    await server.video.patients.send_code(dialled, "de")
    session = await server.video.patients.sign_in(dialled, (await codes(server))[0])
    assert len(await server.video.patients.visits(session)) == 1


async def test_a_code_is_over_in_time_and_after_some_tries(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    patients, contact = server.video.patients, await number(server, planned)
    await patients.send_code(contact, "de")
    (code,) = await codes(server)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(TRIES):
        with pytest.raises(Refused):
            await patients.sign_in(contact, wrong)
    with pytest.raises(Refused):
        await patients.sign_in(contact, code)
    await patients.send_code(contact, "de")
    code = (await codes(server))[0]
    clock.advance(seconds=(CODE_LIVES).total_seconds())
    with pytest.raises(Refused):
        await patients.sign_in(contact, code)


async def test_only_so_many_codes_are_sent(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    patients, contact = server.video.patients, await number(server, planned)
    for _ in range(CODES):
        await patients.send_code(contact, "de")
    with pytest.raises(RateLimited):
        await patients.send_code(contact, "de")
    assert len(await codes(server)) == CODES
    clock.advance(seconds=(CODE_LIVES + timedelta(seconds=1)).total_seconds())
    await patients.send_code(contact, "de")


async def test_whoever_is_not_known_gets_no_code_and_the_same_answer(server: Any) -> None:
    await server.plan()
    patients = server.video.patients
    await patients.send_code("+4915199999999", "de")
    await patients.send_code("nobody@example.org", "de")
    assert await codes(server) == []
    with pytest.raises(UsageError) as neither:
        await patients.send_code("Marlene Sommerfeld", "de")
    assert neither.value.code == "contact-invalid"


async def test_a_session_ends_when_it_is_not_used(server: Any, clock: FakeClock) -> None:
    session = await signed_in(server, await server.plan())
    patients = server.video.patients
    clock.advance(seconds=(SESSION_LIVES - timedelta(minutes=1)).total_seconds())
    await patients.visits(session)
    clock.advance(seconds=(SESSION_LIVES).total_seconds())
    for use in (patients.visits(session), patients.calendar(session, "v", "de")):
        with pytest.raises(Refused) as over:
            await use
        assert over.value.code == "sign-in-over"


async def test_a_visit_of_somebody_else_cannot_be_named(server: Any) -> None:
    own, other = await server.plan("a1"), await server.plan("a2", patient="Zoe Anders")
    session = await signed_in(server, own)
    theirs = {visit.visit_id for visit in await server.video.patients.visits(session)}
    assert own["visit"] in theirs
    with pytest.raises(NotFound):
        await server.video.patients.ask_to_cancel(session, "no-such-visit")
    assert other["visit"]


async def test_asking_to_cancel_twice_is_asking_once_and_changes_nothing_else(server: Any) -> None:
    planned = await server.plan()
    session = await signed_in(server, planned)
    board = await server.list(planned)
    for _ in range(2):
        await server.video.patients.ask_to_cancel(session, planned["visit"])
    await board.queue(lambda entries: entries[0]["cancellation_asked"])
    assert await server.state(planned) == "planned"
    lines = await server.video.store.audit(PracticeId("park"))
    assert [line.what for line in lines].count("cancellation-asked") == 1


async def test_neither_numbers_nor_codes_are_logged(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    planned = await server.plan()
    contact = await number(server, planned)
    await signed_in(server, planned)
    sent = await codes(server)
    text = caplog.text
    assert contact not in text
    assert all(code not in text for code in sent)


@pytest.mark.parametrize("spelling", ["{}", "00{}", "+{} ", "(+{})"])
async def test_a_number_written_in_another_way_is_counted_as_the_same(server: Any, spelling: str) -> None:
    planned = await server.plan()
    patients, contact = server.video.patients, await number(server, planned)
    for _ in range(CODES):
        await patients.send_code(contact, "de")
    other = spelling.format(contact.removeprefix("+"))
    with pytest.raises((RateLimited, UsageError)):
        await patients.send_code(other, "de")
    assert len(await codes(server)) == CODES


async def test_a_number_that_is_two_peoples_opens_only_what_is_of_who_got_the_code(
    make_video: Any, clock: FakeClock, serve: Any
) -> None:
    """0612345678 is one number in Germany and another one in France; both have a practice here."""
    practices = [
        {
            "id": "park",
            "name": "Praxis am Park",
            "phone": "+493012345670",
            "identity_provider": "local",
            "api_key": SecretStr(KEY),
        },
        {
            "id": "mitte",
            "name": "Cabinet Mitte",
            "phone": "+33123456789",
            "language": "fr",
            "api_key": SecretStr(OTHER_KEY),
        },
    ]
    server = await serve(make_video(clock, practices=practices))
    german = await server.plan("g1", contained=reached_at("+49612345678"))
    french = await server.plan(
        "f1", key=OTHER_KEY, contained=reached_at("+33612345678"), start=NOON + timedelta(hours=1)
    )
    patients = server.video.patients
    await patients.send_code("0612345678", "de")
    of_the_french, of_the_german = await codes(server)
    assert of_the_french != of_the_german
    session = await patients.sign_in("0612345678", of_the_german)
    assert [visit.visit_id for visit in await patients.visits(session)] == [german["visit"]]
    with pytest.raises(NotFound):
        await patients.ask_to_cancel(session, french["visit"])
    with pytest.raises(Refused):
        await patients.sign_in("0612345678", of_the_french)
    await patients.send_code("0612345678", "de")
    session = await patients.sign_in("0612345678", (await codes(server))[0])
    assert [visit.visit_id for visit in await patients.visits(session)] == [french["visit"]]


async def test_one_mailbox_gets_one_code_however_its_appointments_spell_it(server: Any) -> None:
    for number, spelling in enumerate(("Erika@example.org", "erika@Example.org")):
        telecom = [{"system": "email", "value": spelling}]
        contained = [{"resourceType": "Patient", "id": "patient", "telecom": telecom}]
        await server.plan(f"mail-{number}", contained=contained, start=NOON + timedelta(hours=number))
    patients = server.video.patients
    await patients.send_code("erika@example.org", "de")
    await codes(server)
    (code,) = set(re.findall(r"\b\d{6}\b", (await server.http.get(PAGE)).text))
    session = await patients.sign_in("ERIKA@example.org", code)
    assert len(await patients.visits(session)) == 2


async def test_whoever_signed_out_is_out(server: Any) -> None:
    session = await signed_in(server, await server.plan())
    server.video.patients.sign_out(session)
    with pytest.raises(Refused):
        await server.video.patients.visits(session)


async def test_nothing_is_kept_of_what_is_over(server: Any, clock: FakeClock) -> None:
    planned = await server.plan()
    patients = server.video.patients
    await signed_in(server, planned)
    await patients.send_code("+4915199999999", "de")
    clock.advance(hours=1)
    await patients.send_code("nobody@example.org", "de")
    assert len(patients._asked) == len(patients._codes) == 1
    assert not patients._sessions
