"""The files of a new plugin, by kind. Templates are plain text, with ``$name`` where a name belongs.

A template lies where its file will be, with two exceptions: ``package`` becomes the plugin's own package, and
``dot-`` at the beginning of a name a dot.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from string import Template

from vsdk.scaffold.naming import PluginName

TEMPLATES = Path(__file__).parent / "templates"
KINDS: Mapping[str, str] = {
    "notification": "SMS through {title}",
    "schedule": "Appointments of {title}",
    "identity": "Signing in with {title}",
    "rules": "Rules of {title}",
    "plan": "The visit plan of {title}",
    "panel": "A panel of {title}",
}
"""each kind that there are templates for, with what its plugin is"""
_PARTS = ("settings.md", "data.md")
"""pieces of the README that differ"""
_ENDING = ".txt"


def files_of(plugin: PluginName, kind: str) -> dict[PurePosixPath, str]:
    """The text of each file, by its path inside the project. ``kind`` is one of `KINDS`."""
    values = plugin.values()
    values["summary"] = KINDS[kind].format(title=values["title"])
    own = {path: template.substitute(values) for path, template in _templates(kind)}
    for part in _PARTS:
        values[part.removesuffix(".md")] = own.pop(PurePosixPath(part)).strip()
    common = {path: template.substitute(values) for path, template in _templates("common")}
    return {_place(path, plugin): text for path, text in sorted((common | own).items())}


def _templates(folder: str) -> Iterator[tuple[PurePosixPath, Template]]:
    root = TEMPLATES / folder
    for file in root.rglob(f"*{_ENDING}"):
        path = PurePosixPath(file.relative_to(root).as_posix().removesuffix(_ENDING))
        yield path, Template(file.read_text(encoding="utf-8"))


def _place(path: PurePosixPath, plugin: PluginName) -> PurePosixPath:
    parts = (plugin.module if part == "package" else part for part in path.parts)
    return PurePosixPath(*(f".{p.removeprefix('dot-')}" if p.startswith("dot-") else p for p in parts))
