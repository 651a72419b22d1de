"""A turn goes step by step, and ends in every case."""

import asyncio
import gc
from typing import Any
from weakref import ref

import pytest

from actors.journal import Journal
from protocol.access import EVERYBODY
from protocol.errors import ModelUnavailable, StorageUnavailable
from protocol.events import Failed
from protocol.messages import (
    Rephrase,
    Rephrased,
    Rerank,
    Reranked,
    Search,
    SearchFinished,
    Write,
    Written,
)
from tests.actors.parts import (
    MODE,
    NODES,
    Act,
    BrokenStore,
    Scene,
    break_down,
    ended,
    fail,
    hang,
    told,
    turn_info,
)
from tests.clock import virtual

WHOLE = [
    "accepted",
    "status rephrasing",
    "status searching",
    "status reranking",
    "sources 2",
    "status writing",
    "Because",
    " so [1].",
    "finished",
]


async def play(acts: dict[type, Act] | None = None, **changes: Any) -> tuple[list[str], Scene]:
    """What a turn tells, with these acts of those it asks."""
    scene = Scene(acts, changes.pop("store", None))
    journal = Journal(turn_info())
    mode = changes.pop("mode", MODE)
    scene.play(journal, mode)
    events = await ended(journal)
    await scene.close()
    return told(events), scene


@virtual
async def test_every_step_comes_in_its_order() -> None:
    """Accepted, the stages, the sources, the answer, the end."""
    assert (await play())[0] == WHOLE


@virtual
async def test_answer_is_stored_with_its_sources_when_the_turn_ends() -> None:
    """What was told is what is kept."""
    _, scene = await play()
    question, answer = await scene.store.messages(turn_info().question.chat_id, EVERYBODY)
    assert (question.content, answer.content) == ("Why?", "Because so [1].")
    assert [s["metadata"]["title"] for s in answer.metadata["sources"]] == ["title 18", "title 19"]
    assert "error" not in answer.metadata


@virtual
async def test_mode_without_search_goes_straight_to_the_writer() -> None:
    """Nothing is asked of the searcher; the sources are there all the same, and empty."""
    mode = type(MODE)("writingAssistant", searches=False, answer_temperature=0, answer_prompt="")
    events, _ = await play({Search: break_down}, mode=mode)
    assert events == ["accepted", "sources 0", "status writing", "Because", " so [1].", "finished"]


@virtual
async def test_question_that_needs_no_search_is_not_searched() -> None:
    """An empty query means that the model can answer from the conversation."""

    async def not_needed(_message: Rephrase) -> Rephrased:
        return Rephrased("")

    events, _ = await play({Rephrase: not_needed, Search: break_down})
    assert "status searching" not in events
    assert events[-1] == "finished"


@virtual
async def test_failed_rephrasing_leaves_the_question_as_the_query() -> None:
    """The question as it stands still finds something."""
    queries = []

    async def search(message: Search) -> SearchFinished:
        queries.append(message.query)
        return SearchFinished(NODES, "stand-in")

    for act in (fail, break_down, hang):
        events, _ = await play({Rephrase: act, Search: search})
        assert events == WHOLE
    assert queries == ["Why?"] * 3


@virtual
async def test_sources_are_ranked_against_the_query_that_was_searched() -> None:
    """A follow-up such as "and in feet?" says too little by itself: it would drop every source."""
    queries = []

    async def rerank(message: Rerank) -> Reranked:
        queries.append(message.query)
        return Reranked(message.nodes[:1])

    await play({Rerank: rerank})
    assert queries == ["a query"]


@virtual
async def test_failed_ranking_leaves_the_order_of_the_search() -> None:
    """Fifteen nodes as they were found."""
    for act in (fail, break_down, hang):
        events, _ = await play({Rerank: act})
        assert "sources 15" in events
        assert events[-1] == "finished"


@virtual
async def test_failed_search_is_told_in_the_answer() -> None:
    """The writer goes on without sources, and the reader knows why."""
    for act in (fail, break_down, hang):
        events, _ = await play({Search: act})
        assert "sources 0" in events
        assert any(event.startswith("*Nothing could be searched") for event in events)
        assert events[-1] == "finished"


@virtual
async def test_writer_that_breaks_off_leaves_what_it_wrote_and_an_apology() -> None:
    """The turn ends as failed, with the text so far and a sentence, told and stored alike."""

    async def break_off(message: Write) -> Written:
        message.write_delta("Becau")
        raise ModelUnavailable("stand-in", "it broke off")

    events, scene = await play({Write: break_off})
    assert events[-3:] == [
        "Becau",
        "\n\nThe model service stand-in failed: it broke off.",
        "failed",
    ]
    (_, answer) = await scene.store.messages(turn_info().question.chat_id, EVERYBODY)
    assert answer.content == "".join(events[-3:-1])
    assert answer.metadata["error"] == "MODEL_UNAVAILABLE"


@virtual
async def test_turn_ends_at_its_own_deadline() -> None:
    """Whatever hangs, the client is told within the time of a whole turn."""
    began = asyncio.get_running_loop().time()
    events, scene = await play({Write: hang})
    assert events[-1] == "failed"
    assert asyncio.get_running_loop().time() - began <= scene.limits.turn_s + 1


@virtual
async def test_pieces_that_come_too_late_are_dropped() -> None:
    """A writer that goes on after its asker has left writes into nothing."""
    kept: list[Write] = []

    async def keep_writing(message: Write) -> Written:
        kept.append(message)
        raise ModelUnavailable("stand-in", "it broke off")

    events, _ = await play({Write: keep_writing})
    kept[0].write_delta("too late")
    assert "too late" not in events


@virtual
async def test_turn_that_cannot_be_kept_is_refused_with_a_sentence() -> None:
    """Without a durable question there is no turn: the client is told at once."""
    events, _ = await play(store=BrokenStore(broken=True))
    assert events == [
        "sources 0",
        "The conversation store is unavailable: the disk is full.",
        "failed",
    ]


class TornStore(BrokenStore):
    """Keeps the first that it is given, and says that it did not; then it is broken."""

    async def commit(self, writes: Any) -> tuple[Any, ...]:
        """Keep, or not."""
        is_first = not self.batches
        refused = await super().commit(writes)
        if is_first:
            self.broken = True
            raise StorageUnavailable("the disk reports an error")
        return refused


@virtual
async def test_turn_that_was_kept_after_all_does_not_run_for_ever() -> None:
    """A store that failed at its very end may have the question: it is given the end as well."""
    store = TornStore()
    scene = Scene(store=store)
    journal = Journal(turn_info())
    scene.play(journal)
    await ended(journal)
    store.broken = False
    await scene.close()
    answer = (await store.messages(journal.turn.question.chat_id, EVERYBODY))[-1]
    assert answer.content == journal.text


@virtual
async def test_store_that_fills_up_meanwhile_ends_the_turn() -> None:
    """What cannot be promised any more is a failure, which is told all the same."""
    store = BrokenStore()

    async def fill_up(message: Write) -> Written:
        store.broken = True
        message.write_delta("Because")
        return Written("stand-in/model", 1)

    events, _ = await play({Write: fill_up}, store=store)
    assert events[-1] == "failed"
    assert "accepted" in events


@virtual
async def test_turn_that_has_ended_does_not_wait_for_the_collector() -> None:
    """Thousands of them would be collected at once, and hold up everybody meanwhile."""
    scene, journal = Scene(), Journal(turn_info())
    left = ref(journal)
    scene.play(journal)
    gc.disable()
    try:
        await ended(journal)
        await asyncio.sleep(1)
        del journal
        assert left() is None
    finally:
        gc.enable()
    await scene.close()


@virtual
async def test_bug_in_the_turn_itself_is_told_to_the_client() -> None:
    """A crash of the turn's own actor is the last thing that its journal tells."""
    scene = Scene({Write: hang})
    journal = Journal(turn_info())
    turn = scene.play(journal)
    await asyncio.sleep(1)
    assert turn.life.task is not None
    turn.life.task.cancel()
    events = await ended(journal)
    await scene.close()
    assert isinstance(events[-1], Failed)
    assert events[-1].key == "CHAIN_ERROR"


@pytest.mark.parametrize("drain_s", [0.0, 1.0])
def test_turn_that_is_stopped_at_the_end_of_the_program_says_so(drain_s: float) -> None:
    """Its time is up before its answer is: the client hears that the server is going down."""

    @virtual
    async def test() -> None:
        scene = Scene({Write: hang})
        journal = Journal(turn_info())
        turn = scene.play(journal)
        await asyncio.sleep(1)
        await turn.stop(timeout=drain_s)
        events = await ended(journal)
        await scene.close()
        assert isinstance(events[-1], Failed)
        assert events[-1].key == "SERVER_DRAINING"

    test()
