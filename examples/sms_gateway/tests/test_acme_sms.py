"""The contract, a real gateway on this machine, and the promise of fewer than 30 lines."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import vsdk_acme_sms
from pydantic import SecretStr
from vsdk_acme_sms import AcmeConfig, AcmeSms, vsdk_notification_channels

from vsdk import ConfigurationError, Message, PartnerError
from vsdk.adapters.http import HttpClient
from vsdk.testing.contracts import NotificationChannelContract
from vsdk.testing.fakes import FakeConfig, FakeHttp

BEARER = "t0ken-of-nobody"


class TestContract(NotificationChannelContract):
    secrets = (BEARER,)

    @pytest.fixture
    def adapter(self, mock_http: FakeHttp) -> AcmeSms:
        return AcmeSms(AcmeConfig(token=SecretStr(BEARER)), mock_http.answering(json={"id": "1"}))


class Gateway(ThreadingHTTPServer):
    """Answers as ACME would, on 127.0.0.1, and remembers what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.got: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 202

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/messages"


class _Conversation(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, self.headers["Authorization"], body))
        answer = b'{"id": "acme-17"}'
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """The test's output stays clean."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


MESSAGE = Message(
    recipient="+491713920001",
    text="Zum Wartezimmer: https://praxis.example/v/j#h4ndle",
    idempotency_key="key-1",
    template="link-at-time",
    language="de",
)


async def test_a_message_goes_over_a_real_connection(gateway: Gateway) -> None:
    http = HttpClient()
    config = FakeConfig({"acme_sms": {"token": BEARER, "url": gateway.url}})
    (channel,) = vsdk_notification_channels(config, http)
    assert (await channel.deliver(MESSAGE)).provider_id == "acme-17"
    body = {"to": MESSAGE.recipient, "text": MESSAGE.text, "reference": "key-1"}
    assert gateway.got == [("/v1/messages", f"Bearer {BEARER}", body)]
    await http.close()


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (429, True), (503, True)])
async def test_a_real_refusal_says_whether_to_try_again(
    gateway: Gateway, status: int, retryable: bool
) -> None:
    gateway.status = status
    http = HttpClient()
    with pytest.raises(PartnerError) as caught:
        await AcmeSms(AcmeConfig(token=SecretStr(BEARER), url=gateway.url), http).deliver(MESSAGE)
    assert caught.value.retryable is retryable
    assert len(gateway.got) == 1
    await http.close()


def test_without_a_token_the_start_fails(mock_http: FakeHttp) -> None:
    with pytest.raises(ConfigurationError, match="token"):
        vsdk_notification_channels(FakeConfig(), mock_http)


def test_the_plugin_has_fewer_than_30_lines() -> None:
    assert len(Path(vsdk_acme_sms.__file__).read_text(encoding="utf-8").splitlines()) < 30
