"""How a store is: read without changing anything, also while a server has it open."""

from datetime import datetime
from pathlib import Path

from protocol.base import Value
from protocol.errors import StorageUnavailable
from storage.database import Database
from storage.places import file_identity
from storage.schema import packed_migrations, version_of
from storage.soundness import CHECK_S, log_of

READ_S = 5.0


class Examined(Value, frozen=True):
    """What a database holds.

    Attributes:
        version: Number of its last migration; 0 for one that is empty.
        is_newest: Whether it is as this program makes them; else the next start brings it there.
        chats: How many it has.
        newest_at: When its newest question came, by the clock of then.

    """

    version: int
    is_newest: bool
    chats: int = 0
    newest_at: datetime | None = None


async def examine(path: Path) -> Examined | None:
    """What the database holds; ``None`` where there is none yet.

    Nothing is made, moved or locked. Raises StorageUnavailable for one that is damaged, cannot be
    read or is not ours.
    """
    if not file_identity(path)[1]:
        return None
    # Beside a database that is in use lies its log. Without one SQLite would make it anew, which
    # a folder that is read-only or full does not allow.
    if log_of(path).exists():
        return await _read(path, immutable=False)
    try:
        return await _read(path, immutable=True)
    except StorageUnavailable:
        if not log_of(path).exists():
            raise
        return await _read(path, immutable=False)  # a server has started meanwhile


async def _read(path: Path, *, immutable: bool) -> Examined:
    database = await Database.open(path, read_only=True, deadline_s=READ_S, immutable=immutable)
    try:
        return await _examined(path, database)
    finally:
        await database.close()


async def _examined(path: Path, database: Database) -> Examined:
    newest = packed_migrations()[-1].number
    if not await database.is_sound(CHECK_S):
        raise StorageUnavailable(f"{path} is damaged")
    version = await version_of(database, newest)
    if not version:
        return Examined(version, is_newest=False)
    [(chats,)] = await database.rows("SELECT count(*) FROM chat")
    rows = await database.rows("SELECT accepted_at FROM turn ORDER BY number DESC LIMIT 1")
    newest_at = _time(rows[0][0]) if rows else None
    return Examined(version, version == newest, chats, newest_at)


def _time(text: str) -> datetime | None:
    """The time that a row tells; nothing where that cannot be compared with ours."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
