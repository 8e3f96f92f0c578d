"""``vsdk plugins``, ``audit``, ``check``, and what happens on wrong usage."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Result, Vsdk, appointment

from vsdk.domain.errors import Conflict
from vsdk.store.sql import SqlStore


def test_plugins_are_listed_with_their_state_and_place_in_the_order(vsdk: Vsdk) -> None:
    result = vsdk("plugins")
    assert result.code == 0
    states = {line.split()[0]: line for line in result.out.splitlines()}
    assert "enabled (1)" in states["standard_plan"]
    assert "enabled (2)" in states["console_messages"]
    assert "installed, not enabled" in states["folder_schedule"]
    assert "vsdk 0" in states["local_login"]


def test_a_missing_plugin_is_seen(vsdk: Vsdk, config: Path) -> None:
    config.write_text(config.read_text().replace('"console_messages"', '"gone_sms"'))
    result = vsdk("plugins")
    assert result.code == 1
    assert any(
        line.split() == ["gone_sms", "enabled,", "not", "installed"] for line in result.out.splitlines()
    )
    started = vsdk("check")
    assert (started.code, "plugin-not-installed" in started.err) == (2, True)


def test_the_audit_trail_says_what_happened_without_names(vsdk: Vsdk, tmp_path: Path) -> None:
    assert (vsdk("audit").code, vsdk("audit").out) == (0, "")
    (tmp_path / "a.json").write_text(json.dumps(appointment()))
    vsdk("links", str(tmp_path / "a.json"))
    vsdk("links", "--practice", "mitte", str(tmp_path / "a.json"))
    table = vsdk("audit")
    assert table.code == 0
    assert [line.split()[4] for line in table.out.splitlines()] == ["visit-planned", "visit-planned"]
    assert "Sommerfeld" not in table.out
    (entry,) = (
        json.loads(x) for x in vsdk("audit", "--practice", "mitte", "--format", "jsonl").out.splitlines()
    )
    assert (entry["practice_id"], entry["what"]) == ("mitte", "visit-planned")
    assert len(vsdk("audit", "--visit", entry["visit_id"]).out.splitlines()) == 1
    assert vsdk("audit", "--visit", "none") == Result(0, "", "")


def test_check_shows_the_settings_without_secrets_and_reaches_the_database(vsdk: Vsdk) -> None:
    result = vsdk("check")
    assert result.code == 0
    shown, _, rest = result.out.partition("\n}\n")
    settings = json.loads(shown + "\n}")
    assert settings["practices"][0]["name"] == "Praxis am Park"
    assert settings["practices"][0]["api_key"] == settings["signing_key"] == "**********"
    assert "s3cret" not in result.out + result.err
    assert "plugins:    standard_plan, console_messages" in rest
    assert "links open: 0:15:00 before the start, until 1:00:00 after it" in rest
    assert "database:   answers" in rest


def test_check_hides_the_password_in_the_address_of_a_database(
    vsdk: Vsdk, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql+asyncpg://vsdk:pw-s3cret@localhost:1/vsdk"
    lines = config.read_text().splitlines()
    config.write_text("\n".join(f'database = "{address}"' if "database" in line else line for line in lines))

    class Unreachable(SqlStore):
        def __init__(self, _: str) -> None:
            super().__init__("sqlite+aiosqlite://")

        async def open(self) -> None:
            raise Conflict("not reachable in this test")

    monkeypatch.setattr("vsdk.sdk.SqlStore", Unreachable)
    result = vsdk("check")
    assert result.code == 1
    assert "postgresql+asyncpg://vsdk:**********@localhost:1/vsdk" in result.out
    assert "s3cret" not in result.out + result.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "park"', 'id = "Park Praxis"', "practices.0.id"),
        ('base_url = "https://praxis.example/video"', 'base_url = "praxis"', "base_url"),
        ('name = "Praxis am Park"', 'name = "Praxis am Park"\ntypo = 1', "practices.0.typo"),
        ('{ env = "TEST_API_KEY" }', '"s3cret-in-the-file"', "api_key"),
        ('{ env = "TEST_API_KEY" }', '{ env = "NOT_SET_ANYWHERE" }', "NOT_SET_ANYWHERE"),
        ('{ env = "TEST_API_KEY" }', '{ file = "not-there" }', "not-there"),
        ("[[practices]]", "[[practices", "not valid TOML"),
        ('"console_messages"]', '"console_messages", "typo"]', "'typo'"),
    ],
)
@pytest.mark.parametrize("command", [("check",), ("links", "x.json"), ("serve",)])
def test_wrong_settings_end_with_2_and_a_sentence(
    vsdk: Vsdk,
    config: Path,
    command: tuple[str, ...],
    old: str,
    new: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vsdk.server.logs.configure", lambda: None)
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new, 1))
    result = vsdk(*command)
    assert result.code == 2
    assert result.err.startswith("vsdk: ")
    assert said in result.err
    assert "Traceback" not in result.err
    assert "s3cret" not in result.out + result.err


def with_database(config: Path, address: str) -> None:
    lines = config.read_text().splitlines()
    config.write_text("\n".join(f'database = "{address}"' if "database" in line else line for line in lines))


@pytest.mark.parametrize("command", [("check",), ("audit",), ("links", "x.json")])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3cret", "no SQLAlchemy address"),
        ("sqlite:////tmp/s3cret", "an asynchronous driver"),
        ("postgresql+asyncpg://vsdk:s3cret@localhost:1/x", "not installed: asyncpg"),
        ("oracle+s3cret://x", "no SQLAlchemy address"),
    ],
)
def test_an_address_that_leads_to_no_database_is_said(
    vsdk: Vsdk, config: Path, command: tuple[str, ...], address: str, said: str
) -> None:
    with_database(config, address)
    result = vsdk(*command)
    assert result.code == 2
    assert result.err.startswith("vsdk: configuration-error: database: ")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert "s3cret" not in result.err


@pytest.mark.parametrize("command", [("check",), ("audit",), ("links", "x.json")])
@pytest.mark.parametrize(
    ("file", "said"),
    [("not-there/x.sqlite3", "cannot open its file: No such file"), ("x.txt", "file is not a database")],
)
def test_a_database_that_cannot_be_had_is_one_sentence(
    vsdk: Vsdk, config: Path, tmp_path: Path, command: tuple[str, ...], file: str, said: str
) -> None:
    (tmp_path / "x.txt").write_text("s3cret, and certainly nothing of SQLite " * 99)
    with_database(config, f"sqlite+aiosqlite:///{tmp_path}/{file}")
    result = vsdk(*command)
    assert result.code == 1
    assert result.err.startswith(f"vsdk: database-failed: {said}")
    assert result.err.count("\n") == 1
    assert "s3cret" not in result.err


@pytest.mark.parametrize(
    "arguments", [(), ("fly",), ("links",), ("links", "--format", "xml", "x"), ("serve", "--port", "x")]
)
def test_wrong_usage_ends_with_2(vsdk: Vsdk, arguments: tuple[str, ...]) -> None:
    result = vsdk(*arguments)
    assert result.code == 2
    assert "usage: vsdk" in result.err


def test_a_config_that_is_not_there_is_said(vsdk: Vsdk, tmp_path: Path) -> None:
    result = vsdk("--config", str(tmp_path / "none.toml"), "check")
    assert result.code == 2
    assert "none.toml" in result.err


def test_the_option_is_stronger_than_the_environment(vsdk: Vsdk, config: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(config.read_text().replace("Praxis am Park", "Praxis am See"))
    assert "Praxis am See" in vsdk("--config", str(other), "check").out


def test_check_says_which_schedule_source_does_not_answer(vsdk: Vsdk, config: Path) -> None:
    text = config.read_text().replace('"standard_plan", ', '"standard_plan", "fhir_schedule", ')
    text = text.replace('name = "Praxis am Park"', 'name = "Praxis am Park"\nschedule_source = "fhir"')
    config.write_text(text + '[plugin.fhir_schedule.park]\nbase_url = "http://127.0.0.1:9/fhir"\n')
    result = vsdk("check")
    assert result.code == 1
    assert "database:   answers" in result.out
    assert "fhir, park: partner-error: 127.0.0.1 could not be reached" in result.err
