"""Checks of what people read: the distribution's metadata, the README and the catalogues."""

import re
from collections.abc import Mapping
from pathlib import Path

from vsdk.commands.quality.loading import Loaded
from vsdk.commands.quality.subject import Subject
from vsdk.commands.quality.verdict import Verdict, missing, ok
from vsdk.domain.errors import ConfigurationError
from vsdk.widgets.texts import LANGUAGES, Texts

_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
_ABOUT_DATA = re.compile(
    r"\b(data|privacy|retention|daten|datenschutz|aufbewahrung|données|confidentialité)\b", re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def entry_point(subject: Subject, plugin: Loaded) -> Verdict:
    name, top = subject.name, subject.entry.module.partition(".")[0]
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return missing("give it a name of lower-case letters, digits and underscores")
    if not top.startswith("vsdk_"):
        return missing(f"call its module vsdk_{name}, not {top}, so that it meets no other package")
    return ok(
        f"{name} is {subject.entry.module} of {subject.distribution.name} {subject.distribution.version}"
    )


def dependency(subject: Subject, plugin: Loaded) -> Verdict:
    needed = subject.distribution.requires or []
    if any(re.match(r"vsdk\s*(?:$|[\[(<>=!~;@])", requirement, re.IGNORECASE) for requirement in needed):
        return ok("vsdk is among its dependencies")
    return missing('add "vsdk" to the dependencies in pyproject.toml, and install it again')


def readme(subject: Subject, plugin: Loaded) -> Verdict:
    text = subject.readme
    if not text.strip():
        return missing('write a README.md, and name it in pyproject.toml: readme = "README.md"')
    keys = {name for _, model in plugin.sections for name in model.model_fields}
    unnamed = sorted(key for key in keys if not re.search(rf"\b{key}\b", text))
    if plugin.sections and f"plugin.{subject.name}" not in text:
        unnamed.insert(0, f"[plugin.{subject.name}]")
    if unnamed:
        return missing(f"name these settings in the README: {', '.join(unnamed)}")
    return ok("the README names all settings" if keys else "it has a README, and no settings")


def retention(subject: Subject, plugin: Loaded) -> Verdict:
    text = subject.readme
    for heading in _HEADING.finditer(text):
        rest = text[heading.end() :]
        following = _HEADING.search(rest)
        if _ABOUT_DATA.search(heading[1]) and rest[: following.start() if following else None].strip():
            return ok(f"the README says it under {heading[1].strip()!r}")
    return missing(
        "say in the README, under a heading Data, which data it keeps or passes on, and for how long"
    )


def translations(subject: Subject, plugin: Loaded) -> Verdict:
    folders = (
        sorted(folder for folder in subject.root.rglob("locale") if folder.is_dir())
        if subject.is_package
        else []
    )
    if not folders:
        return ok("it has no catalogues of texts")
    faults = [fault for folder in folders for fault in _incomplete(folder)]
    if faults:
        return missing("; ".join(faults))
    return ok(f"all texts in {', '.join(LANGUAGES)}, with the same placeholders")


def _incomplete(folder: Path) -> list[str]:
    try:
        Texts([folder])
    except ConfigurationError as error:
        return [error.detail]
    words = {language: _words(folder / language) for language in LANGUAGES}
    every = {key for texts in words.values() for key in texts}
    lacking = {language: ", ".join(sorted(every - words[language].keys())) for language in LANGUAGES}
    differing = [
        key
        for key in sorted(every)
        if len({frozenset(_PLACEHOLDER.findall(texts[key])) for texts in words.values() if key in texts}) > 1
    ]
    return [
        *(f"add to {language}: {keys}" for language, keys in lacking.items() if keys),
        *(f"{key} has other placeholders in one language than in another" for key in differing),
    ]


def _words(folder: Path) -> Mapping[str, str]:
    """The texts of a language that are not empty or fuzzy. The catalogues are known to be well-formed."""
    found = {}
    for file in sorted(folder.glob("*.po")):
        for entry in re.split(r"\n\s*\n", file.read_text(encoding="utf-8")):
            id_, _, text = entry.partition("\nmsgstr")
            key = "".join(re.findall(r'"(.*)"', id_.partition("msgid")[2]))
            words = "".join(re.findall(r'"(.*)"', text))
            if key and words and "#, fuzzy" not in entry:
                found[key] = words
    return found
