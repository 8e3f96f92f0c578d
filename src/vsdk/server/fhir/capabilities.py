"""What is offered: CapabilityStatement (hl7.org/fhir/capabilitystatement.html) and SMART's discovery."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

from vsdk.hooks.ports import Json
from vsdk.server.clients import TOKEN_PATH
from vsdk.server.fhir.answers import instant
from vsdk.server.fhir.negotiation import JSON_PATCH, MEDIA_TYPE
from vsdk.server.fhir.search import PARAMETERS
from vsdk.service.clients import ASSERTION_ALGORITHMS

_FHIR_VERSIONS = {"STU3": "3.0.2", "R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}
_INTERACTIONS = ("read", "update", "patch", "delete", "create", "search-type")
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICE = {
    "STU3": "http://hl7.org/fhir/restful-security-service",
    "R4": "http://terminology.hl7.org/CodeSystem/restful-security-service",
}


def statement(release: str, base_url: str, since: datetime, *, tokens: bool) -> Json:
    """The CapabilityStatement of that release. ``tokens``: named clients can get access tokens."""
    capability: Json = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(since),
        "kind": "instance",
        "software": {"name": "vsdk", "version": version("vsdk")},
        "implementation": {
            "description": "Video visits: Appointments in, the same Appointments with their join link out",
            "url": f"{base_url}/fhir/{release}",
        },
        "fhirVersion": _FHIR_VERSIONS[release],
        "format": ["json", MEDIA_TYPE],
        "patchFormat": [JSON_PATCH],
        "rest": [
            {
                "mode": "server",
                "security": _security(release, base_url, tokens=tokens),
                "resource": [_appointment()],
                "interaction": [{"code": "batch"}, {"code": "transaction"}],
            }
        ],
    }
    return capability | {"acceptUnknown": "both"} if release == "STU3" else capability


def smart_configuration(base_url: str) -> Json:
    """hl7.org/fhir/smart-app-launch/conformance.html; there is no launch of apps, only backend services."""
    return {
        "token_endpoint": base_url + TOKEN_PATH,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "scopes_supported": ["system/Appointment.cruds", "system/Appointment.rs", "system/*.cruds"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }


def _security(release: str, base_url: str, *, tokens: bool) -> Json:
    security: Json = {"description": "Bearer token: the API key of a practice"}
    if not tokens:
        return security
    coding = {
        "system": _SECURITY_SERVICE.get(release, _SECURITY_SERVICE["R4"]),
        "code": "SMART-on-FHIR",
    }
    token = {"url": "token", "valueUri": base_url + TOKEN_PATH}
    return {
        "description": security["description"] + ", or an access token of SMART Backend Services",
        "service": [{"coding": [coding]}],
        "extension": [{"url": _OAUTH_URIS, "extension": [token]}],
    }


def _appointment() -> dict[str, Any]:
    return {
        "type": "Appointment",
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "not-supported",
        "searchParam": [
            {"name": name, "type": type_, "documentation": text} for name, (type_, text) in PARAMETERS.items()
        ],
    }
