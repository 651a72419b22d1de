"""How long a reference database takes to import, and that nothing of it changes on the way.

``python -m bench.import_chats --chats 1000``
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import print_machine, print_table
from protocol.access import EVERYBODY
from protocol.ids import ChatId
from storage.reference import import_reference
from storage.sqlite import SqliteStore

TURNS = 4
SOURCES = [
    {"pageContent": "words " * 40, "metadata": {"title": f"T{n}", "url": f"https://{n}.example"}}
    for n in range(15)
]
SCHEMA = """
CREATE TABLE chats (id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, createdAt TEXT NOT NULL,
    focusMode TEXT NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY NOT NULL, content TEXT NOT NULL,
    chatId TEXT NOT NULL, messageId TEXT NOT NULL, type TEXT, metadata TEXT);
"""


def said(chat: int, turn: int, role: str) -> tuple[str, str, str, str, str]:
    """A row of messages; its metadata are encoded twice, as the reference does."""
    metadata: dict[str, object] = {"createdAt": "2026-11-22T12:00:00.000Z"}
    more = {"sources": SOURCES} if role == "assistant" else {}
    text = f"{role} {turn} of {chat}: " + "said " * 100
    return text, f"chat{chat}", f"{role}{chat}-{turn}", role, twice(metadata | more)


def twice(metadata: Mapping[str, object]) -> str:
    """JSON text as JSON."""
    return json.dumps(json.dumps(metadata))


def make(path: Path, chats: int, turns: int = TURNS) -> None:
    """A database as the reference writes it."""
    when = "Sun Nov 22 2026 12:04:55 GMT+0000 (Coordinated Universal Time)"
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA)
        for chat in range(chats):
            row = (f"chat{chat}", f"Chat {chat}", when, "webSearch")
            database.execute("INSERT INTO chats VALUES (?, ?, ?, ?)", row)
            rows = [said(chat, t, r) for t in range(turns) for r in ("user", "assistant")]
            database.executemany(
                "INSERT INTO messages (content, chatId, messageId, type, metadata)"
                " VALUES (?, ?, ?, ?, ?)",
                rows,
            )
    database.close()


async def differing(store: SqliteStore, chats: int) -> int:
    """How many chats do not read as they were written."""
    wrong = 0
    for chat in range(chats):
        wanted = [said(chat, t, r) for t in range(TURNS) for r in ("user", "assistant")]
        rows = await store.messages(ChatId(f"chat{chat}"), EVERYBODY)
        read = [
            (
                row.content,
                row.chat_id,
                row.message_id,
                row.role,
                json.dumps(json.dumps(row.metadata)),
            )
            for row in rows
        ]
        wrong += read != wanted
    return wrong


async def main(chats: int) -> None:
    """Import twice: the second time must add nothing."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "reference.sqlite"
        make(source, chats)
        store = await SqliteStore.open(Path(name) / "ours.sqlite")
        rows = []
        for run in ("first", "again"):
            began, cpu = time.perf_counter(), time.process_time()
            await import_reference(source, store, now=datetime.now(UTC))
            took = time.perf_counter() - began, time.process_time() - cpu
            there = len(await store.chats(EVERYBODY))
            rows.append((run, chats, there, await differing(store, chats), *took))
        await store.close()
    print_machine()
    print_table(("run", "chats given", "chats there", "that differ", "s", "CPU s"), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--chats", type=int, default=1000)
    asyncio.run(main(parser.parse_args().chats))
