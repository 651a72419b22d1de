"""The full-text index of a library: SQLite FTS5, in a file of its own or in memory."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from protocol.errors import SearchUnavailable
from protocol.values import Node
from retrieval.library.folder import Stamp
from retrieval.library.passages import Passage
from retrieval.words import content_words, is_weak

VERSION = 1
MOST_WORDS = 32
CANDIDATES = 60
SHORT = 4  # words; a question up to this length must be met by two thirds
SHORT_SHARE = 2 / 3
LONG_SHARE = 1 / 3
WEIGHT_ABSENT = 2.0
SCHEMA = """
    CREATE TABLE library (root TEXT NOT NULL);
    CREATE TABLE document (
        name TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL,
        first_row INTEGER NOT NULL, last_row INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE VIRTUAL TABLE passage USING fts5 (
        title, text, url UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2'
    );
"""


class Index:
    """Passages of the documents of one folder; its methods block and may run in any thread.

    The file is only a copy of what the folder says: one that is damaged, of another version or of
    another folder is made anew. Every method raises SearchUnavailable when SQLite does not work.
    """

    def __init__(self, root: Path, file: Path | None = None) -> None:
        self._root = str(root)
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def stamps(self) -> dict[str, Stamp]:
        """Stamps of the indexed documents by their names."""
        with self._database() as database:
            rows = database.execute("SELECT name, mtime_ns, size FROM document").fetchall()
        return {name: Stamp(mtime_ns, size) for name, mtime_ns, size in rows}

    def replace(self, name: str, stamp: Stamp, passages: Sequence[Passage]) -> None:
        """Put the passages in place of those the document had; none are fine."""
        with self._database() as database:
            _remove(database, name)
            (last,) = database.execute("SELECT coalesce(max(rowid), 0) FROM passage").fetchone()
            database.executemany(
                "INSERT INTO passage (rowid, title, text, url) VALUES (?, ?, ?, ?)",
                [
                    (row, passage.title, passage.text, address(name, passage.place))
                    for row, passage in enumerate(passages, start=last + 1)
                ],
            )
            database.execute(
                "INSERT INTO document VALUES (?, ?, ?, ?, ?)",
                (name, stamp.mtime_ns, stamp.size, last + 1, last + len(passages)),
            )

    def remove(self, names: Sequence[str]) -> None:
        """Forget documents."""
        with self._database() as database:
            for name in names:
                _remove(database, name)

    def find(self, question: str, most: int) -> list[Node]:
        """Passages that hold a fair share of the question's content words, best first (BM25)."""
        asked = content_words(question)[:MOST_WORDS]
        telling = [word for word in asked if not is_weak(word)]
        if not telling:
            return []
        with self._database() as database:
            rows = database.execute(
                "SELECT rowid, title, text, url, bm25(passage, 2.0, 1.0) AS score FROM passage"
                " WHERE passage MATCH ? ORDER BY score LIMIT ?",
                (" OR ".join(map(quoted, asked)), CANDIDATES),
            ).fetchall()
            met = _met_shares(database, telling, [row[0] for row in rows])
        return [
            Node(text, title, url, score=-score)
            for row, title, text, url, score in rows
            if met[row] >= 1
        ][:most]

    def close(self) -> None:
        """Close the database; a later call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The database in a transaction, alone; its errors are told as ours."""
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = open_index(self._root, self._file)
                with self._connection:
                    yield self._connection
        except (sqlite3.Error, OSError) as error:
            if type(error) is sqlite3.DatabaseError:  # damaged: the next call makes it anew
                self._discard()
            raise SearchUnavailable("library", "its index cannot be used") from error

    def _discard(self) -> None:
        self.close()
        if self._file is not None:
            discard(self._file)


def open_index(root: str, file: Path | None) -> sqlite3.Connection:
    """A database with the tables; what the file held is dropped when it does not fit."""
    if file is None:
        return _created(_connected(":memory:"), root)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = _connected(str(file))
        if _fits(connection, root):
            return connection
        connection.close()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, or the place cannot be written
            raise
    discard(file)
    return _created(_connected(str(file)), root)


def discard(file: Path) -> None:
    """Delete a database with what belongs to it."""
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)


def _connected(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=1, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _fits(connection: sqlite3.Connection, root: str) -> bool:
    if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
        return False
    (indexed,) = connection.execute("SELECT root FROM library").fetchone()
    return bool(indexed == root)


def _created(connection: sqlite3.Connection, root: str) -> sqlite3.Connection:
    connection.executescript(SCHEMA)
    connection.execute("INSERT INTO library VALUES (?)", (root,))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.commit()
    return connection


def _remove(database: sqlite3.Connection, name: str) -> None:
    row = database.execute(
        "DELETE FROM document WHERE name = ? RETURNING first_row, last_row", (name,)
    ).fetchone()
    if row is not None:
        database.execute("DELETE FROM passage WHERE rowid BETWEEN ? AND ?", row)


def _met_shares(
    database: sqlite3.Connection, telling: Sequence[str], rows: Sequence[int]
) -> dict[int, float]:
    """How much of what is required each row meets; 1 and more is enough.

    A word that no document knows counts twice against them: it may be what the question is about.
    """
    met = dict.fromkeys(rows, 0.0)
    whole = 0.0
    marks = ",".join("?" * len(rows))
    for word in telling:
        known = database.execute(
            "SELECT 1 FROM passage WHERE passage MATCH ? LIMIT 1", (quoted(word),)
        ).fetchone()
        whole += 1.0 if known else WEIGHT_ABSENT
        for (row,) in database.execute(
            f"SELECT rowid FROM passage WHERE passage MATCH ? AND rowid IN ({marks})",  # noqa: S608 - question marks only
            (quoted(word), *rows),
        ):
            met[row] += 1.0
    required = required_weight(whole)
    return {row: weight / required for row, weight in met.items()}


def required_weight(whole: float) -> float:
    """The weight a passage must meet, for a question of this weight: long ones are let off more."""
    return min(whole, SHORT) * SHORT_SHARE + max(0.0, whole - SHORT) * LONG_SHARE - 1e-9


def quoted(word: str) -> str:
    """The word as a full-text query that means just this word."""
    return '"' + word.replace('"', '""') + '"'


def address(name: str, place: str) -> str:
    """Where a passage stands, relative to its folder; never a path of the machine."""
    return quote(name) + (f"#{quote(place, safe='=-')}" if place else "")
