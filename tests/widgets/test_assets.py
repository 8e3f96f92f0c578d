"""Static files and their addresses."""

import gzip
import json
from pathlib import Path

import pytest

from vsdk.widgets.assets import Assets
from vsdk.widgets.render import Pages
from vsdk.widgets.texts import LANGUAGES, Texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ui").mkdir()
    (tmp_path / "vsdk.js").write_text("import './ui/a.js';\n")
    (tmp_path / "ui" / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "notes.txt").write_text("not for the web")
    return tmp_path


def test_hash_changes_with_content_and_with_names(folder: Path) -> None:
    before = Assets("", folder).hash
    assert Assets("", folder).hash == before
    (folder / "ui" / "a.js").write_text("export const a = 2;\n")
    changed = Assets("", folder).hash
    (folder / "ui" / "a.js").rename(folder / "ui" / "b.js")
    renamed = Assets("", folder).hash
    assert len({before, changed, renamed}) == 3
    assert len(before) == 12


def test_addresses_stand_below_the_base_path(folder: Path) -> None:
    assets = Assets("/video", folder)
    assert assets.url("ui/a.js") == f"/video/static/{assets.hash}/ui/a.js"
    assert assets.modules("vsdk.js") == (assets.url("vsdk.js"), assets.url("ui/a.js"))
    assert assets.modules("ui/a.js") == (assets.url("ui/a.js"),)
    assert Assets("", folder).url("vsdk.js").startswith("/static/")


def test_hashed_files_are_kept_for_a_year(folder: Path) -> None:
    assets = Assets("", folder)
    found = assets.read(f"{assets.hash}/ui/a.js")
    assert found is not None
    content, content_type, cache_control = found
    assert content == b"export const a = 1;\n"
    assert content_type == "text/javascript; charset=utf-8"
    assert cache_control == "public, max-age=31536000, immutable"


def test_embedding_address_leads_to_the_current_files(folder: Path) -> None:
    assets = Assets("", folder)
    found = assets.read("vsdk.js")
    assert found is not None
    assert found.content.decode() == f'import "./{assets.hash}/vsdk.js";\n'
    assert found.cache_control == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing.js",
        "ui/a.js",
        "{hash}/",
        "{hash}/notes.txt",
        "{hash}/../vsdk.js",
        "{hash}/../../assets.py",
        "{hash}/ui/../ui/a.js",
        "/etc/passwd",
        "000000000000/ui/a.js",
        "{hash}/ui\\a.js",
        "{hash}/%2e%2e/assets.py",
    ],
)
def test_unknown_and_traversing_paths_are_refused(folder: Path, path: str) -> None:
    assets = Assets("", folder)
    assert assets.read(path.format(hash=assets.hash)) is None
    assert assets.gzipped(path.format(hash=assets.hash)) is None


def test_compressed_content_is_the_same_content(folder: Path) -> None:
    assets = Assets("", folder)
    compressed = assets.gzipped(f"{assets.hash}/ui/a.js")
    assert compressed is not None
    assert gzip.decompress(compressed) == b"export const a = 1;\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_a_page_loads_stays_below_60_kilobytes(language: str) -> None:
    assets = Assets("")
    modules = [url.partition(f"{assets.hash}/")[2] for url in assets.modules("join.js")]
    names = [*modules, "page.css", "icon.svg"]
    sizes = [len(assets.gzipped(f"{assets.hash}/{name}") or b"") for name in names]
    assert all(sizes)
    texts = gzip.compress(json.dumps(Texts().browser(language)).encode())
    page = gzip.compress(Pages(Texts(), assets, "").join(language).encode())
    assert sum(sizes) + len(texts) + len(page) < 60_000
