"""The demo for a phone in the same network: a certificate made on the spot, and the link as a QR code."""

import io
import ipaddress
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIVES = timedelta(days=2)
ADVICE = """\
  On the phone, in the same Wi-Fi: point the camera at the code and open the link.
  The phone warns of the certificate, because this demo made it itself just now:
    iPhone, Safari:   "Show Details", then "visit this website"
    Android, Chrome:  "Advanced", then "Proceed to ..."
  Whoever is in this network and has the link can use it until Ctrl-C."""


def address() -> str:
    """This machine's address in its network. Raises SystemExit where it has none.

    Nothing is sent: a UDP socket that is connected tells which address the system would use.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found = str(probe.getsockname()[0])
        except OSError:
            found = ""
    if not found or found.startswith("127."):
        raise SystemExit("vsdk: this machine is in no network; connect it, or leave out --lan")
    return found


def make_certificate(host: str, folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate (RFC 5280) for that address and for localhost; gives it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vsdk demo")])
    now = datetime.now(UTC)
    names = [x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIVES)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return public, private


def qr_lines(text: str) -> str:
    """A QR code of half blocks, dark on light whatever the terminal's colours are."""
    picture = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(picture, border=2, compact=True)
    return picture.getvalue()
