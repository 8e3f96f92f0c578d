"""``vsdk plugins``: which plugins are installed, and which are enabled. None of them is imported."""

from typing import TextIO

from vsdk.service.registry import installed
from vsdk.settings import Settings


def show(settings: Settings, out: TextIO) -> int:
    """1 where an enabled one is not installed."""
    enabled = settings.plugins
    for name, entry in sorted(installed().items()):
        distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
        state = f"enabled ({enabled.index(name) + 1})" if name in enabled else "installed, not enabled"
        print(f"{name:24} {state:24} {distribution}", file=out)
    missing = [name for name in enabled if name not in installed()]
    for name in missing:
        print(f"{name:24} {'enabled, not installed':24}", file=out)
    return 1 if missing else 0
