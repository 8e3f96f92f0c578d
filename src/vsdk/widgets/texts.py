"""Texts in the languages we have: gettext catalogues with dotted keys, ``<folder>/<language>/*.po``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from babel.messages.pofile import PoFileError, read_po

from vsdk.domain.errors import ConfigurationError

LANGUAGES = ("de", "fr", "en")
OWN_FOLDER = Path(__file__).parents[1] / "locale"

_FALLBACK = "en"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Texts:
    """All texts, read once. ``folders`` come after our own, and a later one replaces texts by key.

    ``languages`` are those that pages offer; English is there in any case, to fall back to.
    """

    def __init__(self, folders: Sequence[Path] = (), languages: Sequence[str] = LANGUAGES) -> None:
        """Raises ConfigurationError when a folder is missing, or a catalogue cannot be read."""
        self.languages = tuple(languages)
        known = {*self.languages, _FALLBACK}
        self._texts = {language: _read(language, [OWN_FOLDER, *folders]) for language in known}

    def has(self, language: str, key: str) -> bool:
        """Whether that very language has the text."""
        return key in self._texts.get(primary(language), {})

    def get(self, language: str, key: str, **values: object) -> str:
        """The text in that language, else in English, else the key. ``{name}`` becomes ``values["name"]``."""
        text = self._texts.get(primary(language), {}).get(key)
        if text is None:
            text = self._texts[_FALLBACK].get(key, key)
        return fill(text, values)

    def browser(self, language: str) -> dict[str, str]:
        """What a page needs, for ``/texts/<language>.json``; the words of messages stay here."""
        texts = self._texts[_FALLBACK] | self._texts.get(primary(language), {})
        return {key: text for key, text in texts.items() if not key.startswith("message.")}

    def messages(self, language: str) -> dict[str, str]:
        """The words of messages that this very language has, by key."""
        texts = self._texts.get(primary(language), {})
        return {key: text for key, text in texts.items() if key.startswith("message.")}


def primary(tag: str) -> str:
    """The language of a BCP 47 tag: ``de-AT`` -> ``de``."""
    return tag.partition("-")[0].lower()


def fill(text: str, values: Mapping[str, object]) -> str:
    """Replaces ``{name}``; a name without a value stays as it is."""
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


def best_language(accept_language: str, available: Sequence[str] = LANGUAGES, default: str = "en") -> str:
    """The available language that an ``Accept-Language`` header likes best (RFC 9110, 12.5.4).

    ``default`` when it names none of them.
    """
    wishes: list[tuple[float, str]] = []
    for item in accept_language.split(","):
        tag, _, parameter = item.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wishes.append((weight, primary(tag.strip())))
    for weight, language in sorted(wishes, key=lambda wish: -wish[0]):
        if weight > 0 and language in available:
            return language
    return default


def _read(language: str, folders: Sequence[Path]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(f"the folder of message catalogues {folder} does not exist")
        for file in sorted((folder / language).glob("*.po")):
            try:
                with file.open("rb") as content:
                    catalog = read_po(content, locale=language, abort_invalid=True)
            except (PoFileError, UnicodeDecodeError, ValueError) as error:
                raise ConfigurationError(f"the catalogue {file} cannot be read: {error}") from error
            texts |= {str(m.id): str(m.string) for m in catalog if m.id and m.string and not m.fuzzy}
    return texts
