"""``docs/protocol.md``, the wire messages and the conformance file say the same."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from vsdk.domain.errors import UsageError
from vsdk.server import messages, signalling

Sections = Callable[[str, str], dict[str, str]]
CONFORMANCE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "conformance" / "signalling.json").read_text(encoding="utf-8")
)
VALID, INVALID = CONFORMANCE["valid"], CONFORMANCE["invalid"]["browser"]
RELAYED = {"offer", "answer", "ice"}
IN_WORDS = {"welcome", "queue", "admitted", "error"}
"""whose fields the document describes with their own fields"""


def types_of(union: Any) -> dict[str, list[type[BaseModel]]]:
    found: dict[str, list[type[BaseModel]]] = {}
    for model in get_args(union):
        for name in get_args(model.model_fields["type"].annotation):
            found.setdefault(name, []).append(model)
    return found


BROWSER, SERVER = types_of(messages.BrowserMessage), types_of(messages.ServerMessage)


def rows(section: str) -> dict[str, str]:
    """Message types of a table, each with its cell of fields."""
    found: dict[str, str] = {}
    for names, fields in re.findall(r"^\| (`[\w-]+`(?:, `[\w-]+`)*) \| ([^|]*)\|", section, re.MULTILINE):
        found |= dict.fromkeys(re.findall(r"[\w-]+", names), fields)
    return found


def dumped(message: Any) -> str:
    return json.dumps(message, ensure_ascii=False)


@pytest.mark.parametrize(
    ("heading", "known"),
    [("From the browser", BROWSER), ("From the server", SERVER)],
    ids=["browser", "server"],
)
def test_exactly_the_messages_that_exist_are_described(
    heading: str, known: dict[str, list[type[BaseModel]]], sections: Sections
) -> None:
    described = rows(sections("protocol.md", "###")[heading])
    assert set(described) == set(known)
    for name, models in known.items():
        for model in models:
            for field, info in model.model_fields.items():
                wire = info.alias or field
                relayed = name in RELAYED and heading == "From the server"
                if wire not in ("type", "id") and not relayed:
                    assert f"`{wire}`" in described[name], (name, wire)


def test_exactly_the_closing_codes_that_are_used_are_described(page: Callable[[str], str]) -> None:
    described = set(
        map(int, re.findall(r"\b(4\d{3})\b(?=[^|]*\|)", page("protocol.md").partition("close code")[2]))
    )
    used = {
        signalling.BAD_HELLO,
        signalling.BAD_GRANT,
        signalling.CLOSED_TO_YOU,
        signalling.NO_HELLO,
        signalling.TAKEN_OVER,
        signalling.TOO_MANY,
    }
    assert described == used


def test_the_figures_of_the_document_are_those_of_the_code(page: Callable[[str], str]) -> None:
    text = page("protocol.md")
    assert messages.MAX_BYTES == 64 * 1024
    assert "64 KiB" in text
    assert f"within {signalling.HELLO_WITHIN:.0f} seconds" in text
    assert f"more than {signalling.MESSAGES_PER_SECOND} messages a second" in text
    assert messages.SUBPROTOCOL in text


@pytest.mark.parametrize("message", VALID["browser"], ids=dumped)
def test_what_a_page_may_send_is_read(message: dict[str, Any]) -> None:
    assert messages.read(dumped(message)).type == message["type"]


@pytest.mark.parametrize("message", VALID["server"], ids=dumped)
def test_what_the_server_may_send_is_one_of_its_messages(message: dict[str, Any]) -> None:
    assert messages._SERVER.validate_python(message).type == message["type"]


@pytest.mark.parametrize("case", INVALID, ids=dumped)
def test_what_a_page_may_not_send_is_refused_with_its_code(case: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        messages.read(dumped(case["message"]))
    assert caught.value.code == case["code"]


def test_the_conformance_file_has_every_message_of_both_sides() -> None:
    assert {m["type"] for m in VALID["browser"]} == set(BROWSER)
    assert {m["type"] for m in VALID["server"]} == set(SERVER)
    assert CONFORMANCE["sequences"]


def test_what_the_sequences_receive_is_what_the_server_sends() -> None:
    for sequence in CONFORMANCE["sequences"]:
        for step in sequence["steps"]:
            if "receive" in step:
                try:
                    messages._SERVER.validate_python(step["receive"])
                except ValidationError as error:
                    unknown = error.errors()[0]["type"] == "union_tag_invalid"
                    assert unknown, (sequence["name"], step["receive"])
