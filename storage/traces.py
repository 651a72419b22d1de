"""Turns as whoever looks into them sees them."""

import zlib
from sqlite3 import PrepareProtocol
from typing import Any

import msgspec

from protocol.access import Reach
from protocol.errors import StorageUnavailable
from protocol.events import END, Failed, decode_event
from protocol.ids import MessageId, TurnId
from protocol.writes import ForgetJournals
from storage.database import Database, Statements
from storage.store import Trace

QUICK = 1  # level of zlib: an answer waits for it
TOGETHER = 1_000  # recordings that are forgotten in one transaction

_FACTS = """
SELECT turn.id, turn.answer_id, chat.id, turn.session_id, turn.state, turn.asked, turn.focus_mode,
    turn.optimization_mode, turn.chat_provider, turn.chat_model, turn.accepted_at,
    coalesce(turn.ended_at, ''), (SELECT event FROM entry WHERE entry.turn = turn.number
        ORDER BY seq DESC LIMIT 1)
FROM turn JOIN message ON message.id = turn.question JOIN chat ON chat.number = message.chat
"""

# Each side of OR has an index of its own, which IN would not use.
_ONE = f"""
{_FACTS} WHERE (turn.answer_id = ? OR turn.id = ?) AND coalesce(chat.owner = ?, TRUE)
"""

_NEWEST = f"""
{_FACTS} WHERE (? IN ('', chat.id, turn.session_id, turn.id, turn.answer_id))
AND coalesce(chat.owner = ?, TRUE) ORDER BY turn.number DESC LIMIT ?
"""

_RECORDING = """
SELECT data FROM recording JOIN turn ON turn.number = recording.turn
JOIN message ON message.id = turn.question JOIN chat ON chat.number = message.chat
WHERE turn.id = ? AND coalesce(chat.owner = ?, TRUE)
"""

_KEEP = """
INSERT INTO recording (turn, data)
SELECT number, ? FROM turn WHERE id = ? AND state = 'running'
ON CONFLICT (turn) DO UPDATE SET data = excluded.data
"""

_FORGET = """
DELETE FROM recording WHERE turn IN (
    SELECT turn FROM recording WHERE turn <= (SELECT max(number) FROM turn) - ?
    ORDER BY turn LIMIT ?
)
"""


class Packed(msgspec.Struct, frozen=True):
    """Bytes that the thread of the database packs, so that the event loop need not."""

    data: bytes

    def __conform__(self, protocol: type[PrepareProtocol]) -> bytes:
        """What SQLite is given."""
        del protocol
        return zlib.compress(self.data, QUICK)


def keep_recording(statements: Statements, turn_id: TurnId, data: bytes) -> None:
    """Keep what a turn that is about to end was given."""
    statements.run(_KEEP, Packed(data), turn_id)


def forget_recordings(statements: Statements, write: ForgetJournals) -> None:
    """Remove all but those of the newest turns, the oldest first, at most ``TOGETHER``."""
    statements.run(_FORGET, write.recordings, TOGETHER)


async def read_recording(database: Database, turn_id: TurnId, reach: Reach) -> bytes:
    """What a turn was given; empty where that is not kept."""
    rows = await database.rows(_RECORDING, turn_id, reach.owner)
    try:
        return zlib.decompress(rows[0][0]) if rows else b""
    except zlib.error as error:
        raise StorageUnavailable("a recording cannot be read") from error


async def read_trace(database: Database, name: MessageId | TurnId, reach: Reach) -> Trace | None:
    """The trace of a turn, by its own id or by that of its answer."""
    rows = await database.rows(_ONE, name, name, reach.owner)
    return _trace(rows[0]) if rows else None


async def read_traces(database: Database, name: str, reach: Reach, most: int) -> list[Trace]:
    """The newest turns of a chat, a session, a turn or an answer of that name, oldest first."""
    rows = await database.rows(_NEWEST, name, reach.owner, most)
    return [_trace(row) for row in reversed(rows)]


def _trace(row: tuple[Any, ...]) -> Trace:
    *facts, last = row
    bare = Trace(*facts)
    try:
        end = decode_event(last) if last else None
    except msgspec.MsgspecError as error:
        raise StorageUnavailable("a line of a journal cannot be read") from error
    if not isinstance(end, END):
        return bare
    key = end.key if isinstance(end, Failed) else ""
    return msgspec.structs.replace(bare, error=key, stages=end.stages, spans=end.story)
