"""The HTML part of a mail, made of the same words as its text: nothing to load, one button."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined

from vsdk.widgets.wording import kept

LABELS = ("open", "list", "otherwise", "stop")
"""what a mail says beside its text: on the button to the visit, or to the list, above the written link, and
before the address where one can refuse messages"""

_PIECES = re.compile(r"\{(\w+)\}")
_BUTTONS = {"url": "open", "list_url": "list"}
"""placeholders that are links, each with the key of what its button says"""
_WHEN = ("date", "time", "expected")
"""what somebody looks for who reads nothing else"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: words, or something to click on where there is ``href``."""

    text: str
    href: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines, and the button that follows them, if any."""

    lines: list[list[Piece]]
    label: str = ""
    link: str = ""


class Mail:
    """Fills the one template that all mails have."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("vsdk.widgets"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._template = environment.get_template("mail.html")

    def html(
        self,
        language: str,
        subject: str,
        text: str,
        values: Mapping[str, str],
        labels: Mapping[str, str],
        stop: str = "",
    ) -> str:
        """``text`` still has its placeholders. ``labels`` has a text for each of `LABELS`; ``stop`` is the
        address where one can refuse messages."""
        return self._template.render(
            language=language,
            direction=Locale.parse(language).text_direction,
            subject=subject,
            practice=values["practice"],
            paragraphs=_paragraphs(kept(text, values), values, labels),
            otherwise=labels["otherwise"],
            stop_label=labels["stop"],
            stop=stop,
        )


def _paragraphs(text: str, values: Mapping[str, str], labels: Mapping[str, str]) -> list[Paragraph]:
    """The first link becomes a button below its paragraph, and is left out there if it comes last."""
    paragraphs: list[Paragraph] = []
    button = next((name for name in _PIECES.findall(text) if name in _BUTTONS), None)
    for block in re.split(r"\n\s*\n", text):
        lines = [pieces for line in block.splitlines() if (pieces := _pieces(line, values))]
        link = values[button] if button else ""
        if not link or all(piece.href != link for line in lines for piece in line):
            paragraphs.append(Paragraph(lines))
            continue
        if lines[-1][-1].href == link:
            lines[-1].pop()
        paragraphs.append(Paragraph([line for line in lines if line], labels[_BUTTONS[str(button)]], link))
        button = None
    return paragraphs


def _pieces(line: str, values: Mapping[str, str]) -> list[Piece]:
    pieces: list[Piece] = []
    for index, part in enumerate(_PIECES.split(line)):
        if index % 2 == 0:
            piece = Piece(part)
        elif part in _BUTTONS:
            piece = Piece(values[part], values[part])
        elif part == "phone":
            piece = Piece(values[part], f"tel:{re.sub(r'[^+0-9]', '', values[part])}")
        else:
            piece = Piece(values.get(part, f"{{{part}}}"), strong=part in _WHEN)
        if piece.text:
            pieces.append(piece)
    return pieces
