"""What delivery reports of SMS gateways share: addresses that nobody can guess, forms, and refusals."""

import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl

from pydantic import SecretStr

from vsdk.adapters.notification.sms import Failure
from vsdk.domain.errors import Refused, UsageError
from vsdk.domain.message import DeliveryReport, MessageState

SHORTEST_SECRET = 16
MOST_FIELDS = 100
LONGEST_ID = 255

Reading = tuple[MessageState, Failure | None]
"""what a gateway's own word for a state means, and why"""


def long_enough(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"the secret for receipts needs at least {SHORTEST_SECRET} characters")
    return secret


def receipts_address(base_url: str, plugin: str, *below: str) -> str:
    """Where a gateway reports to."""
    return "/".join((base_url, "receipts", plugin, *below))


def token(secret: SecretStr, plugin: str) -> str:
    """The last part of that address for a gateway that signs nothing: HMAC-SHA256 (RFC 2104), 64 hex digits.

    ``printf receipts/PLUGIN | openssl dgst -sha256 -hmac SECRET`` gives the same.
    """
    return hmac.new(secret.get_secret_value().encode(), f"receipts/{plugin}".encode(), "sha256").hexdigest()


def is_same(given: str, expected: str) -> bool:
    """In a time that does not tell where they differ. Nothing is never the same."""
    return bool(expected) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def refused() -> Refused:
    return Refused("the report is not signed as was agreed on", code="receipt-refused")


def invalid(why: str) -> UsageError:
    """``why`` repeats nothing of the report."""
    return UsageError(f"the report cannot be understood: {why}", code="receipt-invalid")


def form(text: bytes | str, complain: Callable[[], Exception]) -> list[tuple[str, str]]:
    """The fields of ``application/x-www-form-urlencoded``, or of a query. Raises what ``complain`` makes."""
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        return parse_qsl(decoded, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise complain() from None


def report(reading: Reading | None, *, key: str = "", provider_id: str = "") -> DeliveryReport:
    """Raises UsageError ``receipt-invalid`` for a state that nobody knows, and for a report about nothing."""
    if reading is None:
        raise invalid("its state is unknown")
    if not key and not provider_id:
        raise invalid("it does not say which message it is about")
    if max(len(key), len(provider_id)) > LONGEST_ID:
        raise invalid("what it calls the message is too long")
    state, failure = reading
    return DeliveryReport(state, key, provider_id, failure.code if failure else "")
