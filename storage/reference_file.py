"""The database file of the reference back end, read and never touched."""

import contextlib
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from protocol.errors import NotImportable

NEEDED = {
    "chats": ("id", "title", "createdAt", "focusMode"),
    "messages": ("id", "content", "chatId", "messageId", "type", "metadata"),
}
_HEAD = b"SQLite format 3\0"
_WAL_BYTE = 18  # of the head: 2 where changes are kept in a log of their own
_LOGS = ("-wal", "-journal")
_AT_ONCE = 500

_PROBLEMS = {
    sqlite3.SQLITE_BUSY: "it is in use by another program",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database",
}


class ChatRow(NamedTuple):
    """A row of ``chats`` as it stands; any column may hold anything."""

    id: Any
    title: Any
    created_at: Any
    focus_mode: Any
    files: Any


class MessageRow(NamedTuple):
    """A row of ``messages`` as it stands."""

    content: Any
    message_id: Any
    role: Any
    metadata: Any


class ReferenceFile:
    """An open database; everything blocks, and raises NotImportable for what cannot be read."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        with _translated(path):
            columns = {name: self._columns(name) for name in NEEDED}
        for table, needed in NEEDED.items():
            missing = [name for name in needed if name not in columns[table]]
            if missing:
                problem = f"its table {table} has no {missing[0]}" if columns[table] else ""
                raise NotImportable(str(path), problem or f"it has no table {table}")
        self._files = "files" if "files" in columns["chats"] else "NULL"

    def chats(self) -> list[ChatRow]:
        """All chats, in the order in which they were begun."""
        with _translated(self._path):
            rows = self._connection.execute(
                f"SELECT id, title, createdAt, focusMode, {self._files}"  # noqa: S608 - one of two words of ours
                " FROM chats ORDER BY rowid"
            )
            return [ChatRow(*row) for row in rows]

    def messages_by_chat(self) -> dict[Any, list[int]]:
        """Where the messages of each chat are, in their order, by the chat's id."""
        found: dict[Any, list[int]] = defaultdict(list)
        with _translated(self._path):
            for row, chat in self._connection.execute(
                "SELECT rowid, chatId FROM messages ORDER BY id"
            ):
                found[chat].append(row)
        return found

    def messages(self, rows: Sequence[int]) -> list[MessageRow]:
        """These messages, in the order given."""
        found: dict[int, MessageRow] = {}
        for start in range(0, len(rows), _AT_ONCE):
            found |= self._some(rows[start : start + _AT_ONCE])
        return [found[row] for row in rows if row in found]

    def _some(self, rows: Sequence[int]) -> dict[int, MessageRow]:
        marks = ",".join("?" * len(rows))
        with _translated(self._path):
            answered = self._connection.execute(
                f"SELECT rowid, content, messageId, type, metadata FROM messages"  # noqa: S608 - question marks only
                f" WHERE rowid IN ({marks})",
                rows,
            )
            return {row: MessageRow(*values) for row, *values in answered}

    def _columns(self, table: str) -> list[str]:
        rows = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        return [name for (name,) in rows]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[ReferenceFile]:
    """The database at the path; neither it nor its folder is changed in any way.

    Raises NotImportable for what is none of the reference back end.
    """
    _check_head(path)
    with contextlib.ExitStack() as stack:
        with _translated(path):
            connection = stack.enter_context(contextlib.closing(_connected(path, stack)))
        connection.text_factory = _text
        yield ReferenceFile(path, connection)


def _check_head(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEAD))
    except (OSError, ValueError) as error:
        raise NotImportable(str(path), "it cannot be read") from error
    if head != _HEAD:
        raise NotImportable(str(path), "it is no SQLite database")


def _connected(path: Path, stack: contextlib.ExitStack) -> sqlite3.Connection:
    """A connection that cannot write.

    Opening a database beside which a log lies would change both, so a copy of it is read. One that
    keeps a log, but has none at the moment, is opened as immutable, as SQLite would make the log
    anew; of any other, SQLite's own locks keep a program that still writes to it from our reading.
    """
    path = path.resolve()
    if any(_has_content(path.with_name(path.name + ending)) for ending in _LOGS):
        return sqlite3.connect(_copied(path, Path(stack.enter_context(TemporaryDirectory()))))
    with path.open("rb") as file:
        keeps_log = file.read(_WAL_BYTE + 1)[-1:] == b"\x02"
    immutable = "&immutable=1" if keeps_log else ""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro{immutable}", uri=True)


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _copied(path: Path, folder: Path) -> Path:
    for ending in ("", *_LOGS):
        beside = path.with_name(path.name + ending)
        if beside.is_file():
            shutil.copyfile(beside, folder / f"copy{ending}")
    return folder / "copy"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise NotImportable(str(path), _PROBLEMS.get(code, "it cannot be read")) from error
    except OSError as error:
        raise NotImportable(str(path), "it cannot be read") from error
