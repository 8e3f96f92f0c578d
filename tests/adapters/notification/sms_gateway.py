"""SMS gateways on 127.0.0.1 that check credentials by themselves, without code of the channel under test."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Arrived:
    method: str
    path: str
    headers: Mapping[str, str]
    """names in lower case"""
    body: bytes
    url: str
    """the whole address that was called"""

    def json(self) -> Any:
        return json.loads(self.body)


class SmsGateway(ThreadingHTTPServer):
    """Answers with what ``answer`` makes of a request, and remembers what came."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Arrived], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.answer = answer
        self.arrived: list[Arrived] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Exchange(BaseHTTPRequestHandler):
    server: SmsGateway

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        arrived = Arrived(self.command, self.path, headers, body, self.server.url + self.path)
        self.server.arrived.append(arrived)
        status, content = self.server.answer(arrived)
        answer = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """The test's output stays clean."""


@contextmanager
def serving(answer: Callable[[Arrived], Answer]) -> Iterator[SmsGateway]:
    with SmsGateway(answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
