"""The store in one SQLite file."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import msgspec
import structlog

from protocol.access import Reach
from protocol.errors import ChatNotFound, StorageUnavailable
from protocol.events import Entry, decode_event
from protocol.ids import ChatId, MessageId, TurnId
from protocol.values import ChatFile, Upload
from protocol.writes import Write
from storage.accounts import SqliteAccounts
from storage.database import Connect, Database
from storage.places import file_identity, prepared
from storage.recovery import interrupt_lost_turns
from storage.schema import migrate, packed_migrations
from storage.slots import Slot
from storage.soundness import refuse_damaged
from storage.store import StoredChat, StoredMessage, StoredTurn, Trace
from storage.traces import read_recording, read_trace, read_traces
from storage.turns import read_turn
from storage.uploads import read_upload
from storage.writing import apply

log = structlog.get_logger()

_READ_DEADLINE_S = 10.0

# Of a reach that is everybody's the owner is NULL, and so is each comparison with it.
_CHATS = "SELECT id, title, created_at, focus_mode, owner FROM chat"
_ONE_CHAT = f"{_CHATS} WHERE id = ? AND coalesce(owner = ?, TRUE)"
_NEWEST_FIRST = "ORDER BY created_at DESC, number DESC"

_FILES = """
SELECT name, file_id FROM chat_file JOIN chat ON chat.number = chat_file.chat
WHERE chat.id = ? ORDER BY chat_file.number
"""

_MESSAGES = """
SELECT message.id, content, chat.id, message_id, role, metadata
FROM message JOIN chat ON chat.number = message.chat
WHERE chat.id = ? AND coalesce(chat.owner = ?, TRUE)
ORDER BY coalesce(question, message.id), message.id
"""

_ENTRIES = """
SELECT seq, event FROM entry JOIN turn ON turn.number = entry.turn
JOIN message ON message.id = turn.question JOIN chat ON chat.number = message.chat
WHERE turn.id = ? AND coalesce(chat.owner = ?, TRUE) AND seq > ? ORDER BY seq
"""


def utc_now() -> datetime:
    """The time of day, with its zone."""
    return datetime.now(UTC)


class SqliteStore:
    """A Store in a SQLite file: one connection writes, one reads, neither waits for the other.

    Several processes may have the same file open. Each holds a slot (see ``storage.slots``);
    opening ends the turns of processes that have died, and leaves those of living ones alone.
    """

    def __init__(self, path: Path, writer: Database, reader: Database, slot: Slot) -> None:
        self._path = path
        self._identity = file_identity(path)
        self._writer = writer
        self._reader = reader
        self._slot = slot

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        clock: Callable[[], datetime] = utc_now,
        connect: Connect = Database.open,
    ) -> Self:
        """The store at this path, made or brought up to date where needed.

        Raises StorageUnavailable, naming the path, when it cannot be used or is not ours; such
        a file is left as it is.
        """
        started = perf_counter()
        place = prepared(path)
        await refuse_damaged(place, connect)
        async with contextlib.AsyncExitStack() as undo:
            writer = await _opened(undo, connect, place)
            await migrate(writer, packed_migrations(), clock)
            await _make_safe(writer)
            slot = Slot.take(place)
            undo.callback(slot.release)
            await interrupt_lost_turns(writer, place, slot.number, clock)
            reader = await _opened(undo, connect, place, read_only=True)
            store = cls(place, writer, reader, slot)
            undo.pop_all()
        writer.subject = reader.subject = "its database"
        log.info("store.opened", path=str(place), duration_ms=_since(started))
        return store

    async def commit(self, writes: Sequence[Write]) -> tuple[Write, ...]:
        """See Store."""
        if not writes:
            return ()
        started = perf_counter()
        async with self._writer.transaction():
            refused = await self._writer.together(partial(apply, writes, self._slot.number))
        log.debug("batch.committed", writes=len(writes), duration_ms=_since(started))
        return tuple(refused)

    @property
    def accounts(self) -> SqliteAccounts:
        """Who may ask."""
        return SqliteAccounts(self._reader)

    async def chats(self, reach: Reach) -> list[StoredChat]:
        """See Store."""
        if reach.owner is None:
            rows = await self._reader.rows(f"{_CHATS} {_NEWEST_FIRST}")
        else:
            one = f"{_CHATS} WHERE owner = ? {_NEWEST_FIRST}"
            rows = await self._reader.rows(one, reach.owner)
        return [_chat(row) for row in rows]

    async def chat(self, chat_id: ChatId, reach: Reach) -> StoredChat:
        """See Store."""
        rows = await self._reader.rows(_ONE_CHAT, chat_id, reach.owner)
        if not rows:
            raise ChatNotFound
        files = await self._reader.rows(_FILES, chat_id)
        chat = _chat(rows[0])
        return msgspec.structs.replace(chat, files=tuple(ChatFile(*file) for file in files))

    async def messages(self, chat_id: ChatId, reach: Reach) -> list[StoredMessage]:
        """See Store."""
        rows = await self._reader.rows(_MESSAGES, chat_id, reach.owner)
        return [
            StoredMessage(number, content, chat, name, role, _decoded(metadata))
            for number, content, chat, name, role, metadata in rows
        ]

    async def upload(self, file_id: str, reach: Reach) -> Upload | None:
        """See Store."""
        return await read_upload(self._reader, file_id, reach)

    async def turn(self, answer_id: MessageId, reach: Reach) -> StoredTurn | None:
        """See Store."""
        return await read_turn(self._reader, answer_id, reach)

    async def entries(self, turn_id: TurnId, reach: Reach, after: int = 0) -> list[Entry]:
        """See Store."""
        rows = await self._reader.rows(_ENTRIES, turn_id, reach.owner, after)
        try:
            return [Entry(seq, decode_event(event)) for seq, event in rows]
        except msgspec.MsgspecError as error:
            raise StorageUnavailable("a line of a journal cannot be read") from error

    async def trace(self, name: MessageId | TurnId, reach: Reach) -> Trace | None:
        """See Store."""
        return await read_trace(self._reader, name, reach)

    async def traces(self, name: str, reach: Reach, most: int) -> list[Trace]:
        """See Store."""
        return await read_traces(self._reader, name, reach, most)

    async def recording(self, turn_id: TurnId, reach: Reach) -> bytes:
        """See Store."""
        return await read_recording(self._reader, turn_id, reach)

    async def check(self) -> None:
        """See Store; a file that has been removed or replaced under us counts as unreadable."""
        await self._reader.rows("SELECT number FROM chat LIMIT 1")
        if file_identity(self._path) != self._identity:
            raise StorageUnavailable("its database has been removed or replaced")

    async def close(self) -> None:
        """See Store."""
        async with contextlib.AsyncExitStack() as last_things:
            last_things.callback(self._slot.release)
            last_things.push_async_callback(self._writer.close)
            last_things.push_async_callback(self._reader.close)


async def _opened(
    undo: contextlib.AsyncExitStack, connect: Connect, path: Path, *, read_only: bool = False
) -> Database:
    """A connection that is closed again if the opening of the store fails."""
    deadline_s = _READ_DEADLINE_S if read_only else None
    database = await connect(path, read_only=read_only, deadline_s=deadline_s)
    undo.push_async_callback(database.close)
    return database


async def _make_safe(writer: Database) -> None:
    """What is committed outlives a power cut, and no row outlives what it belongs to."""
    await writer.rows("PRAGMA synchronous = FULL")
    await writer.rows("PRAGMA foreign_keys = ON")


def _chat(row: tuple[Any, ...]) -> StoredChat:
    name, title, created_at, focus_mode, owner = row
    return StoredChat(name, title, created_at, focus_mode, (), owner)


def _decoded(metadata: str) -> dict[str, Any]:
    return msgspec.json.decode(metadata, type=dict[str, Any])


def _since(started: float) -> int:
    return round((perf_counter() - started) * 1000)
