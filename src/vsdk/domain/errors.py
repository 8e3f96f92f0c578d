"""The error tree.

::

    VsdkError(code, detail)
    ├── UsageError                    you called us wrongly
    │   ├── ConfigurationError        the settings or a plugin cannot work
    │   ├── InvalidAppointment        the FHIR Appointment cannot become a visit (carries issues)
    │   └── IllegalTransition         the visit is not in a state where this can happen
    ├── Refused                       understood and denied: link expired, policy, not permitted
    │   └── RateLimited(retry_after)  too many attempts from one address
    ├── NotFound
    ├── Conflict                      the version changed underneath
    └── PartnerError(retryable, retry_after)   another system failed
        └── DeliveryFailed            the gateway answered, but will not deliver this message

``code`` is stable kebab-case and documented in ``docs/errors.md``. ``detail`` is for people and never
carries personal data: no name, no number, no reason for a visit.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from vsdk.domain.ids import AppointmentId
from vsdk.domain.policy import Finding


class VsdkError(Exception):
    """Anything that vsdk itself raises. Subclasses set a default ``code``."""

    default_code: ClassVar[str] = "internal-error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.code = code or self.default_code
        self.detail = detail


class UsageError(VsdkError):
    """The caller did something that cannot work; repeating it will not help."""

    default_code = "usage-error"


class ConfigurationError(UsageError):
    """Settings or plugins are wrong. The detail says what to change."""

    default_code = "configuration-error"


class Issue(NamedTuple):
    """One thing that is wrong with a resource. It repeats no value of it."""

    code: str
    """stable, kebab-case, documented in docs/errors.md"""
    path: str
    """FHIRPath of the place"""
    detail: str
    """for people"""


class InvalidAppointment(UsageError):
    """The resource cannot become a visit; ``issues`` say where, and why.

    ``called_off`` is the id of an appointment that says so much: it does not take place (any more).
    """

    default_code = "appointment-invalid"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        issues: Sequence[Issue] = (),
        called_off: AppointmentId | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.issues = tuple(issues)
        self.called_off = called_off


class IllegalTransition(UsageError):
    """The event cannot happen in this state; nothing was changed."""

    default_code = "visit-state"


class Refused(VsdkError):
    """Understood and denied. ``findings`` explain a denial by policy."""

    default_code = "refused"

    def __init__(self, detail: str, *, code: str | None = None, findings: Sequence[Finding] = ()) -> None:
        super().__init__(detail, code=code)
        self.findings = tuple(findings)


class RateLimited(Refused):
    """Too many attempts; ``retry_after`` is in seconds."""

    default_code = "rate-limited"

    def __init__(self, detail: str, *, retry_after: float, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class NotFound(VsdkError):
    """There is no such thing, or it is not yours to see."""

    default_code = "not-found"


class Conflict(VsdkError):
    """Someone else changed it first: read again and retry."""

    default_code = "conflict"


class PartnerError(VsdkError):
    """Another system failed. ``retry_after`` is in seconds, where the other side said so; ``status`` is that
    of its answer (RFC 9110), if it answered."""

    default_code = "partner-error"

    def __init__(
        self,
        detail: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.retryable = retryable
        self.retry_after = retry_after
        self.status = status


class DeliveryFailed(PartnerError):
    """The gateway understood the message and will never deliver it (wrong number, blocked)."""

    default_code = "delivery-failed"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail, retryable=False, code=code)
