"""From a join link to an access grant, and from a practice's list to one for a visit."""

from datetime import timedelta

import pytest
from tests.service.conftest import PRACTICE, MakeWorld, Rule, World

from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.errors import NotFound, Refused, VsdkError
from vsdk.domain.ids import ParticipantId, PracticeId, VisitId
from vsdk.domain.join import JoinProblem
from vsdk.domain.participant import Capability, Participant, Role
from vsdk.domain.policy import Join, Outcome
from vsdk.service.join import same_secret
from vsdk.testing.factories import NOON, PATIENT, PRACTITIONER

C = Capability
P1, P2, P3 = ParticipantId("p1"), ParticipantId("p2"), ParticipantId("p3")
MINUTE = timedelta(minutes=1)


async def code_of(world: World, handle: str) -> str:
    with pytest.raises(VsdkError) as caught:
        await world.join.exchange(handle)
    assert handle not in str(caught.value)
    return caught.value.code


async def database(world: World) -> list[object]:
    """What a look must not change."""
    return [
        await world.store.audit(),
        await world.visit(),
        await world.effects(),
        await world.store.links_of((await world.visit()).id),
        len(world.heard),
    ]


# exchanging a link


async def test_a_patient_may_wait_talk_and_leave(world: World) -> None:
    visit_id = await world.planned()
    granted = await world.join.exchange(await world.handle())
    grant = granted.grant
    assert (grant.practice_id, grant.visit_id, grant.participant_id) == (PRACTICE, visit_id, P1)
    assert grant.role is Role.PATIENT
    assert grant.capabilities == {C.WAIT, C.TALK, C.CLOSE}
    assert (grant.issued, grant.expires) == (NOON, NOON + 10 * MINUTE)
    assert world.join.read(granted.token) == grant
    assert granted.token not in repr(granted)


@pytest.mark.parametrize(
    ("role", "capabilities"),
    [
        (Role.COMPANION, {C.WAIT, C.TALK}),
        (Role.INTERPRETER, {C.WAIT, C.TALK}),
        (Role.PRACTITIONER, {C.TALK, C.ADMIT, C.CLOSE}),
        (Role.STAFF, set[Capability]()),
    ],
)
async def test_everyone_else_gets_what_the_role_needs_and_never_the_list(
    world: World, role: Role, capabilities: set[Capability]
) -> None:
    await world.planned(participants=(PATIENT, PRACTITIONER, Participant(P3, role, "Someone/3")))
    grant = (await world.join.exchange(await world.handle("p3"))).grant
    assert grant.role is role
    assert grant.capabilities == capabilities


async def test_of_two_practitioners_without_a_patient_the_second_waits(world: World) -> None:
    await world.planned(participants=(PRACTITIONER, Participant(P3, Role.PRACTITIONER, "Practitioner/2")))
    first = (await world.join.exchange(await world.handle("p2"))).grant
    second = (await world.join.exchange(await world.handle("p3"))).grant
    assert first.capabilities == {C.TALK, C.ADMIT, C.CLOSE}
    assert second.capabilities == {C.WAIT, C.TALK, C.CLOSE}


async def test_a_link_can_be_exchanged_again_while_its_visit_is_open(world: World) -> None:
    visit_id = await world.planned()
    handle = await world.handle()
    for _ in range(3):
        assert (await world.join.exchange(handle)).grant.visit_id == visit_id
        world.clock.advance(minutes=11)
    assert (await world.trail()).count("join-link-exchanged") == 3


@pytest.mark.parametrize("handle", ["", "unknown", "A" * 22, "A" * 100_000, "\x00", "ü" * 22])
async def test_an_unknown_handle_is_not_found(world: World, handle: str) -> None:
    await world.planned()
    with pytest.raises(NotFound) as caught:
        await world.join.exchange(handle)
    assert caught.value.code == "join-link-unknown"


async def test_of_a_participant_who_is_gone_nothing_is_known(world: World) -> None:
    companion = Participant(P3, Role.COMPANION, "RelatedPerson/1")
    await world.planned(participants=(PATIENT, PRACTITIONER, companion))
    handle = await world.handle("p3")
    await world.schedule()
    assert await code_of(world, handle) == "join-link-unknown"


@pytest.mark.parametrize(
    ("minutes", "code"), [(-16, "join-link-early"), (60, "join-link-late"), (600, "join-link-late")]
)
async def test_outside_the_window_a_link_does_not_open(world: World, minutes: int, code: str) -> None:
    await world.planned()
    world.clock.advance(minutes=minutes)
    assert await code_of(world, await world.handle()) == code


async def test_after_a_noshow_it_is_too_late(world: World) -> None:
    await world.planned()
    handle = await world.handle()
    world.clock.advance(hours=2)
    await world.deadlines.report_due()
    assert await code_of(world, handle) == "join-link-late"


async def test_after_the_visit_a_link_opens_for_the_grace_time_and_is_then_used_up(world: World) -> None:
    visit_id = await world.planned()
    handle = await world.handle()
    await world.visits.arrive(visit_id, P1)
    await world.visits.admit(visit_id, P1, Role.PRACTITIONER)
    world.clock.advance(minutes=50)
    await world.visits.hang_up(visit_id, Role.PATIENT)
    world.clock.advance(minutes=29)
    assert (await world.join.exchange(handle)).grant.visit_id == visit_id
    world.clock.advance(minutes=1)
    assert await code_of(world, handle) == "join-link-late"
    await world.deadlines.report_due()
    assert await code_of(world, handle) == "join-link-used-up"


async def test_a_revoked_and_a_cancelled_link_say_which_they_are(world: World) -> None:
    visit_id = await world.planned()
    handle = await world.handle()
    await world.scheduling.replace_links(PRACTICE, visit_id)
    assert await code_of(world, handle) == "join-link-revoked"
    await world.schedule(status=AppointmentStatus.CANCELLED)
    assert await code_of(world, handle) == "appointment-cancelled"


async def test_a_refused_exchange_changes_nothing(world: World) -> None:
    await world.planned()
    handle = await world.handle()
    world.clock.advance(minutes=-16)
    before = await database(world)
    await code_of(world, handle)
    assert await database(world) == before


# looking


@pytest.mark.parametrize(
    ("minutes", "problem"), [(-16, JoinProblem.EARLY), (0, None), (60, JoinProblem.LATE)]
)
async def test_a_look_tells_what_an_exchange_would_say_and_changes_nothing(
    world: World, minutes: int, problem: JoinProblem | None
) -> None:
    visit_id = await world.planned()
    handle = await world.handle()
    world.clock.advance(minutes=minutes)
    before = await database(world)
    for _ in range(2):
        invitation = await world.join.look(handle)
        assert (invitation.visit.id, invitation.participant, invitation.problem) == (
            visit_id,
            PATIENT,
            problem,
        )
    assert await database(world) == before


# policy


def denying_markers(question: Join) -> Outcome:
    return Outcome.VIOLATED if question.name == PATIENT.name else Outcome.SATISFIED


async def test_a_denial_by_policy_is_audited_without_a_name(make_world: MakeWorld) -> None:
    world = await make_world(rules=[Rule(Join, denying_markers)])
    await world.planned()
    with pytest.raises(Refused) as caught:
        await world.join.exchange(await world.handle())
    assert caught.value.code == "policy-denied"
    assert caught.value.detail == "rule-1 (§ 1): because"
    entry = (await world.store.audit())[-1]
    assert (entry.what, entry.participant_id, entry.details["role"]) == ("join-denied", P1, "patient")
    assert entry.details["findings"][0]["outcome"] == "violated"
    assert PATIENT.name not in repr(await world.store.audit())
    await world.join.exchange(await world.handle("p2"))


async def test_where_compliance_is_required_silence_denies(make_world: MakeWorld) -> None:
    world = await make_world(compliance_required=True)
    with pytest.raises(Refused) as caught:
        await world.schedule()
    assert caught.value.code == "policy-denied"


# entering a visit from the list


async def test_a_practitioner_enters_a_visit_from_the_list(world: World) -> None:
    visit_id = await world.planned()
    token = world.join.grant_list(PRACTICE, Role.PRACTITIONER, "dr-1").token
    grant = (await world.join.enter(token, visit_id)).grant
    assert (grant.visit_id, grant.participant_id) == (visit_id, P2)
    assert grant.capabilities == {C.TALK, C.ADMIT, C.CLOSE}


async def test_staff_see_the_list_and_enter_no_visit(world: World) -> None:
    visit_id = await world.planned()
    granted = world.join.grant_list(PRACTICE, Role.STAFF, "reception")
    assert granted.grant.capabilities == {C.LIST}
    with pytest.raises(Refused) as caught:
        await world.join.enter(granted.token, visit_id)
    assert caught.value.code == "not-permitted"


async def test_a_visit_of_another_practice_or_none_cannot_be_entered(world: World) -> None:
    visit_id = await world.planned()
    own = world.join.grant_list(PRACTICE, Role.PRACTITIONER, "dr-1").token
    other = world.join.grant_list(PracticeId("another"), Role.PRACTITIONER, "dr-1").token
    for token, of in ((other, visit_id), (own, VisitId("nothing"))):
        with pytest.raises(NotFound) as caught:
            await world.join.enter(token, of)
        assert caught.value.code == "visit-unknown"


async def test_a_grant_for_a_visit_opens_no_other_door(world: World) -> None:
    visit_id = await world.planned()
    of_visit = (await world.join.exchange(await world.handle("p2"))).token
    with pytest.raises(NotFound):
        await world.join.enter(of_visit, visit_id)


# renewing


async def test_a_grant_is_renewed_from_half_of_its_life_on(world: World) -> None:
    await world.planned()
    first = (await world.join.exchange(await world.handle())).grant
    assert not world.join.needs_renewal(first, NOON + 5 * MINUTE - timedelta(seconds=1))
    assert world.join.needs_renewal(first, NOON + 5 * MINUTE)
    world.clock.advance(minutes=5)
    renewed = await world.join.renew(first)
    assert renewed.grant.expires == NOON + 15 * MINUTE
    assert (renewed.grant.visit_id, renewed.grant.capabilities) == (first.visit_id, first.capabilities)
    assert world.join.read(renewed.token) == renewed.grant


def test_secrets_are_compared_whole() -> None:
    assert same_secret("schlüssel", "schlüssel")
    assert not same_secret("schlüssel", "schlüsse")
    assert not same_secret("", "x")
