"""Appointments in files: one, a Bundle of them, or one a line (NDJSON), also compressed with gzip (RFC 1952).

Lines are read one at a time, so that a file may be of any size. A document of several lines is read whole,
and may have at most 64 MiB. Which of the two it is, the content tells, not the name.
"""

import gzip
import io
import json
import os
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from vsdk.domain.errors import InvalidAppointment
from vsdk.hooks import json_text

STANDARD_INPUT = "-"
LONGEST_LINE = 2**20
LARGEST_DOCUMENT = 2**26
"""both in bytes, after decompression"""

_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"
"""the byte order mark of UTF-8"""

Found = tuple[str, Any]
"""where it stands, and the resource, or a VsdkError instead of what cannot be read"""
Line = tuple[int, bytes | None]
"""its number, from 1, and its content, or None when it is too long"""


class Documents:
    """The files of the command line, one after the other."""

    def __init__(self, names: Iterable[str]) -> None:
        self._sizes = [(name, _size(name)) for name in names]
        self._passed = 0
        self._current: io.BufferedReader | None = None
        self.weight = 0
        """bytes of JSON read so far"""

    @property
    def size(self) -> int | None:
        """Of all files in bytes, or None when it cannot be known."""
        known = [size for _, size in self._sizes if size is not None]
        return sum(known) if len(known) == len(self._sizes) else None

    @property
    def position(self) -> int:
        """How many of the `size` bytes have been read."""
        return self._passed + (self._current.tell() if self._current and self.size is not None else 0)

    def resources(self) -> Iterator[Found]:
        """Each Appointment, and whatever else stands where one should."""
        for name, size in self._sizes:
            shown = os.fsencode(name).decode(errors="replace")
            try:
                with _opened(name) as self._current:
                    yield from self._in_stream(shown, _unpacked(self._current))
            except (OSError, EOFError, zlib.error) as error:
                reason = error.strerror if isinstance(error, OSError) else None
                yield shown, _unreadable(reason or "the gzip data are damaged")
            self._current = None
            self._passed += size or 0

    def _in_stream(self, name: str, stream: io.BufferedReader) -> Iterator[Found]:
        number, first = _first(stream)
        self.weight += len(first)
        if len(first) > LARGEST_DOCUMENT:
            yield name, _too_large()
            return
        try:
            value = _parse(first)
        except ValueError:
            yield from self._several_lines(name, stream, number, first)
            return
        rest = _lines(stream, number + 1)
        second = next(rest, None)
        if second is None:
            yield from _appointments(name, value)
            return
        del value
        yield from self._in_lines(name, _lines(io.BytesIO(first), number))
        yield from self._in_lines(name, [second])
        yield from self._in_lines(name, rest)

    def _several_lines(
        self, name: str, stream: io.BufferedReader, number: int, first: bytes
    ) -> Iterator[Found]:
        """The first line is not JSON by itself: a document begins there, or the line is damaged."""
        head = io.BytesIO()
        head.write(first)
        check_at, resources, lines = 0, False, False
        while not lines and (line := stream.readline(LARGEST_DOCUMENT + 1 - head.tell())):
            if _is_resource(line):
                resources = True
                if head.tell() >= check_at:  # ever more rarely, as what was read is looked at again
                    check_at = 2 * head.tell()
                    lines = not _may_go_on(head.getvalue())
            head.write(line)
        text = head.getvalue()
        self.weight += len(text) - len(first)
        if len(text) > LARGEST_DOCUMENT:
            yield name, _too_large()
            return
        if not lines:
            try:
                yield from _appointments(name, _parse(text))
                return
            except ValueError as error:
                if not resources:
                    yield name, _not_utf8() if isinstance(error, UnicodeDecodeError) else _not_json()
                    return
        yield from self._in_lines(name, _lines(io.BytesIO(text), number))
        yield from self._in_lines(name, _lines(stream, number + text.count(b"\n")))

    def _in_lines(self, name: str, lines: Iterable[Line]) -> Iterator[Found]:
        for number, line in lines:
            place = f"{name}:{number}"
            if line is None:
                yield place, InvalidAppointment("a line may have at most 1 MiB", code="message-too-big")
                continue
            self.weight += len(line)
            try:
                value = _parse(line)
            except ValueError as error:
                what = "UTF-8" if isinstance(error, UnicodeDecodeError) else "JSON"
                yield place, InvalidAppointment(f"this line is not {what}", code="not-json")
                continue
            yield from _appointments(place, value)


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader]:
    if name != STANDARD_INPUT:
        with Path(name).open("rb") as file:
            yield file
    elif sys.stdin is None:
        raise OSError(0, "there is no standard input")
    else:
        yield cast("io.BufferedReader", sys.stdin.buffer)


def _size(name: str) -> int | None:
    """In bytes; 0 of what is not there, None of what has no end that could be known."""
    try:
        found = os.fstat(sys.stdin.fileno()) if name == STANDARD_INPUT else Path(name).stat()
    except (OSError, AttributeError, ValueError):
        return None if name == STANDARD_INPUT else 0
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _unpacked(file: io.BufferedReader) -> io.BufferedReader:
    if file.peek(2).startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    return file


def _first(stream: io.BufferedReader) -> tuple[int, bytes]:
    """The first line with something in it, and its number; ``b""`` when there is none."""
    number, line = 1, stream.readline(LARGEST_DOCUMENT + 1).removeprefix(_MARK)
    while line and not line.strip():
        number, line = number + 1, stream.readline(LARGEST_DOCUMENT + 1)
    return number, line


def _lines(stream: io.BufferedIOBase, number: int) -> Iterator[Line]:
    """What is left of the stream, without empty lines. ``number`` is that of its first line."""
    while line := stream.readline(LONGEST_LINE + 2):
        if len(line.rstrip(b"\r\n")) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
            yield number, None
        elif line.strip():
            yield number, line
        number += 1


def _parse(text: bytes) -> Any:
    """Raises UnicodeDecodeError or another ValueError."""
    return json_text.parse(text.decode())


def _is_resource(line: bytes) -> bool:
    """Whether this line is a resource by itself."""
    if not line.lstrip().startswith(b"{") or b'"resourceType"' not in line:
        return False
    try:
        _parse(line)
    except ValueError:
        return False
    return True


def _may_go_on(text: bytes) -> bool:
    """Whether it is the beginning of a JSON document, as far as can be told."""
    try:
        json.loads(text.decode())
    except json.JSONDecodeError as error:
        return error.pos >= len(error.doc.rstrip()) - 1
    except ValueError:
        return False
    except RecursionError:
        return True
    return False


def _appointments(place: str, value: Any) -> Iterator[Found]:
    """The Appointments of a Bundle; anything else as it is."""
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        yield place, value
        return
    entries = value.get("entry")
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Appointment":
            yield f"{place}#Bundle.entry[{i}]", resource


def _unreadable(reason: str) -> InvalidAppointment:
    return InvalidAppointment(f"cannot be read: {reason}", code="file-unreadable")


def _not_utf8() -> InvalidAppointment:
    return _unreadable("not UTF-8")


def _not_json() -> InvalidAppointment:
    return InvalidAppointment("this is not JSON", code="not-json")


def _too_large() -> InvalidAppointment:
    return InvalidAppointment(
        "a document may have at most 64 MiB; one Appointment a line may be of any number",
        code="file-too-large",
    )
