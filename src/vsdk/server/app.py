"""Puts routes, limits and headers together into one ASGI application."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from vsdk.domain.errors import NotFound, UsageError, VsdkError
from vsdk.server import problems
from vsdk.server.fhir.negotiation import CONTENT_TYPE
from vsdk.server.pages import Site
from vsdk.server.signalling import Signalling

MAX_BODY = 1024 * 1024
"""bytes"""
DESCRIPTION = """Video visits for practice management systems.

Hand over a FHIR Appointment and get back join links. Errors are problem documents (RFC 9457) whose `code` is
stable; see docs/errors.md.
"""


def make_app(
    *,
    routers: Sequence[APIRouter],
    site: Site,
    signalling: Signalling,
    headers: dict[str, str],
    embed_origins: Sequence[str],
    version: str,
) -> ASGIApp:
    """The application, without start-up and shutdown: those belong to `vsdk.sdk.VideoSdk`."""
    app = FastAPI(
        title="vsdk",
        version=version,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    for router in routers:
        app.include_router(router)

    async def signal(socket: WebSocket) -> None:
        if not _same_site(socket, site.base_url, embed_origins):
            await socket.close(4403)
            return
        await signalling.serve(socket)

    app.router.routes.append(WebSocketRoute("/signal", signal))

    def answer(request: Request, error: VsdkError, headers: Mapping[str, str] | None = None) -> Response:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        status, extra = problems.status_of(error), problems.headers_of(error) | dict(headers or {})
        if path.startswith("/fhir/"):
            outcome = problems.operation_outcome(error)
            return JSONResponse(outcome, status, extra, CONTENT_TYPE)
        if path.startswith(("/api/", "/hooks/", "/oauth/", "/receipts/")):
            return JSONResponse(problems.problem(error), status, extra, problems.MEDIA_TYPE)
        page = site.problem(request, error)
        page.headers.update(extra)
        return page

    async def on_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, VsdkError)
        return answer(request, error)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, _invalid(error))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            refused = UsageError("this method is not offered here", code="method-not-allowed")
            return answer(request, refused, error.headers)
        if error.status_code == HTTPStatus.BAD_REQUEST:  # not UTF-8, or nested too deeply
            return answer(request, UsageError("the body is not JSON", code="not-json"))
        return answer(request, NotFound("there is nothing at this address"))

    async def on_crash(request: Request, error: Exception) -> Response:
        return answer(request, VsdkError("something went wrong here; it was logged"))

    app.add_exception_handler(VsdkError, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_crash)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(embed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
    )
    secure = site.base_url.startswith("https:")
    return _Headers(_BodyLimit(app, answer), headers, secure=secure)


def _invalid(error: RequestValidationError) -> VsdkError:
    """Says where and what, and repeats nothing of what was sent."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return UsageError("the body is not JSON", code="not-json")
    where = ".".join(str(part) for part in first["loc"]).encode(errors="replace").decode()
    return UsageError(f"{where}: {first['msg']}", code="request-invalid")


def _same_site(socket: WebSocket, base_url: str, embed_origins: Sequence[str]) -> bool:
    """Browsers always send Origin with a WebSocket; programs that send none have no cookies to abuse."""
    origin = socket.headers.get("origin")
    own = f"{socket.headers.get('x-forwarded-proto', socket.url.scheme.replace('ws', 'http'))}://"
    allowed = (base_url, f"{own}{socket.headers.get('host', '')}", *embed_origins)
    return origin is None or any(place == origin or place.startswith(f"{origin}/") for place in allowed)


class _Headers:
    """Adds headers to every page, and to every answer those that all need."""

    def __init__(self, app: ASGIApp, headers: dict[str, str], *, secure: bool) -> None:
        self._app = app
        self._on_pages = headers
        self._on_all = {"X-Content-Type-Options": "nosniff"}
        if secure:
            self._on_all["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                is_page = present.get("content-type", "").startswith("text/html")
                for name, value in (self._on_all | (self._on_pages if is_page else {})).items():
                    present.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _BodyLimit:
    """Answers 413 as soon as a body is, or says that it is, larger than `MAX_BODY`."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, VsdkError], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._answer(
            Request(scope), UsageError("the body may have at most 1 MiB", code="message-too-big")
        )
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > MAX_BODY:
            await refusal(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > MAX_BODY:
                await refusal(scope, receive, send)
                return
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            if message["type"] != "http.request":
                return message
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)
