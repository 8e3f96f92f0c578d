"""``vsdk user``: accounts of the practice, and the server that lets those people in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.cli.conftest import Vsdk

from vsdk.sdk import VideoSdk
from vsdk.settings import Settings

PASSWORD = "quiet otters swim home"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What comes on standard input."""

    def use(text: str) -> None:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return use


@pytest.fixture
def accounts(config: Path) -> Path:
    """The practice `park` lets its own accounts in."""
    text = config.read_text(encoding="utf-8")
    text = text.replace('"console_messages"]', '"console_messages", "accounts"]')
    text = text.replace('name = "Praxis am Park"', 'name = "Praxis am Park"\nidentity_provider = "accounts"')
    config.write_text(text, encoding="utf-8")
    return config


def signed_in(config: Path, password: str, login: str = "berg") -> int:
    video = VideoSdk(Settings.load(str(config)))
    with TestClient(video) as client:
        body = {"practice": "park", "params": {"login": login, "password": password}}
        return client.post("/api/v1/sign-in", json=body).status_code


def test_somebody_who_was_added_can_sign_in(accounts: Path, vsdk: Vsdk, typed: Callable[[str], None]) -> None:
    typed(f"{PASSWORD}\n")
    done = vsdk("user", "add", "Berg", "--practice", "park", "--name", "Dr. Katharina Berg")
    assert (done.code, done.out, done.err) == (0, "berg may sign in for park as practitioner.\n", "")
    assert signed_in(accounts, PASSWORD) == 200
    assert signed_in(accounts, PASSWORD + "!") == 401
    rows = vsdk("user", "list", "--format", "jsonl").out.splitlines()
    [row] = [json.loads(line) for line in rows]
    assert (row["practice"], row["login"], row["role"], row["signed_in"]) == (
        "park",
        "berg",
        "practitioner",
        1,
    )
    assert "argon2" not in rows[0]
    assert "Dr. Katharina Berg" in vsdk("user", "list").out


def test_a_generated_password_is_shown_once_and_works(accounts: Path, vsdk: Vsdk) -> None:
    done = vsdk("user", "add", "meier", "--practice", "park", "--role", "staff", "--generate")
    password = done.out.splitlines()[0].removeprefix("Password: ")
    assert len(password) == 20
    assert signed_in(accounts, password, "meier") == 200
    assert password not in vsdk("user", "list").out


def test_a_new_password_and_a_removal_sign_out_everywhere(
    accounts: Path, vsdk: Vsdk, typed: Callable[[str], None]
) -> None:
    typed(f"{PASSWORD}\n")
    vsdk("user", "add", "berg", "--practice", "park")
    assert signed_in(accounts, PASSWORD) == 200
    typed("another quiet otter\n")
    done = vsdk("user", "password", "berg", "--practice", "park")
    assert done.out == "berg has a new password and is signed out everywhere.\n"
    assert json.loads(vsdk("user", "list", "--format", "jsonl").out)["signed_in"] == 0
    assert signed_in(accounts, PASSWORD) == 401
    assert signed_in(accounts, "another quiet otter") == 200
    assert vsdk("user", "remove", "berg", "--practice", "park").code == 0
    assert vsdk("user", "list", "--format", "jsonl").out == ""
    assert signed_in(accounts, "another quiet otter") == 401


def test_mistakes_have_their_code(accounts: Path, vsdk: Vsdk, typed: Callable[[str], None]) -> None:
    typed("short\n")
    weak = vsdk("user", "add", "berg", "--practice", "park")
    assert (weak.code, weak.err.split(":")[1]) == (2, " password-weak")
    unnamed = vsdk("user", "add", "berg", "--generate")
    assert unnamed.code == 2
    assert "park, mitte" in unnamed.err
    assert vsdk("user", "add", "berg", "--practice", "nowhere", "--generate").code == 2
    vsdk("user", "add", "berg", "--practice", "park", "--generate")
    taken = vsdk("user", "add", " BERG ", "--practice", "park", "--generate")
    assert (taken.code, taken.err.split(":")[1]) == (1, " account-exists")
    unknown = vsdk("user", "remove", "nobody", "--practice", "park")
    assert (unknown.code, unknown.err.split(":")[1]) == (1, " account-unknown")


def test_an_account_that_nobody_is_asked_for_is_said_so(config: Path, vsdk: Vsdk) -> None:
    done = vsdk("user", "add", "berg", "--practice", "mitte", "--generate")
    assert done.code == 0
    assert 'identity_provider = "accounts" for mitte' in done.err
