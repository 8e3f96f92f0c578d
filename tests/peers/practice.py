"""A source for one practice whose system is one of the servers here."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from vsdk.adapters.scheduling.fhir.connection import connect
from vsdk.adapters.scheduling.fhir.source import FhirSchedule
from vsdk.adapters.scheduling.fhir.source_settings import SourceSettings
from vsdk.domain.ids import PracticeId
from vsdk.domain.practice import Practice
from vsdk.hooks.ports import Http
from vsdk.testing.factories import a_practice

PRACTICE = PracticeId("practice")
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
"""the morning of the appointments in `tests.peers.resources`"""
ADDRESS = "https://praxis.example/video"


def a_source(
    http: Http,
    base_url: str,
    *,
    practice: Practice | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    **settings: Any,
) -> FhirSchedule:
    """``settings`` are those of ``[plugin.fhir_schedule.practice]``."""
    section = SourceSettings.model_validate({"base_url": base_url, **settings})
    return FhirSchedule({PRACTICE: connect(practice or a_practice(), section, http, ADDRESS, now)})
