"""The FHIR face: Appointments in, the same with their join links out (hl7.org/fhir/http.html)."""

from vsdk.server.fhir.router import make_router

__all__ = ["make_router"]
