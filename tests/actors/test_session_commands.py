"""What else a client may say: stop, resume, ping; and what it is told when the program ends."""

from functools import partial
from typing import Any

import pytest

from actors.sessions import AnnounceDrain
from protocol.events import Accepted, Delta, SourcesFound
from protocol.frames import SUBPROTOCOL
from tests.actors.hall import Hall
from tests.clock import virtual


@virtual
async def test_stop_reaches_the_turn_whoever_asked_for_it() -> None:
    """By the id of its answer, from any connection."""
    hall = Hall(SUBPROTOCOL)
    connection = await hall.open()
    connection.ask("Why?")
    await hall.settle()
    journal = hall.started[0].journal
    stopped: list[bool] = []
    journal.when_stopped(lambda: stopped.append(True))
    connection.say_frame(type="stop", messageId=journal.turn.answer_id)
    await hall.settle()
    assert stopped == [True]
    assert hall.recalled == []
    await hall.close()


@virtual
async def test_question_that_is_asked_anew_stops_what_still_answers_it() -> None:
    """Nobody waits for an answer that the chat has no place for any more."""
    hall = Hall(SUBPROTOCOL)
    connection = await hall.open()
    for chat, message in (("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")):
        connection.ask("Why?", chat=chat, message=message)
    await hall.settle()
    stopped: list[int] = []
    for place, start in enumerate(hall.started):
        start.journal.when_stopped(partial(stopped.append, place))
    assert stopped == [0]
    await hall.close()


@virtual
async def test_resumed_turn_is_told_from_where_the_client_was() -> None:
    """As long as somebody works on it, from memory."""
    hall = Hall(SUBPROTOCOL)
    connection = await hall.open()
    connection.ask("Why?")
    await hall.settle()
    journal = hall.started[0].journal
    for event in (Accepted(), SourcesFound(()), Delta("a"), Delta("b")):
        journal.write(event)
    await hall.settle()
    connection.say_frame(type="resume", messageId=journal.turn.answer_id, after=3)
    await hall.settle()
    assert [(f["type"], f["seq"]) for f in connection.sent[-2:]] == [("resumed", 3), ("message", 4)]
    await hall.close()


@virtual
async def test_turn_that_nobody_works_on_is_recalled_from_the_store() -> None:
    """For stop it is only looked up, whether it is known at all."""
    hall = Hall(SUBPROTOCOL)
    connection = await hall.open()
    connection.say_frame(type="resume", messageId="a", after=3)
    connection.say_frame(type="stop", messageId="b")
    await hall.settle()
    assert [(r.answer_id, r.after) for r in hall.recalled] == [("a", 3), ("b", None)]
    await hall.close()


@virtual
async def test_ping_gets_its_pong() -> None:
    """For clients that cannot send the protocol's own."""
    hall = Hall(SUBPROTOCOL)
    connection = await hall.open()
    connection.say_frame(type="ping")
    assert (await hall.settle()).sent[1:] == [{"type": "pong"}]
    await hall.close()


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ({"type": "stop"}, "messageId"),
        ({"type": "resume", "messageId": "a", "after": -1}, "after"),
        ({"type": "resume", "messageId": 7}, "messageId"),
    ],
)
def test_bad_command_names_its_field(frame: dict[str, Any], field: str) -> None:
    """And the connection stays open."""

    @virtual
    async def test() -> None:
        hall = Hall(SUBPROTOCOL)
        connection = await hall.open()
        connection.say_frame(**frame)
        await hall.settle()
        (error,) = connection.of_type("error")
        assert error["key"] == "INVALID_FORMAT"
        assert error["detail"].startswith(f"{field}:")
        await hall.close()

    test()


@virtual
async def test_coming_end_is_announced_to_those_who_know_such_a_frame() -> None:
    """The web UI hears nothing of it."""
    for subprotocol, frames in ((SUBPROTOCOL, ["drain"]), (None, [])):
        hall = Hall(subprotocol)
        connection = await hall.open()
        hall.sessions.tell(AnnounceDrain(2000))
        await hall.settle()
        assert [frame["data"] for frame in connection.sent[1:]] == frames
        await hall.close()
