"""``vsdk new plugin``: a plugin to begin with, and what to type next."""

import shlex
from pathlib import Path
from typing import TextIO

from vsdk.domain.errors import UsageError
from vsdk.scaffold.naming import PluginName
from vsdk.scaffold.project import files_of
from vsdk.scaffold.writing import write
from vsdk.service.registry import installed


def new_plugin(name: str, kind: str, directory: str | None, out: TextIO) -> int:
    """Raises UsageError ``plugin-name-invalid``, ``plugin-name-taken`` and ``folder-not-empty``."""
    plugin = PluginName(name)
    if taken := installed().get(name):
        owner = f" by {taken.dist.name}" if taken.dist else ""
        raise UsageError(f"the name {name} is taken{owner}; choose another one", code="plugin-name-taken")
    folder = Path(directory or plugin.distribution)
    files = files_of(plugin, kind)
    write(files, folder)
    print(f"{plugin.distribution} is in {folder}: {len(files)} files. Next:\n", file=out)
    print(f"  python -m pip install --editable {shlex.quote(f'{folder}[test]')}", file=out)
    print(f"  python -m pytest {shlex.quote(str(folder))}", file=out)
    print(f"  vsdk check plugin {name}", file=out)
    return 0
