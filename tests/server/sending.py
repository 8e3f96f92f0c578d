"""What tests of messages share: channels that fail on demand, and waiting until messages are sent."""

from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient
from tests.server.conftest import bearer
from tests.server.draining import drained

from vsdk.domain.errors import DeliveryFailed, PartnerError
from vsdk.domain.message import Message, Receipt
from vsdk.sdk import VideoSdk


class Channels:
    """Takes the place of what the channels of a server do. Without a ``failure`` they take everything."""

    def __init__(self, video: VideoSdk) -> None:
        self.failure: PartnerError | None = None
        self.taken: list[tuple[str, Message]] = []
        for registered in video.registry.channels:
            registered.channel.deliver = self._of(registered.channel.channel)  # type: ignore[method-assign]

    def _of(self, kind: str) -> Callable[[Message], Any]:
        async def deliver(message: Message) -> Receipt:
            if self.failure:
                raise self.failure
            self.taken.append((kind, message))
            return Receipt(f"gateway-{message.idempotency_key}")

        return deliver

    def refuse(self, code: str = "number-invalid") -> None:
        self.failure = DeliveryFailed("the gateway will not", code=code)

    def templates(self) -> list[str]:
        return [message.template for _, message in self.taken]


def perform(http: TestClient, video: VideoSdk) -> None:
    """Until nothing is left to be done now: the worker of the server may be at it too."""
    assert http.portal
    for _ in range(50):
        http.portal.call(drained, video)
        http.portal.call(video.clock.sleep, 0)
        if not http.portal.call(_waiting, video):
            return
    raise AssertionError("messages do not come to an end")


async def _waiting(video: VideoSdk) -> bool:
    visits = await video.store.visits_between(
        next(iter(video.practices)),
        video.clock.now().replace(year=2000),
        video.clock.now().replace(year=2100),
    )
    records = await video.store.messages_of([visit.id for visit, _ in visits])
    return any(r.state == "queued" and not r.code for of_visit in records.values() for r in of_visit)


def messages(http: TestClient, planned: dict[str, Any]) -> list[dict[str, Any]]:
    """What the API says of that visit's messages."""
    reply = http.get(f"/api/v1/visits/{planned['visit']}/messages", headers=bearer(planned["grant"]))
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["messages"]
    return found
