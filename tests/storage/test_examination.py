"""A store is looked at without a change, whoever else has it open."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.errors import StorageUnavailable
from storage.examination import examine
from storage.schema import packed_migrations
from storage.sqlite import SqliteStore
from tests.storage.examples import NOON, asked

NEWEST = packed_migrations()[-1].number


def make_empty(path: Path) -> None:
    """A file without a byte."""
    path.parent.mkdir()
    path.touch()


def cut_in_half(path: Path) -> None:
    """Lose the end of the file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def write_over(path: Path) -> None:
    """Make it a file of something else."""
    path.write_bytes(b"Dear diary, " * 1_000)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of the folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_nothing_there(path: Path) -> None:
    """Neither is anything made."""
    assert await examine(path) is None
    assert not path.parent.exists()


async def test_store_that_is_closed_stays_as_it_is(path: Path) -> None:
    """Its chats and its newest question are told, and no file is added."""
    store = await SqliteStore.open(path)
    await store.commit([asked("1", "c", "m"), asked("2", "d", "m")])
    await store.close()
    before = contents(path.parent)
    found = await examine(path)
    assert found is not None
    assert (found.version, found.is_newest, found.chats) == (NEWEST, True, 2)
    assert found.newest_at == NOON
    assert contents(path.parent) == before


async def test_store_in_use_tells_what_was_just_committed(
    sqlite_store: SqliteStore, path: Path
) -> None:
    """What is still in the log counts, and the writer is not held up."""
    await sqlite_store.commit([asked("1", "c", "m")])
    found = await examine(path)
    await sqlite_store.commit([asked("2", "d", "m")])
    assert found is not None
    assert found.chats == 1


async def test_empty_file_is_a_store_to_be(path: Path) -> None:
    """As the first start leaves it when it is killed at once."""
    make_empty(path)
    found = await examine(path)
    assert found is not None
    assert not found.version


@pytest.mark.parametrize("harm", [cut_in_half, write_over])
async def test_damage_is_told_with_the_path(path: Path, harm: Callable[[Path], None]) -> None:
    """Half a file, or no database at all; it stays as it is."""
    store = await SqliteStore.open(path)
    await store.commit([asked(f"{n}", "c", f"m{n}", "why? " * 500) for n in range(40)])
    await store.close()
    harm(path)
    before = contents(path.parent)
    with pytest.raises(StorageUnavailable, match=str(path)):
        await examine(path)
    assert contents(path.parent) == before


async def test_store_left_by_a_kill_is_read_with_its_log(
    sqlite_store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    """Nothing is moved out of the log."""
    await sqlite_store.commit([asked("1", "c", "m")])
    left = tmp_path / "left"
    left.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), left / name)
    before = contents(left)
    found = await examine(left / path.name)
    assert found is not None
    assert found.chats == 1
    after = contents(left)
    assert {name: after[name] for name in before} == before
