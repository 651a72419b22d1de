"""Turns as the store has them."""

from typing import Any

import msgspec

from protocol.access import Reach
from protocol.ids import MessageId
from protocol.values import Node
from protocol.writes import ForgetJournals
from storage.database import Database, Statements
from storage.metadata import wire_time
from storage.store import StoredTurn

TOGETHER = 100  # journals that are forgotten in one transaction, so that no answer waits for it

_TURN = """
SELECT turn.id, turn.answer_id, turn.state, turn.survived, message.content, message.metadata
FROM turn LEFT JOIN message ON message.question = turn.question
    AND message.message_id = turn.answer_id AND message.role = 'assistant'
JOIN message AS asked ON asked.id = turn.question JOIN chat ON chat.number = asked.chat
WHERE turn.answer_id = ? AND coalesce(chat.owner = ?, TRUE)
"""

_FORGET = """
DELETE FROM entry WHERE turn IN (
    SELECT number FROM turn
    WHERE number IN (SELECT DISTINCT turn FROM entry ORDER BY turn LIMIT ?)
    AND state <> 'running'
    AND (ended_at < ? OR number <= (SELECT max(number) FROM turn) - ?)
)
"""


def forget_journals(statements: Statements, write: ForgetJournals) -> None:
    """Remove old journals, the oldest first, at most ``TOGETHER``."""
    statements.run(_FORGET, TOGETHER, wire_time(write.before), write.most)


async def read_turn(database: Database, answer_id: MessageId, reach: Reach) -> StoredTurn | None:
    """The turn that made an answer; ``None`` for one that is not there."""
    rows = await database.rows(_TURN, answer_id, reach.owner)
    if not rows:
        return None
    *facts, text, metadata = rows[0]
    bare = StoredTurn(*facts)
    return bare if metadata is None else answered(bare, text, metadata)


def answered(turn: StoredTurn, text: str, metadata: bytes | str) -> StoredTurn:
    """The turn with its answer, whose metadata are JSON."""
    said = msgspec.json.decode(metadata, type=dict[str, Any])
    sources = tuple(map(_node, said.get("sources", ())))
    error = said.get("error", "")
    return msgspec.structs.replace(turn, text=text, sources=sources, error=error)


def _node(source: dict[str, Any]) -> Node:
    about = source["metadata"]
    return Node(source["pageContent"], about["title"], about["url"], None, about.get("img_src"))
