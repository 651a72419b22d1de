"""The promises, checked while a script is played."""

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from actors.errors import ForeignCancellation
from protocol.events import Accepted, Delta
from storage.recovery import INTERRUPTED
from tests.simulation.client import Client, Connection
from tests.simulation.truth import Turn, text_of

if TYPE_CHECKING:
    from tests.simulation.world import World

ASKED_S = 1.0  # within which a question has become a turn
END_S = 4.0  # within which who follows a turn is told its end
STOP_S = 0.2  # within which a stop must be felt at both ends
LOST_S = 0.25  # of an answer that a crash may cost
SEND_S = 6.0
SENTENCE = "This answer was interrupted"  # where nothing of it had been kept

_ROWS = """
SELECT turn.answer_id, turn.id, turn.state, turn.survived, message.content, message.metadata
FROM turn LEFT JOIN message ON message.question = turn.question
    AND message.message_id = turn.answer_id AND message.role = 'assistant'
"""


class Row(NamedTuple):
    """A turn as SQLite has it, read past the program."""

    answer_id: str
    turn_id: str
    state: str
    survived: int
    text: str | None
    metadata: str | None


def rows(world: "World") -> dict[str, Row]:
    """All turns in the store, by their answers."""
    with sqlite3.connect(world.path) as database:
        found = [Row(*row) for row in database.execute(_ROWS)]
    database.close()
    return {row.answer_id: row for row in found}


def is_removable(world: "World", turn: Turn) -> bool:
    """Whether a question that was asked anew may have taken the turn away."""
    query = world.asked[turn.number][2]
    messages = [other.message for _, _, other in world.asked.values() if other.chat == query.chat]
    return any(
        other.chat == query.chat and messages.count(other.message) > 1
        for at, _, other in world.asked.values()
        if at >= turn.began_at - 1 and other.number != turn.number
    )


# at a start


def recovered(world: "World") -> None:
    """P1, P2: what was promised is there, nothing runs, and little is missing."""
    there = rows(world)
    for row in there.values():
        if row.state == "running":
            world.wrong("P2", f"{row.answer_id} still runs after the start")
    for turn in world.turns.values():
        if turn.answer_id in there:
            _check_row(world, turn, there[turn.answer_id])
        elif _is_accepted(turn) and not is_removable(world, turn):
            world.wrong("P1", f"{turn.answer_id} (question {turn.number}) was accepted and is lost")


def _is_accepted(turn: Turn) -> bool:
    return any(isinstance(entry.event, Accepted) for entry in turn.entries)


def _check_row(world: "World", turn: Turn, row: Row) -> None:
    """What is stored is what was written; after a crash, its beginning."""
    text, state = row.text or "", row.state
    is_same = text == turn.text
    if turn.is_whole and (state != "finished" or not is_same):
        world.wrong("P2", f"{turn.answer_id} was told as whole; stored as {state}: {text!r}")
    elif state == "interrupted":
        _check_interrupted(world, turn, row)
    elif turn.has_ended and not is_same:
        world.wrong("P2", f"{turn.answer_id} is {text!r}, not what was told: {turn.text!r}")
    elif f'"{INTERRUPTED}"' in (row.metadata or ""):
        world.wrong("P2", f"{turn.answer_id} is {state}, and says that it was interrupted")


def _check_interrupted(world: "World", turn: Turn, row: Row) -> None:
    text, survived = row.text or "", turn.entries[: row.survived]
    kept = text_of(survived)
    if text != kept and not (text.startswith(SENTENCE) and not kept):
        world.wrong("P2", f"{turn.answer_id} is {text!r}, its journal {kept!r}")
    missing = [
        world.died_at - at
        for entry, at in list(zip(turn.entries, turn.times, strict=True))[row.survived :]
        if isinstance(entry.event, Delta) and not turn.has_ended
    ]
    if missing and turn.era == world.era - 1 and world.was_well and missing[0] > LOST_S:
        world.wrong("P2", f"{turn.answer_id} lacks what was written {missing[0]:.3f} s before")


# while it runs


def stopping(world: "World", who: int, answer_id: str) -> None:
    """P6: soon after a stop the call to the model is closed, and the client is told."""
    client, turn = world.clients[who], world.turns[answer_id]
    if not client.person.is_v2 or not client.listens or turn.is_over or turn.era != world.era:
        return
    connection, era, process = client.connection, world.era, world.process
    said_at = world.loop.time()

    def check(_world: "World") -> None:
        touched = any(at >= said_at - 1 for at, _, _ in world.crashes)
        is_ill = process.disk.unwell_at >= said_at - 4
        if world.era != era or process.is_leaving or touched or is_ill:
            return
        if not turn.has_ended or any(number == turn.number for _, number in process.services.open):
            if not _is_asked_elsewhere(world, turn):
                world.wrong("P6", f"{answer_id} goes on {STOP_S} s after its stop")
        elif client.connection is connection and client.listens and not client.views[answer_id].end:
            world.wrong("P6", f"client {who} was not told that {answer_id} was stopped")

    world.at(said_at + STOP_S, check)


def asking(world: "World", who: int, number: int) -> None:
    """P5: soon after a question was sent it has become a turn, or was refused."""
    client = world.clients[who]
    connection, asked_at, era = client.connection, world.loop.time(), world.era
    before = _refused(world, client)

    def check(_world: "World") -> None:
        touched = any(at >= asked_at - 10 for at, _, _ in world.crashes)
        if world.era != era or touched or client.connection is not connection:
            return
        is_there = any(turn.number == number for turn in world.turns.values())
        if not is_there and client.listens and _refused(world, client) == before:
            world.wrong("P5", f"client {who} heard nothing of its question {number}")

    world.at(asked_at + ASKED_S, check)


def _refused(world: "World", client: Client) -> int:
    """How often a client was told that what it wants cannot be."""
    return client.refusals + sum(answer_id not in world.turns for answer_id in client.views)


def ending(world: "World", turn: Turn) -> None:
    """P3: who follows a turn is told its end, without asking again."""
    ended_at = world.loop.time()
    following = [
        (client, view, client.connection)
        for client in world.clients
        if (view := client.views.get(turn.answer_id)) and view.heard_on is client.connection
    ]

    def check(_world: "World") -> None:
        if any(at >= ended_at - 10 for at, _, _ in world.crashes):
            return
        for client, view, connection in following:
            if client.connection is not connection or not client.is_there or view.end:
                continue
            if connection and not connection.is_stalled and connection.calm_since < ended_at:
                world.wrong("P3", f"client {client.number} waits for the end of {turn.answer_id}")

    world.at(ended_at + END_S, check)


def _is_asked_elsewhere(world: "World", turn: Turn) -> bool:
    """Whether another turn of the same question may have a call open."""
    return turn.has_ended and sum(t.number == turn.number for t in world.turns.values()) > 1


def patience(world: "World", connection: Connection) -> None:
    """P7: a client that takes nothing is dropped in its time, with 4008."""
    since = connection.waits_since
    if since is not None and connection.is_open and world.loop.time() - since > SEND_S + 0.1:
        world.wrong("P7", f"a client that took nothing for {world.loop.time() - since} s is kept")


def logged(world: "World") -> None:
    """P10: nothing broke but what was broken on purpose."""
    for line in world.logs:
        if line["log_level"] in {"error", "critical"}:
            reason = line.get("exc_info")
            if not isinstance(reason, ForeignCancellation):
                world.wrong("bug", f"{line['event']} of {line.get('actor')}: {reason!r}")
    world.logs.clear()
    if world.process.tree.ended.is_set() and not world.process.is_leaving:
        world.wrong("P10", "the program has given up")
