"""Migrations, and processes that come to them at once."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from protocol.access import EVERYBODY
from storage.database import Database
from storage.schema import packed_migrations
from storage.sqlite import SqliteStore
from tests.storage.examples import asked
from tests.storage.processes import child


async def test_migrations_are_recorded_once(path: Path) -> None:
    """Each is there with its number, name and time, however often the store is opened."""
    for _ in range(2):
        await (await SqliteStore.open(path)).close()
    database = await Database.open(path)
    rows = await database.rows("SELECT number, name, applied_at FROM migration")
    await database.close()
    assert [row[:2] for row in rows] == [(m.number, m.name) for m in packed_migrations()]
    assert all(row[2] for row in rows)


def test_migrations_are_numbered_without_holes() -> None:
    """Numbers begin at 1 and rise by 1."""
    numbers = [migration.number for migration in packed_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_processes_that_start_at_once_share_a_new_file(path: Path) -> None:
    """Two processes and more that open a file which is not yet there all come up right."""
    async with AsyncExitStack() as stack:
        names = ["a", "b", "c", "d"]
        others = [await stack.enter_async_context(child("keep", path, name)) for name in names]
        for other in others:
            other.go()
        for other in others:
            await other.says("done")
        assert [await other.leave() for other in others] == [0, 0, 0, 0]
    store = await SqliteStore.open(path)
    assert sorted(chat.id for chat in await store.chats(EVERYBODY)) == names
    assert len(await store._reader.rows("SELECT * FROM migration")) == len(packed_migrations())
    await store.close()


async def test_stores_that_open_at_once_share_a_new_file(path: Path) -> None:
    """The same within one process, eight at a time."""
    stores = await asyncio.gather(*(SqliteStore.open(path) for _ in range(8)))
    await asyncio.gather(
        *(store.commit([asked(f"{n}", f"{n}", "m")]) for n, store in enumerate(stores))
    )
    assert len(await stores[0].chats(EVERYBODY)) == 8
    assert len({store._slot.number for store in stores}) == 8
    for store in stores:
        await store.close()
