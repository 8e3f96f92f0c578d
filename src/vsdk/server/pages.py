"""Pages, static files and texts. Looking at any of them changes nothing."""

import gzip
import json
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from vsdk.domain.errors import NotFound, Refused, UsageError, VsdkError
from vsdk.domain.ids import PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import InteractivePage, PageRequest, PageSource
from vsdk.server.api import address_of
from vsdk.server.limits import AttemptLimit
from vsdk.server.problems import status_of
from vsdk.service.patient_access import PatientAccessService
from vsdk.widgets.assets import Assets
from vsdk.widgets.render import Pages
from vsdk.widgets.texts import Texts, best_language
from vsdk.widgets.wording import day_and_time

PAGE_HEADERS = {"Cache-Control": "no-store"}
FORM_FIELDS = 20
SESSION = "session"
"""the cookie of a plugin's page"""
ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""for static files and texts: they are the same for everyone, and a PMS loads them from its own pages"""


class Site:
    """All that routes of pages need."""

    def __init__(
        self,
        pages: Pages,
        assets: Assets,
        texts: Texts,
        practices: Mapping[PracticeId, Practice],
        plugin_pages: Mapping[tuple[str, str], PageSource],
        base_url: str,
        patients: PatientAccessService,
        attempts: AttemptLimit,
    ) -> None:
        self.pages = pages
        self.assets = assets
        self.texts = texts
        self.practices = practices
        self.plugin_pages = plugin_pages
        self.base_url = base_url
        self.patients = patients
        self.attempts = attempts
        self._browser_texts = {language: _as_json(texts.browser(language)) for language in texts.languages}

    def language(self, request: Request, default: str = "en") -> str:
        """``?lang=``, else what the browser prefers, else ``default``."""
        wanted = request.query_params.get("lang", "")
        if wanted in self.texts.languages:
            return wanted
        return best_language(request.headers.get("accept-language", ""), self.texts.languages, default)

    def problem(self, request: Request, error: VsdkError) -> Response:
        """An error as a page for people."""
        status = status_of(error)
        page = self.pages.problem(self.language(request), error.code, status)
        return HTMLResponse(page, status, PAGE_HEADERS)

    def browser_texts(self, language: str) -> tuple[bytes, bytes]:
        """What a page needs in that language, as JSON, plain and compressed."""
        if language not in self._browser_texts:
            raise NotFound("there are no texts in this language")
        return self._browser_texts[language]


def _as_json(texts: dict[str, str]) -> tuple[bytes, bytes]:
    plain = json.dumps(texts, ensure_ascii=False).encode()
    return plain, gzip.compress(plain, mtime=0)


def packed(
    request: Request, plain: bytes, gzipped: bytes | None, media_type: str, headers: dict[str, str]
) -> Response:
    """Compressed for browsers that take it."""
    headers = {"Vary": "Accept-Encoding", **headers}
    if gzipped and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(gzipped, headers={"Content-Encoding": "gzip", **headers}, media_type=media_type)
    return Response(plain, headers=headers, media_type=media_type)


def make_router(site: Site) -> APIRouter:
    own = urlsplit(site.base_url)
    own_origin = f"{own.scheme}://{own.netloc}"
    router = APIRouter(include_in_schema=False)
    get = partial(router.api_route, methods=["GET", "HEAD"])

    def page(request: Request, html: str) -> Response:
        content = html.encode()
        return packed(request, content, gzip.compress(content), "text/html; charset=utf-8", PAGE_HEADERS)

    def practice_of(practice_id: str) -> Practice:
        if practice_id not in site.practices:
            raise NotFound("there is no such practice", code="practice-unknown")
        return site.practices[PracticeId(practice_id)]

    def first_language(request: Request) -> str:
        """For pages that do not know yet which practice they are about."""
        return site.language(request, next(iter(site.practices.values())).language)

    @get("/")
    async def home(request: Request) -> Response:
        return page(request, site.pages.home(site.language(request)))

    @get("/j")
    async def join(request: Request) -> Response:
        return page(request, site.pages.join(first_language(request)))

    @get("/check")
    async def check(request: Request) -> Response:
        return page(request, site.pages.check(first_language(request)))

    @get("/practice/{practice_id}")
    async def practice(practice_id: str, request: Request) -> Response:
        chosen = practice_of(practice_id)
        return page(request, site.pages.practice(site.language(request, chosen.language), chosen))

    @get("/practice/{practice_id}/messages")
    async def practice_messages(practice_id: str, request: Request) -> Response:
        chosen = practice_of(practice_id)
        return page(request, site.pages.practice_messages(site.language(request, chosen.language), chosen))

    @get("/m")
    async def choice(request: Request) -> Response:
        return page(request, site.pages.choice(first_language(request)))

    @get("/plugins/{plugin}/{path}")
    async def plugin_page(plugin: str, path: str, request: Request) -> Response:
        source = site.plugin_pages.get((plugin, path))
        if source is None:
            raise NotFound("there is no such page")
        language = site.language(request)
        title = site.texts.get(language, source.title)
        if isinstance(source, InteractivePage):
            return await interactive(source, plugin, request, language, title)
        return page(request, site.pages.plugin_page(language, title, await source.body(language)))

    @router.post("/plugins/{plugin}/{path}")
    async def plugin_form(plugin: str, path: str, request: Request) -> Response:
        source = site.plugin_pages.get((plugin, path))
        if not isinstance(source, InteractivePage):
            raise NotFound("there is no such form")
        # Our pages send no referrer, and so browsers call their origin "null" (Fetch, 3.2.5).
        origin, site_of = (request.headers.get(name, "") for name in ("origin", "sec-fetch-site"))
        if origin not in ("", "null", own_origin) or site_of not in ("", "same-origin"):
            raise Refused("this form was not sent from its own page", code="form-foreign")
        await site.attempts.count(address_of(request))
        language = site.language(request)
        return await interactive(source, plugin, request, language, site.texts.get(language, source.title))

    async def form_of(request: Request) -> dict[str, str]:
        """Raises UsageError ``form-invalid``."""
        if request.method != "POST":
            return {}
        try:
            return dict(parse_qsl((await request.body()).decode(), max_num_fields=FORM_FIELDS))
        except ValueError:
            raise UsageError("this form cannot be read", code="form-invalid") from None

    async def interactive(
        source: InteractivePage, plugin: str, request: Request, language: str, title: str
    ) -> Response:
        address = f"{own.path.rstrip('/')}/plugins/{plugin}/{source.path}"
        session = request.cookies.get(SESSION, "")
        reply = await source.answer(
            PageRequest(
                method="POST" if request.method == "POST" else "GET",
                language=language,
                text=partial(site.texts.get, language),
                time=partial(day_and_time, language),
                patients=site.patients,
                query=dict(request.query_params),
                form=await form_of(request),
                session=session,
            )
        )
        if reply.redirect:
            wanted = f"?lang={language}" if "lang" in request.query_params else ""
            answer: Response = RedirectResponse(address + wanted, HTTPStatus.SEE_OTHER, PAGE_HEADERS)
        elif reply.file:
            named = {"Content-Disposition": f'attachment; filename="{reply.file_name}"'}
            answer = Response(reply.file, headers=PAGE_HEADERS | named, media_type=reply.media_type)
        else:
            answer = page(request, site.pages.plugin_page(language, title, reply.body))
        if reply.session is not None:
            if session != reply.session:
                site.patients.sign_out(session)
            keep_session(answer, reply.session, address)
        return answer

    def keep_session(answer: Response, session: str, path: str) -> None:
        """Until the browser is closed, for this page only, and out of the reach of scripts."""
        secure = site.base_url.startswith("https:")
        answer.set_cookie(
            SESSION,
            session,
            max_age=None if session else 0,
            path=path,
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    @get("/sw.js")
    async def service_worker() -> Response:
        """It has this address, and no other, so that it may show messages about all pages of this server."""
        asset = site.assets.read(f"{site.assets.hash}/sw.js")
        if asset is None:
            raise NotFound("there is no such file")
        return Response(asset.content, headers={"Cache-Control": "no-cache"}, media_type=asset.content_type)

    @get("/texts/{name}.json")
    async def texts(name: str, request: Request) -> Response:
        plain, gzipped = site.browser_texts(name)
        headers = {"Cache-Control": "public, max-age=300", **ANY_ORIGIN}
        return packed(request, plain, gzipped, "application/json", headers)

    @get("/static/{path:path}")
    async def static(path: str, request: Request) -> Response:
        asset = site.assets.read(path)
        if asset is None:
            raise NotFound("there is no such file")
        headers = {"Cache-Control": asset.cache_control, **ANY_ORIGIN}
        return packed(request, asset.content, site.assets.gzipped(path), asset.content_type, headers)

    return router


def content_security_policy(base_url: str, embed_origins: list[str], module_origins: frozenset[str]) -> str:
    """No inline script or style, no third party, and framing only by the practice's own PMS (CSP Level 3)."""
    own = urlsplit(base_url)
    socket = f"{'wss' if own.scheme == 'https' else 'ws'}://{own.netloc}"
    directives: dict[str, list[str]] = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *sorted(module_origins)],
        "worker-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "blob:", "mediastream:"],
        "connect-src": ["'self'", socket],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'self'", *embed_origins],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


def security_headers(csp: str) -> dict[str, str]:
    """What every page says to its browser. Other answers only forbid to guess their type."""
    return {
        "Content-Security-Policy": csp,
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
