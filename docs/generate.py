"""Writes what is generated in this documentation: ``python docs/generate.py``.

The diagram of `visit.md` from the state table, and the snapshots in `reference/`. A test compares the files
with the code, so that a change of an interface is seen in review.

What plugins are written against is recorded once for each version of the hook API, and then stands: a change
is a new version (`hook-api-changes.md`). As long as a version is not released, delete its file and run this
again.
"""

import ast
import json
from enum import Enum
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
PUBLIC_PACKAGES = ("hooks", "domain", "testing")
"""what a plugin and its tests may import, beside `vsdk` itself"""
HOOK_API = (
    "hooks.scheduling",
    "hooks.notification",
    "hooks.identity",
    "hooks.compliance",
    "hooks.presentation",
    "hooks.lifecycle",
    "hooks.ports",
    "domain.message",
    "domain.plan",
    "domain.policy",
    "domain.events",
)
"""hooks, the ports that plugins implement, and what passes between them and vsdk"""


def visit_diagram() -> str:
    """The state table as a Mermaid diagram, then as a table with what leads nowhere else."""
    from vsdk.domain.visit import FINAL, TABLE, VisitState

    arrows: dict[tuple[VisitState, VisitState], list[str]] = {}
    for (state, event), target in TABLE.items():
        arrows.setdefault((state, target), []).append(event.__name__)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {_node(state)}' for state in VisitState]
    lines += ["", f"    [*] --> {_node(VisitState.PLANNED)}"]
    for (state, target), events in arrows.items():
        if state is not target:
            lines += [f"    {_node(state)} --> {_node(target)} : {event}" for event in events]
    lines += [f"    {_node(state)} --> [*]" for state in VisitState if state in FINAL]
    lines += ["```", "", "| state | event | next state |", "|---|---|---|"]
    lines += [
        f"| {state.value} | {', '.join(events)} | {'(stays)' if state is target else target.value} |"
        for (state, target), events in arrows.items()
    ]
    return "\n".join(lines)


def _node(state: Enum) -> str:
    return str(state.value).replace("-", "_")


def public_api() -> str:
    """Names and signatures as they are written, one a line, in the order of the source."""
    import vsdk

    lines = ["# vsdk", *sorted(vsdk.__all__)]
    for file in _public_files():
        module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
        found = [
            line for node in ast.parse(file.read_text(encoding="utf-8")).body for line in _described(node)
        ]
        if module == "vsdk.sdk":
            found = [line for line in found if "VideoSdk" in line or line.startswith("    ")]
        if found:
            lines += ["", f"# {module}", *found]
    return "\n".join(lines) + "\n"


def _public_files() -> list[Path]:
    packages = [file for name in PUBLIC_PACKAGES for file in sorted((SOURCE / "vsdk" / name).glob("*.py"))]
    return [SOURCE / "vsdk" / "sdk.py", *packages]


def _described(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name) if not name.startswith("_"):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            return [
                f"class {name}({bases})",
                *(f"    {line}" for inner in node.body for line in _described(inner)),
            ]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if _public(name):
            word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
            marks = "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list)
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return [f"{marks}{word} {name}({ast.unparse(node.args)}){returns}"]
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            return [_short(ast.unparse(node), name)]
        case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
            return [_short(ast.unparse(node), name)]
    return []


def _public(name: str) -> bool:
    return name in ("__init__", "__call__") or not name.startswith(("_", "test_"))


def _short(line: str, name: str) -> str:
    return line if len(line) <= 200 else f"{name} = …"


def hook_api(source: Path = SOURCE) -> str:
    """What plugins are written against, as `public_api` writes it."""
    lines = ["# Recorded by docs/generate.py, once for each version of the hook API. Do not edit."]
    for module in HOOK_API:
        file = source.joinpath("vsdk", *module.split(".")).with_suffix(".py")
        body = ast.parse(file.read_text(encoding="utf-8")).body
        passed = [node for node in body if not isinstance(node, ast.FunctionDef) or node.decorator_list]
        lines += ["", f"# vsdk.{module}", *(line for node in passed for line in _described(node))]
    return "\n".join(lines) + "\n"


def hook_api_file() -> Path:
    """Where the version of the hook API that this vsdk has is recorded."""
    from vsdk.hooks.markers import API_VERSION

    return DOCS / "reference" / "hooks-{}.{}.txt".format(*API_VERSION)


def recorded_hook_api() -> str:
    """As it was recorded; where it was not yet, as it is."""
    file = hook_api_file()
    return file.read_text(encoding="utf-8") if file.exists() else hook_api()


def openapi() -> str:
    """The OpenAPI document of a server without plugins, as it is served."""
    from starlette.testclient import TestClient

    from vsdk import Settings, VideoSdk

    video = VideoSdk(Settings.of({"database": "sqlite+aiosqlite://"}))
    with TestClient(video) as client:
        return _json(client.get("/api/v1/openapi.json").json())


def signalling_schema() -> str:
    from vsdk.server.messages import schema

    return _json(schema())


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def between_marks(text: str, generated: str) -> str:
    """``text`` with what stands between the two marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{generated}\n{END}{after}"


def outputs() -> dict[Path, str]:
    """Each generated file with its content."""
    visit = DOCS / "visit.md"
    return {
        hook_api_file(): recorded_hook_api(),
        visit: between_marks(visit.read_text(encoding="utf-8"), visit_diagram()),
        DOCS / "reference" / "openapi.json": openapi(),
        DOCS / "reference" / "signalling.schema.json": signalling_schema(),
        DOCS / "reference" / "public-api.txt": public_api(),
    }


if __name__ == "__main__":
    for file, content in outputs().items():
        file.write_text(content, encoding="utf-8")
