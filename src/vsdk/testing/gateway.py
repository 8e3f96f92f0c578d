"""A server on 127.0.0.1 that takes itself for whatever host it is called, and behaves as badly as it is told.

It speaks HTTPS with certificates of `vsdk.testing.authority`, and plain HTTP with whoever comes without TLS.
"""

import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any, Self

from vsdk.domain.errors import PartnerError
from vsdk.testing.authority import stranger, trusted
from vsdk.testing.sent import ArrivedRequest

LONGEST = 30.0
"""seconds for which anything here waits at most"""
LOOK_ROUND = 0.01
"""seconds after which the end is noticed"""
_TLS_HANDSHAKE = b"\x16"
"""first byte of a TLS record that opens a connection (RFC 8446, 5.1)"""


class Exchange(BaseHTTPRequestHandler):
    """One request, and what `Manner.answer` makes of it."""

    protocol_version = "HTTP/1.1"
    server: "Gateway"

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        encrypted = isinstance(self.request, ssl.SSLSocket)
        host = headers.get("host", "")
        self.server.arrived.append(ArrivedRequest(self.command, host, self.path, headers, body, encrypted))
        self.close_connection = True
        self.server.manner.answer(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def begin(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        """Status line and headers; without a length, the end of the connection is that of the body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The output of tests stays clean."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the gateway behaves. ``within``: seconds that the caller is given, short where it waits in vain."""

    answer: Callable[[Exchange], None] = field(repr=False)
    within: float = LONGEST
    certificate: str = "trusted"
    """``trusted``, ``stranger``, or ``none``: it does not speak TLS"""
    refuses: bool = False
    """whether nobody listens"""
    error: PartnerError | None = None
    """is raised without any connection"""


class Gateway(ThreadingTCPServer):
    """Listens until it is closed. ``arrived`` holds what came, ``manner`` may be changed at any time."""

    daemon_threads = True

    def __init__(self, manner: Manner) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.arrived: list[ArrivedRequest] = []
        self.manner = manner
        self._contexts = {"trusted": trusted().serving(), "stranger": stranger().serving()}
        self._closed_port = socket.socket()
        self._closed_port.bind(("127.0.0.1", 0))
        self._thread = Thread(target=self.serve_forever, args=(LOOK_ROUND,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect to; where it refuses, a port that is taken and on which nobody listens."""
        listening = self._closed_port if self.manner.refuses else self.socket
        host, port = listening.getsockname()
        return str(host), int(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self._closed_port.close()
        self.server_close()

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(LONGEST)
        manner = self.manner
        if manner.certificate == "none":
            request.sendall(b"220 this is no web server\r\n")
        elif request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
            context = self._contexts[manner.certificate]
            with context.wrap_socket(request, server_side=True) as connection:
                super().finish_request(connection, client_address)
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever goes away in the middle is no fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def answering(status: int, content: bytes, headers: Mapping[str, str]) -> Manner:
    def answer(exchange: Exchange) -> None:
        exchange.begin(status, headers, len(content))
        if exchange.command != "HEAD":
            exchange.wfile.write(content)

    return Manner(answer)


def _silence(exchange: Exchange) -> None:
    exchange.connection.recv(1)  # until the other side gives up


def _drip(exchange: Exchange) -> None:
    exchange.begin(200, {"Content-Type": "application/json"}, 1_000_000)
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        exchange.wfile.write(b" ")
        time.sleep(LOOK_ROUND)


def _break_off(exchange: Exchange) -> None:
    exchange.begin(200, {"Content-Type": "application/json"}, 1_000)
    exchange.wfile.write(b'{"id": ')


def _unreached(exchange: Exchange) -> None:
    raise AssertionError("nobody should have come so far")


def oversized(size: int) -> Manner:
    def answer(exchange: Exchange) -> None:
        exchange.begin(200, {"Content-Type": "application/json"}, None)
        part = b" " * 65_536
        for _ in range(size // len(part) + 1):
            exchange.wfile.write(part)

    return Manner(answer)


def silent(within: float) -> Manner:
    return Manner(_silence, within)


def dripping(within: float) -> Manner:
    return Manner(_drip, within)


BREAKING_OFF = Manner(_break_off)
REFUSING = Manner(_unreached, refuses=True)
OF_ANOTHER_AUTHORITY = Manner(_unreached, certificate="stranger")
WITHOUT_TLS = Manner(_unreached, certificate="none")
