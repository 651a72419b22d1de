"""Askers that leave, or whose time is up: their work ends, and only theirs."""

import asyncio
from typing import Any

import pytest

from actors.errors import AskTimeout
from tests.actors.player import (
    Do,
    Note,
    Player,
    grown_tree,
    hang,
    pass_on,
    sleep,
)
from tests.clock import virtual


@virtual
async def test_a_leaving_asker_cancels_its_own_work_through_any_number_of_asks() -> None:
    """Every handler that works for it is torn away, no other message is touched."""
    diary: list[str] = []
    async with grown_tree() as tree:
        names = ("a", "b", "c", "d")
        a, b, c, d = (tree.grow(Player, name, diary) for name in names)
        work = pass_on(b, pass_on(c, pass_on(d, hang)))
        leaving = asyncio.ensure_future(a.ask(Do(work)))
        await asyncio.sleep(1)
        behind = [ref.ask(Do(sleep(0, "kept"))) for ref in (a, b, c, d)]
        leaving.cancel()
        assert await asyncio.gather(*behind) == ["kept"] * 4
        counts = tree.system.counts["player"]
        assert (counts.cancelled, counts.handled, counts.failed) == (4, 4, 0)
    assert diary.count("d torn away") == 1


@virtual
async def test_a_leaving_asker_cancels_what_it_asked_at_once() -> None:
    """Several asks that are awaited together are all given up together."""
    async with grown_tree() as tree:
        asker, first, second = (tree.grow(Player) for _ in range(3))

        async def both(_me: Player) -> Any:
            return await asyncio.gather(first.ask(Do(hang)), second.ask(Do(hang)))

        with pytest.raises(AskTimeout):
            await asker.ask(Do(both), timeout=1)
        for ref in (asker, first, second):
            assert await ref.ask(Do(sleep(0, "free"))) == "free"


@virtual
async def test_what_waits_for_a_leaving_asker_is_not_begun() -> None:
    """A message whose asker left while it stood in line is counted as cancelled, not handled."""
    diary: list[str] = []

    async def write(me: Player) -> None:
        me.diary.append("begun")

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        player.tell(Do(sleep(1)))
        player.ask(Do(write)).abandon()
    assert "begun" not in diary
    assert tree.system.counts["player"].cancelled == 1


@virtual
async def test_expired_messages_are_not_handled() -> None:
    """A message whose time passed in line is not begun, and its asker is told, if it still asks."""
    diary: list[str] = []

    async def write(me: Player) -> None:
        me.diary.append("begun")

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        player.tell(Do(sleep(5)))
        reply = player.ask(Do(write), timeout=2)  # nobody awaits it, so nobody abandons it
        await asyncio.sleep(6)
        assert reply.settled
        with pytest.raises(AskTimeout):
            await reply
    assert "begun" not in diary
    assert tree.system.counts["player"].expired == 1


@virtual
async def test_leaving_as_the_handler_ends() -> None:
    """Whichever comes first, in whichever step: the next message is never hit in its place."""
    for late in range(6):
        async with grown_tree() as tree:
            player = tree.grow(Player)

            async def steps(_me: Player) -> str:
                for _ in range(3):
                    await asyncio.sleep(0)
                return "done"

            reply, following = player.ask(Do(steps)), player.ask(Do(steps))
            for _ in range(late):
                await asyncio.sleep(0)
            reply.abandon()
            assert await following == "done"
            assert player.is_alive()


@virtual
async def test_a_handler_may_clean_up_when_its_asker_has_left() -> None:
    """Awaits in its finally work; the next message begins when it has finished."""
    diary: list[str] = []

    async def careful(me: Player) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(1)
            me.diary.append("cleaned")

    async def stubborn(me: Player) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            async with asyncio.timeout(5):
                await asyncio.sleep(1)
        me.diary.append("finished")
        return "nobody hears this"

    async with grown_tree() as tree:
        player = tree.grow(Player, "a", diary)
        for act in (careful, stubborn):
            with pytest.raises(AskTimeout):
                await player.ask(Do(act), timeout=1)
            player.tell(Note("next"))
            await player.ask(Do(sleep(0)))
    assert diary[1:-1] == ["cleaned", "next", "finished", "next"]


@virtual
async def test_a_time_out_inside_a_handler_is_its_own_affair() -> None:
    """Whether the handler's time-out or the asker's comes first or both at once, nothing breaks."""

    async def impatient(_me: Player) -> str:
        try:
            async with asyncio.timeout(2):
                await asyncio.sleep(60)
        except TimeoutError:
            return "gave up"
        return "never"

    async with grown_tree() as tree:
        player = tree.grow(Player)
        for timeout in (1.0, 2.0, 3.0):
            try:
                assert await player.ask(Do(impatient), timeout=timeout) == "gave up"
            except AskTimeout:
                assert timeout <= 2
            assert await player.ask(Do(sleep(0, "well"))) == "well"
