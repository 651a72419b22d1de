"""Turns that a process left unfinished when it died: their text becomes their answer."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import structlog

from protocol.events import Delta, Entry, Event, Failed, SourcesFound, decode_event
from protocol.ids import TurnId
from protocol.values import Node
from protocol.writes import EndTurn
from storage.database import Database, Statements
from storage.slots import is_held
from storage.writing import apply

log = structlog.get_logger()

INTERRUPTED = "INTERRUPTED"
_SENTENCE = "This answer was interrupted because the server was stopped. Please ask again."


async def interrupt_lost_turns(
    database: Database, path: Path, slot: int, clock: Callable[[], datetime]
) -> None:
    """End every running turn whose process is no more, in one transaction.

    Args:
        database: Connection that may write.
        path: Where the database is, to find the slots of the others.
        slot: The slot that the caller has just taken; whoever had it before is dead.
        clock: The time that the answers get.

    """
    async with database.transaction():
        owners = await database.rows("SELECT DISTINCT owner FROM turn WHERE state = 'running'")
        for (owner,) in owners:
            if owner == slot or not is_held(path, owner):
                await database.together(partial(_interrupt_turns_of, owner, slot, clock))


def _interrupt_turns_of(
    owner: int, slot: int, clock: Callable[[], datetime], statements: Statements
) -> None:
    turns = statements.rows(
        "SELECT id FROM turn WHERE owner = ? AND state = 'running' ORDER BY number", owner
    )
    for (turn_id,) in turns:
        apply([_ending(statements, turn_id, clock())], slot, statements)
        log.warning("turn.interrupted", turn_id=turn_id)


def _ending(statements: Statements, turn_id: TurnId, at: datetime) -> EndTurn:
    """The end of a turn as its journal tells it; without any text, a sentence says why."""
    rows = statements.rows(
        "SELECT seq, event FROM entry JOIN turn ON turn.number = entry.turn"
        " WHERE turn.id = ? ORDER BY seq",
        turn_id,
    )
    events = list(_readable(event for _, event in rows))
    written = "".join(event.text for event in events if isinstance(event, Delta))
    missing: tuple[Event, ...] = () if written else (Delta(_SENTENCE),)
    last = (*missing, Failed(INTERRUPTED, _SENTENCE))
    first_free = rows[-1][0] + 1 if rows else 1
    entries = tuple(Entry(seq, event) for seq, event in enumerate(last, first_free))
    text, sources = written or _SENTENCE, _sources(events)
    last_seen = first_free - 1
    return EndTurn(turn_id, entries, "interrupted", text, sources, INTERRUPTED, at, last_seen)


def _sources(events: list[Event]) -> tuple[Node, ...]:
    found = (event.nodes for event in events if isinstance(event, SourcesFound))
    return next(found, ())


def _readable(texts: Iterable[str]) -> Iterable[Event]:
    """The events that can be read; a spoilt line must not cost the others."""
    for text in texts:
        try:
            yield decode_event(text)
        except msgspec.MsgspecError:
            log.warning("entry.unreadable")
