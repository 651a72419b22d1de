"""The tables, brought up to date by numbered migrations."""

from collections.abc import Callable
from datetime import datetime
from importlib import resources

import structlog

from protocol.base import Value
from protocol.errors import StorageUnavailable
from storage.database import Database

log = structlog.get_logger()

# What SQLite keeps in a file's head to say whose it is; the bytes read "PyPx".
APPLICATION_ID = 0x50795078

_RECORD = """
CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL
)
"""


class Migration(Value, frozen=True):
    """One step of the schema; steps are never changed once released."""

    number: int
    name: str
    script: str


def packed_migrations() -> list[Migration]:
    """The migrations that come with the program, in order."""
    files = resources.files("storage.migrations").iterdir()
    named = sorted((file.name, file) for file in files if file.name.endswith(".sql"))
    return [
        Migration(int(name[:4]), name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for name, file in named
    ]


async def migrate(
    database: Database, migrations: list[Migration], clock: Callable[[], datetime]
) -> None:
    """Bring the file to the newest schema; nothing of it is changed when it is not ours.

    Processes that start at once on one file wait for each other. Raises StorageUnavailable for
    the file of another program or of a newer version.
    """
    newest = migrations[-1].number
    await version_of(database, newest)
    await database.use_wal()
    async with database.transaction():
        version = await version_of(database, newest)
        for migration in migrations:
            if migration.number > version:
                await _apply(database, migration, clock())


async def version_of(database: Database, newest: int) -> int:
    """Number of the last migration that the file has; 0 for an empty one.

    Raises StorageUnavailable for the file of another program or of a newer version.
    """
    [(tables,)] = await database.rows("SELECT count(*) FROM sqlite_master")
    if not tables:
        return 0
    # Read after the tables: another process may make them, and its mark with them, meanwhile.
    [(application,)] = await database.rows("PRAGMA application_id")
    if application != APPLICATION_ID:
        raise StorageUnavailable(f"{database.subject} belongs to another program")
    [(version,)] = await database.rows("SELECT coalesce(max(number), 0) FROM migration")
    if version > newest:
        raise StorageUnavailable(
            f"{database.subject} was made by a newer version of this program (schema {version},"
            f" this one knows {newest})"
        )
    return int(version)


async def _apply(database: Database, migration: Migration, at: datetime) -> None:
    await database.run(f"PRAGMA application_id = {APPLICATION_ID}")
    await database.run(_RECORD)
    await database.run_script(migration.script)
    await database.run(
        "INSERT INTO migration (number, name, applied_at) VALUES (?, ?, ?)",
        migration.number,
        migration.name,
        at.isoformat(),
    )
    log.info("migration.applied", number=migration.number, name=migration.name)
