"""Signing in for a practice: a sign-in of one's own each time, grants while it lasts, and its end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.service.conftest import PRACTICE, World

from vsdk.domain.errors import NotFound, PartnerError, Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.participant import CAPABILITIES, Role
from vsdk.domain.sign_in import IDLE, LONGEST
from vsdk.hooks.ports import Identity

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
Refusing = Callable[[World], None]


def with_answer(**changes: Any) -> Refusing:
    def change(world: World) -> None:
        values = {"subject": "dr-1", "role": Role.PRACTITIONER, "practice_id": PRACTICE}
        world.provider.answer = Identity(**(values | changes))

    return change


async def test_who_signs_in_gets_a_grant_for_the_list(world: World) -> None:
    await world.planned()
    done = await world.sign_ins.complete(PRACTICE, {"code": "good"}, FIREFOX)
    assert (done.sign_in.subject, done.sign_in.device, done.practice) == (
        "dr-1",
        "Firefox, Linux",
        world.practice,
    )
    grant = done.granted.grant
    assert (grant.visit_id, grant.participant_id, grant.sign_in) == (None, "dr-1", done.sign_in.id)
    assert grant.capabilities == CAPABILITIES[Role.PRACTITIONER]
    assert world.join.read(done.granted.token) == grant
    assert done.secret not in repr(done)


@pytest.mark.parametrize(
    ("change", "practice", "code"),
    [
        (lambda _: None, "practice", "wrong"),
        (lambda _: None, "there-is-none", "good"),
        (with_answer(practice_id=PracticeId("another")), "practice", "good"),
        (with_answer(role=Role.PATIENT), "practice", "good"),
        (with_answer(role=Role.COMPANION), "practice", "good"),
    ],
    ids=["wrong code", "no such practice", "of another practice", "a patient", "a companion"],
)
async def test_who_does_not_belong_to_the_practice_is_not_signed_in(
    world: World, change: Refusing, practice: str, code: str
) -> None:
    change(world)
    with pytest.raises(Refused) as caught:
        await world.sign_ins.complete(PracticeId(practice), {"code": code})
    assert caught.value.code == "sign-in-refused"


async def test_each_sign_in_has_a_secret_of_its_own_of_which_only_a_hash_is_kept(world: World) -> None:
    first = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    second = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    assert len({first.secret, second.secret, first.sign_in.id, second.sign_in.id}) == 4
    assert len(first.secret) == 43
    assert await world.store.sign_in(secret_hash=first.secret) is None


async def test_a_page_that_is_loaded_anew_goes_on_until_it_was_idle_for_too_long(world: World) -> None:
    done = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    for _ in range(3):
        world.clock.advance(minutes=50)
        again = await world.sign_ins.resume(PRACTICE, done.secret)
        assert again.granted.grant.sign_in == done.sign_in.id
    world.clock.advance(minutes=IDLE / timedelta(minutes=1))
    await refused(world.sign_ins.resume(PRACTICE, done.secret), "sign-in-over")


async def test_a_sign_in_ends_after_a_working_day_however_much_it_is_used(world: World) -> None:
    done = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    for _ in range(int(LONGEST / timedelta(minutes=45)) - 1):
        world.clock.advance(minutes=45)
        await world.sign_ins.resume(PRACTICE, done.secret)
    world.clock.advance(minutes=45)
    await refused(world.sign_ins.resume(PRACTICE, done.secret), "sign-in-over")


async def test_a_secret_opens_one_practice_and_a_wrong_one_none(world: World) -> None:
    done = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    await refused(world.sign_ins.resume(PracticeId("another"), done.secret), "sign-in-over")
    for secret in ("", "x", done.sign_in.id, done.secret[:-1], "\ud800"):
        await refused(world.sign_ins.resume(PRACTICE, secret), "sign-in-over")


async def test_after_signing_out_nothing_that_came_of_it_is_good_any_more(world: World) -> None:
    visit_id = await world.planned()
    done = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    of_visit = (await world.join.enter(done.granted.token, visit_id)).grant
    assert of_visit.sign_in == done.sign_in.id
    assert await world.sign_ins.sign_out(done.secret) == ""
    assert world.ended == [done.sign_in.id]
    await refused(world.sign_ins.resume(PRACTICE, done.secret), "sign-in-over")
    await refused(world.join.renew(done.granted.grant), "sign-in-over")
    await refused(world.join.renew(of_visit), "sign-in-over")
    await refused(world.join.enter(done.granted.token, visit_id), "sign-in-over")
    await world.sign_ins.sign_out(done.secret)
    assert world.ended == [done.sign_in.id]


async def test_a_practitioner_sees_and_ends_those_of_the_practice_staff_their_own(world: World) -> None:
    doctor = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    with_answer(role=Role.STAFF, subject="reception")(world)
    staff = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    seen = {one.id for one in await world.sign_ins.listed(doctor.granted.grant)}
    assert seen == {doctor.sign_in.id, staff.sign_in.id}
    assert [one.id for one in await world.sign_ins.listed(staff.granted.grant)] == [staff.sign_in.id]
    with pytest.raises(NotFound) as caught:
        await world.sign_ins.end(staff.granted.grant, doctor.sign_in.id)
    assert caught.value.code == "sign-in-unknown"
    await world.sign_ins.end(doctor.granted.grant, staff.sign_in.id)
    await refused(world.sign_ins.resume(PRACTICE, staff.secret), "sign-in-over")


async def test_signing_out_asks_the_provider_where_and_does_not_depend_on_it(world: World) -> None:
    asked: list[str] = []

    async def leave(practice_id: PracticeId) -> str:
        asked.append(practice_id)
        if len(asked) > 1:
            raise PartnerError("away", retryable=True)
        return "https://login.example/end"

    world.provider.leave = leave  # type: ignore[attr-defined]
    first, second, third = [await world.sign_ins.complete(PRACTICE, {"code": "good"}) for _ in range(3)]
    assert await world.sign_ins.forget(third.secret) == third.sign_in
    assert asked == [], "a new sign-in in the same browser is no signing out"
    assert await world.sign_ins.sign_out(first.secret) == "https://login.example/end"
    assert await world.sign_ins.sign_out(second.secret) == ""
    for done in (first, second, third):
        await refused(world.sign_ins.resume(PRACTICE, done.secret), "sign-in-over")


async def test_a_subject_has_at_most_255_characters_and_a_longer_name_is_cut(world: World) -> None:
    with_answer(subject="x" * 256)(world)
    await refused(world.sign_ins.complete(PRACTICE, {"code": "good"}), "sign-in-refused")
    with_answer(subject="x" * 255, name="n" * 300)(world)
    assert (await world.sign_ins.complete(PRACTICE, {"code": "good"})).sign_in.name == "n" * 255


async def test_all_of_a_person_can_be_ended_at_once(world: World) -> None:
    for _ in range(3):
        await world.sign_ins.complete(PRACTICE, {"code": "good"})
    assert await world.sign_ins.end_all(PRACTICE, "dr-1") == 3
    assert len(world.ended) == 3
    assert await world.sign_ins.end_all(PRACTICE, "dr-1") == 0


async def test_the_audit_trail_says_when_and_not_who_by_name(world: World) -> None:
    with_answer(name="Dr. Katharina Berg", subject="katharina.berg")(world)
    done = await world.sign_ins.complete(PRACTICE, {"code": "good"})
    await world.sign_ins.sign_out(done.secret)
    trail = await world.store.audit()
    assert [entry.what for entry in trail] == ["signed-in", "signed-out"]
    assert "erg" not in repr(trail)


async def refused(asked: Any, code: str) -> None:
    with pytest.raises(Refused) as caught:
        await asked
    assert caught.value.code == code
