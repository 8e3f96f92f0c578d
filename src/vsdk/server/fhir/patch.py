"""JSON Patch (RFC 6902), as FHIR uses it (hl7.org/fhir/http.html#patch)."""

import copy
import json
from typing import Any

import jsonpatch
from jsonpointer import JsonPointerException

from vsdk.domain.errors import UsageError
from vsdk.hooks.json_text import is_deeper
from vsdk.server.fhir.negotiation import MOST_LEVELS

MAX_OPERATIONS = 200
MAX_BYTES = 1024 * 1024
_NAMES = frozenset({"add", "remove", "replace", "move", "copy", "test"})


def apply(resource: dict[str, Any], operations: Any) -> dict[str, Any]:
    """The patched resource; the one given stays as it is.

    Raises UsageError: ``patch-invalid`` for what is no JSON Patch, ``patch-test-failed``,
    ``patch-not-applicable`` where there is nothing at a path, and ``patch-forbidden`` where the outcome would
    be another resource or larger than one may be.
    """
    if not isinstance(operations, list) or not 0 < len(operations) <= MAX_OPERATIONS:
        raise UsageError(f"a JSON Patch is a list of 1 to {MAX_OPERATIONS} operations", code="patch-invalid")
    try:
        patched: Any = copy.deepcopy(resource)
        for operation in operations:
            patched = _step(patched, operation)
            if operation["op"] == "copy" and len(json.dumps(patched)) > MAX_BYTES:
                raise UsageError("the patched resource would be too large", code="patch-forbidden")
    except RecursionError:
        raise UsageError("the patched resource would have too many levels", code="patch-forbidden") from None
    if is_deeper(patched, MOST_LEVELS):
        raise UsageError("the patched resource would have too many levels", code="patch-forbidden")
    if not isinstance(patched, dict) or any(
        patched.get(name) != resource.get(name) for name in ("resourceType", "id")
    ):
        raise UsageError("resourceType and id cannot be changed", code="patch-forbidden")
    return patched


def _step(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or str(operation.get("op")) not in _NAMES:
        raise UsageError("this is no operation of a JSON Patch", code="patch-invalid")
    try:
        step = jsonpatch.JsonPatch([operation])
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, ValueError, AttributeError):
        raise UsageError("an operation of the JSON Patch is malformed", code="patch-invalid") from None
    try:
        return step.apply(document, in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise UsageError("a test of the JSON Patch failed", code="patch-test-failed") from None
    except jsonpatch.InvalidJsonPatch:
        raise UsageError("an operation of the JSON Patch is malformed", code="patch-invalid") from None
    except (
        jsonpatch.JsonPatchException,
        JsonPointerException,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
    ):
        raise UsageError(
            "an operation of the JSON Patch cannot be applied to this resource", code="patch-not-applicable"
        ) from None
