"""``docs/errors.md`` against every place where an error code arises."""

import ast
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from vsdk.adapters.scheduling.fhir import reader
from vsdk.domain import errors
from vsdk.domain.join import JoinProblem
from vsdk.server import problems
from vsdk.widgets.texts import Texts

Sections = Callable[[str, str], dict[str, str]]
ROOT = Path(__file__).parents[2]
PYTHON = [
    *(ROOT / "src").rglob("*.py"),
    *(ROOT / "plugins").glob("*/src/**/*.py"),
    *(ROOT / "examples").glob("**/*.py"),
]
SCRIPTS = [*(ROOT / "src").rglob("*.js"), *(ROOT / "plugins").glob("*/src/**/*.js")]
KEBAB = re.compile(r"[a-z]+(-[a-z0-9]+)*")
JS_CODES = (
    re.compile(r"(?:Problem|refused|[fF]inish)\(\s*(?:[\w.]+ \?\? )?'([a-z-]+)'"),
    re.compile(r"\.code (?:\?\?|:) '([a-z-]+)'"),
    re.compile(r"\b4\d{3}: '([a-z-]+)'"),
)
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.VsdkError)
}
NOT_A_CODE = {"other"}
"""words of a page for codes that have no words of their own"""


def strings(node: ast.AST) -> Iterator[str]:
    return (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def raised(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Codes in Python, each with the name of the class that carries it, where that is to be seen."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from ((text, name) for text in strings(keyword.value) if KEBAB.fullmatch(text))
            first = node.args[0] if node.args else None
            if name in ("_invalid", "refusal") and isinstance(first, ast.Constant):
                yield from ((text, "InvalidAppointment") for text in strings(first) if KEBAB.fullmatch(text))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if getattr(target, "id", "") in ("code", "default_code") and isinstance(node.value, ast.Constant):
                yield from ((code, "") for code in strings(node.value) if code)


def python_codes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in PYTHON:
        for code, name in raised(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(code, set()).add(name)
    for kind in CLASSES.values():
        found.setdefault(kind.default_code, set()).add(kind.__name__)
    for problem in JoinProblem:
        name = "NotFound" if problem is JoinProblem.UNKNOWN else "Refused"
        found.setdefault(problem.value, set()).add(name)
    for code in reader._EXPLANATIONS:
        found.setdefault(code, set()).add("InvalidAppointment")
    return found


def browser_codes() -> set[str]:
    """Codes that scripts make themselves, and those for which pages have words."""
    found = set()
    for file in SCRIPTS:
        for pattern in JS_CODES:
            found |= set(pattern.findall(file.read_text(encoding="utf-8")))
    for key in Texts().browser("en"):
        if match := re.fullmatch(r"(?:visit\.)?problem\.([a-z-]+)\.title|practice\.problem-([a-z-]+)", key):
            found |= {code for code in match.groups() if code}
    return found - NOT_A_CODE


def folder_codes() -> set[str]:
    """What a folder of appointments reports as unreadable."""
    tree = ast.parse((ROOT / "src/vsdk/adapters/scheduling/folder_files.py").read_text(encoding="utf-8"))
    return {text for text in strings(tree) if re.fullmatch(r"[a-z]+(-[a-z]+)+", text)}


PYTHON_CODES = python_codes()
ALL = {*PYTHON_CODES, *browser_codes(), *folder_codes()}


def test_codes_are_found_where_they_arise() -> None:
    assert len(PYTHON_CODES) > 50
    assert {"join-link-early", "plugin-wrapper", "sdp-unencrypted", "timeout", "wrong-resource-type"} <= set(
        PYTHON_CODES
    )
    assert {"offline", "unavailable", "browser-unsupported", "visit-closed"} <= browser_codes()


def test_exactly_the_codes_that_exist_are_described(sections: Sections) -> None:
    assert set(sections("errors.md", "###")) == ALL


@pytest.mark.parametrize("code", sorted(ALL))
def test_each_code_is_explained(code: str, sections: Sections) -> None:
    assert KEBAB.fullmatch(code)
    assert len(sections("errors.md", "###")[code].split()) >= 8


def made(kind: type[errors.VsdkError]) -> errors.VsdkError:
    if kind is errors.PartnerError:
        return errors.PartnerError("", retryable=False)
    if kind is errors.RateLimited:
        return errors.RateLimited("", retry_after=1)
    return kind("")


def statuses(code: str) -> set[int]:
    """The HTTP statuses with which this code can be answered."""
    found = set()
    for name in PYTHON_CODES.get(code, ()):
        if name in CLASSES:
            error = made(CLASSES[name])
            error.code = code
            found.add(int(problems.status_of(error)))
    return found


@pytest.mark.parametrize("code", sorted(PYTHON_CODES))
def test_the_status_that_is_told_is_the_one_that_is_sent(code: str, sections: Sections) -> None:
    section = sections("errors.md", "###")[code]
    told = re.match(r"\s*HTTP (\d{3})", section)
    if told:
        assert int(told[1]) in statuses(code) or problems._BY_CODE.get(code) == int(told[1])
    else:
        assert code not in problems._BY_CODE


@pytest.mark.parametrize("code", sorted(problems._BY_CODE))
def test_each_code_with_a_status_of_its_own_arises_somewhere(code: str) -> None:
    assert code in ALL


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_error_class_has_one_code_and_one_status(name: str) -> None:
    kind = CLASSES[name]
    assert list(statuses(kind.default_code))
    assert "default_code" in vars(kind)
    shared = [c.__name__ for c in CLASSES.values() if c.default_code == kind.default_code]
    assert shared == [name]


def test_partners_failures_are_not_ours() -> None:
    assert statuses("partner-error") == {HTTPStatus.BAD_GATEWAY}


def test_each_reason_why_a_camera_cannot_be_had_is_explained(page: Callable[[str], str]) -> None:
    media = (ROOT / "src/vsdk/widgets/static/media-failure.js").read_text(encoding="utf-8")
    declared = re.search(r"@typedef \{(.+)\} FailureReason", media)
    assert declared
    table = page("errors.md").partition("## Camera and microphone")[2]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == re.findall(r"'([a-z-]+)'", declared[1])
