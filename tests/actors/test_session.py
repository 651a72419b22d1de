"""A session turns frames into turns, never waits, and outlives what is sent to it."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors.journal import Journal
from actors.sessions import chosen_models
from protocol.access import identify_keeper
from protocol.events import Accepted, Delta, Finished, SourcesFound
from protocol.frames import SUBPROTOCOL
from tests.actors.hall import Hall
from tests.clock import virtual
from tests.fakes import Inbox
from tests.memory_connection import MemoryConnection


@virtual
async def test_client_is_told_that_its_session_is_open() -> None:
    """The web UI sends nothing before."""
    hall = Hall()
    assert (await hall.open()).sent == [{"type": "signal", "data": "open"}]
    await hall.close()


@virtual
async def test_unknown_model_gets_one_error_and_is_closed() -> None:
    """And no signal."""
    hall = Hall()
    connection = await hall.open(chatModelProvider="unknown")
    assert [frame["key"] for frame in connection.sent] == ["INVALID_MODEL_SELECTED"]
    assert connection.closed_with == 1000
    await hall.close()


@virtual
async def test_every_question_is_shown_to_who_watches() -> None:
    """Also one that is refused at once: it, too, has come to an end."""
    watched: list[Journal] = []
    hall = Hall(session_turns=1)
    hall.furnish(watch=watched.append)
    connection = await hall.open()
    connection.ask("Why?")
    connection.ask("And why?")
    await hall.settle()
    assert [journal.ended for journal in watched] == [False, True]
    await hall.close()


def test_models_are_named_by_the_query() -> None:
    """With custom_openai, the client brings address and key; neither is ever shown."""
    query = {
        "chatModelProvider": "custom_openai",
        "chatModel": "mine",
        "openAIBaseURL": "https://example.org/v1",
        "openAIApiKey": "hidden",
        "embeddingModelProvider": "local",
    }
    models = chosen_models(query)
    assert (models.chat.model, models.chat.api_key) == ("mine", "hidden")
    assert models.embedding.provider == "local"
    assert "hidden" not in repr(models)


@virtual
async def test_question_becomes_a_turn_that_the_client_follows() -> None:
    """With ids of its own: the answer's is not the question's."""
    hall = Hall()
    connection = await hall.open()
    connection.ask("Why?", message="0a1b")
    await hall.settle()
    (start,) = hall.started
    turn = start.journal.turn
    assert turn.question.message_id == "0a1b"
    assert len({turn.turn_id, turn.answer_id, turn.question.message_id}) == 3
    for event in (Accepted(), SourcesFound(()), Delta("a"), Finished()):
        start.journal.write(event)
    await hall.settle()
    assert [frame["type"] for frame in connection.sent[1:]] == ["sources", "message", "messageEnd"]
    await hall.close()


@virtual
async def test_bad_frame_is_answered_and_the_next_one_taken() -> None:
    """An error never closes the socket."""
    hall = Hall()
    connection = await hall.open()
    connection.say("{not json")
    connection.ask("Why?", focusMode="dreaming")
    connection.ask("Why?")
    await hall.settle()
    assert [f["key"] for f in connection.of_type("error")] == [
        "INVALID_FORMAT",
        "INVALID_FOCUS_MODE",
    ]
    assert len(hall.started) == 1
    await hall.close()


@virtual
@pytest.mark.parametrize(
    "frame",
    [
        {"type": "xylophone"},
        {"type": "message", "focusMode": "xylophone"},
        {"type": "message", "message": {"content": "xylophone"}},
    ],
)
async def test_words_of_a_client_are_not_logged(frame: dict[str, Any]) -> None:
    """They are told back to it alone."""
    hall = Hall(SUBPROTOCOL)
    with capture_logs() as logs:
        connection = await hall.open()
        asked = {"message": {"content": "xylophone", "chatId": "c"}, "history": []}
        connection.say_frame(**(asked | frame))
        await hall.settle()
    assert connection.sent[-1]["type"] == "error"
    assert "xylophone" not in str([line for line in logs if line["log_level"] != "debug"])
    assert any("key" in line for line in logs)
    await hall.close()


@virtual
async def test_more_turns_at_once_than_allowed_are_refused() -> None:
    """The place of a turn that has ended is free again."""
    hall = Hall(session_turns=2)
    connection = await hall.open()
    for _ in range(3):
        connection.ask("Why?")
    await hall.settle()
    assert [f["type"] for f in connection.sent[1:]] == ["sources", "message", "messageEnd"]
    assert "Too much" in connection.of_type("message")[0]["data"]
    hall.started[0].journal.write(Finished())
    connection.ask("Why?")
    await hall.settle()
    assert len(hall.started) == 3
    await hall.close()


@virtual
async def test_question_while_the_program_ends_is_answered_with_that() -> None:
    """No turn is begun that could not be brought to its end."""
    hall = Hall()
    connection = await hall.open()
    await hall.turns.stop()
    connection.ask("Why?")
    await hall.settle()
    assert [f["type"] for f in connection.sent[1:]] == ["sources", "message", "messageEnd"]
    assert "restarted" in connection.of_type("message")[0]["data"]
    await hall.close()


@virtual
async def test_client_that_leaves_takes_its_actors_with_it_and_no_turn() -> None:
    """The turns belong to the server."""
    hall = Hall()
    connection = await hall.open()
    connection.ask("Why?")
    await hall.settle()
    connection.leave()
    await hall.settle()
    assert len(hall.sessions.life.children) == 0
    assert hall.turns.is_alive()
    await hall.close()


@virtual
async def test_session_that_keeps_breaking_loses_its_connection_and_no_other() -> None:
    """Six failures in a minute are one too many."""
    hall, other = Hall(), MemoryConnection()
    connection = await hall.open()
    talk = asyncio.ensure_future(hall.converse(other, {}, identify_keeper))
    await hall.settle()
    (victim, *_) = [child for child in hall.sessions.life.children if child.name == "session"]
    for _ in range(6):
        assert victim.task is not None
        victim.task.cancel()
        await asyncio.sleep(3)
    assert connection.closed_with == 1011
    other.ask("Why?")
    await hall.settle()
    assert len(hall.started) == 1
    other.leave()
    await talk
    await hall.close()


@pytest.mark.parametrize("fact", ["session_id", "turn_id"])
def test_turn_carries_the_facts_of_its_session(fact: str) -> None:
    """Every line of a turn can be found by either id."""

    @virtual
    async def test() -> None:
        facts: list[dict[str, str]] = []

        class Nosy(Inbox):
            def on_receive(self, message: Any) -> None:
                from actors import context  # noqa: PLC0415 - read where the message is handled

                facts.append(dict(context.current().facts))
                super().on_receive(message)

        hall = Hall()
        nosy = hall.tree.grow(Nosy, hall.started)
        hall.furnish(turns=nosy, new_id=lambda: "id")
        connection = await hall.open()
        connection.ask("Why?")
        await hall.settle()
        assert facts[0][fact] == "id"
        await hall.close()

    test()
