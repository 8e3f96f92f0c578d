"""Requests as a plugin makes them, and as they arrive; what they carry, read as a gateway reads it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

_CHARSET = re.compile(r'charset="?([\w-]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as a plugin made it; ``options`` are those of `vsdk.hooks.ports.Http`."""

    method: str
    url: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """All values in headers and body, decoded; bodies also as a whole."""
        options = self.options
        headers = {name.lower(): str(value) for name, value in dict(options.get("headers") or {}).items()}
        content = options.get("content") or b""
        body = content.encode() if isinstance(content, str) else content
        pieces = [*_values(options.get("json")), *_values(options.get("data")), *read(headers, body)]
        return tuple(pieces)

    def carries(self, text: str) -> bool:
        """Whether the text is anywhere in headers or body."""
        return any(text in piece for piece in self.texts)


@dataclass(frozen=True, slots=True)
class ArrivedRequest:
    """A request as the loopback gateway got it. Names of headers are in lower case."""

    method: str
    host: str
    target: str
    """path and query, as they stand in the request line"""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    encrypted: bool = True
    """whether it came over TLS"""

    @property
    def texts(self) -> tuple[str, ...]:
        """All values in headers and body, decoded; bodies also as a whole."""
        return tuple(read(self.headers, self.body))

    @property
    def address(self) -> str:
        """Host and target, as they stand there and decoded."""
        query = " ".join(value for _, value in parse_qsl(urlsplit(self.target).query))
        return " ".join((self.host, self.target, unquote_plus(self.target), query))

    def carries(self, text: str) -> bool:
        """Whether the text is anywhere in headers or body."""
        return any(text in piece for piece in self.texts)


def read(headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """The values of headers and of a body in JSON, as a form, or of any other text."""
    yield from headers.values()
    if not body:
        return
    kind = headers.get("content-type", "").lower()
    charset = _CHARSET.search(kind)
    try:
        text = body.decode(charset[1] if charset else "utf-8", errors="replace")
    except LookupError:
        text = body.decode(errors="replace")
    yield text
    if "json" in kind:
        try:
            yield from _values(json.loads(text))
        except (ValueError, RecursionError):
            return
    elif "form-urlencoded" in kind:
        yield from (value for _, value in parse_qsl(text, keep_blank_values=True))


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _values(inner)
    elif value is not None:
        yield value if isinstance(value, str) else str(value)
