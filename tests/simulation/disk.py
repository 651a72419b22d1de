"""The disk: real SQLite files, whose commits can be slow, fail, and be cut off."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from storage.database import Database

T = TypeVar("T")
Told = Callable[[str], None]


def failed(code: str) -> sqlite3.OperationalError:
    """An error as SQLite reports it."""
    error = sqlite3.OperationalError(code)
    error.sqlite_errorcode = getattr(sqlite3, code)
    error.sqlite_errorname = code
    return error


class Connection:
    """What aiosqlite's connection is to ``Database``, without its thread.

    A statement that takes time goes on when nobody waits for it any more, as in a thread, and
    those that follow wait behind it.
    """

    def __init__(self, disk: "Disk", path: Path) -> None:
        self._disk = disk
        self._sqlite = sqlite3.connect(path, isolation_level=None)
        self._slow: asyncio.Task[Any] | None = None

    async def execute_fetchall(self, sql: str, values: Iterable[Any] = ()) -> Iterable[Any]:
        """All rows of a query."""
        if sql.startswith("PRAGMA synchronous"):  # nobody cuts the power of this machine
            sql = "PRAGMA synchronous = OFF"
        return await self._in_turn(lambda: self._sqlite.execute(sql, tuple(values)).fetchall())

    async def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """One statement."""
        if sql == "COMMIT":
            return await self._slowly(self._disk.commit(self.commit))
        return await self._in_turn(lambda: self._sqlite.execute(sql, tuple(values)))

    async def _execute(self, function: Callable[..., T], *values: object) -> T:
        return await self._in_turn(lambda: function(*values))

    @property
    def _conn(self) -> sqlite3.Connection:
        return self._sqlite

    async def rollback(self) -> None:
        """Undo what is not committed."""
        await self._in_turn(self._sqlite.rollback)

    async def close(self) -> None:
        """Let go of the file."""
        await self._in_turn(self._sqlite.close)

    def commit(self) -> sqlite3.Cursor:
        """Make durable what was done; mutants do this otherwise."""
        return self._sqlite.execute("COMMIT")

    def cut(self) -> None:
        """The process has died: what was not committed is gone."""
        if self._slow is not None:
            self._slow.cancel()
        self._sqlite.close()

    async def _in_turn(self, work: Callable[[], T]) -> T:
        while self._slow is not None:
            await asyncio.wait({self._slow})
        self._disk.check()
        return work()

    async def _slowly(self, work: Coroutine[Any, Any, T]) -> T:
        self._slow = task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._slow = None
        if not task.cancelled():
            task.exception()


class Disk:
    """Opens databases on real files for one process, and decides what becomes of commits."""

    connection: type[Connection] = Connection

    def __init__(self, commit_s: float, told: Told) -> None:
        self._commit_s = commit_s
        self._told = told
        self._fault: tuple[str, float] | None = None
        self._open: list[Connection] = []
        self.is_cut = False
        self.unwell_at = -1.0  # when it was last not well

    async def open(
        self, path: Path, *, read_only: bool = False, deadline_s: float | None = None
    ) -> Database:
        """As ``Database.open``."""
        connection = self.connection(self, path)
        self._open.append(connection)
        return Database(cast("aiosqlite.Connection", connection), str(path), deadline_s)

    def break_with(self, fault: tuple[str, float] | None) -> None:
        """From now on commits are as the fault says; ``None``: all is well."""
        self.note_if_unwell()
        self._fault = fault
        self.note_if_unwell()

    def note_if_unwell(self) -> None:
        """Remember the time, if there is a fault."""
        if self._fault is not None:
            self.unwell_at = max(self.unwell_at, asyncio.get_running_loop().time())

    def cut(self) -> None:
        """The process has died."""
        self.is_cut = True
        for connection in self._open:
            connection.cut()

    def check(self) -> None:
        """Raise where the process has died already."""
        if self.is_cut:
            raise failed("SQLITE_IOERR")

    async def commit(self, commit: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        """Commit as the fault of the moment wants it."""
        self.check()
        self._told("commit")
        self.note_if_unwell()
        kind, amount = self._fault or ("", 0.0)
        if kind in {"slow", "late"}:  # felt until then, whatever the next commit meets
            self.unwell_at = asyncio.get_running_loop().time() + amount
        await self._take(self._commit_s / 2 + (amount if kind == "slow" else 0))
        if kind == "full":
            raise failed("SQLITE_FULL")
        cursor = commit()
        self._told("committed")
        await self._take(self._commit_s / 2 + (amount if kind == "late" else 0))
        if kind == "torn":
            raise failed("SQLITE_IOERR")
        return cursor

    async def _take(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)
        self.note_if_unwell()
        self.check()
