"""The chat of a visit: sealed boxes from one seat to another, forwarded unread and kept nowhere.

The keys are made in the browsers (``docs/security.md``); the server knows who may write to whom, how large a
box is, and how many bytes come in a second. Nothing else.
"""

from collections.abc import Sequence

from vsdk.domain.errors import Refused
from vsdk.domain.participant import Capability
from vsdk.server.limits import MessageBudget
from vsdk.server.messages import Chat, ChatPeer, ChatPeers, RelayedChat
from vsdk.server.rooms import Seat

BYTES_PER_SECOND = 500_000
"""of one connection, sustained; a file of 10 MB takes half a minute"""


def reaches(one: Seat, other: Seat) -> bool:
    """In the visit everyone reaches everyone; who waits reaches only those who may let them in."""
    if one is other or not (one.grant.permits(Capability.TALK) and other.grant.permits(Capability.TALK)):
        return False
    hosts = one.grant.permits(Capability.ADMIT) or other.grant.permits(Capability.ADMIT)
    return hosts or (one.inside and other.inside)


def peers(seat: Seat, seats: Sequence[Seat]) -> ChatPeers:
    """Those to whom this seat can write now."""
    return ChatPeers(
        peers=[
            ChatPeer(participant=s.participant, role=s.grant.role.value, name=s.name, key=s.chat_key)
            for s in seats
            if s.chat_key and reaches(seat, s)
        ]
    )


async def forward(chat: Chat, sender: Seat, receiver: Seat | None, budget: MessageBudget, now: float) -> None:
    """Raises Refused ``no-chat-peer``, or ``chat-too-fast`` when the connection has sent too much."""
    if receiver is None or receiver.wire is None or not reaches(sender, receiver):
        raise Refused("nobody is there to whom you may write", code="no-chat-peer")
    if not budget.spend(now, len(chat.box)):
        raise Refused("too much at once; send this again in a second", code="chat-too-fast")
    await receiver.tell(RelayedChat(sender=sender.participant, box=chat.box))
