"""Errors as answers: RFC 9457 problem documents, and OperationOutcome for the FHIR face.

HTTP statuses live here and nowhere else.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from vsdk.domain.errors import (
    Conflict,
    InvalidAppointment,
    NotFound,
    PartnerError,
    RateLimited,
    Refused,
    UsageError,
    VsdkError,
)

MEDIA_TYPE = "application/problem+json"

_BY_CLASS: Sequence[tuple[type[VsdkError], HTTPStatus]] = (
    (InvalidAppointment, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (RateLimited, HTTPStatus.TOO_MANY_REQUESTS),
    (Refused, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (PartnerError, HTTPStatus.BAD_GATEWAY),
)
_BY_CODE = {
    "grant-invalid": HTTPStatus.UNAUTHORIZED,
    "grant-expired": HTTPStatus.UNAUTHORIZED,
    "api-key-invalid": HTTPStatus.UNAUTHORIZED,
    "sign-in-refused": HTTPStatus.UNAUTHORIZED,
    "version-mismatch": HTTPStatus.PRECONDITION_FAILED,
    "message-too-big": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not-started": HTTPStatus.SERVICE_UNAVAILABLE,
    "join-link-revoked": HTTPStatus.GONE,
    "join-link-used-up": HTTPStatus.GONE,
    "join-link-late": HTTPStatus.GONE,
    "appointment-cancelled": HTTPStatus.GONE,
    "visit-state": HTTPStatus.CONFLICT,
    "message-just-sent": HTTPStatus.CONFLICT,
    "method-not-allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "appointment-deleted": HTTPStatus.GONE,
    "format-not-offered": HTTPStatus.NOT_ACCEPTABLE,
    "media-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "multiple-matches": HTTPStatus.PRECONDITION_FAILED,
    "reference-unresolved": HTTPStatus.PRECONDITION_FAILED,
    "bundle-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "patch-test-failed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "patch-not-applicable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "patch-forbidden": HTTPStatus.UNPROCESSABLE_ENTITY,
    "access-token-invalid": HTTPStatus.UNAUTHORIZED,
    "access-token-expired": HTTPStatus.UNAUTHORIZED,
    "invalid-client": HTTPStatus.UNAUTHORIZED,
    "invalid-request": HTTPStatus.BAD_REQUEST,
    "invalid-scope": HTTPStatus.BAD_REQUEST,
    "unsupported-grant-type": HTTPStatus.BAD_REQUEST,
}
_ISSUE_TYPES = {
    HTTPStatus.UNAUTHORIZED: "login",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.CONFLICT: "conflict",
    HTTPStatus.PRECONDITION_FAILED: "conflict",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid",
    HTTPStatus.BAD_REQUEST: "invalid",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-long",
    HTTPStatus.METHOD_NOT_ALLOWED: "not-supported",
    HTTPStatus.NOT_ACCEPTABLE: "not-supported",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not-supported",
    HTTPStatus.GONE: "deleted",
}
"""FHIR IssueType codes (hl7.org/fhir/valueset-issue-type)."""


def status_of(error: VsdkError) -> HTTPStatus:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((s for kind, s in _BY_CLASS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def headers_of(error: VsdkError) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    if status_of(error) is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    return {}


def problem(error: VsdkError, **extra: Any) -> dict[str, Any]:
    """A problem document. ``issues`` has FHIRPaths, ``findings`` the rules that were violated."""
    status = status_of(error)
    document: dict[str, Any] = {
        "type": f"urn:vsdk:error:{error.code}",
        "title": status.phrase,
        "status": status.value,
        "code": error.code,
        "detail": error.detail,
    }
    if isinstance(error, InvalidAppointment) and error.issues:
        document["issues"] = [issue._asdict() for issue in error.issues]
    if isinstance(error, Refused) and error.findings:
        document["findings"] = [
            {"rule": f.rule, "clause": f.clause, "outcome": f.outcome.value, "reason": f.reason}
            for f in error.findings
        ]
    return document | extra


def operation_outcome(error: VsdkError) -> dict[str, Any]:
    """The same as a FHIR OperationOutcome (hl7.org/fhir/operationoutcome.html)."""
    kind = _ISSUE_TYPES.get(status_of(error), "exception")
    details = {"coding": [{"system": "urn:vsdk:error", "code": error.code}], "text": error.detail}
    issues = error.issues if isinstance(error, InvalidAppointment) else ()
    listed = [
        {
            "severity": "error",
            "code": kind,
            "details": {
                "coding": [{"system": "urn:vsdk:error", "code": issue.code}],
                "text": issue.detail,
            },
            "expression": [issue.path],
        }
        for issue in issues
    ]
    return {
        "resourceType": "OperationOutcome",
        "issue": listed or [{"severity": "error", "code": kind, "details": details}],
    }
