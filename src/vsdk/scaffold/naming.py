"""The name of a plugin, and all that is named after it."""

import re
from dataclasses import dataclass

from vsdk.domain.errors import UsageError

LONGEST = 30
"""characters, so that lines with the name in them stay short"""
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class PluginName:
    """``acme_sms``: the entry point, the section of the settings, and what everything else comes from."""

    name: str

    def __post_init__(self) -> None:
        """Raises UsageError ``plugin-name-invalid``."""
        if not _NAME.fullmatch(self.name) or len(self.name) > LONGEST:
            raise UsageError(
                "the name of a plugin is at most 30 lower-case letters, digits and underscores, "
                "beginning with a letter, such as acme_sms",
                code="plugin-name-invalid",
            )
        if self.name.split("_")[0] == "vsdk":
            raise UsageError(
                "leave out the vsdk_ at the beginning: the package gets it anyway", code="plugin-name-invalid"
            )

    @property
    def module(self) -> str:
        return f"vsdk_{self.name}"

    @property
    def distribution(self) -> str:
        return self.module.replace("_", "-")

    def values(self) -> dict[str, str]:
        """What templates may put in."""
        words = self.name.split("_")
        kebab = "-".join(words)
        return {
            "name": self.name,
            "module": self.module,
            "distribution": self.distribution,
            "kebab": kebab,
            "element": f"{kebab}-panel",
            "constant": self.name.upper(),
            "camel": "".join(word.capitalize() for word in words),
            "title": " ".join(words).capitalize(),
        }
