"""Whether a practice's own words for messages can be sent as they are."""

import re

from babel import Locale, UnknownLocaleError

from vsdk.domain.errors import ConfigurationError
from vsdk.domain.practice import Practice
from vsdk.widgets.texts import Texts, primary
from vsdk.widgets.wording import GENERAL, SPECIAL, Wording

PARTS = ("sms", "push", "email-subject", "email-text")
"""what a template may have words for"""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_LINKS = {"url", "list_url"}


def templates(texts: Texts) -> tuple[str, ...]:
    """Those that any catalogue has words for, in the order of the catalogues."""
    found = (_named(key) for catalogue in _catalogues(texts) for key in catalogue)
    return tuple(dict.fromkeys(template for template, part in found if part in ("sms", "email-text")))


def check(practice: Practice, wording: Wording) -> None:
    """Raises ConfigurationError for the first thing that is wrong, without repeating the text."""
    known = templates(wording.texts)
    keys = {f"message.{template}.{part}" for template in known for part in PARTS}
    keys |= {key for catalogue in _catalogues(wording.texts) for key in catalogue}
    for language, texts in practice.messaging.texts.items():
        for key, text in texts.items():
            problem = (
                _wrong_language(language)
                or (None if key in keys else "there is no template and part of that name")
                or _wrong_text(key, text, wording)
                or _incomplete(language, key, text, wording)
            )
            if problem:
                where = f"text {key.removeprefix('message.')!r} in language {language!r}"
                raise ConfigurationError(f"practice {practice.id!r}, {where}: {problem}")
    for template in practice.messaging.unwanted - {*known}:
        raise ConfigurationError(f"practice {practice.id!r} does not want {template!r}, which is no template")


def _named(key: str) -> tuple[str, str]:
    template, _, part = key.removeprefix("message.").partition(".")
    return template, part


def _catalogues(texts: Texts) -> list[dict[str, str]]:
    return [texts.messages(language) for language in dict.fromkeys((*texts.languages, "en"))]


def _wrong_language(language: str) -> str | None:
    try:
        Locale.parse(primary(language))
    except (UnknownLocaleError, ValueError):
        return "that is no language"
    return None if language == primary(language) else f"write {primary(language)!r}, without a region"


def _wrong_text(key: str, text: str, wording: Wording) -> str | None:
    template, part = _named(key)
    catalogues = _catalogues(wording.texts)
    alike = [
        words for catalogue in catalogues for name, words in catalogue.items() if _named(name)[0] == template
    ]
    theirs = [catalogue[key] for catalogue in catalogues if key in catalogue]
    used = _placeholders(text)
    if not text.strip():
        return "it is empty"
    if part == "email-subject" and "\n" in text.strip():
        return "a subject is one line"
    if unknown := sorted(used - {*GENERAL, *SPECIAL.get(template, ()), *_placeholders(*alike)}):
        return f"nothing is known as {{{unknown[0]}}}"
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        return "a brace belongs to no placeholder"
    if missing := sorted(_placeholders(*theirs) & _LINKS - used):
        return f"{{{missing[0]}}} is missing"
    return None


def _incomplete(language: str, key: str, text: str, wording: Wording) -> str | None:
    """What else has to be said in that language, so that no message mixes two."""
    template, part = _named(key)
    shared, wanted = _placeholders(text), []
    if part.startswith("email-"):
        shared |= {"mail", "calendar"}
        wanted = [f"message.{template}.email-subject", f"message.{template}.email-text"]
    wanted += [other for other in wording.texts.messages("en") if _named(other)[0] in shared - {template}]
    missing = next((other for other in wanted if not wording.has(language, other)), "")
    return f"{missing.removeprefix('message.')!r} is needed too in that language" if missing else None


def _placeholders(*texts: str) -> set[str]:
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}
