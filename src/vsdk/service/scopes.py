"""What a SMART scope permits on Appointments (hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html).

Version 2 has a letter per interaction, in this order: create, read, update, delete, search. Version 1 has
``read``, ``write`` and ``*``. Only ``system/`` scopes are known here: callers are programs.
"""

import re
from collections.abc import Iterable

EVERYTHING = frozenset("cruds")
_SCOPE = re.compile(r"system/(?:Appointment|\*)\.(?P<what>read|write|\*|(?=[cruds])c?r?u?d?s?)")
_VERSION_1 = {"read": frozenset("rs"), "write": frozenset("cud"), "*": EVERYTHING}


def letters(scope: str) -> frozenset[str]:
    """The interactions that one scope permits; none for a scope that is not understood.

    One with search parameters (``system/Appointment.rs?status=booked``) is not understood, because to ignore
    the parameters would permit more than was meant.
    """
    found = _SCOPE.fullmatch(scope)
    if found is None:
        return frozenset()
    return _VERSION_1.get(found["what"], frozenset(found["what"]))


def all_letters(scopes: Iterable[str]) -> frozenset[str]:
    """What several scopes permit together."""
    return frozenset().union(*map(letters, scopes))


def granted(requested: str, permitted: frozenset[str]) -> list[str]:
    """Of the scopes asked for, blank between them, what may be given: as asked, or with fewer letters."""
    given: dict[str, None] = {}
    for scope in requested.split():
        wanted = letters(scope)
        if wanted and wanted <= permitted:
            given[scope] = None
        elif wanted & permitted:
            given["system/Appointment." + "".join(c for c in "cruds" if c in wanted & permitted)] = None
    return list(given)
