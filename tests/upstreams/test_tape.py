"""What came from outside is recorded as it came, and comes the same way when it is played."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest

from protocol.errors import DeadlineExceeded, ModelUnavailable, PageUnreadable, ServiceError
from protocol.ids import ChatId, MessageId
from protocol.values import ModelChoice, Models, Node, Question
from upstreams.tape import Player, Recorder, Unplayable, Unrecorded, unpacked

QUESTION = Question(ChatId("c"), MessageId("m"), "Why?", "webSearch", "speed")
NODE = Node("text", "title", "https://example.org/")


def player(recorder: Recorder) -> Player:
    """What was recorded, after it has been kept as bytes."""
    return Player(unpacked(recorder.packed(QUESTION, Models())).said)


async def found() -> Node:
    """What a search finds."""
    return NODE


async def other() -> Node:
    """What must not be asked for."""
    raise AssertionError


async def some(*texts: str, error: Exception | None = None) -> AsyncGenerator[str, None]:
    """Pieces, and how they end."""
    for text in texts:
        yield text
    if error:
        raise error


def never() -> AsyncGenerator[str, None]:
    """What must not be asked for."""
    raise AssertionError


async def heard(pieces: AsyncGenerator[str, None]) -> list[str]:
    """All pieces; an error's name and sentence is the last."""
    texts = []
    try:
        texts += [piece async for piece in pieces]
    except ServiceError as error:
        texts.append(f"{type(error).__name__}: {error}")
    return texts


async def test_a_value_comes_again_without_asking() -> None:
    """The same question is answered by what was said to it."""
    recorder = Recorder()
    assert await recorder.one("search", "searching", ("q", 1), found, Node) == NODE
    playing = player(recorder)
    assert await playing.one("search", "searching", ("q", 1), other, Node) == NODE
    assert playing.differences == []


@pytest.mark.parametrize("error", [None, ModelUnavailable("openai", "it broke off its answer")])
async def test_pieces_come_again_and_end_the_same_way(error: ServiceError | None) -> None:
    """Text and failure of a model are as they were, piece by piece."""
    recorder = Recorder()
    before = await heard(
        recorder.pieces("model", "writing", "p", lambda: some("a", "b", error=error))
    )
    assert await heard(player(recorder).pieces("model", "writing", "p", never)) == before


async def test_an_error_keeps_its_kind_and_its_detail() -> None:
    """Whoever tells errors apart does so in the same way."""
    recorder = Recorder()

    async def unreadable() -> Node:
        raise PageUnreadable("it is gone")

    for tape, call in ((recorder, unreadable), (None, other)):
        with pytest.raises(PageUnreadable) as caught:
            await (tape or player(recorder)).one("page", "reading", "link", call, Node)
        assert caught.value.detail == "it is gone"


async def test_what_was_given_up_fails_at_once() -> None:
    """An asker that had waited in vain is told so by both names of it, without waiting again."""
    recorder = Recorder()

    async def silence() -> Node:
        await asyncio.Event().wait()
        return NODE

    task = asyncio.create_task(recorder.one("search", "searching", "q", silence, Node))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    for kind in (TimeoutError, DeadlineExceeded):
        with pytest.raises(kind):
            await player(recorder).one("search", "searching", "q", other, Node)


async def test_another_question_is_a_difference_and_gets_the_next_answer() -> None:
    """What differs is told for people, and the rest goes on with what there is."""
    recorder = Recorder()
    await heard(recorder.pieces("model", "rephrasing", "as it was", lambda: some("a query")))
    playing = player(recorder)
    assert await heard(playing.pieces("model", "rephrasing", "changed", never)) == ["a query"]
    assert playing.differences == ["what is asked of the model in the stage rephrasing differs"]


async def test_what_was_never_asked_cannot_be_played() -> None:
    """A call of which the recording has nothing fails as a service would."""
    with pytest.raises(Unrecorded):
        await player(Recorder()).one("search", "searching", "q", other, Node)


async def test_the_date_is_that_of_the_recording() -> None:
    """The clock is one of the things that are outside."""
    recorder, then = Recorder(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    recorder.now("writing", lambda: then)
    assert player(recorder).now("writing", lambda: then.replace(year=2027)) == then


async def test_too_much_is_not_kept_at_all() -> None:
    """A recording over its bound is of no use, and takes no room."""
    recorder = Recorder(most=10)
    await heard(recorder.pieces("model", "writing", "p", lambda: some("a" * 20)))
    await heard(recorder.pieces("model", "writing", "q", lambda: some("a")))
    assert recorder.packed(QUESTION, Models()) == b""


async def test_no_key_and_no_address_is_recorded() -> None:
    """A client's own model service is known by its name alone."""
    choice = ModelChoice("custom_openai", "m", "https://inner.example", "sk-secret")
    told = Recorder().packed(QUESTION, Models(choice, choice))
    assert b"sk-secret" not in told
    assert b"inner" not in told


async def test_halves_of_surrogate_pairs_are_not_recorded() -> None:
    """What no encoder takes costs the recording, never the answer."""
    recorder = Recorder()
    pieces = recorder.pieces("model", "writing", "\ud800", lambda: some("\ud800"))
    assert await heard(pieces) == ["\ud800"]
    assert recorder.packed(QUESTION, Models()) == b""


def test_a_damaged_recording_is_told_from_a_sound_one() -> None:
    """Bytes of another program are refused in plain words."""
    with pytest.raises(Unplayable):
        unpacked(b"not a recording")
