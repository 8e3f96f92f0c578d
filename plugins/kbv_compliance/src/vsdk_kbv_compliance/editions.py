"""Editions of Anlage 31b BMV-Ä: which wording was in force when, and whether anyone here has read it.

A finding names the edition that it was made against. Wording changes between editions, so whatever depends on
it is data here and never a constant in a rule.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Edition:
    """``valid_until`` is the last day, None while it is in force."""

    id: str
    valid_from: date
    valid_until: date | None
    source: str
    confirmed: bool
    """whether the rules of this package were compared with the wording named in ``source``"""
    real_names_required: bool
    """§ 5: the names of patients and helpers "must" be recognisable; before, they "should" """


_ALL = (
    Edition(
        id="anlage31b@2021-03",
        valid_from=date(2021, 3, 1),
        valid_until=date(2022, 6, 14),
        source="announcement of the amendment of 03/2021; § 5 after its dental twin, Anlage 16 BMV-Z of 2020",
        confirmed=True,
        real_names_required=False,
    ),
    Edition(
        id="anlage31b@2022-06",
        valid_from=date(2022, 6, 15),
        valid_until=date(2026, 6, 30),
        source="§ 5 after its dental twin, Anlage 16 BMV-Z as amended in 2022, and summaries of 31b by KVs",
        confirmed=True,
        real_names_required=True,
    ),
    Edition(
        id="anlage31b@2026-07",
        valid_from=date(2026, 7, 1),
        valid_until=None,
        source="known from secondary sources only; the wording has not been read",
        confirmed=False,
        real_names_required=True,
    ),
)

EDITIONS: dict[str, Edition] = {edition.id: edition for edition in _ALL}
NEWEST_CONFIRMED = max((e for e in _ALL if e.confirmed), key=lambda e: e.valid_from)


def in_force(day: date) -> Edition | None:
    """The edition of that day; None before the first one known here."""
    return next(
        (e for e in _ALL if e.valid_from <= day and (e.valid_until is None or day <= e.valid_until)), None
    )
