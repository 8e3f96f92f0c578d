"""Every reason that a channel of ours can have for not delivering is a sentence on the practice's list."""

import re
from pathlib import Path

import vsdk.adapters.notification
from vsdk.domain.messaging import Reason
from vsdk.widgets.assets import STATIC_FOLDER
from vsdk.widgets.texts import Texts

CHANNELS = Path(vsdk.adapters.notification.__file__).parent
NOT_OF_MESSAGES = {"receipt-invalid", "receipt-refused", "push-subscription-invalid"}
"""what those are told who report to us, or subscribe"""
WORDS = dict(
    re.findall(r"^  '?([a-z-]+)'?: '([a-z-]+)',$", (STATIC_FOLDER / "message-words.js").read_text(), re.M)
)


def codes() -> set[str]:
    found = {
        code for file in CHANNELS.rglob("*.py") for code in re.findall(r'code="([a-z-]+)"', file.read_text())
    }
    return found - NOT_OF_MESSAGES | {reason.value for reason in Reason}


def test_every_code_of_a_channel_has_words() -> None:
    assert len(WORDS) > 25
    assert codes() - set(WORDS) == set()


def test_every_reason_is_a_text() -> None:
    texts = Texts()
    assert [w for w in {*WORDS.values(), "pms", "other"} if not texts.has("en", f"practice.reason-{w}")] == []
