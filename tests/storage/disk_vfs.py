"""SQLite on a disk whose power can be cut: a VFS of apsw, and a connection as aiosqlite's."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import aiosqlite
import apsw

from storage.database import Database
from tests.storage.disk import SECTOR, Disk, File, PowerIsOff, Truncated, Written

# With the first sync of one that it may have made, SQLite's own code (os_unix.c, UNIXFILE_DIRSYNC)
# syncs the folder too.
_LOGS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


@contextlib.contextmanager
def _as_sqlite_error() -> Iterator[None]:
    """Tell SQLite that the disk reports an error."""
    try:
        yield
    except PowerIsOff as error:
        raise apsw.exception_for(apsw.SQLITE_IOERR) from error


class _OpenFile(apsw.VFSFile):
    """A file of the disk as SQLite uses it; its only user, so locks are nobody's business."""

    def __init__(self, disk: Disk, file: File, *, is_log: bool = False) -> None:
        self._disk = disk
        self._file = file
        self._folder_is_due = is_log

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        with _as_sqlite_error():
            return self._disk.read(self._file, amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        with _as_sqlite_error():
            self._disk.change(self._file, Written(offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        with _as_sqlite_error():
            self._disk.change(self._file, Truncated(newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        with _as_sqlite_error():
            self._disk.sync(self._file)
            if self._folder_is_due:
                self._disk.sync_folder()
            self._folder_is_due = False

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._file.live)

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        # As SQLite's own code has it: a torn write spoils nothing beside what it writes.
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
        return False

    def xClose(self) -> None:  # noqa: N802
        pass


class DiskVfs(apsw.VFS):
    """The files of a disk for SQLite; ``with`` one, its ``connect`` opens databases on it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._name = f"disk-{id(self)}"
        self._shared: _Connection | None = None
        super().__init__(self._name, base="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unregister()

    async def connect(
        self, path: Path, *, read_only: bool = False, deadline_s: float | None = None
    ) -> Database:
        """See Database.open; a reader is a guest of the writer's connection.

        SQLite keeps the index of its log in memory that processes share, which no VFS in Python
        has. It does without where a database has one user alone.
        """
        if not read_only:
            self._shared = _Connection(apsw.Connection(str(path), vfs=self._name))
            await self._shared.execute("PRAGMA locking_mode = EXCLUSIVE")
        assert self._shared
        connection = _Guest(self._shared.connection) if read_only else self._shared
        return Database(cast("aiosqlite.Connection", connection), str(path), deadline_s)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """A file by its name, or a temporary one, which no cut spares."""
        with _as_sqlite_error():
            if name is None:
                return _OpenFile(self._disk, File())
            is_log = bool(flags[0] & _LOGS and flags[0] & apsw.SQLITE_OPEN_CREATE)
            return _OpenFile(self._disk, self._disk.file(_plain(name)), is_log=is_log)

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        """Whether there is such a file."""
        with _as_sqlite_error():
            return self._disk.exists(pathname)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Remove a file."""
        with _as_sqlite_error():
            if not self._disk.exists(filename):
                raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
            self._disk.remove(filename, is_synced=syncdir)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        """The name as it is: the program makes its paths absolute itself."""
        return name


def _plain(name: Any) -> str:
    return name.filename() if isinstance(name, apsw.URIFilename) else str(name)


class _Cursor:
    """What is left of a statement."""

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def fetchall(self) -> list[Any]:
        return self._rows


class _Statements:
    """apsw's connection with the method of sqlite3's that Statements uses."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        with _as_sqlite3():
            rows = self._connection.execute(sql, tuple(values)).fetchall()
        return _Cursor(rows, self._connection.changes())


class _Connection:
    """apsw's connection with the methods of aiosqlite that Database uses, and their errors."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._conn = _Statements(connection)

    async def execute_fetchall(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._conn.execute(sql, values).fetchall()

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        return self._conn.execute(sql, values)

    async def _execute(self, function: Callable[..., Any], *values: object) -> Any:
        return function(*values)

    async def rollback(self) -> None:
        if self.connection.in_transaction:
            await self.execute("ROLLBACK")

    async def close(self) -> None:
        with _as_sqlite3():
            self.connection.close()


class _Guest(_Connection):
    """A connection that is another's."""

    async def close(self) -> None:
        pass


@contextlib.contextmanager
def _as_sqlite3() -> Iterator[None]:
    """Fail as the library does that the program uses."""
    try:
        yield
    except apsw.Error as error:
        failure = sqlite3.OperationalError(str(error))
        failure.sqlite_errorcode = getattr(error, "extendedresult", apsw.SQLITE_ERROR)
        failure.sqlite_errorname = type(error).__name__
        raise failure from error
