"""The promises, checked at the end of a script: all come back, then all leave."""

import asyncio
import gc
from typing import TYPE_CHECKING, Any, NamedTuple

from protocol.errors import Busy, DeadlineExceeded, ServerDraining
from protocol.events import Failed, Queued
from tests.simulation.checks import Row, is_removable, logged, recovered, rows
from tests.simulation.client import Client, View
from tests.simulation.process import SETTINGS
from tests.simulation.truth import Turn

if TYPE_CHECKING:
    from tests.simulation.world import World

SETTLED_S = 3.0  # after which even a disk that has just become well has all
LONG_S = 15.0  # of an answer that may not be whole in its time
SHARED = {"pool", "persister", "turns"}  # actors that work for all turns


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
    elif not _is_as_stored(client, view, row):
        world.wrong("P3", f"{name} is {view.text!r}, stored is {text!r}")


def _is_as_stored(client: Client, view: View, row: Row) -> bool:
    """A plain client that left early has the beginning of what became whole."""
    text = row.text or ""
    if client.person.is_v2:
        return view.text == text
    return row.state != "finished" or text.startswith(view.text)


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
        or _had_no_place(turn, end)
        or not world.script.people[who].has_model
        or any(
            turn.began_at <= at <= last_at and (name in SHARED or facts.get("turn_id") == turn_id)
            for at, name, facts in world.crashes
        )
    )


def _had_no_place(turn: Turn, end: Failed) -> bool:
    """Whether it waited in line for as long as a question may."""
    waited_s = turn.times[-1] - turn.began_at
    was_queued = any(isinstance(entry.event, Queued) for entry in turn.entries)
    return end.key == Busy.key and was_queued and waited_s >= SETTINGS.limits.queue_s - 0.01


def left(world: "World") -> None:
    """P9, P13: after a planned stop nothing runs, and all is marked."""
    for row in rows(world).values():
        if row.state == "running":
            world.wrong("P9", f"{row.answer_id} still runs in the store after a planned stop")
    theirs = asyncio.all_tasks(world.loop) - world.own_tasks
    names = sorted(task.get_name() for task in theirs)
    if names:
        world.wrong("P13", f"these tasks outlive a planned stop: {names}")
