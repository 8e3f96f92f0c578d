"""JSON Patch (RFC 6902; hl7.org/fhir/http.html#patch), one operation for each element that differs."""

from collections.abc import Sequence
from typing import Any

from vsdk.adapters.scheduling.fhir.values import as_object
from vsdk.domain.appointment import AppointmentStatus
from vsdk.domain.practice import FhirConventions
from vsdk.hooks.ports import Json

JSON_PATCH = "application/json-patch+json"


class JsonPatch:
    """Elements of the resource itself are added, replaced or removed as a whole.

    Some servers ignore If-Match on PATCH. So the version is tested inside the patch too, where the server
    gave one; for servers that keep it apart from the resource, the patch without the test is the alternative.
    """

    method = "PATCH"
    content_type = JSON_PATCH
    steps = 1

    def bodies(self, original: Json, changed: Json, step: int = 0) -> Sequence[list[Json]]:
        operations = differences(original, changed)
        version = as_object(original.get("meta")).get("versionId")
        if not operations or not version:
            return [operations] if operations else []
        return [[{"op": "test", "path": "/meta/versionId", "value": version}, *operations], operations]

    def next_status(self, now: AppointmentStatus, wanted: AppointmentStatus) -> AppointmentStatus:
        return wanted

    def problem(self, conventions: FhirConventions, release: str) -> str:
        return ""


def differences(original: Json, changed: Json) -> list[Json]:
    operations: list[Json] = [
        {"op": "remove", "path": _pointer(name)} for name in original if name not in changed
    ]
    for name, value in changed.items():
        if name not in original:
            operations.append(_operation("add", name, value))
        elif value != original[name]:
            operations.append(_operation("replace", name, value))
    return operations


def _operation(op: str, name: str, value: Any) -> Json:
    return {"op": op, "path": _pointer(name), "value": value}


def _pointer(name: str) -> str:
    """RFC 6901, 3."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
