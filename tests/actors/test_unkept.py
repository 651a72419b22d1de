"""Answers that are not kept: the same turn, without a trace in the store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import msgspec
import pytest

from actors.pool import Pool
from actors.unkept import Answerer, Answers, Following, Forgetter, forgetting
from protocol.access import EVERYBODY, KEEPER
from protocol.errors import Busy, DeadlineExceeded, ServerDraining, ServiceError, TurnError
from protocol.events import Delta, Failed, Finished
from protocol.ids import ChatId, MessageId
from protocol.messages import Rephrase, Search, Write, Written
from protocol.settings import Limits
from protocol.values import Models, Question
from tests.actors.parts import MODE, Act, Scene, told
from tests.clock import virtual

QUESTION = Question(ChatId(""), MessageId(""), "Why?", "webSearch", "balanced")
LIMITS = Limits(turn_s=100)
PLACES = 2


@asynccontextmanager
async def scene(acts: dict[type, Act] | None = None) -> AsyncIterator[tuple[Answers, Scene]]:
    """Answers with two places."""
    parts = Scene(acts)
    crew = forgetting(parts.crew, parts.tree.grow(Forgetter))
    modes = {MODE.name: MODE}
    pool = parts.tree.grow(Pool, Answerer, crew, modes, LIMITS, parts.line, size=PLACES)
    numbers = count(1)
    try:
        yield Answers(pool, LIMITS, lambda: str(next(numbers))), parts
    finally:
        await parts.close()


async def entries(following: Following) -> list[Any]:
    """All events."""
    events = [entry.event async for entry in following]
    await following.aclose()
    return events


class Hanging:
    """An act that never ends; tells when it began and when it was cancelled."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, _message: Any) -> Any:
        """Wait for ever."""
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


@virtual
async def test_the_turn_is_the_same_and_nothing_is_stored() -> None:
    """Every event, in its order; the store stays empty."""
    async with scene() as (answers, parts):
        events = await entries(answers.begin(QUESTION, Models(), KEEPER))
        assert told(events)[-4:] == ["sources 2", "status writing", "Because so [1].", "finished"]
        assert await parts.store.chats(EVERYBODY) == []


@virtual
async def test_the_whole_answer_can_be_waited_for() -> None:
    """With its sources; every turn has ids of its own."""
    async with scene() as (answers, _):
        followings = [answers.begin(QUESTION, Models(), KEEPER) for _ in range(5)]
        journals = [await following.ended() for following in followings]
        assert {journal.text for journal in journals} == {"Because so [1]."}
        assert [len(journal.sources or ()) for journal in journals] == [2] * 5
        turns = [journal.turn for journal in journals]
        assert len({turn.answer_id for turn in turns}) == len({turn.turn_id for turn in turns}) == 5
        assert all(turn.question.chat_id and turn.question.message_id for turn in turns)


@pytest.mark.parametrize("stage", [Rephrase, Search, Write])
def test_to_leave_is_to_stop(stage: type) -> None:
    """Whatever the turn waits for is cancelled at once, and its place is free again."""

    @virtual
    async def test() -> None:
        hanging = Hanging()
        async with scene({stage: hanging}) as (answers, parts):
            followings = [answers.begin(QUESTION, Models(), KEEPER) for _ in range(PLACES)]
            await hanging.began.wait()
            for following in followings:
                await following.aclose()
                await following.aclose()
            await hanging.cancelled.wait()
            await asyncio.sleep(1)
            assert parts.tree.system.counts["turn"].cancelled == PLACES
            assert not [t for t in parts.tree.system.tasks if t.get_name() == "turn"]

    test()


@virtual
async def test_who_leaves_before_the_beginning_stops_it_as_well() -> None:
    """Not even one step of it is left."""
    hanging = Hanging()
    async with scene({Rephrase: hanging}) as (answers, _):
        await answers.begin(QUESTION, Models(), KEEPER).aclose()
        await asyncio.sleep(1)
        assert not hanging.began.is_set()


@virtual
async def test_who_waits_for_a_place_may_leave_too() -> None:
    """And who stays gets it."""
    hanging = Hanging()
    async with scene({Rephrase: hanging}) as (answers, _):
        first, second, third = (answers.begin(QUESTION, Models(), KEEPER) for _ in range(3))
        await hanging.began.wait()
        waiting = asyncio.ensure_future(third.begun())
        await asyncio.sleep(1)
        assert not waiting.done()
        await first.aclose()
        await waiting
        for following in (second, third):
            await following.aclose()


@virtual
async def test_deltas_that_wait_are_merged() -> None:
    """A slow reader gets fewer and larger pieces, and misses nothing."""

    async def write(message: Write) -> Written:
        for number in range(50):
            message.write_delta(f"{number} ")
        return Written("x", 50)

    async with scene({Write: write}) as (answers, _):
        following = answers.begin(QUESTION, Models(), KEEPER)
        await following.ended()
        deltas = [event for event in await entries(following) if isinstance(event, Delta)]
        assert [delta.text for delta in deltas] == ["".join(f"{n} " for n in range(50))]


@virtual
async def test_growth_while_an_event_is_taken_is_not_missed() -> None:
    """The reader may be slow over each event, also over the last but one."""
    async with scene() as (answers, _):
        following = answers.begin(QUESTION, Models(), KEEPER)
        seen = []
        async for entry in following:
            seen.append(entry.event)
            await asyncio.sleep(1)
        await following.aclose()
        assert isinstance(seen[-1], Finished)


@virtual
async def test_a_turn_that_never_ends_is_ended_by_its_deadline() -> None:
    """As every turn; the journal says so."""
    async with scene({Write: Hanging()}) as (answers, _):
        end = (await entries(answers.begin(QUESTION, Models(), KEEPER)))[-1]
        assert isinstance(end, Failed)
        assert end.key == DeadlineExceeded.key


@virtual
async def test_a_turn_that_breaks_ends() -> None:
    """A bug of the turn itself is told as a failure, not as silence."""
    mode = msgspec.structs.replace(MODE, name="broken")
    async with scene() as (answers, _):
        broken = msgspec.structs.replace(QUESTION, focus_mode=mode.name)
        following = answers.begin(broken, Models(), KEEPER)
        with pytest.raises(TurnError):
            await following.ended()
        await following.aclose()


@virtual
async def test_no_place_to_wait_is_busy() -> None:
    """The line has an end, and who comes too late knows at once."""
    async with scene({Rephrase: Hanging()}) as (answers, _):
        followings = [
            answers.begin(QUESTION, Models(), KEEPER) for _ in range(Pool.mailbox_bound + 50)
        ]
        await asyncio.sleep(1)
        with pytest.raises(Busy):
            await followings[-1].begun()
        for following in followings:
            await following.aclose()


@virtual
async def test_a_program_that_stops_takes_no_more() -> None:
    """Who asks then is told to come again."""
    async with scene() as (answers, parts):
        await parts.close()
        following = answers.begin(QUESTION, Models(), KEEPER)
        with pytest.raises(ServerDraining):
            await following.begun()
        await following.aclose()


@virtual
async def test_a_stop_ends_what_runs_within_its_time() -> None:
    """The reader sees an end that says why."""
    hanging = Hanging()
    async with scene({Write: hanging}) as (answers, parts):
        following = answers.begin(QUESTION, Models(), KEEPER)
        await hanging.began.wait()
        stopping = asyncio.ensure_future(parts.close())
        try:
            end = (await following.ended()).entries[-1].event
            assert isinstance(end, Failed)
            assert end.key == ServerDraining.key
        except ServiceError as error:
            assert isinstance(error, ServerDraining | TurnError)  # noqa: PT017 - either is an end
        await following.aclose()
        await stopping
