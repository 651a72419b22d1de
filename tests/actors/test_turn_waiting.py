"""A turn that waits for its place: durable, told, stopped, given up and ended like any other."""

import asyncio

import pytest

from actors.journal import Journal
from actors.pool import Pool
from actors.turns import StartTurn, Turns
from actors.unkept import Answerer, Answers, Forgetter, forgetting
from protocol.access import EVERYBODY, KEEPER
from protocol.errors import Busy
from protocol.events import Accepted, Failed, Queued
from protocol.ids import ChatId, MessageId
from protocol.messages import Write, Written
from protocol.values import Models, Question
from tests.actors.parts import MODE, Scene, ended, hang, told, turn_info
from tests.clock import virtual

WRITES_S = 10.0
QUESTION = Question(ChatId(""), MessageId(""), "Why?", "webSearch", "balanced")


async def write_slowly(message: Write) -> Written:
    """In its time."""
    await asyncio.sleep(WRITES_S)
    message.write_delta("So.")
    return Written("stand-in/model", 1)


class Rush:
    """More questions than places: one runs, one waits; nobody else is let in."""

    def __init__(self, questions: int = 2) -> None:
        self.scene = Scene({Write: write_slowly}, places=1, waiting=1)
        modes = {MODE.name: MODE}
        self.turns = self.scene.tree.grow(
            Turns, self.scene.crew, modes, self.scene.limits, self.scene.line
        )
        self.journals = [Journal(turn_info(name=str(n))) for n in range(questions)]
        for journal in self.journals:
            self.turns.tell(StartTurn(journal))

    async def row(self, which: int) -> dict[str, object]:
        """The answer as the store has it."""
        chat_id = self.journals[which].turn.question.chat_id
        return (await self.scene.store.messages(chat_id, EVERYBODY))[-1].metadata


@virtual
async def test_turn_that_waits_is_durable_and_tells_its_place() -> None:
    """Accepted first; then it runs as if it had just been asked."""
    rush = Rush()
    await asyncio.sleep(1)
    waiting = rush.journals[1]
    assert [entry.event for entry in waiting.entries] == [Accepted(), Queued(1)]
    assert waiting.durable >= 1
    events = await ended(waiting)
    assert told(events)[-2:] == ["So.", "finished"]
    assert events[-1].stages["queued"] == WRITES_S * 1000  # type: ignore[union-attr]
    await asyncio.sleep(1)
    assert (rush.scene.line.running, rush.scene.line.waiting) == (0, 0)
    await rush.scene.close()


@virtual
async def test_turn_that_waits_is_stopped_at_once() -> None:
    """And the one that runs goes on."""
    rush = Rush()
    await asyncio.sleep(1)
    rush.journals[1].stop()
    assert told(await ended(rush.journals[1]))[-1] == "stopped"
    assert rush.scene.line.waiting == 0
    assert told(await ended(rush.journals[0]))[-1] == "finished"
    await rush.scene.close()


@virtual
async def test_waiting_has_a_time_of_its_own() -> None:
    """After it the answer says so, with the time after which it is worth trying again."""
    rush = Rush(0)
    rush.scene.limits = type(rush.scene.limits)(queue_s=5, turn_s=12)
    first, second = (Journal(turn_info(name=name)) for name in "ab")
    rush.scene.play(first)
    rush.scene.play(second)
    failed = (await ended(second))[-1]
    assert isinstance(failed, Failed)
    assert (failed.key, failed.again_after_s) == ("BUSY", 10)
    assert told(await ended(first))[-1] == "finished"
    await rush.scene.close()


@virtual
async def test_waiting_takes_nothing_from_the_time_of_the_answer() -> None:
    """Together they are longer than either may be."""
    rush = Rush(0)
    rush.scene.limits = type(rush.scene.limits)(queue_s=12, turn_s=12)
    first, second = (Journal(turn_info(name=name)) for name in "ab")
    rush.scene.play(first)
    rush.scene.play(second)
    assert told(await ended(second))[-1] == "finished"
    await rush.scene.close()


@virtual
async def test_question_for_which_there_is_no_room_is_refused_and_not_kept() -> None:
    """With a time."""
    rush = Rush(3)
    events = await ended(rush.journals[2])
    assert told(events)[0] == "sources 0"
    assert isinstance(events[-1], Failed)
    assert (events[-1].key, events[-1].again_after_s) == ("BUSY", 10)
    with pytest.raises(LookupError):
        await rush.row(2)
    await asyncio.gather(*map(ended, rush.journals))
    await rush.scene.close()


@virtual
async def test_turn_that_waits_at_the_drain_is_ended_at_once_and_kept() -> None:
    """It could not be brought to its end; the one that runs is."""
    rush = Rush()
    await asyncio.sleep(1)
    rush.scene.line.close()
    stopping = rush.turns.stop(timeout=20)
    before = asyncio.get_running_loop().time()
    failed = (await ended(rush.journals[1]))[-1]
    assert isinstance(failed, Failed)
    assert failed.key == "SERVER_DRAINING"
    assert asyncio.get_running_loop().time() == before
    await stopping
    assert told(await ended(rush.journals[0]))[-1] == "finished"
    assert (await rush.row(1))["error"] == "SERVER_DRAINING"
    await rush.scene.close()


@virtual
async def test_turn_that_is_killed_while_it_waits_leaves_the_line() -> None:
    """Its client is told, and the others move up."""
    rush = Rush()
    await asyncio.sleep(1)
    waiting = list(rush.turns.life.children)[1]
    waiting.kill()
    assert isinstance((await ended(rush.journals[1]))[-1], Failed)
    await asyncio.sleep(1)
    assert (rush.scene.line.running, rush.scene.line.waiting) == (1, 0)
    await rush.scene.close()


@virtual
async def test_answers_that_are_not_kept_stand_in_the_same_line() -> None:
    """Whoever leaves it makes room; one for whom there is no room is told at once."""
    scene = Scene({Write: hang}, places=1, waiting=1)
    crew = forgetting(scene.crew, scene.tree.grow(Forgetter))
    working = (crew, {MODE.name: MODE}, scene.limits, scene.line)
    pool = scene.tree.grow(Pool, Answerer, *working, size=3)
    answers = Answers(pool, scene.limits, iter(map(str, range(100))).__next__)
    running, waiting, late = (answers.begin(QUESTION, Models(), KEEPER) for _ in range(3))
    with pytest.raises(Busy) as refused:
        await late.ended()
    assert refused.value.again_after_s == 10
    await asyncio.sleep(1)
    assert waiting.journal.entries[-1].event == Queued(1)
    for following in (late, waiting, running):
        await following.aclose()
    await asyncio.sleep(1)
    assert (scene.line.running, scene.line.waiting) == (0, 0)
    await scene.close()
