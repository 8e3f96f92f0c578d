import os
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from vsdk.domain.errors import ConfigurationError
from vsdk.settings import Settings
from vsdk.signing_key import FILE_NAME, signing_key


def settings(folder: Path) -> Settings:
    return Settings(database=f"sqlite+aiosqlite:///{folder}/vsdk.sqlite3")


def test_a_key_that_is_configured_is_taken_and_no_file_is_made(tmp_path: Path) -> None:
    given = settings(tmp_path).model_copy(update={"signing_key": SecretStr("k" * 32)})
    assert signing_key(given) == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_readable_by_its_owner_only_and_used_again(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key = signing_key(settings(tmp_path))
    finally:
        os.umask(before)
    file = tmp_path / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) >= 32
    assert file.read_bytes() == key
    assert signing_key(settings(tmp_path)) == key
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME], "no draft stays behind"


def test_each_installation_has_a_key_of_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    assert len({signing_key(settings(folder)) for folder in folders}) == 2


def test_servers_that_start_at_the_same_time_agree_on_a_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        keys.append(signing_key(settings(tmp_path)))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("address", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
def test_in_memory_each_server_has_a_key_of_its_own(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {signing_key(Settings(database=address)) for _ in range(2)}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {32}
    assert list(tmp_path.iterdir()) == []


def test_a_relative_database_keeps_its_key_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    signing_key(Settings(database="sqlite+aiosqlite:///vsdk.sqlite3?timeout=5"))
    assert (tmp_path / FILE_NAME).exists()


def test_a_database_that_several_servers_may_share_needs_a_configured_key() -> None:
    with pytest.raises(ConfigurationError, match="signing_key must be set"):
        signing_key(Settings(database="postgresql+asyncpg://db.example/vsdk"))


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_key_file_that_is_too_short_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError, match="fewer than 32 bytes"):
        signing_key(settings(tmp_path))


def test_where_no_key_file_can_be_kept_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be kept: No such file or directory"):
        signing_key(settings(tmp_path / "missing"))
