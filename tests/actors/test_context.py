"""What travels with messages: facts for the log, and deadlines."""

import asyncio
from typing import Any

import pytest

from actors import context
from actors.context import Context, add_facts, bound, sooner
from actors.errors import AskTimeout
from tests.actors.player import Do, Phoenix, Player, bear, crash, grown_tree, pass_on, sleep
from tests.clock import virtual
from upstreams.diary import Diary, note


async def facts(_me: Player) -> dict[str, str]:
    """What would stand on every log line of the handler."""
    return dict(add_facts(None, "info", {"event": "x"}))


async def deadline(_me: Player) -> float | None:
    """The seconds that are left."""
    until = context.current().deadline
    return None if until is None else until - asyncio.get_running_loop().time()


def test_the_sooner_deadline() -> None:
    """None is never."""
    assert sooner(None, None) is None
    assert sooner(1, None) == sooner(None, 1) == sooner(1, 2) == sooner(2, 1) == 1


def test_facts_of_the_line_win() -> None:
    """What a log line says itself stands over what is bound around it."""
    with bound(a="bound", b="bound"):
        assert add_facts(None, "info", {"a": "said"}) == {"a": "said", "b": "bound"}
    assert add_facts(None, "info", {"a": "said"}) == {"a": "said"}


@virtual
async def test_facts_travel_with_every_message() -> None:
    """Through any number of asks and tells the facts of the sender are on the receiver's lines."""
    async with grown_tree() as tree:
        first, second = tree.grow(Player), tree.grow(Phoenix)
        with bound(turn_id="t1"):
            seen: dict[str, Any] = await first.ask(Do(pass_on(second, facts)))
            assert seen == {"event": "x", "turn_id": "t1", "actor": "phoenix"}
        told: list[dict[str, str]] = []

        async def tell(me: Player) -> None:
            told.append(await facts(me))

        with bound(turn_id="t2"):
            second.tell(Do(tell))
        assert await second.ask(Do(facts)) == {"event": "x", "actor": "phoenix"}
        assert told[0]["turn_id"] == "t2"


@virtual
async def test_diary_travels_with_every_message() -> None:
    """Whoever works for a turn, through any number of asks, writes into its diary and no other."""

    async def write(_me: Player) -> None:
        note("worked")

    kept = Diary(asyncio.get_running_loop().time)
    async with grown_tree() as tree:
        first, second = tree.grow(Player), tree.grow(Phoenix)
        context.keep(kept)
        await first.ask(Do(pass_on(second, write)))
        second.tell(Do(write))
        context.keep(None)
        await first.ask(Do(pass_on(second, write)))
    assert [span.name for span in kept.story()] == ["worked", "worked"]


@virtual
async def test_a_child_keeps_the_facts_of_its_birth() -> None:
    """What was bound where an actor was started is on all its lines, also after a restart."""
    async with grown_tree() as tree:
        parent = tree.grow(Player)
        with bound(session_id="s1"):
            child = await parent.ask(Do(bear(Phoenix)))
        child.tell(Do(crash))
        assert (await child.ask(Do(facts)))["session_id"] == "s1"
        assert "session_id" not in await parent.ask(Do(facts))


@virtual
async def test_deadlines_travel_and_shrink() -> None:
    """The deadline of an ask holds for all asks below it; a nearer one takes its place."""
    async with grown_tree() as tree:
        first, second, third = (tree.grow(Player) for _ in range(3))
        assert await first.ask(Do(deadline)) is None
        assert await first.ask(Do(deadline), timeout=9) == 9

        async def later(me: Player) -> Any:
            await asyncio.sleep(4)
            return await second.ask(Do(pass_on(third, deadline)))

        assert await first.ask(Do(later), timeout=9) == 5
        assert await first.ask(Do(pass_on(second, deadline, timeout=3)), timeout=9) == 3
        assert await first.ask(Do(pass_on(second, deadline, timeout=99)), timeout=9) == 9


@virtual
async def test_a_deadline_ends_all_that_was_asked_below() -> None:
    """When the first asker's time is up nobody works for it any more, however deep."""
    async with grown_tree() as tree:
        first, second, third = (tree.grow(Player) for _ in range(3))
        work = pass_on(second, pass_on(third, sleep(60)))
        with pytest.raises(AskTimeout):
            await first.ask(Do(work), timeout=2)
        before = asyncio.get_running_loop().time()
        for ref in (first, second, third):
            await ref.ask(Do(sleep(0)))
        assert asyncio.get_running_loop().time() == before


@virtual
async def test_a_tell_has_no_deadline() -> None:
    """What is told goes on after the teller's own time; nor does one message leak into the next."""
    async with grown_tree() as tree:
        first, second = tree.grow(Player), tree.grow(Player)
        seen: list[float | None] = []

        async def note(me: Player) -> None:
            seen.append(await deadline(me))

        async def tell(me: Player) -> None:
            second.tell(Do(note))

        await first.ask(Do(tell), timeout=5)
        await second.ask(Do(sleep(0)), timeout=5)
        second.tell(Do(note))
        await second.ask(Do(sleep(0)))
        assert seen == [None, None]


@virtual
async def test_hooks_have_no_deadline() -> None:
    """The time of the last message does not limit how an actor starts, stops or fails."""
    seen: list[float | None] = []

    async def note(me: Player) -> None:
        seen.append(await deadline(me))

    async with grown_tree() as tree:
        hooks = {"start": note, "stop": note, "failure": note}

        async def born_late(me: Player) -> Any:
            return me.spawn(Phoenix, "child", [], **hooks)

        parent = tree.grow(Player)
        child = await parent.ask(Do(born_late), timeout=5)
        child.ask(Do(crash), timeout=5)
        await asyncio.sleep(1)
    assert seen == [None] * 4


def test_the_default_context_is_empty() -> None:
    """Nothing is bound outside."""
    assert context.current() == Context({}, None)
