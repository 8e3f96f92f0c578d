"""Renders a message with usual values, of which a test names only what matters to it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from vsdk.domain.message import MessageText
from vsdk.domain.messaging import KINDS
from vsdk.testing.factories import NOON, PATIENT, a_practice, an_appointment
from vsdk.widgets.messages import Messages
from vsdk.widgets.texts import Texts

URL = "https://praxis-am-park.example/video/j#AAAAAAAAAAAAAAAAAAAAAA"
LIST_URL = "https://praxis-am-park.example/video/practice/praxis-am-park"
TEMPLATES = list(KINDS)
TO_TEAM = [template for template, kind in KINDS.items() if kind.to_team]
TO_PATIENTS = [template for template in TEMPLATES if template not in TO_TEAM]
MESSAGES = Messages(Texts())


def message(
    template: str, language: str, kind: str, messages: Messages = MESSAGES, **changes: Any
) -> MessageText:
    values: dict[str, Any] = {
        "practice": a_practice(),
        "appointment": an_appointment(),
        "participant": None if template in TO_TEAM else PATIENT,
        "url": None if template in TO_TEAM else URL,
        "list_url": LIST_URL,
        "now": NOON - timedelta(minutes=10),
        "values": {"minutes": "15", "what": "invitation", "code": "no-address"},
        "sequence": 1,
    }
    return messages.render(template, language, kind, **(values | changes))


def with_texts(folder: Path, language: str, **texts: str) -> Messages:
    """With a catalogue of a plugin's, of which ``__`` in keys stands for a dot."""
    (folder / language).mkdir(parents=True, exist_ok=True)
    entries = [f'msgid "{key.replace("__", ".")}"\nmsgstr "{text}"\n' for key, text in texts.items()]
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    (folder / language / "plugin.po").write_text("\n".join([header, *entries]), encoding="utf-8")
    return Messages(Texts([folder]))
