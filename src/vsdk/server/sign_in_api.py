"""Signing in for a practice, over HTTP: forms of our pages, the way to an identity provider and back.

The secret of a sign-in is in a cookie that scripts cannot read and that other sites do not send along. A page
of another origin gets no cookie: it uses the grant that the answer holds.
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from vsdk.domain.errors import Refused
from vsdk.domain.ids import PracticeId
from vsdk.domain.join import AccessGrant
from vsdk.server import schemas as s
from vsdk.server.api import NO_STORE, PROBLEMS, Authorization, address_of, bearer
from vsdk.server.limits import AttemptLimit
from vsdk.service.join import JoinService
from vsdk.service.sign_in import SignedIn, SignInService

SIGN_IN_COOKIE, KEPT_COOKIE = "vsdk-sign-in", "vsdk-signing-in"
KEPT_SECONDS = 600


def make_router(
    *, sign_ins: SignInService, join: JoinService, attempts: AttemptLimit, base_url: str
) -> APIRouter:
    """``/api/v1/sign-in…``, and the two addresses on the way to an identity provider and back."""
    router = APIRouter(responses=PROBLEMS)
    signalling = "ws" + base_url.removeprefix("http") + "/signal"
    own = urlsplit(base_url)
    origin, secure = f"{own.scheme}://{own.netloc}", own.scheme == "https"

    def cookie(name: str) -> str:
        """With a prefix by which a browser takes it from this host over HTTPS only (RFC 6265bis, 4.1.3)."""
        return f"__Host-{name}" if secure else name

    def keep(answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """``lax`` for what has to come along when an identity provider sends the browser back."""
        answer.set_cookie(
            cookie(name),
            value,
            max_age=seconds if value else 0,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax" if name == KEPT_COOKIE else "strict",
        )

    def from_own_page(request: Request) -> None:
        """What the cookie is enough for. Raises Refused ``form-foreign``."""
        told, site = (request.headers.get(name, "") for name in ("origin", "sec-fetch-site"))
        if told not in ("", origin) or site not in ("", "same-origin", "none"):
            raise Refused("this was not sent from a page of this server", code="form-foreign")

    def is_own(request: Request) -> bool:
        return request.headers.get("origin", origin) == origin

    def secret_of(request: Request) -> str:
        return request.cookies.get(cookie(SIGN_IN_COOKIE), "")

    async def holder(authorization: str) -> AccessGrant:
        grant = join.read(bearer(authorization))
        await join.stands(grant)
        return grant

    def reply(signed_in: SignedIn) -> s.SignInReply:
        practice, one, granted = signed_in.practice, signed_in.sign_in, signed_in.granted
        return s.SignInReply(
            grant=granted.token,
            expires=granted.grant.expires,
            signalling=signalling,
            practice=s.PracticeReply(id=practice.id, name=practice.name, phone=practice.phone),
            identity=s.IdentityReply(name=one.name, role=one.role.value),
        )

    @router.get("/api/v1/practices/{practice}/sign-in", summary="How people sign in for a practice")
    async def asks(practice: str) -> s.SignInWayReply:
        asked = sign_ins.asks(PracticeId(practice))
        return s.SignInWayReply(asks=list(asked), url=f"{base_url}/practice/{practice}/sign-in")

    @router.post("/api/v1/sign-in", summary="Sign in for a practice", response_model=s.SignInReply)
    async def sign_in(body: s.SignInRequest, request: Request) -> Response:
        """With what the page asked for. A page of this server also gets a cookie, for its reload."""
        await attempts.count(address_of(request))
        params = {name: value for name, value in body.params.items() if name != "kept"}
        agent = request.headers.get("user-agent", "")
        signed_in = await sign_ins.complete(PracticeId(body.practice), params, agent)
        answer = JSONResponse(reply(signed_in).model_dump(mode="json"), headers=NO_STORE)
        if is_own(request):
            await sign_ins.forget(secret_of(request))
            keep(answer, SIGN_IN_COOKIE, signed_in.secret)
        return answer

    @router.post("/api/v1/sign-in/grant", summary="A grant for who is signed in")
    async def grant(body: s.PracticeRequest, request: Request) -> s.SignInReply:
        """With the cookie of a sign-in, for pages of this server."""
        from_own_page(request)
        return reply(await sign_ins.resume(PracticeId(body.practice), secret_of(request)))

    @router.post("/api/v1/sign-in/passkey", summary="What a browser is asked for, to sign in with a passkey")
    async def passkey_options(body: s.PracticeRequest, request: Request) -> s.PasskeyOptionsReply:
        await attempts.count(address_of(request))
        return s.PasskeyOptionsReply(options=await sign_ins.passkey_options(PracticeId(body.practice)))

    @router.post("/api/v1/passkeys/options", summary="What a browser is asked for, to make a passkey")
    async def new_passkey_options(authorization: Authorization = "") -> s.PasskeyOptionsReply:
        """With a grant that came from signing in with an account of the practice."""
        return s.PasskeyOptionsReply(options=await sign_ins.new_passkey_options(await holder(authorization)))

    @router.post("/api/v1/passkeys", summary="Keep a new passkey", status_code=204)
    async def keep_passkey(body: s.PasskeyRequest, authorization: Authorization = "") -> Response:
        await sign_ins.keep_passkey(await holder(authorization), body.credential)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.post("/api/v1/sign-out", summary="Sign out", response_model=s.SignOutReply)
    async def sign_out(request: Request) -> Response:
        from_own_page(request)
        url = await sign_ins.sign_out(secret_of(request))
        answer = JSONResponse(s.SignOutReply(url=url).model_dump(), headers=NO_STORE)
        keep(answer, SIGN_IN_COOKIE, "")
        return answer

    @router.get("/api/v1/sign-ins", summary="Who is signed in for the practice")
    async def listed(authorization: Authorization = "") -> s.SignInsReply:
        """With a grant for the list: practitioners see everyone of the practice, others themselves."""
        found = await sign_ins.listed(mine := await holder(authorization))
        return s.SignInsReply(
            sign_ins=[
                s.SignInEntry(
                    id=one.id,
                    name=one.name,
                    role=one.role.value,
                    provider=one.provider,
                    device=one.device,
                    since=one.since,
                    used=one.used,
                    current=one.id == mine.sign_in,
                )
                for one in found
            ]
        )

    @router.post("/api/v1/sign-ins/{sign_in}/end", summary="Sign a device out", status_code=204)
    async def end(sign_in: str, authorization: Authorization = "") -> Response:
        """Its pages are closed at once."""
        await sign_ins.end(await holder(authorization), sign_in)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    router.include_router(_pages(sign_ins, attempts, base_url, cookie, keep))
    return router


Keep = Callable[..., None]


def _pages(
    sign_ins: SignInService,
    attempts: AttemptLimit,
    base_url: str,
    cookie: Callable[[str], str],
    keep: Keep,
) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/practice/{practice_id}/sign-in")
    async def begin(practice_id: str) -> Response:
        back = f"{base_url}/practice/{practice_id}/signed-in"
        redirect = await sign_ins.begin(PracticeId(practice_id), back)
        answer = RedirectResponse(redirect.url, HTTPStatus.SEE_OTHER, NO_STORE)
        keep(answer, KEPT_COOKIE, redirect.kept, seconds=KEPT_SECONDS)
        return answer

    @router.get("/practice/{practice_id}/signed-in")
    async def complete(practice_id: str, request: Request) -> Response:
        """From here on to the list and nowhere else, whatever the address says."""
        await attempts.count(address_of(request))
        answer = RedirectResponse(f"{base_url}/practice/{practice_id}", HTTPStatus.SEE_OTHER, NO_STORE)
        params = dict(request.query_params)
        if not params:
            return answer
        params["kept"] = request.cookies.get(cookie(KEPT_COOKIE), "")
        agent = request.headers.get("user-agent", "")
        signed_in = await sign_ins.complete(PracticeId(practice_id), params, agent)
        await sign_ins.forget(request.cookies.get(cookie(SIGN_IN_COOKIE), ""))
        keep(answer, SIGN_IN_COOKIE, signed_in.secret)
        keep(answer, KEPT_COOKIE, "")
        return answer

    return router
