"""What the models of fhir.resources say against a resource: the judge behind ``--strict`` and in tests.

A pass proves little (bindings and invariants are not checked), a complaint often concerns feeds that can be
understood all the same. That is why it judges and does not read. Importing a model takes about half a second.
"""

from typing import Any

from vsdk.domain.errors import InvalidAppointment

_WITHOUT_VALUES = frozenset(
    {
        "bool_parsing",
        "bool_type",
        "datetime_type",
        "extra_forbidden",
        "greater_than",
        "int_parsing",
        "int_type",
        "list_type",
        "missing",
        "model_field_validation.missing",
        "model_type",
        "string_pattern_mismatch",
        "string_too_short",
        "string_type",
    }
)
"""Kinds of complaints whose sentence repeats nothing of the resource; some of fhir.resources' own do."""


def issues(resource: Any, release: str) -> list[tuple[str, str]]:
    """``(FHIRPath, explanation)`` pairs without any value of the resource; empty when the model accepts it.

    fhir.resources has no plain R4; R4B's Appointment has the same elements. Raises InvalidAppointment
    (``release-unsupported``) for releases other than ``R4``, ``R4B`` and ``R5``.
    """
    from pydantic import ValidationError

    model = _model(release)
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [
            (_path(e["loc"]), _explanation(e["type"], e["msg"])) for e in error.errors(include_input=False)
        ]
    except KeyError:
        return [
            ("Appointment.contained", "a contained resource is of a type that this release does not have")
        ]
    return []


def _model(release: str) -> Any:
    if release in ("R4", "R4B"):
        from fhir.resources.R4B.appointment import Appointment as R4BAppointment

        return R4BAppointment
    if release == "R5":
        from fhir.resources.appointment import Appointment

        return Appointment
    raise InvalidAppointment("the FHIR release must be one of R4, R4B, R5", code="release-unsupported")


def _path(place: tuple[int | str, ...]) -> str:
    return "Appointment" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place)


def _explanation(kind: str, message: str) -> str:
    return message if kind in _WITHOUT_VALUES else f"not accepted ({kind})"
