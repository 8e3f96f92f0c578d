"""The settings: what is taken, what is refused, and that no value is ever shown."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from vsdk.domain.errors import ConfigurationError
from vsdk.settings import PluginConfig, Settings

VALUE = "m4rk-of-a-value"
PRACTICE = {"id": "park", "name": "Praxis am Park"}


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VSDK_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.of(data)
    assert caught.value.code == "configuration-error"
    text = f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert VALUE not in caught.value.detail
    assert VALUE not in text or caught.value.__suppress_context__
    return caught.value.detail


# what is taken


def test_the_defaults_serve_a_demonstration_on_this_machine() -> None:
    settings = Settings.load()
    assert settings.base_url == "http://localhost:8000"
    assert settings.plugins == []
    assert [p.id for p in settings.practices] == ["practice"]
    assert settings.signing_key is None


def test_a_file_is_read_with_everything_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARK_API_KEY", "the-api-key")
    (tmp_path / "turn").write_text("the-turn-secret\n", encoding="utf-8")
    (tmp_path / "some.toml").write_text(
        """
        base_url = "https://praxis.example/video/"
        plugins = ["acme_sms", "standard_plan"]
        grant_minutes = 5

        [[practices]]
        id = "park"
        name = "Praxis am Park"
        time_zone = "Europe/Vienna"
        api_key = { env = "PARK_API_KEY" }

        [[practices]]
        id = "see"
        name = "Praxis am See"

        [plugin.acme_sms]
        sender = "Praxis"

        [turn]
        urls = ["turn:turn.praxis.example:3478"]
        secret = { file = "turn" }
        """,
        encoding="utf-8",
    )
    settings = Settings.load(tmp_path / "some.toml")
    assert settings.base_url == "https://praxis.example/video", "no slash at the end"
    assert settings.plugins == ["acme_sms", "standard_plan"]
    park, see = settings.practices
    assert park.api_key
    assert park.api_key.get_secret_value() == "the-api-key"
    assert see.api_key is None
    assert str(park.practice(settings.base_url).time_zone) == "Europe/Vienna"
    assert settings.turn
    assert settings.turn.secret.get_secret_value() == "the-turn-secret", "without the end of the line"
    assert "the-api-key" not in repr(settings) + str(settings)
    assert "the-turn-secret" not in repr(settings) + str(settings)


def test_where_the_server_was_before_is_known_to_each_practice() -> None:
    known = PluginConfig(
        Settings.of(
            {
                "base_url": "https://new.example",
                "former_base_urls": ["https://old.example/video/", "http://older.example"],
                "practices": [{"id": "park", "name": "Park"}],
            }
        )
    )
    conventions = known.practices[0].fhir
    assert (conventions.link_address, conventions.list_address) == (
        "https://new.example/j#",
        "https://new.example/practice/park",
    )
    assert conventions.former_link_addresses == ("https://old.example/video/j#", "http://older.example/j#")
    assert conventions.former_list_addresses == (
        "https://old.example/video/practice/park",
        "http://older.example/practice/park",
    )


def test_the_file_is_the_one_given_then_that_of_the_environment_then_vsdk_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, port in (("given", 1), ("environment", 2), ("vsdk", 3)):
        (tmp_path / f"{name}.toml").write_text(f'base_url = "http://localhost:{port}"', encoding="utf-8")
    assert Settings.load().base_url == "http://localhost:3"
    monkeypatch.setenv("VSDK_CONFIG", str(tmp_path / "environment.toml"))
    assert Settings.load().base_url == "http://localhost:2"
    assert Settings.load(tmp_path / "given.toml").base_url == "http://localhost:1"


def test_no_other_variable_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "VSDK_BASE_URL", "DATABASE", "VSDK_DATABASE"):
        monkeypatch.setenv(name, "http://elsewhere.example")
    assert Settings.load() == Settings()


# files that cannot be read


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*none\.toml: No such file"):
        Settings.load(tmp_path / "none.toml")
    monkeypatch.setenv("VSDK_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        Settings.load()


def test_what_is_no_toml_or_no_text_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "vsdk.toml"
    file.write_text(f'base_url = "http://localhost"\nplugins = {VALUE}', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"not valid TOML: .*line 2") as caught:
        Settings.load()
    assert VALUE not in caught.value.detail
    file.write_bytes(b'base_url = "\xff"')
    with pytest.raises(ConfigurationError, match="not text in UTF-8"):
        Settings.load()


# what is refused


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"base_uri": VALUE}, "base_uri"),
        ({"practices": [PRACTICE | {"phon": VALUE}]}, "practices.0.phon"),
        ({"turn": {"urls": ["turn:x"], "user": VALUE}}, "turn.user"),
    ],
)
def test_an_unknown_key_is_named(data: dict[str, Any], key: str) -> None:
    assert key in refusal(data)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"signing_key": VALUE * 3}, "signing_key"),
        ({"practices": [PRACTICE | {"api_key": VALUE}]}, "practices.0.api_key"),
        ({"turn": {"urls": ["turn:x"], "secret": VALUE}}, "turn.secret"),
    ],
)
def test_a_secret_is_never_given_in_clear(data: dict[str, Any], key: str) -> None:
    detail = refusal(data)
    assert key in detail
    assert 'a secret is given as { env = "NAME" } or { file = "path" }' in detail


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"base_url": f"ftp://{VALUE}"}, "base_url"),
        ({"base_url": VALUE}, "base_url"),
        ({"base_url": f"https://praxis.example/?{VALUE}"}, "base_url"),
        ({"base_url": f"https://praxis.example/#{VALUE}"}, "base_url"),
        ({"base_url": "https://"}, "base_url"),
        ({"former_base_urls": ["https://praxis.example", VALUE]}, "former_base_urls"),
        ({"practices": [PRACTICE | {"time_zone": VALUE}]}, "practices.0.time_zone"),
        ({"practices": [PRACTICE | {"id": f"{VALUE}/.."}]}, "practices.0.id"),
        ({"practices": [PRACTICE | {"name": ""}]}, "practices.0.name"),
        ({"practices": []}, "practices"),
        ({"practices": VALUE}, "practices"),
        ({"grant_minutes": 0}, "grant_minutes"),
        ({"grant_minutes": 61}, "grant_minutes"),
        ({"grant_minutes": VALUE}, "grant_minutes"),
        ({"poll_seconds": 0}, "poll_seconds"),
        ({"exchanges_per_minute": 0}, "exchanges_per_minute"),
        ({"languages": []}, "languages"),
        ({"compliance_required": VALUE}, "compliance_required"),
        ({"plugin": {"acme": VALUE}, "plugins": ["acme"]}, "plugin.acme"),
        ({"turn": {"urls": []}}, "turn.urls"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key_and_not_shown(data: dict[str, Any], key: str) -> None:
    detail = refusal(data)
    assert key in detail
    assert detail.startswith("in settings: ")


def test_all_mistakes_are_told_at_once() -> None:
    detail = refusal({"base_url": VALUE, "grant_minutes": 0, "nothing": 1})
    assert all(key in detail for key in ("base_url", "grant_minutes", "nothing"))


def test_two_practices_of_the_same_id_are_refused() -> None:
    assert "two practices have the same id" in refusal({"practices": [PRACTICE, PRACTICE]})


def test_a_section_of_a_plugin_that_is_not_enabled_is_refused() -> None:
    detail = refusal({"plugins": ["standard_plan"], "plugin": {"acme_sms": {"token": VALUE}}})
    assert "plugins that are not enabled: acme_sms" in detail


def test_a_signing_key_must_be_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", VALUE)
    assert "at least 32 characters" in refusal({"signing_key": {"env": "KEY"}})
    monkeypatch.setenv("KEY", "x" * 32)
    assert Settings.of({"signing_key": {"env": "KEY"}}).signing_key == SecretStr("x" * 32)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().base_url = "http://elsewhere.example"  # type: ignore[misc]


# secrets by reference


def test_a_variable_that_is_missing_is_named_with_the_key_that_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("THERE_IS_NONE", raising=False)
    detail = refusal({"practices": [PRACTICE | {"api_key": {"env": "THERE_IS_NONE"}}]})
    assert "practices[0].api_key: the environment variable THERE_IS_NONE is not set" in detail


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert f"settings.signing_key: cannot read {missing}" in refusal({"signing_key": {"file": str(missing)}})
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff" + VALUE.encode())
    assert "not text in UTF-8" in refusal({"signing_key": {"file": str(binary)}})


def test_a_reference_says_one_thing_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "x" * 32)
    detail = refusal({"signing_key": {"env": "KEY", "file": VALUE}})
    assert "a secret is given as" in detail


# what a plugin sees


class AcmeConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: SecretStr
    retries: int = 3


def config(section: dict[str, Any]) -> PluginConfig:
    return PluginConfig(Settings.of({"plugins": ["acme"], "plugin": {"acme": section}}))


def test_a_plugin_gets_its_section_validated_and_its_secrets_resolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "the-token")
    section = config({"token": {"env": "ACME_TOKEN"}, "retries": 5}).plugin("acme", AcmeConfig)
    assert (section.token.get_secret_value(), section.retries) == ("the-token", 5)
    assert "the-token" not in repr(section)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({}, "token"),
        ({"token": "t", "retries": VALUE}, "retries"),
        ({"token": "t", "retrys": VALUE}, "retrys"),
        ({"token": ["t", VALUE]}, "token"),
    ],
)
def test_a_wrong_section_is_refused_by_its_key_and_not_shown(section: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config(section).plugin("acme", AcmeConfig)
    assert caught.value.detail.startswith(f"in plugin.acme: {key}: ")
    assert VALUE not in caught.value.detail


def test_a_plugin_knows_the_address_and_the_practices_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", VALUE)
    settings = Settings.of({"practices": [PRACTICE | {"api_key": {"env": "KEY"}}]})
    known = PluginConfig(settings)
    assert known.base_url == settings.base_url
    assert [(p.id, p.name, str(p.time_zone)) for p in known.practices] == [
        ("park", "Praxis am Park", "Europe/Berlin")
    ]
    assert {name for name in dir(known) if not name.startswith("_")} == {"base_url", "plugin", "practices"}
