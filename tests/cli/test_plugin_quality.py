"""``vsdk check plugin``: real packages in an environment of their own, from a template, and a bad one."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsdk.scaffold.naming import PluginName
from vsdk.scaffold.project import KINDS, files_of
from vsdk.scaffold.writing import write

ROOT = Path(__file__).parents[2]
BAD = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "bad-sms"
version = "0.1.0"
dependencies = ["vsdk-something-else"]

[project.entry-points.vsdk]
bad_sms = "badsms"

[tool.hatch.build.targets.wheel]
packages = ["src/badsms"]
""",
    "src/badsms/__init__.py": '''
"""Does everything wrong."""

import logging
import time
from urllib.request import Request, urlopen

from pydantic import BaseModel
from vsdk import Config, Message, Receipt, hookimpl
from vsdk.settings import Settings


class BadConfig(BaseModel):
    api_token: str = "not-hidden"


class BadSms:
    channel = "sms"

    def __init__(self, config):
        self.config = config

    async def deliver(self, message: Message) -> Receipt:
        time.sleep(0)
        print("sending")
        logging.getLogger(__name__).info("to %s", message.recipient)
        urlopen(Request("https://sms.example", message.text.encode()))
        return Receipt()


@hookimpl
def vsdk_notification_channels(config: Config):
    return [BadSms(config.plugin("bad", BadConfig))]
''',
    "src/badsms/locale/de/messages.po": 'msgid "message.bad.sms"\nmsgstr "Um {time}"\n',
    "src/badsms/locale/en/messages.po": 'msgid "message.bad.sms"\nmsgstr "At {hour}"\n',
    "tests/test_bad.py": "def test_it():\n    assert 1 == 2\n",
}
NAMED = {
    "entry-point": "vsdk_bad_sms, not badsms",
    "dependency": '"vsdk"',
    "settings-model": "'bad_sms', not 'bad'; give BadConfig ConfigDict(extra=\"forbid\"), so that typing "
    "errors are seen; make BadConfig.api_token a SecretStr",
    "imports": "not vsdk.settings.Settings (badsms/__init__.py:9)",
    "private-data": "badsms/__init__.py:24, badsms/__init__.py:25",
    "not-blocking": "time.sleep (badsms/__init__.py:23), urllib.request.urlopen (badsms/__init__.py:26)",
    "contract": "NotificationChannelContract",
    "tests-pass": "1 failed",
    "hook-api": "`vsdk_api = (1, 1)`",
    "readme": "README.md",
    "repeatable": "message.idempotency_key",
    "time-limits": "urllib.request: take Http",
    "translations": "add to fr: message.bad.sms; message.bad.sms has other placeholders",
    "typed": "py.typed",
    "strict-types": "run mypy --strict",
    "retention": "under a heading Data",
    "failure-tests": "mock_http.failing()",
}
"""of each check that the bad one fails, a part of what is to be said; line numbers are those of its source"""

Vsdk = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a project of each kind, and the bad one."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        write(files_of(PluginName(f"trial_{kind}"), kind), folder / kind)
    for name, text in BAD.items():
        (folder / "bad" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bad" / name).write_text(text.lstrip(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def python(folder: Path) -> Path:
    """An environment that has all of this one, and the plugins beside: most as they stand, one as a copy."""
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    (site,) = (folder / "venv").glob("lib/*/site-packages")
    ours = sysconfig.get_paths()["purelib"]
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    editable = (part for n in (*KINDS, "bad") if n != "rules" for part in ("--editable", str(folder / n)))
    options = ("--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", str(python))
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", *options, *editable, str(folder / "rules")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return python


@pytest.fixture(scope="module")
def vsdk(python: Path, folder: Path) -> Vsdk:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        cache = {"MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "plugins"), "PYTEST_ADDOPTS": ""}
        environment = {key: value for key, value in os.environ.items() if key != "VSDK_CONFIG"} | cache
        command = [str(python), "-m", "vsdk", *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    return run


def checked(vsdk: Vsdk, *arguments: str) -> tuple[int, dict[str, Any], dict[str, tuple[str, str]]]:
    """Exit code, the answer, and state and detail of each check."""
    done = vsdk("check", "plugin", *arguments, "--format", "json")
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    return done.returncode, answer, {c["check"]: (c["state"], c["detail"]) for c in answer["checks"]}


def test_what_is_installed_is_listed_at_once(vsdk: Vsdk) -> None:
    lines = {line.split()[0]: line for line in vsdk("plugins").stdout.splitlines()}
    for kind in KINDS:
        assert f"vsdk-trial-{kind} 0.1.0" in lines[f"trial_{kind}"]
        assert "installed, not enabled" in lines[f"trial_{kind}"]


def test_all_kinds_together_are_a_server_that_could_run(vsdk: Vsdk, folder: Path) -> None:
    """With the settings that their READMEs name."""
    settings = f"""
database = "sqlite+aiosqlite:///{folder}/vsdk.sqlite3"
plugins = {json.dumps([f"trial_{kind}" for kind in KINDS])}

[[practices]]
id = "park"
name = "Praxis am Park"
schedule_source = "trial-schedule"
identity_provider = "trial-identity"
channels = ["sms"]

[plugin.trial_notification]
token = {{ file = "{folder}/token" }}

[plugin.trial_schedule]
practice = "park"
url = "http://127.0.0.1:9/api"
token = {{ file = "{folder}/token" }}

[plugin.trial_identity]
url = "https://login.example"
token = {{ file = "{folder}/token" }}
"""
    (folder / "all.toml").write_text(settings, encoding="utf-8")
    (folder / "token").write_text("t0ken-of-nobody", encoding="utf-8")
    done = vsdk("--config", str(folder / "all.toml"), "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "links open: 0:15:00 before the start, until 1:00:00 after it" in done.stdout
    assert "rules:      1" in done.stdout
    assert "t0ken" not in done.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rules"])
def test_what_comes_from_the_template_is_excellent(vsdk: Vsdk, kind: str) -> None:
    """Its tests run, mypy reads it, and nothing is left to do."""
    code, answer, checks = checked(vsdk, f"trial_{kind}")
    assert {check: found for check, found in checks.items() if found[0] != "ok"} == {}
    assert (code, answer["grade"]) == (0, "excellent")
    assert " passed" in checks["tests-pass"][1]


@pytest.mark.timeout(300)
def test_a_copy_is_checked_with_the_tests_that_are_named(vsdk: Vsdk, folder: Path) -> None:
    code, answer, checks = checked(vsdk, "trial_rules", "--tests", str(folder / "rules" / "tests"))
    assert {check: found for check, found in checks.items() if found[0] != "ok"} == {}
    assert (code, answer["grade"]) == (0, "excellent")


@pytest.mark.timeout(300)
def test_where_no_tests_are_found_nothing_is_claimed(vsdk: Vsdk) -> None:
    code, answer, checks = checked(vsdk, "trial_rules")
    assert {check for check, (state, _) in checks.items() if state != "ok"} == {"contract", "tests-pass"}
    assert checks["contract"][0] == checks["tests-pass"][0] == "not checked"
    assert "--tests" in checks["contract"][1]
    assert (code, answer["grade"]) == (1, "none")


@pytest.mark.timeout(300)
def test_the_faults_of_a_bad_plugin_are_named(vsdk: Vsdk) -> None:
    code, answer, checks = checked(vsdk, "bad_sms")
    assert (code, answer["grade"]) == (1, "none")
    wrong = {check: detail for check, (state, detail) in checks.items() if state == "missing"}
    assert set(wrong) == set(NAMED)
    assert {check: text for check, text in NAMED.items() if text not in wrong[check]} == {}
    assert checks["loads"][0] == "ok"
