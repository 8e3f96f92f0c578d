"""To whom credentials may go: what has the origin of the FHIR server (RFC 6454, 4 and 5)."""

from urllib.parse import urlsplit

_USUAL_PORTS = {"http": 80, "https": 443}


def is_same_origin(one: str, other: str) -> bool:
    """Scheme, host and port are alike. False for what is no address."""
    try:
        return _origin(one) == _origin(other)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _USUAL_PORTS.get(parts.scheme)
