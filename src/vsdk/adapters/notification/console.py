"""SMS and mail for demonstrations: nothing is sent, the last 100 messages are shown on a page.

The page is ``/plugins/console_messages/messages``. Whoever can open it can use the links on it, so this
plugin belongs on a machine of one's own. One line per message, without number, text or link, goes to standard
output.
"""

import html
import re
import sys
from collections import deque
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from vsdk.domain.message import Message, Receipt
from vsdk.domain.messaging import masked
from vsdk.domain.sms import measure
from vsdk.hooks.markers import hookimpl
from vsdk.hooks.ports import Config

KEPT = 100
_LINK = re.compile(r"https?://[^\s<>\"']+")
_NOTHING = {
    "de": "Noch keine Nachrichten.",
    "fr": "Pas encore de messages.",
    "en": "No messages yet.",
}


class ConsoleMessages:
    """What one server would have sent, and the page that shows it (a PageSource)."""

    path = "messages"
    title = "page.messages-title"

    def __init__(self) -> None:
        self.sent: deque[tuple[str, Message]] = deque(maxlen=KEPT)
        """channel and message, newest first"""

    async def body(self, language: str) -> str:
        items = "".join(_item(channel, message) for channel, message in self.sent)
        if not items:
            return f"<p>{html.escape(_NOTHING.get(language, _NOTHING['en']))}</p>"
        return f'<ol class="messages" reversed>{items}</ol>'


class ConsoleChannel:
    """A NotificationChannel that keeps messages instead of sending them."""

    def __init__(self, channel: str, messages: ConsoleMessages) -> None:
        self.channel = channel
        self._messages = messages

    async def deliver(self, message: Message) -> Receipt:
        """Never fails; the same message twice is kept once."""
        if (self.channel, message) not in self._messages.sent:
            self._messages.sent.appendleft((self.channel, message))
            sys.stdout.write(f"{self.channel}: {message.template} to {masked(message.recipient)}\n")
            sys.stdout.flush()
        return Receipt(provider_id=message.idempotency_key)


def _item(channel: str, message: Message) -> str:
    about = html.escape(
        f"{channel} · {message.template} · {masked(message.recipient)}{_length(channel, message)}"
    )
    subject = f"<p><strong>{html.escape(message.subject)}</strong></p>" if message.subject else ""
    text = f'<p lang="{html.escape(message.language)}">{_linked(message.text)}</p>'
    return f"<li><small>{about}</small>{subject}{text}</li>"


def _length(channel: str, message: Message) -> str:
    """How much of how many SMS it takes."""
    if channel != "sms":
        return ""
    length = measure(message.text)
    return f" · {length.encoding} · {length.units} / {length.limit} · {length.segments} SMS"


def _linked(text: str) -> str:
    """The text as HTML, with links to click and lines kept."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        url = html.escape(found[0].rstrip(".,;:!?)"))
        parts.append(html.escape(text[end : found.start()]) + f'<a href="{url}">{url}</a>')
        end = found.start() + len(found[0].rstrip(".,;:!?)"))
    return ("".join(parts) + html.escape(text[end:])).replace("\n", "<br>")


_of_server: WeakKeyDictionary[Config, ConsoleMessages] = WeakKeyDictionary()
"""Both hooks of one server get the same configuration object; two servers in a process share nothing."""


def _messages(config: Config) -> ConsoleMessages:
    return _of_server.setdefault(config, ConsoleMessages())


@hookimpl
def vsdk_notification_channels(config: Config) -> Sequence[ConsoleChannel]:
    return [ConsoleChannel(channel, _messages(config)) for channel in ("sms", "email")]


@hookimpl
def vsdk_pages(config: Config) -> Sequence[ConsoleMessages]:
    return [_messages(config)]
