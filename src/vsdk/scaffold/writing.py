"""Puts a whole project on the disk, or nothing."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from vsdk.domain.errors import UsageError, VsdkError


def write(files: Mapping[PurePosixPath, str], folder: Path) -> None:
    """Writes all files into ``folder``, which is new or empty; what lies above it is made too.

    Everything is written beside it first and then moved, so that a full disk leaves nothing behind. Raises
    UsageError ``folder-not-empty``, and VsdkError ``output-failed`` where nothing can be written.
    """
    folder = folder.absolute()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is there already; name another one with --directory", code="folder-not-empty"
            )
        above = next(parent for parent in folder.parents if parent.exists())
        with TemporaryDirectory(prefix=".vsdk-new-", dir=above) as name:
            made = Path(name) / "project"
            for path, text in files.items():
                file = made / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="\n")
            _move(made, folder)
    except OSError as error:
        raise VsdkError(f"cannot be written: {error.strerror}", code="output-failed") from None


def _move(made: Path, folder: Path) -> None:
    """A folder that exists stays the same one: someone may stand in it."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.rename(folder)
        return
    paths = [(path, folder / path.name) for path in made.iterdir()]
    try:
        for path, place in paths:
            path.rename(place)
    except OSError:
        for path, place in paths:
            if not path.exists():
                place.rename(path)
        raise
