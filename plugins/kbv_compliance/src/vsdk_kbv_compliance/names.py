"""Whether a name can be a person's real one: given name and family name, no alias, no placeholder.

Software sees the form of a name, not its truth; whom the practitioner sees in the picture, the practitioner
has to know.
"""

import re
import unicodedata

_TITLE = re.compile(
    r"herr|hr|frau|fr|dr|prof|med|dent|mr|mrs|ms|miss|mx|sir|madam|monsieur|madame|mme|mlle|m", re.IGNORECASE
)
_NOBODY = re.compile(
    r"nn|x+|patient(in|e)?|anonym(e|ous)?|unbekannt|unknown|inconnue?|vorname|nachname|user|benutzer(in)?",
    re.IGNORECASE,
)
"""never part of a name"""
_PERHAPS_NOBODY = re.compile(r"gast|guest|invitée?|test(er)?|name|besucher(in)?", re.IGNORECASE)
"""a family name too, as long as something else stands beside it"""
_ALIAS = re.compile(r"[\d@_#/\\<>*]|https?:")


def problem(name: str) -> str | None:
    """The reason code of what is wrong with the name, or None."""
    words = [word.strip(".,") for word in name.split()]
    words = [word for word in words if word and not _TITLE.fullmatch(word)]
    if not words:
        return "name-missing"
    if _ALIAS.search(name):
        return "name-alias"
    nobody = [word for word in words if _NOBODY.fullmatch(word)]
    if nobody or all(_PERHAPS_NOBODY.fullmatch(word) for word in words):
        return "name-placeholder"
    whole = [word for word in words if _letters(word) >= (1 if _ideographic(word) else 2)]
    if len(whole) >= 2 or (len(whole) == 1 and _ideographic(whole[0]) and _letters(whole[0]) >= 2):
        return None
    return "name-incomplete"


def _letters(word: str) -> int:
    return sum(unicodedata.category(c).startswith("L") for c in word)


def _ideographic(word: str) -> bool:
    """Chinese, Japanese and Korean names are short, and often written without a space."""
    return any(unicodedata.name(c, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) for c in word)
