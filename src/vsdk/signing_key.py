"""The key that signs grants and makes handles: configured, or made once and kept beside the database."""

import os
import secrets
from pathlib import Path

from vsdk.domain.errors import ConfigurationError
from vsdk.settings import Settings

FILE_NAME = "vsdk.key"
SHORTEST = 32
"""bytes"""


def signing_key(settings: Settings) -> bytes:
    """At least 32 bytes. Raises ConfigurationError where a key file cannot serve.

    With SQLite in a file, the key file lies beside it, readable by its owner only. In memory, the key lives
    as long as the process. Any other database may be shared by several servers, which need the same key.
    """
    if settings.signing_key:
        return settings.signing_key.get_secret_value().encode()
    scheme, _, path = settings.database.partition("://")
    if not scheme.startswith("sqlite"):
        raise ConfigurationError("signing_key must be set, as several servers may share this database")
    file = path.removeprefix("/").partition("?")[0]
    if file in ("", ":memory:"):
        return secrets.token_bytes(32)
    try:
        key = _kept(Path(file).with_name(FILE_NAME))
    except OSError as error:
        raise ConfigurationError(f"the key file {FILE_NAME} cannot be kept: {error.strerror}") from error
    if len(key) < SHORTEST:
        raise ConfigurationError(f"the key file {FILE_NAME} holds fewer than {SHORTEST} bytes; remove it")
    return key


def _kept(file: Path) -> bytes:
    if not file.exists():
        draft = file.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
        with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
            new.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, file)  # fails where another process was faster, and never shows half a key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_bytes()
