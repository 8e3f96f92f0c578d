"""The channel that keeps messages for a page."""

import gc
import weakref

import pytest

from vsdk.adapters.notification.console import (
    KEPT,
    ConsoleChannel,
    ConsoleMessages,
    vsdk_notification_channels,
    vsdk_pages,
)
from vsdk.domain.message import Message
from vsdk.hooks.ports import PageSource
from vsdk.testing.contracts import AnyChannelContract
from vsdk.testing.fakes import FakeConfig


def message(number: int = 1, text: str = "Hello", **changes: str) -> Message:
    values = {"recipient": "+491713920001", "template": "link-at-time", "language": "de"} | changes
    return Message(text=text, idempotency_key=f"k{number}", **values)


class TestContract(AnyChannelContract):
    @pytest.fixture
    def adapter(self) -> ConsoleChannel:
        return ConsoleChannel("sms", ConsoleMessages())


async def test_the_page_shows_what_was_delivered_newest_first() -> None:
    config = FakeConfig()
    sms, email = vsdk_notification_channels(config)
    (page,) = vsdk_pages(config)
    assert isinstance(page, PageSource)
    assert "Noch keine" in await page.body("de")
    await sms.deliver(message(1, "first"))
    await email.deliver(message(2, "second", recipient="erika@example.org", subject="About <it>"))
    shown = await page.body("de")
    assert shown.index("second") < shown.index("first")
    assert "+49 … 01" in shown
    assert "e … @example.org" in shown
    assert "About &lt;it&gt;" in shown
    assert "3920001" not in shown


async def test_what_is_shown_is_escaped_and_links_can_be_clicked() -> None:
    page = ConsoleMessages()
    text = (
        "<script>alert(1)</script> https://x.example/v/j?a=1&b=2#h4ndle. https://y.example/\"onclick='x'\nBye"
    )
    await ConsoleChannel("sms", page).deliver(message(1, text, language='"><b>'))
    shown = await page.body("en")
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert '<a href="https://x.example/v/j?a=1&amp;b=2#h4ndle">' in shown
    assert '<a href="https://y.example/">' in shown
    assert "</a>&quot;onclick=&#x27;x&#x27;<br>Bye" in shown
    assert 'href="javascript' not in shown


async def test_only_the_last_hundred_are_kept_and_a_repeated_one_once() -> None:
    page = ConsoleMessages()
    channel = ConsoleChannel("sms", page)
    for number in range(KEPT + 5):
        await channel.deliver(message(number))
        await channel.deliver(message(number))
    assert len(page.sent) == KEPT
    assert page.sent[0][1].idempotency_key == f"k{KEPT + 4}"


async def test_a_line_without_content_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    await ConsoleChannel("sms", ConsoleMessages()).deliver(message(1, "s3cret"))
    assert capsys.readouterr().out == "sms: link-at-time to +49 … 01\n"


async def test_two_servers_in_one_process_share_nothing() -> None:
    one, other = FakeConfig(), FakeConfig()
    await vsdk_notification_channels(one)[0].deliver(message(1, "of the first server"))
    assert "of the first server" in await vsdk_pages(one)[0].body("en")
    assert "of the first server" not in await vsdk_pages(other)[0].body("en")


def test_messages_go_with_their_server() -> None:
    config = FakeConfig()
    kept = weakref.ref(vsdk_pages(config)[0])
    assert kept() is not None
    del config
    gc.collect()
    assert kept() is None
