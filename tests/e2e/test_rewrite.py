"""Asking again under the id of an earlier question."""

import pytest

from tests.e2e.client import Client
from tests.e2e.program import Program

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_rewrite_removes_what_followed_in_that_chat_only(program: Program) -> None:
    """The question stays, later messages of its chat go, the new answer has a new id."""
    async with Client.connect(program) as client:
        first = await client.ask("What came first?")
        old = await client.turn()
        await client.answer("What came next?", chat=first.chat_id)
        other = await client.ask("What is elsewhere?")
        await client.turn()
        elsewhere = await program.messages(other.chat_id)
        await client.ask(first.text, chat=first.chat_id, message=first.message_id)
        new = await client.turn()
        question, answer = await program.messages(first.chat_id)
    assert (question["messageId"], question["content"]) == (first.message_id, first.text)
    assert answer["messageId"] == new.message_id != old.message_id
    assert await program.messages(other.chat_id) == elsewhere


async def test_same_id_in_another_chat_is_no_rewrite(program: Program) -> None:
    """A message id that only another chat has is a new question there."""
    async with Client.connect(program) as client:
        first = await client.ask("Whose id is it?")
        await client.turn()
        second = await client.ask("Is it mine?", message=first.message_id)
        await client.turn()
    assert len(await program.messages(first.chat_id)) == 2
    assert (await program.messages(second.chat_id))[0]["content"] == second.text


async def test_rewrite_while_the_answer_is_written_leaves_one_answer(program: Program) -> None:
    """Asked anew while it is still being answered, the question ends with the new answer only."""
    async with Client.connect(program) as client:
        first = await client.ask("Too slow? [[fake answer fault=pace seconds=0.02]]")
        await client.until(lambda frame: frame["type"] == "message")
        await client.ask("Too slow?", chat=first.chat_id, message=first.message_id)
        turns = [await client.turn(), await client.turn()]
        rows = await program.messages(first.chat_id)
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert rows[1]["messageId"] in {turn.message_id for turn in turns}
