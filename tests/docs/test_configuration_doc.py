"""``docs/configuration.md`` against the settings model, and against the sections of installed plugins."""

import inspect
import json
import re
from collections.abc import Callable
from datetime import time
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from vsdk import Settings
from vsdk.adapters.identity.oidc_settings import OidcClient
from vsdk.adapters.identity.pms_token_settings import PmsIssuer
from vsdk.adapters.scheduling.fhir import source_settings
from vsdk.adapters.scheduling.fhir.following.notification_settings import NotificationSettings
from vsdk.adapters.scheduling.fhir.following.window_settings import SearchSettings
from vsdk.service.registry import installed
from vsdk.settings import ClientSettings, FhirSettings, MessageSettings, PracticeSettings, TurnSettings

Sections = Callable[[str, str], dict[str, str]]
ROW = re.compile(
    r"^\| `(?P<key>\w+)` \| (?P<type>[^|]+) \| (?P<default>[^|]+) \| (?P<meaning>.+) \|$", re.MULTILINE
)
MODELS: dict[str, type[BaseModel]] = {
    "Settings": Settings,
    "Practices": PracticeSettings,
    "FHIR": FhirSettings,
    "Clients": ClientSettings,
    "Messages": MessageSettings,
    "TURN": TurnSettings,
}
WORDS = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    SecretStr: "secret",
    Path: "path",
    time: "local time",
}
ELSEWHERE = {
    ("Settings", "plugin"): ("table of tables", "`{}`"),
    ("Settings", "practices"): ("list of tables", "one practice"),
    ("Settings", "turn"): ("table", "none"),
    ("Practices", "fhir"): ("table", "defaults"),
    ("Practices", "clients"): ("list of tables", "`[]`"),
    ("Practices", "messages"): ("table", "defaults"),
    ("Practices", "identity_provider"): ("text or list of text", "none"),
    ("Messages", "texts"): ("table of tables", "`{}`"),
    ("plugin.local_login", "codes"): ("table of secrets", "required"),
    ("One server", "access"): ("table", "none needed"),
    ("One server", "tls"): ("table", "none"),
    ("One server", "search"): ("table", "defaults"),
    ("One server", "notifications"): ("table", "defaults"),
    ("access: smart-backend", "token_endpoint"): ("text", '`""`'),
    ("search", "parameters"): ("table", "`{}`"),
    ("plugin.fhir_messages", "access"): ("table", "none needed"),
    ("plugin.fhir_messages", "tls"): ("table", "none"),
    ("plugin.https_sms", "headers"): ("table of text", "`{}`"),
    ("plugin.https_sms", "errors"): ("table of text", "`{}`"),
    ("plugin.https_sms", "statuses"): ("table of text", "`{}`"),
    ("plugin.https_sms", "body"): ("table", "required"),
    ("plugin.https_sms", "receipts"): ("table", "none"),
    **{
        (f"plugin.{name}", "senders"): ("table of text", "`{}`")
        for name in ("seven_sms", "ovh_sms", "twilio_sms", "https_sms", "smtp_mail")
    },
}
"""tables, which have no simple type"""


def type_word(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is list:
        return f"list of {type_word(get_args(annotation)[0])}"
    if getattr(annotation, "__metadata__", None):
        return type_word(get_args(annotation)[0])
    if literals := get_args(annotation):
        return type_word(type(literals[0]))
    return WORDS[annotation]


def default_word(default: Any) -> str:
    if default is PydanticUndefined:
        return "required"
    return "none" if default is None else f"`{json.dumps(default)}`"


def rows(text: str) -> dict[str, tuple[str, str]]:
    found = {row["key"]: (row["type"], row["default"]) for row in ROW.finditer(text)}
    assert all(len(row["meaning"]) > 10 for row in ROW.finditer(text))
    return found


def expected(where: str, model: type[BaseModel]) -> dict[str, tuple[str, str]]:
    return {
        name: ELSEWHERE.get((where, name)) or (type_word(f.annotation), default_word(f.default))
        for name, f in model.model_fields.items()
    }


@pytest.mark.parametrize("where", MODELS)
def test_every_key_is_described_with_type_and_default(where: str, sections: Sections) -> None:
    assert rows(sections("configuration.md", "##")[where]) == expected(where, MODELS[where])


@pytest.mark.parametrize("where", MODELS)
def test_every_key_describes_itself(where: str) -> None:
    for name, field in MODELS[where].model_fields.items():
        if (where, name) not in {("Practices", "id")}:
            assert field.description or name in ("name",)


SERVER: dict[str, type[BaseModel]] = {
    "One server": source_settings.SourceSettings,
    "access: bearer": source_settings.BearerAccess,
    "access: basic": source_settings.BasicAccess,
    "access: smart-backend": source_settings.SmartAccess,
    "tls": source_settings.TlsSettings,
    "search": SearchSettings,
    "notifications": NotificationSettings,
    "One OpenID provider": OidcClient,
    "One signing system": PmsIssuer,
}
"""the parts of a section of `fhir_schedule`, `oidc` and `pms_token`"""


@pytest.mark.parametrize("where", SERVER)
def test_every_key_of_a_fhir_server_is_described(where: str, sections: Sections) -> None:
    assert rows(sections("configuration.md", "####")[where]) == expected(where, SERVER[where])


OURS = sorted(name for name in installed() if name != "acme_sms")
"""the plugin of the tutorial is described there"""


@pytest.mark.parametrize("plugin", OURS)
def test_the_section_of_each_installed_plugin_is_described(plugin: str, sections: Sections) -> None:
    module = installed()[plugin].load()
    models = [
        m
        for _, m in inspect.getmembers(module, inspect.isclass)
        if issubclass(m, BaseModel) and m.__module__ == module.__name__
    ]
    where = f"[plugin.{plugin}]"
    section = sections("configuration.md", "###")[where]
    if not models and plugin not in ("fhir_schedule", "oidc", "pms_token"):
        assert section.strip().startswith("No settings.")
    for model in models:
        assert rows(section) == expected(f"plugin.{plugin}", model)


def test_the_example_is_valid(sections: Sections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    code = tmp_path / "code"
    code.write_text("code-of-nobody-at-all\n", encoding="utf-8")
    file = tmp_path / "vsdk.toml"
    file.write_text(example.replace("/run/secrets/park-code", str(code)), encoding="utf-8")
    monkeypatch.setenv("PARK_API_KEY", "key-of-nobody")
    settings = Settings.load(file)
    assert settings.practices[0].id == "park"
    assert settings.plugin["local_login"]["codes"]["park"].get_secret_value() == "code-of-nobody-at-all"
