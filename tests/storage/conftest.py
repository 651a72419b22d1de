from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore
from storage.store import Store
from tests.storage.memory_store import MemoryStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may come to be."""
    return tmp_path / "data" / "db.sqlite"


@pytest.fixture
async def sqlite_store(path: Path) -> AsyncIterator[SqliteStore]:
    """An empty SQLite store."""
    store = await SqliteStore.open(path)
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "memory"])
async def store(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Store]:
    """Every store that there is, empty."""
    store: Store = await SqliteStore.open(path) if request.param == "sqlite" else MemoryStore()
    yield store
    await store.close()
