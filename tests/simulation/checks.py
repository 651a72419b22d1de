"""The promises, checked while a script is played and at its end."""

import asyncio
import gc
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

from actors.errors import ForeignCancellation
from protocol.errors import DeadlineExceeded, ServerDraining
from protocol.events import Accepted, Delta, Failed
from storage.recovery import INTERRUPTED
from tests.simulation.client import Client, Connection, View
from tests.simulation.truth import Turn, text_of

if TYPE_CHECKING:
    from tests.simulation.world import World

ASKED_S = 1.0  # within which a question has become a turn
END_S = 4.0  # within which who follows a turn is told its end
STOP_S = 0.2  # within which a stop must be felt at both ends
LOST_S = 0.25  # of an answer that a crash may cost
SETTLED_S = 3.0  # after which even a disk that has just become well has all
SEND_S = 6.0
LONG_S = 15.0  # of an answer that may not be whole in its time
SHARED = {"pool", "persister", "turns"}  # actors that work for all turns
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
        row = there.get(turn.answer_id)
        if row is not None:
            _check_row(world, turn, row)
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
    refused = client.refusals

    def check(_world: "World") -> None:
        touched = any(at >= asked_at - 10 for at, _, _ in world.crashes)
        if world.era != era or touched or client.connection is not connection:
            return
        is_there = any(turn.number == number for turn in world.turns.values())
        if not is_there and client.listens and client.refusals == refused:
            world.wrong("P5", f"client {who} heard nothing of its question {number}")

    world.at(asked_at + ASKED_S, check)


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


# at the end


class Count(NamedTuple):
    """What there is of everything that must not grow."""

    actors: int
    tasks: int
    journals: int
    calls: int
    awaited: int

    @classmethod
    def of(cls, world: "World") -> "Count":
        """What there is now."""
        gc.collect()
        process = world.process
        living = list(process.tree.living())
        grown: dict[int, Any] = process.staff.persister.life.actor._grown  # type: ignore[union-attr]
        return cls(
            len(living) - 2 * sum(client.is_there for client in world.clients),
            len(asyncio.all_tasks()) - 3 * sum(client.is_there for client in world.clients),
            len(process.staff._journals),
            len(process.services.open),
            len(grown),
        )


async def finale(world: "World", before: Count) -> None:
    """Let all come back, look at what they have; let all leave, look at what is left."""
    await asyncio.sleep(SETTLED_S)
    world.scan()
    logged(world)
    await _come_back(world)
    there = rows(world)
    for client in world.clients:
        for answer_id, view in client.views.items():
            _check_view(world, client, answer_id, view, there.get(answer_id))
    recovered(world)
    for client in world.clients:
        client.leave()
    await asyncio.sleep(SETTLED_S)
    _check_growth(world, before)
    _check_ends(world)
    logged(world)
    await world.process.leave()
    left(world)


async def _come_back(world: "World") -> None:
    for client in world.clients:
        if client.connection is not None:
            client.connection.stall(on=False)
        client.leave()
    await asyncio.sleep(1)
    for client in world.clients:
        world.connect(client)
        for answer_id, view in client.views.items():
            if view.end:  # it may have been told of an end that nobody could keep
                client.resume(answer_id)
    await asyncio.sleep(SETTLED_S)


def _check_view(
    world: "World", client: Client, answer_id: str, view: View, row: Row | None
) -> None:
    """P1, P3, P4: what a client has been told is what is stored."""
    turn, name = world.turns.get(answer_id), f"{answer_id} of client {client.number}"
    if row is None:
        is_excused = turn is None or is_removable(world, turn)
        if view.is_accepted and not is_excused:
            world.wrong("P1", f"{name} was acknowledged and is lost")
        return
    text = row.text or ""
    if client.person.is_v2 and not view.end and not view.is_unknown:
        world.wrong("P4", f"{name} was never told its end")
    elif client.person.is_v2 and view.text != text:
        world.wrong("P3", f"{name} is {view.text!r}, stored is {text!r}")
    elif not client.person.is_v2 and row.state == "finished" and not text.startswith(view.text):
        world.wrong("P3", f"{name} is {view.text!r}, stored is {text!r}")


def _check_growth(world: "World", before: Count) -> None:
    """P13: all is as it was."""
    after = Count.of(world)
    if after != before:
        tasks = sorted(task.get_name() for task in asyncio.all_tasks())
        world.wrong("P13", f"left behind: {after}, it was {before}; tasks {tasks}")


def _check_ends(world: "World") -> None:
    """P5: every turn has ended in its time; P10: with an answer, where nothing was in its way."""
    for turn in world.turns.values():
        end = turn.entries[-1].event if turn.entries else None
        if isinstance(end, Failed) and not _is_excused(world, turn, end):
            world.wrong("P10", f"{turn.answer_id} failed without a cause: {end.key}")
        if turn.has_ended and turn.times[-1] - turn.began_at > world.longest_s:
            took_s = turn.times[-1] - turn.began_at
            world.wrong("P5", f"{turn.answer_id} took {took_s:.1f} s")


def _is_excused(world: "World", turn: Turn, end: Failed) -> bool:
    """Whether something that happened explains that a turn failed."""
    _, who, query = world.asked[turn.number]
    turn_id, last_at = turn.info.turn_id, turn.times[-1]
    return (
        not world.script.is_calm
        or end.key == ServerDraining.key
        or (end.key == DeadlineExceeded.key and query.plan.takes_s > LONG_S)
        or not world.script.people[who].has_model
        or any(
            turn.began_at <= at <= last_at
            and (name in SHARED or facts.get("turn_id") == turn_id)
            for at, name, facts in world.crashes
        )
    )


def left(world: "World") -> None:
    """P9, P13: after a planned stop nothing runs, and all is marked."""
    for row in rows(world).values():
        if row.state == "running":
            world.wrong("P9", f"{row.answer_id} still runs in the store after a planned stop")
    theirs = asyncio.all_tasks(world.loop) - world.own_tasks
    names = sorted(task.get_name() for task in theirs)
    if names:
        world.wrong("P13", f"these tasks outlive a planned stop: {names}")
