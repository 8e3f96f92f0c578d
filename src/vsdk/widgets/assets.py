"""Static files: one content hash over all of them in every address, so that they may be kept for a year."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import NamedTuple

STATIC_FOLDER = Path(__file__).parent / "static"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMPORT = re.compile(rb"""^(?:import|export|\} from)\b[^'"]*['"](\.{1,2}/[^'"]+)['"];""", re.MULTILINE)
_KEEP = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_DOORS = ("vsdk.js", "confirmation.js")
"""addresses without a hash, for the ``<script>`` tags of a PMS and of plugins' pages"""


class Asset(NamedTuple):
    content: bytes
    content_type: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class _File:
    asset: Asset
    gzipped: bytes


class Assets:
    """All static files, in memory. ``base_path`` is the path of the base URL, without a slash at the end."""

    def __init__(self, base_path: str = "", folder: Path = STATIC_FOLDER) -> None:
        contents = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.suffix in _TYPES
        }
        self.hash = _hash(contents)
        self._base = f"{base_path.rstrip('/')}/static/{self.hash}"
        self._files = {
            f"{self.hash}/{name}": _file(name, content, _KEEP) for name, content in contents.items()
        }
        for name in _DOORS:
            self._files[name] = _file(name, f'import "./{self.hash}/{name}";\n'.encode(), _ASK_AGAIN)
        self._imports = {name: _imports(name, content) for name, content in contents.items()}

    def url(self, name: str) -> str:
        """``page.css`` -> ``/video/static/0123456789ab/page.css``."""
        return f"{self._base}/{name}"

    def modules(self, entry: str) -> tuple[str, ...]:
        """Addresses of that ES module and of all that it imports, to be loaded in advance."""
        found: dict[str, None] = {}
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = None
                waiting += self._imports[name]
        return tuple(self.url(name) for name in found)

    def read(self, path: str) -> Asset | None:
        """The file at ``/static/<path>``: content, type and cache header. None: there is no such file."""
        file = self._files.get(path)
        return file.asset if file else None

    def gzipped(self, path: str) -> bytes | None:
        """The same content, compressed, for ``Content-Encoding: gzip``."""
        file = self._files.get(path)
        return file.gzipped if file else None


def _file(name: str, content: bytes, cache_control: str) -> _File:
    asset = Asset(content, _TYPES[Path(name).suffix], cache_control)
    return _File(asset, gzip.compress(content, mtime=0))


def _imports(name: str, content: bytes) -> list[str]:
    """The files that a module imports, by relative address, which is the only kind we write."""
    folder = PurePosixPath(name).parent
    return [normpath(folder / found.decode()) for found in _IMPORT.findall(content)]


def _hash(contents: dict[str, bytes]) -> str:
    """Names and contents, each with its length, so that no two trees look alike."""
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
