"""TLS with a certificate of our own, or with an authority of one's own."""

import ssl

from vsdk.adapters.scheduling.fhir.source_settings import TlsSettings
from vsdk.domain.errors import ConfigurationError


def context(settings: TlsSettings) -> ssl.SSLContext:
    """Verifies the server and its name. Raises ConfigurationError when a file is missing or unusable."""
    try:
        made = ssl.create_default_context(cafile=settings.authority)
        if settings.certificate is not None:
            made.load_cert_chain(settings.certificate, settings.key, password=_no_password)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ConfigurationError(
            "tls: certificate, key or authority cannot be read; they are PEM files, the key without password"
        ) from None
    return made


def _no_password() -> str:
    """Else OpenSSL would ask on the terminal."""
    raise ValueError("the key has a password")
