"""My appointments: sign in by a code to one's own phone or mail address, see what is to come, start it.

Plain forms, so that it works in any browser, with a keyboard and without scripts.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from vsdk import NotFound, PageReply, PageRequest, Refused, UsageError
from vsdk.domain.errors import RateLimited
from vsdk.hooks.ports import PatientVisit


class MyAppointments:
    """An InteractivePage. Each form says in ``do`` what it asks for."""

    path = "appointments"
    title = "doctolib.appointments-title"

    async def body(self, language: str) -> str:
        raise NotImplementedError("an InteractivePage is asked by answer()")

    async def answer(self, request: PageRequest) -> PageReply:
        try:
            if request.method == "POST":
                return await self._form(request, request.form.get("do", ""))
            if request.session:
                return PageReply(body=await _list(request))
        except Refused as error:
            if error.code != "sign-in-over":
                raise
            return PageReply(body=_contact(request, request.text("doctolib.over")), session="")
        return PageReply(body=_contact(request))

    async def _form(self, request: PageRequest, what: str) -> PageReply:
        match what:
            case "code":
                return await self._send_code(request)
            case "sign-in":
                return await self._sign_in(request)
            case "calendar":
                visit = await _visit(request)
                file = await request.patients.calendar(request.session, visit.visit_id, request.language)
                return PageReply(file=file, file_name="video.ics", media_type="text/calendar")
            case "cancel":
                return PageReply(body=_confirm(request, await _visit(request)))
            case "cancel-yes":
                await request.patients.ask_to_cancel(request.session, (await _visit(request)).visit_id)
                return PageReply(redirect=True)
            case "sign-out":
                return PageReply(redirect=True, session="")
            case _:
                return PageReply(redirect=True)

    async def _send_code(self, request: PageRequest) -> PageReply:
        contact = request.form.get("contact", "").strip()
        try:
            await request.patients.send_code(contact, request.language)
        except UsageError:
            return PageReply(body=_contact(request, request.text("doctolib.contact-wrong"), contact))
        except RateLimited:
            return PageReply(body=_code(request, contact, request.text("doctolib.too-many")))
        return PageReply(body=_code(request, contact))

    async def _sign_in(self, request: PageRequest) -> PageReply:
        contact = request.form.get("contact", "")
        try:
            session = await request.patients.sign_in(contact, request.form.get("code", ""))
        except Refused:
            return PageReply(body=_code(request, contact, request.text("doctolib.code-wrong")))
        return PageReply(redirect=True, session=session)


async def _visit(request: PageRequest) -> PatientVisit:
    """The one that a form names. Raises NotFound ``visit-unknown``."""
    for visit in await request.patients.visits(request.session):
        if visit.visit_id == request.form.get("visit"):
            return visit
    raise NotFound("there is no such visit", code="visit-unknown")


def _form(do: str, *inner: str, **hidden: str) -> str:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {"do": do, **hidden}.items()
    )
    return f'<form method="post">{fields}{"".join(inner)}</form>'


def _button(text: str, kind: str = "") -> str:
    return f'<button class="{kind}">{escape(text)}</button>'


def _problem(problem: str) -> str:
    return f'<p class="advice" role="alert" id="problem">{escape(problem)}</p>' if problem else ""


def _field(label: str, name: str, value: str, problem: str, more: str) -> str:
    described = ' aria-describedby="problem" aria-invalid="true"' if problem else ""
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" value="{escape(value)}" required{described} {more}>'
    )


def _contact(request: PageRequest, problem: str = "", contact: str = "") -> str:
    t = request.text
    return (
        f'<p class="lead">{escape(t("doctolib.contact-intro"))}</p>'
        + _problem(problem)
        + _form(
            "code",
            _field(t("doctolib.contact"), "contact", contact, problem, 'autocomplete="tel" maxlength="254"'),
            _button(t("doctolib.send-code"), "primary"),
        )
    )


def _code(request: PageRequest, contact: str, problem: str = "") -> str:
    t = request.text
    more = 'inputmode="numeric" autocomplete="one-time-code" maxlength="12" autofocus'
    return (
        f'<p class="lead">{escape(t("doctolib.code-sent", contact=contact))}</p>'
        + _problem(problem)
        + _form(
            "sign-in",
            _field(t("doctolib.code"), "code", "", problem, more),
            _button(t("doctolib.sign-in"), "primary"),
            contact=contact,
        )
        + _form("code", _button(t("doctolib.another-code")), contact=contact)
        + _form("back", _button(t("doctolib.other-contact")))
    )


async def _list(request: PageRequest) -> str:
    t = request.text
    visits = await request.patients.visits(request.session)
    shown = _cards(request, visits) if visits else f"<p>{escape(t('doctolib.none'))}</p>"
    return shown + _form("sign-out", _button(t("doctolib.sign-out")))


def _cards(request: PageRequest, visits: Sequence[PatientVisit]) -> str:
    return f'<ul class="cards">{"".join(_card(request, visit) for visit in visits)}</ul>'


def _card(request: PageRequest, visit: PatientVisit) -> str:
    t, id_ = request.text, visit.visit_id
    opens = visit.opens <= datetime.now(UTC)
    start = (
        f'<p><a class="button primary" href="{escape(visit.url)}">{escape(t("doctolib.start"))}</a></p>'
        if opens
        else f"<p>{escape(t('doctolib.opens', time=_when(request, visit, visit.opens)))}</p>"
    )
    asked = f'<p class="advice">{escape(t("doctolib.cancel-asked"))}</p>' if visit.cancellation_asked else ""
    cancel = "" if asked else _form("cancel", _button(t("doctolib.cancel")), visit=id_)
    phone = visit.practice.phone
    words = escape(t("doctolib.call", number=phone))
    call = f'<p><a href="tel:{escape(phone)}">{words}</a></p>' if phone else ""
    return (
        f"<li><h2>{escape(_when(request, visit, visit.start))}</h2>"
        f"<p>{escape(visit.practitioner)}<br>{escape(visit.practice.name)}</p>"
        f"{start}{asked}"
        f'<div class="actions">{_form("calendar", _button(t("doctolib.calendar")), visit=id_)}{cancel}</div>'
        f"{call}</li>"
    )


def _confirm(request: PageRequest, visit: PatientVisit) -> str:
    t = request.text
    return (
        f"<h2>{escape(t('doctolib.cancel-question'))}</h2>"
        f"<p>{escape(_when(request, visit, visit.start))}<br>{escape(visit.practitioner)}</p>"
        f"<p>{escape(t('doctolib.cancel-text'))}</p>"
        f'<div class="actions">'
        f"{_form('cancel-yes', _button(t('doctolib.cancel-yes'), 'primary'), visit=visit.visit_id)}"
        f"{_form('back', _button(t('doctolib.cancel-no')))}</div>"
    )


def _when(request: PageRequest, visit: PatientVisit, at: datetime) -> str:
    return request.time(at, visit.practice.time_zone)
