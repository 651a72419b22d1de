"""A turn that its user stops ends at once, wherever it is; what was written is kept and marked."""

import asyncio
from typing import Any

import pytest

from actors.journal import Journal
from protocol.access import EVERYBODY
from protocol.events import Delta, Failed, SourcesFound, Stopped
from protocol.messages import Read, Rephrase, Rerank, Reranked, Search, Write, Written
from tests.actors.parts import Act, BrokenStore, Scene, ended, hang, told, turn_info
from tests.clock import virtual
from tests.storage.memory_store import MemoryStore


class SlowStore(MemoryStore):
    """Takes its time for each transaction, once it is ``slow``."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False

    async def commit(self, writes: Any) -> tuple[Any, ...]:
        """Keep, in a while."""
        if self.slow:
            await asyncio.sleep(1)
        return await super().commit(writes)


class Play:
    """A turn that is under way."""

    def __init__(
        self, acts: dict[type, Act] | None = None, store: MemoryStore | None = None
    ) -> None:
        self.scene = Scene(acts, store)
        self.journal = Journal(turn_info())
        self.turn = self.scene.play(self.journal)

    async def stop(self, after_s: float = 0.5) -> list[str]:
        """What the turn told, once its user has stopped it."""
        await asyncio.sleep(after_s)
        began = asyncio.get_running_loop().time()
        self.journal.stop()
        events = await ended(self.journal)
        self.took_s = asyncio.get_running_loop().time() - began
        return told(events)

    async def answer(self) -> Any:
        """What the chat has as its answer, once all is over."""
        await self.scene.close()
        return (await self.scene.store.messages(self.journal.turn.question.chat_id, EVERYBODY))[-1]


def cancelled(act: list[str]) -> Act:
    """Work that never ends by itself, and notes that it was ended."""

    async def work(message: Any) -> Any:
        if isinstance(message, Write):
            message.write_delta("Beca")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            act.append(type(message).__name__)
            raise

    return work


@pytest.mark.parametrize("stage", [Rephrase, Search, Rerank, Write])
def test_stop_ends_the_work_that_is_under_way(stage: type) -> None:
    """In every stage, and with it the call to whoever was asked."""

    @virtual
    async def test() -> None:
        ended_work: list[str] = []
        play = Play({stage: cancelled(ended_work)})
        events = await play.stop()
        assert events[-1] == "stopped"
        assert play.took_s < 0.2
        assert ended_work == [stage.__name__]
        await play.answer()

    test()


@virtual
async def test_what_was_written_is_kept_and_marked() -> None:
    """The answer of the chat is the text so far, with its sources."""
    play = Play({Write: cancelled([])})
    assert (await play.stop())[-2:] == ["Beca", "stopped"]
    answer = await play.answer()
    assert (answer.content, answer.metadata["error"]) == ("Beca", "STOPPED")
    assert len(answer.metadata["sources"]) == 2


@virtual
async def test_answer_without_a_word_says_that_it_was_stopped() -> None:
    """Both web UIs need sources and an answer for each question."""
    play = Play({Search: hang})
    assert (await play.stop())[-3:] == ["sources 0", "The answer was stopped.", "stopped"]
    assert (await play.answer()).content == "The answer was stopped."


@virtual
async def test_stop_before_the_first_step_is_not_lost() -> None:
    """The question is kept, nothing is asked of anybody."""
    play = Play({Rephrase: hang, Search: hang, Read: hang})
    events = await play.stop(after_s=0)
    assert events[0] == "accepted"
    assert events[-1] == "stopped"
    await play.answer()


@virtual
async def test_stop_while_the_end_is_being_kept_comes_too_late() -> None:
    """What is on its way to the store is not given up: the answer is whole, and says so."""
    store = SlowStore()

    async def write(message: Write) -> Written:
        message.write_delta("Because.")
        store.slow = True
        return Written("stand-in/model", 1)

    play = Play({Write: write}, store)
    assert (await play.stop(after_s=0.5))[-1] == "finished"
    assert "error" not in (await play.answer()).metadata


@virtual
async def test_second_stop_while_the_first_is_being_kept_changes_nothing() -> None:
    """Whoever stops it again, be it by asking anew, is not told of a failure."""
    store = SlowStore()
    play = Play({Write: cancelled([])}, store)
    await asyncio.sleep(0.5)
    store.slow = True
    play.journal.stop()
    await asyncio.sleep(0.5)
    assert (await play.stop(after_s=0))[-1] == "stopped"
    assert (await play.answer()).metadata["error"] == "STOPPED"


@virtual
async def test_sources_that_are_being_kept_are_told_before_the_stop() -> None:
    """The number of an event is never used twice."""
    store = SlowStore()

    async def rerank(message: Rerank) -> Reranked:
        store.slow = True
        return Reranked(message.nodes[:1])

    play = Play({Rerank: rerank, Write: hang}, store)
    events = await play.stop(after_s=0.5)
    assert "sources 1" in events
    assert events[-1] == "stopped"
    kept = await play.scene.store.entries(play.journal.turn.turn_id, EVERYBODY)
    assert [type(entry.event) for entry in kept].count(SourcesFound) == 1
    await play.answer()


@virtual
async def test_turn_that_its_user_stopped_while_the_store_is_down_ends_all_the_same() -> None:
    """And is kept when the store is back."""
    store = BrokenStore()
    play = Play({Write: cancelled([])}, store)
    await asyncio.sleep(0.5)
    store.broken = True
    assert (await play.stop())[-1] == "stopped"
    store.broken = False
    await asyncio.sleep(2)
    assert (await play.answer()).metadata["error"] == "STOPPED"


@virtual
async def test_stop_after_the_end_changes_nothing() -> None:
    """A client may be late."""
    play = Play()
    await ended(play.journal)
    play.journal.stop()
    assert not isinstance(play.journal.entries[-1].event, Failed | Stopped | Delta)
    assert "error" not in (await play.answer()).metadata
