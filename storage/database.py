"""A SQLite file behind aiosqlite: the one place that knows either library and its errors."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import aiosqlite
import structlog

from protocol.errors import StorageUnavailable
from storage.text import mended

T = TypeVar("T")
log = structlog.get_logger()

LOCK_WAIT_S = 5.0
_ROLLBACK_WAIT_S = 10.0
_RETRY_S = 0.02

_PROBLEMS = {
    sqlite3.SQLITE_BUSY: "is kept locked by another process",
    sqlite3.SQLITE_LOCKED: "is kept locked by another process",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_IOERR: "is on a disk that reports an error",
    sqlite3.SQLITE_FULL: "is on a disk that is full",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is not a database",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_PERM: "cannot be opened",
}


def _primary_code(error: sqlite3.Error) -> int:
    """The code of SQLite without its finer shades; 0 where Python itself complains."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


class Statements:
    """The statements of ``Database``, for work that runs in its thread; they block."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query, as tuples."""
        return self._done(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Run a statement; how many rows it touched."""
        return self._done(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement once for each row of values."""
        for values in rows:
            self._done(sql, values)

    def _done(self, sql: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except UnicodeEncodeError:
            return self._connection.execute(sql, mended(values))


class Database:
    """One connection; statements run in its own thread, one after the other.

    Every method raises StorageUnavailable for trouble of any kind. ``subject`` is what its
    sentence is about: the path while opening, later nothing that a client should not read.
    """

    def __init__(
        self, connection: aiosqlite.Connection, subject: str, deadline_s: float | None
    ) -> None:
        self.subject = subject
        self._connection = connection
        self._deadline_s = deadline_s
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        deadline_s: float | None = None,
        immutable: bool = False,
    ) -> Self:
        """A connection to the file, which is made when it is missing and may be written.

        Args:
            path: Absolute path of the file.
            read_only: Whether to refuse any change.
            deadline_s: Seconds that one reading may take.
            immutable: Nobody else changes the file meanwhile: nothing is put beside it.

        """
        mode = "ro" if read_only else "rwc"
        address = f"{path.as_uri()}?mode={mode}{'&immutable=1' if immutable else ''}"
        connecting = aiosqlite.connect(address, uri=True, timeout=LOCK_WAIT_S, isolation_level=None)
        database = cls(connecting, str(path), deadline_s)
        with database._translated():
            await connecting
        return database

    async def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query, as tuples."""
        with self._translated():
            async with asyncio.timeout(self._deadline_s):
                try:
                    return list(await self._connection.execute_fetchall(sql, values))
                except UnicodeEncodeError:
                    return list(await self._connection.execute_fetchall(sql, mended(values)))

    async def run(self, sql: str, *values: object) -> int:
        """Run a statement; how many rows it touched."""
        with self._translated():
            try:
                cursor = await self._connection.execute(sql, values)
            except UnicodeEncodeError:
                cursor = await self._connection.execute(sql, mended(values))
            return cursor.rowcount

    async def together(self, work: Callable[[Statements], T]) -> T:
        """What work gives that runs many statements, all in one call of the thread.

        To hand each of them to the thread costs more than most of them do.
        """
        with self._translated():
            # aiosqlite's own methods are made of this one, and it has no public name for it.
            done: T = await self._connection._execute(self._work, work)  # type: ignore[no-untyped-call]  # noqa: SLF001
            return done

    def _work(self, work: Callable[[Statements], T]) -> T:
        return work(Statements(self._connection._conn))  # noqa: SLF001 - as above

    async def run_script(self, script: str) -> None:
        """Run the statements of a script within the transaction that is open."""
        # sqlite3's own executescript would commit that transaction first.
        for statement in _statements(script):
            await self.run(statement)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All that is run within becomes durable together at its end, or nothing does."""
        async with self._one_at_a_time:
            committed = False
            try:
                await self.run("BEGIN IMMEDIATE")
                yield
                await self.run("COMMIT")
                committed = True
            finally:
                if not committed:
                    await self._roll_back()

    async def _roll_back(self) -> None:
        """Undo what has not been committed; harmless where nothing is open."""
        # The statement is queued behind all others before the wait begins, so it runs even
        # when this task is cancelled again or the disk does not answer in time.
        with contextlib.suppress(StorageUnavailable), self._translated():
            async with asyncio.timeout(_ROLLBACK_WAIT_S):
                await self._connection.rollback()

    async def use_wal(self) -> None:
        """Keep changes in a log of their own, so that no reader waits for a writer."""
        # Two processes that switch a new file at once make SQLite answer "busy" at once: it
        # does not wait here as it does elsewhere, because waiting could be for ever.
        for tries_left in reversed(range(round(LOCK_WAIT_S / _RETRY_S))):
            if await self._switched_to_wal(last_try=not tries_left):
                return
            await asyncio.sleep(_RETRY_S)

    async def _switched_to_wal(self, *, last_try: bool) -> bool:
        with self._translated():
            try:
                await self._connection.execute_fetchall("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if last_try or _primary_code(error) != sqlite3.SQLITE_BUSY:
                    raise
                return False
            return True

    async def is_sound(self, deadline_s: float) -> bool:
        """Whether SQLite finds nothing wrong among the pages that it can read in that time."""
        try:
            async with asyncio.timeout(deadline_s):
                return await self.rows("PRAGMA quick_check(1)") == [("ok",)]
        except TimeoutError:
            await self._connection.interrupt()
            return True

    async def close(self) -> None:
        """Close the connection once the transaction that is open, if any, has ended."""
        async with self._one_at_a_time:
            with self._translated():
                await self._connection.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Say in our words what the library has to say."""
        try:
            yield
        except sqlite3.Error as error:
            problem = _PROBLEMS.get(_primary_code(error), "failed")
            log.warning("database.failed", code=getattr(error, "sqlite_errorname", ""))
            raise StorageUnavailable(f"{self.subject} {problem}") from error
        except UnicodeEncodeError:
            raise
        except ValueError as error:  # aiosqlite's word for a connection that is closed
            raise StorageUnavailable(f"{self.subject} is closed") from error
        except TimeoutError as error:
            raise StorageUnavailable(f"{self.subject} did not answer in time") from error


class Connect(Protocol):
    """What opens the file; see ``Database.open``."""

    async def __call__(
        self, path: Path, *, read_only: bool = False, deadline_s: float | None = None
    ) -> Database:
        """A connection to the file."""


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one after the other."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
