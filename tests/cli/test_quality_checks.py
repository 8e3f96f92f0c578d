"""Each check of ``vsdk check plugin`` by itself: what it finds, what it lets be, and that it is explained."""

import ast
import io
import re
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint, PathDistribution
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr
from tests.cli.conftest import Vsdk

from vsdk.commands.quality import blocking, documents, loading, privacy, reading, trials
from vsdk.commands.quality.checks import CHECKS
from vsdk.commands.quality.command import check_plugin
from vsdk.commands.quality.loading import Loaded
from vsdk.commands.quality.subject import Source, Subject, find
from vsdk.commands.quality.verdict import Finding, State, Tier, Verdict, grade
from vsdk.domain.errors import ConfigurationError
from vsdk.settings import Settings
from vsdk.testing import contracts
from vsdk.testing.fakes import FakeConfig

ROOT = Path(__file__).parents[2]
NOTHING = Loaded(frozenset(), (1, 1), (), None)
CHANNEL = Loaded(frozenset({"vsdk_notification_channels"}), (1, 1), (), None)


def distribution(
    folder: Path, readme: str = "", requires: str = "vsdk", direct_url: str = ""
) -> Distribution:
    """An installed distribution, as its metadata lie on the disk."""
    info = folder / "vsdk_x-0.1.0.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.4\nName: vsdk-x\nVersion: 0.1.0\nRequires-Dist: {requires}\n\n{readme}"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text("[vsdk]\nx = vsdk_x\n", encoding="utf-8")
    if direct_url:
        (info / "direct_url.json").write_text(direct_url, encoding="utf-8")
    return PathDistribution(info)


def subject(folder: Path, code: str = "", tests: str | None = None, **metadata: str) -> Subject:
    root = folder / "vsdk_x"
    root.mkdir(parents=True)
    sources = (Source(root / "__init__.py", "vsdk_x/__init__.py", ast.parse(code)),)
    test_sources = (Source(folder / "test_x.py", "test_x.py", ast.parse(tests)),) if tests is not None else ()
    entry = EntryPoint("x", "vsdk_x", "vsdk")
    built = distribution(folder / "site", **metadata)
    return Subject("x", entry, built, root, sources, None, folder if test_sources else None, test_sources)


@pytest.mark.parametrize(
    ("code", "fine"),
    [
        ("import vsdk\nfrom vsdk import Config, hookimpl, __version__", True),
        ("from vsdk.hooks import ports\nimport vsdk.domain.plan", True),
        ("from vsdk.hooks.ports import Http\nfrom . import other\nimport vsdk_x.other, vsdkish", True),
        ("from vsdk import sdk", False),
        ("import vsdk.server.app", False),
        ("def f():\n    from vsdk.store.sql import SqlStore", False),
        ("from vsdk.hooksmith import x", False),
        ("import vsdk.testing.fakes", False),
    ],
)
def test_only_public_parts_of_vsdk_may_be_imported(tmp_path: Path, code: str, fine: bool) -> None:
    assert reading.imports(subject(tmp_path, code), NOTHING).state is (State.OK if fine else State.MISSING)


@pytest.mark.parametrize(
    "code",
    [
        "print('x')",
        "log.info('to %s', message.recipient)",
        "log.warning(f'{message.text}')",
        "log.error(message)",
        "logging.exception('no %s', self.message.subject)",
        "log.debug('x', extra={'to': participant.phone})",
        "log.info('%s', question.name)",
        "log.info('%s', self.participant.name)",
        "log.info(config.token.get_secret_value())",
        "log.info('answered %s', reply.json())",
        "log.info('%s', reply.text)",
        "raise PartnerError(f'cannot reach {message.recipient}', retryable=False)",
        "raise ValueError(message)",
        "raise Refused('no', code=params['x'] + request.params['ticket'])",
        "warnings.warn(message.html)",
        "log.info(f'{message!r}')",
    ],
)
def test_what_shows_private_data_is_found(tmp_path: Path, code: str) -> None:
    assert privacy.private_data(subject(tmp_path, code), NOTHING).state is State.MISSING


@pytest.mark.parametrize(
    "code",
    [
        "log.info('sent %s', message.idempotency_key)",
        "log.info('%s of %s', self.name, type(error).__name__)",
        "log.warning('%s', config.name)",
        "raise PartnerError('no answer', retryable=True) from None",
        "raise",
        "body = {'to': message.recipient, 'text': message.text}",
        "self.http.post(url, json={'text': message.text})",
        "raise DeliveryFailed(f'refused with {code}')",
        "blueprint('x')",
    ],
)
def test_what_shows_nothing_private_is_let_be(tmp_path: Path, code: str) -> None:
    assert privacy.private_data(subject(tmp_path, code), NOTHING).state is State.OK


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import time\nasync def f():\n    time.sleep(1)", "time.sleep"),
        ("from time import sleep as pause\nasync def f():\n    pause(1)", "time.sleep"),
        ("import requests\nasync def f():\n    return requests.get('x')", "requests.get"),
        ("import urllib.request as u\nasync def f():\n    u.urlopen('x')", "urllib.request.urlopen"),
        ("import smtplib\nasync def f():\n    if x:\n        smtplib.SMTP('x')", "smtplib.SMTP"),
        ("async def f():\n    input()", "input"),
        (
            "from subprocess import run\nclass A:\n    async def f(self):\n        run(['x'])",
            "subprocess.run",
        ),
    ],
)
def test_a_call_that_stops_everything_is_found(tmp_path: Path, code: str, found: str) -> None:
    verdict = blocking.not_blocking(subject(tmp_path, code), NOTHING)
    assert verdict.state is State.MISSING
    assert found in verdict.detail


@pytest.mark.parametrize(
    "code",
    [
        "import time\ndef f():\n    time.sleep(1)",
        "import asyncio, time\nasync def f():\n    await asyncio.to_thread(time.sleep, 1)",
        "import time\nasync def f():\n    def in_a_thread():\n        time.sleep(1)\n    return in_a_thread",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
        "async def f(self):\n    self.input()",
        "async def f():\n    time_sleep(1)",
    ],
)
def test_a_call_that_stops_nobody_is_let_be(tmp_path: Path, code: str) -> None:
    assert blocking.not_blocking(subject(tmp_path, code), NOTHING).state is State.OK


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("from vsdk import Http", State.OK),
        ("import httpx\nhttpx.get('x')", State.MISSING),
        ("import httpx\nhttpx.get('x', timeout=5)", State.OK),
        ("import asyncio, aiosmtplib\nasync def f():\n    async with asyncio.timeout(5): ...", State.OK),
        ("from urllib.request import urlopen", State.MISSING),
        ("from urllib.parse import quote", State.OK),
    ],
)
def test_a_way_out_of_ones_own_needs_a_time_out(tmp_path: Path, code: str, state: State) -> None:
    assert reading.time_limits(subject(tmp_path, code), NOTHING).state is state


@pytest.mark.parametrize(
    ("code", "plugin", "state"),
    [
        ("body = {'ref': message.idempotency_key}", CHANNEL, State.OK),
        ("body = {'to': message.recipient}", CHANNEL, State.MISSING),
        ("", NOTHING, State.OK),
    ],
)
def test_a_channel_hands_the_key_on(tmp_path: Path, code: str, plugin: Loaded, state: State) -> None:
    assert reading.repeatable(subject(tmp_path, code), plugin).state is state


class Open(BaseModel):
    url: str


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    password: str = ""


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid")
    servers: dict[str, Inner]


class Good(BaseModel):
    model_config = ConfigDict(extra="forbid")
    api_key: SecretStr | None = None
    tokens: list[SecretStr] = []
    token_url: str = ""
    password_file: str = ""
    use_token: bool = False


@pytest.mark.parametrize(
    ("section", "model", "said"),
    [
        ("x", Good, ""),
        ("x", Open, "Open ConfigDict"),
        ("x", Shown, "Inner.password"),
        ("y", Good, "'x', not 'y'"),
    ],
)
def test_a_model_of_settings_is_strict_and_hides_secrets(
    tmp_path: Path, section: str, model: type[BaseModel], said: str
) -> None:
    plugin = Loaded(frozenset(), None, ((section, model),), None)
    verdict = loading.settings_model(subject(tmp_path), plugin)
    assert verdict.state is (State.MISSING if said else State.OK)
    assert said in verdict.detail


@pytest.mark.parametrize(
    ("requires", "state"),
    [
        ("vsdk", State.OK),
        ("vsdk (>=0.1)", State.OK),
        ("vsdk>=0.1", State.OK),
        ("vsdk[rtc]; extra == 'a'", State.OK),
        ("vsdk-kbv-compliance", State.MISSING),
        ("vsdkit", State.MISSING),
    ],
)
def test_the_dependency_is_vsdk_itself(tmp_path: Path, requires: str, state: State) -> None:
    assert documents.dependency(subject(tmp_path, requires=requires), NOTHING).state is state


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("[plugin.x]\n`api_key`, tokens, token_url, password_file, use_token", ""),
        ("api_key, tokens, token_url, password_file", "[plugin.x], use_token"),
        ("", "README.md"),
    ],
)
def test_the_readme_names_each_setting(tmp_path: Path, text: str, lacking: str) -> None:
    plugin = Loaded(frozenset(), None, (("x", Good),), None)
    verdict = documents.readme(subject(tmp_path, readme=text), plugin)
    assert verdict.state is (State.MISSING if lacking else State.OK)
    assert lacking in verdict.detail


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("# X\n\n## Data\n\nNone.\n", State.OK),
        ("# X\n\n## Datenschutz und Aufbewahrung\n\nNichts.\n\n## Mehr\n", State.OK),
        ("# X\n\n## Data\n\n## More\n\nText.\n", State.MISSING),
        ("# X\n\nIt keeps no data.\n", State.MISSING),
        ("# X\n\n## Updates and databases\n\nText.\n", State.MISSING),
    ],
)
def test_the_readme_says_what_is_kept(tmp_path: Path, text: str, state: State) -> None:
    assert documents.retention(subject(tmp_path, readme=text), NOTHING).state is state


def catalogues(folder: Path, **texts: str) -> Subject:
    made = subject(folder)
    for language, text in texts.items():
        file = made.root / "locale" / language / "x.po"
        file.parent.mkdir(parents=True)
        head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        file.write_text(head + text, encoding="utf-8")
    return made


WHOLE = 'msgid "a"\nmsgstr "{x} ä"\n\nmsgid "b"\nmsgstr ""\n"one\\n"\n"{y}"\n'


@pytest.mark.parametrize(
    ("french", "said"),
    [
        (WHOLE, "all texts in de, fr, en"),
        ('msgid "a"\nmsgstr "{x}"\n', "add to fr: b"),
        (WHOLE.replace("{y}", "{z}"), "b has other placeholders"),
        (WHOLE.replace('msgid "a"', '#, fuzzy\nmsgid "a"'), "add to fr: a"),
        (WHOLE.replace('"{x} ä"', '""'), "add to fr: a"),
        ('msgid "a\n', "cannot be read"),
    ],
)
def test_catalogues_are_complete_in_three_languages(tmp_path: Path, french: str, said: str) -> None:
    verdict = documents.translations(catalogues(tmp_path, de=WHOLE, fr=french, en=WHOLE), NOTHING)
    assert said in verdict.detail
    assert verdict.state is (State.OK if french == WHOLE else State.MISSING)


@pytest.mark.parametrize(
    ("code", "tests", "said"),
    [
        ("", "class TestX(NotificationChannelContract): ...", ""),
        ("", "class TestX(contracts.AnyChannelContract): ...", ""),
        (
            "",
            "class TestX(PolicyRuleContract): ...",
            "NotificationChannelContract for vsdk_notification_channels",
        ),
        (
            "class X:\n    async def reported(self, n): ...",
            "class TestX(NotificationChannelContract): ...",
            "ReportingChannelContract",
        ),
        (
            "class X:\n    async def reported(self, n): ...",
            "class TestX(NotificationChannelContract): ...\nclass TestY(ReportingChannelContract): ...",
            "",
        ),
    ],
)
def test_each_hook_has_its_contract(tmp_path: Path, code: str, tests: str, said: str) -> None:
    verdict = trials.contract(subject(tmp_path, code, tests), CHANNEL)
    assert verdict.state is (State.MISSING if said else State.OK)
    assert said in verdict.detail


def test_every_contract_of_the_kit_is_asked_for() -> None:
    known = {name for names in trials.CONTRACTS.values() for name in names} | {trials.REPORTS}
    assert known == set(contracts.__all__)


def test_who_asks_others_tests_what_happens_when_they_fail(tmp_path: Path) -> None:
    asking = "from vsdk import Http"
    assert trials.failure_tests(subject(tmp_path / "a", ""), NOTHING).state is State.OK
    for name, tests, state in (
        ("b", "def test_x(mock_http):\n    mock_http.failing()", State.OK),
        ("c", "class TestX(NotificationChannelContract): ...", State.OK),
        ("d", "def test_x(): ...", State.MISSING),
        ("e", None, State.NOT_CHECKED),
    ):
        assert trials.failure_tests(subject(tmp_path / name, asking, tests), NOTHING).state is state


@pytest.mark.parametrize(
    ("states", "reached"),
    [
        (("ok", "ok", "ok"), Tier.EXCELLENT),
        (("ok", "ok", "not checked"), Tier.GOOD),
        (("ok", "missing", "ok"), Tier.BASIC),
        (("missing", "ok", "ok"), None),
        (("not checked", "ok", "ok"), None),
    ],
)
def test_a_grade_needs_all_checks_of_its_tier_and_of_those_below(
    states: tuple[str, ...], reached: Tier | None
) -> None:
    findings = [
        Finding(tier.value, tier, Verdict(State(state), "")) for tier, state in zip(Tier, states, strict=True)
    ]
    assert grade(findings) is reached


@pytest.fixture
def on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a plugin ``x`` on the path, with the module's text."""
    site = tmp_path / "site"

    def put(code: str, **metadata: str) -> Path:
        distribution(site, **metadata)
        (site / "vsdk_x.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "vsdk_x", raising=False)
        return site

    return put


def test_the_project_of_an_editable_install_is_found(
    tmp_path: Path, on_the_path: Callable[..., Path]
) -> None:
    project = tmp_path / "my project"
    (project / "tests").mkdir(parents=True)
    (project / "README.md").write_text("new", encoding="utf-8")
    url = project.as_uri()
    on_the_path("", readme="old", direct_url=f'{{"url": "{url}", "dir_info": {{"editable": true}}}}')
    found = find("x")
    assert (found.project, found.tests, found.readme) == (project, project / "tests", "new")


@pytest.mark.parametrize(
    "direct_url",
    ["", '{"url": "https://x.example/a.whl", "archive_info": {}}', '{"url": "file:///x", "dir_info": {}}'],
)
def test_another_install_has_no_project(on_the_path: Callable[..., Path], direct_url: str) -> None:
    site = on_the_path("", readme="as built", direct_url=direct_url)
    found = find("x")
    assert (found.project, found.tests, found.readme.strip()) == (None, None, "as built")
    assert (found.root, found.is_package) == (site / "vsdk_x.py", False)


def test_source_that_is_no_python_is_said(on_the_path: Callable[..., Path]) -> None:
    on_the_path("def f(:\n")
    with pytest.raises(ConfigurationError, match=r"vsdk_x\.py is not valid Python") as caught:
        find("x")
    assert caught.value.code == "plugin-broken"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nobodys_sms",), "plugin-not-installed"),
        (("local_login",), "plugin-built-in"),
        (("acme_sms", "--tests", "not-there"), "tests-not-found"),
    ],
)
def test_what_cannot_be_checked_is_said(vsdk: Vsdk, arguments: tuple[str, ...], code: str) -> None:
    result = vsdk("check", "plugin", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"vsdk: {code}: ")


def test_a_plugin_that_cannot_start_says_why(on_the_path: Callable[..., Path], tmp_path: Path) -> None:
    on_the_path("raise RuntimeError('on purpose')")
    plugin = loading.loaded(find("x", str(tmp_path)), FakeConfig())
    verdict = loading.loads(find("x"), plugin)
    assert verdict.state is State.MISSING
    assert verdict.detail.startswith("plugin-broken: ")
    assert trials.contract(find("x", str(tmp_path)), plugin).state is State.NOT_CHECKED


def test_people_get_a_line_for_each_check_and_what_the_next_grade_needs(
    on_the_path: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_path("")
    found = {check: Verdict(State.OK, "fine") for checks in CHECKS.values() for check in checks}
    found["typed"] = Verdict(State.MISSING, "add py.typed")
    fixed = {tier: {c: lambda *_, c=c: found[c] for c in checks} for tier, checks in CHECKS.items()}
    monkeypatch.setattr("vsdk.commands.quality.checks.CHECKS", fixed)
    out = io.StringIO()
    assert check_plugin(Settings(), "x", None, as_json=False, out=out) == 0
    lines = out.getvalue().splitlines()
    assert lines[:4] == ["x, of vsdk-x 0.1.0", "", "basic", "  ok           entry-point     fine"]
    assert "  missing      typed           add py.typed" in lines
    assert lines[-1] == "grade: good (excellent needs: typed)"


@pytest.mark.parametrize("tier", Tier)
def test_exactly_the_checks_that_exist_are_explained_in_their_order(tier: Tier) -> None:
    page = (ROOT / "docs" / "plugin-quality.md").read_text(encoding="utf-8")
    _, _, part = page.partition(f"\n## {tier.capitalize()}\n")
    part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
    pieces = re.split(r"^### `([a-z-]+)`$", part, flags=re.MULTILINE)[1:]
    assert pieces[::2] == list(CHECKS[tier])
    assert all(len(text.split()) >= 8 for text in pieces[1::2])
