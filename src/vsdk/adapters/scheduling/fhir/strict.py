"""What the models of fhir.resources say against a resource: the judge behind ``--strict`` and in tests.

A pass proves little (bindings and invariants are not checked), a complaint often concerns feeds that can be
understood all the same. That is why it judges and does not read. Importing a model takes about half a second.
"""

import re
from typing import Any

from vsdk.domain.errors import InvalidAppointment, Issue

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

_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


def issues(resource: Any, release: str) -> list[Issue]:
    """Without any value of the resource; empty when the model accepts it.

    fhir.resources has no plain R4; R4B's Appointment has the same elements. Raises InvalidAppointment
    (``release-unsupported``) for releases other than ``STU3``, ``R4``, ``R4B`` and ``R5``, and nothing else.
    """
    from pydantic import ValidationError

    model = _model(release)
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [
            Issue("fhir-invalid", _path(e["loc"]), _explanation(e["type"], e["msg"]))
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    except KeyError:
        return [
            Issue(
                "fhir-invalid",
                "Appointment.contained",
                "a contained resource is of a type that this release does not have",
            )
        ]
    except Exception as error:
        # some values of a wrong type make the models stumble instead of complain
        return [Issue("fhir-invalid", "Appointment", f"not accepted ({type(error).__name__})")]
    return []


def _model(release: str) -> Any:
    if release == "STU3":
        from fhir.resources.STU3.appointment import Appointment as Stu3Appointment

        return Stu3Appointment
    if release in ("R4", "R4B"):
        from fhir.resources.R4B.appointment import Appointment as R4BAppointment

        return R4BAppointment
    if release == "R5":
        from fhir.resources.appointment import Appointment

        return Appointment
    explanation = "the FHIR release must be one of STU3, R4, R4B, R5"
    raise InvalidAppointment(
        explanation,
        code="release-unsupported",
        issues=[Issue("release-unsupported", "$this", explanation)],
    )


def _path(place: tuple[int | str, ...]) -> str:
    """FHIRPath, as far as the names on the way are names of elements. What JSON has in ``_start`` is there an
    extension of ``start``; ``root`` is pydantic's own word."""
    path = "Appointment"
    for part in place:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _ELEMENT.fullmatch(part) and part != "root":
            path += f".{part.removeprefix('_').removesuffix('_fhir')}"
        else:
            break
    return path


def _explanation(kind: str, message: str) -> str:
    return message if kind in _WITHOUT_VALUES else f"not accepted ({kind})"
