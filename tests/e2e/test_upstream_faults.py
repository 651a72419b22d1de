"""Model and search fail in every way: each turn ends in time, and the next one works.

The question itself tells the stand-in how to fail, so these run side by side with any other test.
"""

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDED = ["sources", "message", "messageEnd"]
STAGE_S = 1.0  # each stage's deadline in the impatient program
AT_ONCE = 16
SLACK_S = 4.0  # a machine that is busy with other things

BEFORE_THE_FIRST_WORD = ["500", "429", "401", "reset", "garbage", "hang", "truncate"]
AFTER_FIVE_WORDS = {
    "reset at=5": "MODEL_UNAVAILABLE",
    "truncate at=5": "MODEL_UNAVAILABLE",
    "garbage at=5": "MODEL_UNAVAILABLE",
    "hang at=5": "DEADLINE_EXCEEDED",
}
SEARCH_FAULTS = ["500", "403", "429", "reset", "garbage", "hang", "truncate"]


@pytest.mark.parametrize("fault", BEFORE_THE_FIRST_WORD)
async def test_model_that_says_nothing_is_replaced_by_cited_extracts(
    impatient: Program, fault: str
) -> None:
    """With sources but no word of the model, the answer is made of extracts and says why."""
    async with Client.connect(impatient) as client:
        asked = await client.ask(f"Who stands in? [[fake answer fault={fault}]]")
        turn = await client.turn(deadline_s=STAGE_S + SLACK_S)
        rows = await impatient.messages(asked.chat_id)
        following = await client.answer("And the next question?")
    assert turn.types == ENDED
    assert turn.sources
    assert "[1]" in turn.text
    assert rows[-1]["content"] == turn.text
    assert following.types == ENDED


@pytest.mark.parametrize("fault", BEFORE_THE_FIRST_WORD)
async def test_without_sources_the_answer_says_that_the_model_failed(
    impatient: Program, fault: str
) -> None:
    """Nothing to extract from: empty sources, one sentence, the end; stored with its key."""
    async with Client.connect(impatient) as client:
        asked = await client.ask(
            f"Who helps? [[fake answer fault={fault}]]", focusMode="writingAssistant"
        )
        turn = await client.turn(deadline_s=STAGE_S + SLACK_S)
        rows = await impatient.messages(asked.chat_id)
        following = await client.answer("And next?", focusMode="writingAssistant")
    assert turn.types == ENDED
    assert (turn.sources, bool(turn.text)) == ([], True)
    assert rows[-1]["content"] == turn.text
    assert rows[-1]["metadata"]["error"] in {"MODEL_UNAVAILABLE", "DEADLINE_EXCEEDED"}
    assert "error" not in (await impatient.messages(asked.chat_id))[0]["metadata"]
    assert following.types == ENDED


@pytest.mark.parametrize("fault", AFTER_FIVE_WORDS)
async def test_what_was_written_before_the_model_broke_off_is_kept_and_marked(
    impatient: Program, models: ModelServer, fault: str
) -> None:
    """The five words stay, a sentence follows, messageEnd ends it; stored with the error's key."""
    question = f"What is kept? [[fake answer fault={fault}]]"
    async with Client.connect(impatient) as client:
        asked = await client.ask(question)
        turn = await client.turn(deadline_s=STAGE_S + SLACK_S)
        rows = await impatient.messages(asked.chat_id)
        following = await client.answer("And the next question?")
    written = " ".join((await models.seen("answer", about=question)).reply.split(" ")[:6])
    assert turn.types == ENDED
    assert turn.text.startswith(written)
    assert len(turn.text) > len(written)
    assert rows[-1]["content"] == turn.text
    assert rows[-1]["metadata"]["error"] == AFTER_FIVE_WORDS[fault]
    assert following.types == ENDED


@pytest.mark.parametrize("fault", ["500", "reset", "garbage", "hang", "truncate at=1"])
async def test_rephrasing_that_fails_costs_the_question_nothing(
    impatient: Program, models: ModelServer, fault: str
) -> None:
    """Without a rephrasing the question is searched as it stands, and answered by the model."""
    question = f"Is it found? [[fake rephrase fault={fault}]]"
    async with Client.connect(impatient) as client:
        await client.ask(question)
        turn = await client.turn(deadline_s=STAGE_S + SLACK_S)
    assert turn.sources
    assert turn.text == (await models.seen("answer", about=question)).reply


@pytest.mark.parametrize("fault", SEARCH_FAULTS)
async def test_search_that_fails_is_made_good_or_owned_up_to(
    impatient: Program, models: ModelServer, fault: str
) -> None:
    """The model answers all the same; ahead of its words stands what became of the search."""
    question = f"Is anything found? [[fake search fault={fault}]]"
    async with Client.connect(impatient) as client:
        asked = await client.ask(question)
        turn = await client.turn(deadline_s=STAGE_S + SLACK_S)
        rows = await impatient.messages(asked.chat_id)
        following = await client.answer("And the next question?")
    reply = (await models.seen("answer", about=question)).reply
    assert turn.types == ENDED
    assert turn.text.endswith(reply)
    assert len(turn.text) > len(reply)
    assert all("site" not in source["metadata"]["url"] for source in turn.sources)
    assert "error" not in rows[-1]["metadata"]
    assert len(following.sources) > 5


@pytest.mark.parametrize(("kind", "upstream"), [("search", "searxng"), ("answer", "openai chat")])
async def test_failure_that_passes_is_not_noticed(
    program: Program, kind: str, upstream: str
) -> None:
    """The call is made once more, and counted; the answer is as any other."""
    before = (await program.json("/health"))["counts"]["retried"].get(upstream, 0)
    async with Client.connect(program) as client:
        turn = await client.answer(f"Did it pass? [[fake {kind} fault=500 times=1]]")
    after = (await program.json("/health"))["counts"]["retried"][upstream]
    assert "site1.example" in str(turn.sources)
    assert "failed" not in turn.text
    assert "did not work" not in turn.text
    assert after == before + 1


async def test_model_given_up_on_is_hung_up_on(impatient: Program, models: ModelServer) -> None:
    """When a deadline ends the wait, the call upstream is closed with it."""
    question = "Who hangs up? [[fake answer fault=hang at=2]]"
    async with Client.connect(impatient) as client:
        await client.answer(question)
    exchange = await models.closed_early(about=question)
    assert exchange.pieces == 2


async def test_failure_of_one_turn_is_not_seen_by_another(
    impatient: Program, models: ModelServer
) -> None:
    """While one question's model hangs, others on the same and on another socket are answered."""
    async with Client.connect(impatient) as one, Client.connect(impatient) as two:
        await one.ask("Stuck? [[fake answer fault=hang at=1]]")
        await one.until(lambda frame: frame["type"] == "message")
        quick = await two.answer("Free?")
        await one.ask("Also free?")
        ends = [await one.turn(), await one.turn()]
    assert quick.text == (await models.seen("answer", about="Free?")).reply
    assert (await models.seen("answer", about="Also free?")).reply in {end.text for end in ends}


async def test_one_question_too_many_at_once_is_refused(impatient: Program) -> None:
    """Sixteen may run on one socket; the next is answered with that, and the others end."""
    async with Client.connect(impatient) as client:
        for _ in range(AT_ONCE + 1):
            await client.ask("Still there? [[fake answer fault=hang at=1]]")
        refused = await client.turn()
        turns = [await client.turn() for _ in range(AT_ONCE)]
        following = await client.answer("And the next question?")
    assert refused.types == ENDED
    assert refused.text.startswith("Too much is going on")
    assert len({turn.message_id for turn in turns}) == AT_ONCE
    assert following.types == ENDED


async def test_list_of_models_does_not_wait_for_a_dead_service(
    impatient: Program, models: ModelServer
) -> None:
    """A provider whose list hangs never hides or delays the others by more than 2 s."""
    models.fault("models", Fault.hang(), times=None)
    try:
        lists = await impatient.http.get("/api/models", timeout=2 + SLACK_S)
    finally:
        models.faults.forget()
    assert "built_in" in lists.json()["chatModelProviders"]
