"""Who calls the FHIR face, with which scopes; and the token endpoint for named clients."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from vsdk.domain.errors import RateLimited, Refused, VsdkError
from vsdk.domain.ids import PracticeId
from vsdk.server import problems
from vsdk.server.api import PracticeKeys, address_of, bearer
from vsdk.server.limits import AttemptLimit
from vsdk.service.clients import AccessToken, Client, ClientService
from vsdk.service.scopes import EVERYTHING

TOKEN_PATH = "/oauth/token"  # noqa: S105 (an address)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Caller:
    """On behalf of which practice, and which interactions (letters of SMART scopes) are permitted."""

    practice_id: PracticeId
    letters: frozenset[str] = EVERYTHING

    def may(self, letter: str) -> bool:
        return letter in self.letters

    def need(self, letter: str) -> None:
        """Raises Refused ``scope-missing``."""
        if not self.may(letter):
            raise Refused(f"this needs the scope system/Appointment.{letter}", code="scope-missing")


class Callers:
    """Practices come with their API key and may do everything, named clients with an access token."""

    def __init__(self, keys: PracticeKeys, clients: ClientService | None) -> None:
        self._keys = keys
        self._clients = clients

    def caller(self, authorization: str) -> Caller:
        """Raises Refused ``api-key-invalid``, ``access-token-invalid``, ``access-token-expired``."""
        try:
            return Caller(self._keys.practice_of(authorization))
        except Refused:
            token = bearer(authorization)
            if self._clients is None or token.count(".") != 2:
                raise
        access = self._clients.read(token)
        return Caller(access.practice_id, access.letters)


def make_router(clients: ClientService, attempts: AttemptLimit) -> APIRouter:
    """``POST /oauth/token``: client credentials (RFC 6749 section 4.4) for SMART Backend Services."""
    router = APIRouter()

    @router.post(TOKEN_PATH, summary="An access token for a named client")
    async def token(request: Request) -> Response:
        """A form with ``grant_type=client_credentials``, ``scope`` and the client's signed assertion."""
        try:
            await attempts.count(address_of(request))
            issued = _issue(clients, request, await request.body())
        except VsdkError as error:
            return _refusal(error)
        answer = {
            "access_token": issued.text,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "scope": issued.scope,
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    return router


def _issue(clients: ClientService, request: Request, body: bytes) -> AccessToken:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused(f"the body must be {FORM}", code="invalid-request")
    pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refused("a parameter is given twice", code="invalid-request")
    if form.get("grant_type") != "client_credentials":
        raise Refused("the grant type must be client_credentials", code="unsupported-grant-type")
    client = _authenticated(clients, request.headers.get("authorization", ""), form)
    return clients.issue(client, form.get("scope", ""))


def _authenticated(clients: ClientService, authorization: str, form: dict[str, str]) -> Client:
    scheme, _, credentials = authorization.partition(" ")
    assertion = form.get("client_assertion")
    if scheme.lower() == "basic" and assertion is None:
        try:
            id_, _, secret = b64decode(credentials.strip(), validate=True).decode().partition(":")
        except ValueError:
            raise Refused("the client could not be recognised", code="invalid-client") from None
        return clients.by_secret(unquote(id_), unquote(secret))
    if scheme or assertion is None or form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refused("a client proves itself in one way: assertion or Basic", code="invalid-client")
    return clients.by_assertion(assertion)


def _refusal(error: VsdkError) -> Response:
    """RFC 6749 section 5.2."""
    body: dict[str, Any] = {"error": error.code.replace("-", "_"), "error_description": error.detail}
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"} | problems.headers_of(error)
    if error.code == "invalid-client":
        headers["WWW-Authenticate"] = 'Basic realm="vsdk"'
    if isinstance(error, RateLimited):
        body["error"] = "temporarily_unavailable"
    return JSONResponse(body, problems.status_of(error), headers)
