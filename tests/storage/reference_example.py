"""Databases as the reference back end writes them."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

CHATS = (
    "CREATE TABLE chats (id text PRIMARY KEY NOT NULL, title text, createdAt text, focusMode text"
)
MESSAGES = (
    "CREATE TABLE messages (id integer PRIMARY KEY NOT NULL, content text, chatId text,"
    " messageId text, type text, metadata text)"
)
AT = "Sun Nov 22 2026 12:04:55 GMT+0100 (Central European Standard Time)"
AT_ISO = "2026-11-22T11:04:55.000Z"
SAID_AT = "2026-11-22T11:04:56.123Z"

Row = tuple[object, ...]


def question_row(chat: str, name: str, text: str = "why?") -> Row:
    """A question, its metadata encoded twice as the reference does."""
    return (text, chat, name, "user", json.dumps(json.dumps({"createdAt": SAID_AT})))


def answer_row(chat: str, name: str, text: str = "so [1]") -> Row:
    """An answer with a source."""
    source = {"pageContent": "päge", "metadata": {"title": "T", "url": "https://u"}}
    metadata = {"createdAt": SAID_AT, "sources": [source]}
    return (text, chat, name, "assistant", json.dumps(json.dumps(metadata)))


def make_reference(
    path: Path,
    chats: Iterable[Sequence[object]],
    messages: Iterable[Row],
    *,
    files: bool = False,
    wal: bool = False,
) -> sqlite3.Connection:
    """A database with these rows; the connection is left open, as by a server that runs."""
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"{CHATS}{', files text' if files else ''})")
    connection.execute(MESSAGES)
    connection.executemany(
        "INSERT INTO chats VALUES (?, ?, ?, ?, ?)"
        if files
        else "INSERT INTO chats VALUES (?, ?, ?, ?)",
        chats,
    )
    connection.executemany(
        "INSERT INTO messages (content, chatId, messageId, type, metadata) VALUES (?, ?, ?, ?, ?)",
        messages,
    )
    connection.commit()
    return connection
