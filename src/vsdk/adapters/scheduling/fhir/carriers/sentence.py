"""One sentence with a join link, inside a text of someone else."""

import re
from collections.abc import Sequence
from functools import cached_property

SENTENCES = {
    "de": "Für Ihre Videosprechstunde öffnen Sie bitte kurz vor Beginn diesen Link:",
    "fr": "Pour votre téléconsultation, ouvrez ce lien peu avant l'heure prévue :",
    "en": "For your video visit, please open this link shortly before it starts:",
}
"""What patients read, by language; the link follows. Plain words: the reader may be 75 years old."""


class Sentence:
    """Puts our sentence into texts, finds it and takes it out again. Known by how the link in it begins."""

    def __init__(self, link_addresses: Sequence[str], *, reworded: bool = True) -> None:
        """``reworded``: whether a link of ours counts that stands in other words than ours."""
        self._addresses = link_addresses
        self._reworded = reworded

    @cached_property
    def _link(self) -> re.Pattern[str]:
        beginnings = "|".join(map(re.escape, self._addresses))
        return re.compile(rf"(?:{beginnings})[\w-]*", re.ASCII)

    @cached_property
    def _ours(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, SENTENCES.values()))
        return re.compile(rf"\n?(?:{words})\s?{self._link.pattern}", re.ASCII)

    def links(self, text: str) -> list[str]:
        return self._link.findall(text) if self._addresses else []

    def is_in(self, text: str) -> bool:
        return bool(self._addresses and (self._link if self._reworded else self._ours).search(text))

    def put(self, text: str, url: str, language: str) -> str:
        """The text with our sentence: in place of the one it has, else in a line of its own at the end."""
        if self.is_in(text):
            return self._link.sub(lambda _: url, text)
        words = SENTENCES.get(re.split("[-_]", language)[0].lower(), SENTENCES["en"])
        return "\n".join([*([text] if text else []), f"{words} {url}"])

    def removed(self, text: str) -> str:
        """The text without our sentences; and of reworded ones without the link."""
        if not self._addresses:
            return text
        text = self._ours.sub("", text)
        return self._link.sub("", text) if self._reworded else text
