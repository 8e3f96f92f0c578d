"""The patient's journey as many know it: a message ten minutes before, one click to the waiting room."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from vsdk import Notice, VisitPlan, WaitingNotice, hookimpl
from vsdk_doctolib_like.appointments import MyAppointments
from vsdk_doctolib_like.confirmation import Confirmation

vsdk_api = (1, 1)

OPENS_BEFORE = timedelta(minutes=10)

PLAN = VisitPlan(
    name="doctolib-like",
    opens_before=OPENS_BEFORE,
    closes_after=timedelta(minutes=60),
    notices=(Notice("link", "link-at-time", OPENS_BEFORE),),
    waiting=(WaitingNotice("waiting", every=timedelta(minutes=2)),),
)


@hookimpl
def vsdk_visit_plans() -> Sequence[VisitPlan]:
    return [PLAN]


@hookimpl
def vsdk_message_catalogs() -> Sequence[Path]:
    return [Path(__file__).parent / "locale"]


@hookimpl
def vsdk_pages() -> Sequence[MyAppointments | Confirmation]:
    return [MyAppointments(), Confirmation()]
