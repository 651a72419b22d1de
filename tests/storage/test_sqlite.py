"""The store in a file: opening, refusing, lasting."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from protocol.access import EVERYBODY
from protocol.errors import StorageUnavailable
from protocol.events import Delta, Entry
from protocol.ids import ChatId, TurnId
from protocol.writes import AppendEntries
from storage.database import Database
from storage.sqlite import SqliteStore
from tests.storage.examples import SECRET, asked, deleted, ended, wrote


def made(path: Path, content: bytes = b"") -> None:
    """Put a file with this content at the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def content_of(path: Path) -> bytes:
    """What the file holds, and nothing but the file and locks lies beside it."""
    assert all(file.suffix != ".sqlite-wal" for file in path.parent.iterdir())
    return path.read_bytes()


def open_files() -> int:
    """How many files this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


async def refused(path: Path) -> str:
    """The sentence that opening this path is refused with."""
    with pytest.raises(StorageUnavailable) as caught:
        await SqliteStore.open(path)
    return str(caught.value)


async def test_missing_folders_are_made(tmp_path: Path) -> None:
    """A path with spaces, signs of addresses and missing folders is good."""
    path = tmp_path / "a b" / "100%" / "q?#&=ü" / "db.sqlite"
    store = await SqliteStore.open(path)
    await store.close()
    assert path.is_file()


async def test_files_are_nobody_elses_on_this_machine(tmp_path: Path) -> None:
    """Neither the folder that is made nor what SQLite puts there; one that is there stays."""
    old = tmp_path / "old"
    old.mkdir(mode=0o750)
    for folder in (tmp_path / "new", old):
        store = await SqliteStore.open(folder / "db.sqlite")
        await store.commit([asked("1", "c", "m")])
        modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("db.sqlite*")}
        assert all(not mode & 0o077 for mode in modes), modes
        await store.close()
    assert [stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "new", old)] == [0o700, 0o750]


async def test_path_below_a_file_is_refused(tmp_path: Path) -> None:
    """A path that cannot be made is named."""
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "db", tmp_path / "file" / "deeper" / "db"):
        assert str(path) in await refused(path)


async def test_folder_in_the_place_of_the_file_is_refused(path: Path) -> None:
    """What is not a file is no database."""
    made(path / "something")
    assert f"{path} is not a file" in await refused(path)


async def test_place_that_takes_no_files_is_refused() -> None:
    """Folders that the system keeps for itself cannot be written, by nobody."""
    assert "/proc/nothing/db" in await refused(Path("/proc/nothing/db"))
    assert "/proc/db" in await refused(Path("/proc/db"))


async def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    """A link that leads to itself leads nowhere."""
    (tmp_path / "link").symlink_to(tmp_path / "link")
    assert "link" in await refused(tmp_path / "link" / "db")
    assert "link" in await refused(tmp_path / "link")


async def test_path_that_cannot_be_named_is_refused(tmp_path: Path) -> None:
    """A zero byte in a path, or a name of 5,000 characters, is trouble with the path only."""
    assert "cannot be made" in await refused(tmp_path / "a\0b")
    assert "cannot be made" in await refused(tmp_path / ("x" * 5_000) / "db")


@pytest.mark.parametrize("content", [b"hello", b"no database " * 1_000, b"\0" * 4096])
async def test_file_that_is_no_database_is_left_as_it_is(path: Path, content: bytes) -> None:
    """Somebody's file is refused and not touched."""
    made(path, content)
    assert f"{path} is not a database" in await refused(path)
    assert content_of(path) == content


async def test_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    """Tables of others are never mixed with ours."""
    made(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE chats (id)")
    content = content_of(path)
    assert f"{path} belongs to another program" in await refused(path)
    assert content_of(path) == content


async def test_database_of_a_newer_version_is_refused(path: Path) -> None:
    """A schema that this version does not know is left to the version that does."""
    await (await SqliteStore.open(path)).close()
    database = await Database.open(path)
    await database.run("INSERT INTO migration VALUES (9000, 'later', '')")
    await database.close()
    content = content_of(path)
    assert "newer version" in await refused(path)
    assert content_of(path) == content


async def test_damaged_database_is_refused(path: Path) -> None:
    """A file whose pages are spoilt is named as damaged, not repaired by guess."""
    await (await SqliteStore.open(path)).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3_000)
    assert f"{path} is damaged" in await refused(path)


async def test_refused_opening_leaves_nothing_behind(path: Path) -> None:
    """Files are closed and threads ended when a store could not be opened."""
    made(path, b"no database")
    await refused(path)
    before = open_files()
    for _ in range(5):
        await refused(path)
    assert open_files() == before


async def test_empty_file_becomes_a_store(path: Path) -> None:
    """A file of no bytes is as good as none."""
    made(path)
    await (await SqliteStore.open(path)).close()
    assert content_of(path)


async def test_commits_wait_for_the_disk(sqlite_store: SqliteStore) -> None:
    """The writing connection syncs at each commit, logs ahead, and keeps rows together."""
    writer = sqlite_store._writer
    assert await writer.rows("PRAGMA synchronous") == [(2,)]
    assert await writer.rows("PRAGMA journal_mode") == [("wal",)]
    assert await writer.rows("PRAGMA foreign_keys") == [(1,)]
    assert await writer.rows("PRAGMA busy_timeout") == [(5_000,)]


async def test_reader_cannot_write(sqlite_store: SqliteStore) -> None:
    """The reading connection refuses any change."""
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await sqlite_store._reader.run("DELETE FROM chat")


async def test_reading_does_not_wait_for_writing(sqlite_store: SqliteStore) -> None:
    """While a transaction is open, reads see what was before it."""
    await sqlite_store.commit([asked("1", "c", "m")])
    async with sqlite_store._writer.transaction():
        await sqlite_store._writer.run("DELETE FROM chat")
        assert len(await sqlite_store.chats(EVERYBODY)) == 1
    assert await sqlite_store.chats(EVERYBODY) == []


async def test_cancelled_commit_keeps_all_or_nothing(path: Path) -> None:
    """Wherever a commit is cancelled, the next one works and no half of a batch is there."""
    store = await SqliteStore.open(path)
    for rounds in range(40):
        name = f"c{rounds}"
        task = asyncio.create_task(store.commit([asked(name, name, "m"), ended(name)]))
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert len(await store.messages(ChatId(name), EVERYBODY)) in {0, 2}
        await store.commit([asked(name, name, "m"), ended(name)])
        assert len(await store.messages(ChatId(name), EVERYBODY)) == 2
    await store.close()


async def test_failing_batch_keeps_nothing(sqlite_store: SqliteStore) -> None:
    """A batch that meets trouble in its middle leaves no trace, and the next one works."""
    writer = sqlite_store._writer
    await writer.run(
        "CREATE TRIGGER no BEFORE INSERT ON entry WHEN new.seq = 3"
        " BEGIN SELECT raise(ABORT, 'no'); END"
    )
    with pytest.raises(StorageUnavailable):
        await sqlite_store.commit([asked("1", "c", "m"), wrote("1", "a", "b")])
    assert await sqlite_store.chats(EVERYBODY) == []
    await sqlite_store.commit([asked("2", "c", "m")])


async def test_full_disk_is_said_plainly(sqlite_store: SqliteStore) -> None:
    """When the file may not grow, the batch is refused, reading goes on, and paths stay secret."""
    [(pages,)] = await sqlite_store._writer.rows("PRAGMA page_count")
    await sqlite_store._writer.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageUnavailable, match="disk that is full") as caught:
        await sqlite_store.commit([asked("1", "c", "m", "x" * 1_000_000)])
    assert "/" not in str(caught.value)
    assert await sqlite_store.chats(EVERYBODY) == []


async def test_half_characters_become_replacement_signs(sqlite_store: SqliteStore) -> None:
    """Broken text of a service cannot spoil the batch of others."""
    half = "a\ud800b"
    await sqlite_store.commit([asked("1", half, half, half)])
    await sqlite_store.commit([wrote("1", half), wrote(half, "x"), ended("1", half, after=2)])
    [question, answer] = await sqlite_store.messages(ChatId(half), EVERYBODY)
    assert (question.content, answer.content) == ("a\ufffdb", "a\ufffdb")
    assert (await sqlite_store.entries(TurnId("1"), EVERYBODY))[1].event == Delta("a\ufffdb")


async def test_keys_are_not_stored(sqlite_store: SqliteStore, path: Path) -> None:
    """A turn is stored with the names of its models, never with a client's key or address."""
    await sqlite_store.commit([asked("1", "c", "m"), ended("1")])
    rows = await sqlite_store._reader.rows(
        "SELECT session_id, state, chat_provider, chat_model FROM turn"
    )
    assert rows == [("s", "finished", "openai", "gpt")]
    files = path.parent.glob("db.sqlite*")
    assert not any(SECRET.encode() in file.read_bytes() for file in files)


async def test_closed_store_is_unavailable(path: Path) -> None:
    """Closing twice is harmless; using it afterwards is refused."""
    store = await SqliteStore.open(path)
    await store.close()
    await store.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await store.chats(EVERYBODY)
    with pytest.raises(StorageUnavailable, match="closed"):
        await store.commit([asked("1", "c", "m")])


async def test_removed_file_is_noticed(sqlite_store: SqliteStore, path: Path) -> None:
    """A store whose file has been removed or replaced is not ready."""
    await sqlite_store.check()
    await asyncio.to_thread(path.rename, path.with_name("elsewhere"))
    with pytest.raises(StorageUnavailable, match="removed"):
        await sqlite_store.check()


async def test_spoilt_journal_is_said_plainly(sqlite_store: SqliteStore) -> None:
    """A line that cannot be read is trouble of the store, not a crash."""
    await sqlite_store.commit([asked("1", "c", "m")])
    await sqlite_store._writer.run("UPDATE entry SET event = 'x'")
    with pytest.raises(StorageUnavailable):
        await sqlite_store.entries(TurnId("1"), EVERYBODY)


async def test_no_row_outlives_its_chat(sqlite_store: SqliteStore) -> None:
    """Deleting every chat empties every table, whatever arrives late."""
    for number in range(3):
        await sqlite_store.commit([asked(f"{number}", "c", f"m{number}"), wrote(f"{number}", "a")])
    late = AppendEntries(TurnId("1"), (Entry(9, Delta("late")),))
    await sqlite_store.commit([ended("0", after=2), deleted("c"), late, ended("1")])
    for table in ("chat", "message", "turn", "entry"):
        [(count,)] = await sqlite_store._reader.rows(f"SELECT count(*) FROM {table}")  # noqa: S608
        assert count == 0, table


async def test_every_reference_has_its_index(sqlite_store: SqliteStore) -> None:
    """What is looked up by a row that it belongs to is found without reading the table."""
    rows = sqlite_store._reader.rows
    for table in ("message", "turn", "entry"):
        indexes = await rows(f"PRAGMA index_list({table})")
        first = {(await rows(f"PRAGMA index_info({index[1]})"))[0][2] for index in indexes}
        referring = {row[3] for row in await rows(f"PRAGMA foreign_key_list({table})")}
        assert referring <= first
