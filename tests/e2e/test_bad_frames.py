"""Frames and connections that cannot be answered: the right error, and the socket still good."""

from typing import Any

import pytest

from tests.e2e.client import Asked, Client, question
from tests.e2e.program import Program

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = question(Asked("What is good?", "chat-of-bad-frames", "message-of-bad-frames"))
MEGABYTE = "x" * 1_000_000
DEEP = '{"a":' * 100_000
DEEP_LIST = "[" * 100_000 + "]" * 100_000


def without(*path: str) -> dict[str, Any]:
    """A good question that lacks one field."""
    *parents, last = path
    frame = {**GOOD, "message": dict(GOOD["message"])}
    place: dict[str, Any] = frame
    for parent in parents:
        place = place[parent]
    del place[last]
    return frame


def saying(content: Any) -> dict[str, Any]:
    """A question whose content is this."""
    return GOOD | {"message": GOOD["message"] | {"content": content}}


BAD_FRAMES: dict[str, tuple[Any, str]] = {
    "not JSON": ("{not json", "INVALID_FORMAT"),
    "no text at all": ("", "INVALID_FORMAT"),
    "bytes": (b"\xff\xfe\x00", "INVALID_FORMAT"),
    "too deep": (DEEP, "INVALID_FORMAT"),
    "too deep in its history": (f'{{"type":"message","history":{DEEP_LIST}}}', "INVALID_FORMAT"),
    "too deep where nobody looks": (f'{{"type":"message","x":{DEEP_LIST}}}', "INVALID_FORMAT"),
    "null": ("null", "INVALID_FORMAT"),
    "a list": ([], "INVALID_FORMAT"),
    "a text": ('"message"', "INVALID_FORMAT"),
    "no type": (without("type"), "INVALID_FORMAT"),
    "type of another kind": (GOOD | {"type": 7}, "INVALID_FORMAT"),
    "no message": (without("message"), "INVALID_FORMAT"),
    "message a text": (GOOD | {"message": "hello"}, "INVALID_FORMAT"),
    "no content": (without("message", "content"), "INVALID_FORMAT"),
    "content null": (saying(None), "INVALID_FORMAT"),
    "content a number": (saying(42), "INVALID_FORMAT"),
    "content empty": (saying(""), "INVALID_FORMAT"),
    "content only space": (saying(" \n "), "INVALID_FORMAT"),
    "content of a megabyte": (saying(MEGABYTE), "TOO_LARGE"),
    "no chat": (without("message", "chatId"), "INVALID_FORMAT"),
    "no history": (without("history"), "INVALID_FORMAT"),
    "history a text": (GOOD | {"history": "hello"}, "INVALID_FORMAT"),
    "history of texts": (GOOD | {"history": ["hello"]}, "INVALID_FORMAT"),
    "history of triples": (GOOD | {"history": [["human", "a", "b"]]}, "INVALID_FORMAT"),
    "history of numbers": (GOOD | {"history": [[1, 2]]}, "INVALID_FORMAT"),
    "files a text": (GOOD | {"files": "one"}, "INVALID_FORMAT"),
    "unknown focus mode": (GOOD | {"focusMode": "nope"}, "INVALID_FOCUS_MODE"),
    "focus mode of JavaScript": (GOOD | {"focusMode": "toString"}, "INVALID_FOCUS_MODE"),
    "no focus mode": (without("focusMode"), "INVALID_FOCUS_MODE"),
    "unknown optimization mode": (GOOD | {"optimizationMode": "slow"}, "INVALID_FORMAT"),
}


@pytest.mark.parametrize("case", BAD_FRAMES)
async def test_bad_frame_is_refused_and_the_next_is_answered(program: Program, case: str) -> None:
    """A frame that cannot be answered gets one error frame; the next question works as ever."""
    frame, key = BAD_FRAMES[case]
    async with Client.connect(program) as client:
        await client.send(frame)
        refusal = await client.refusal()
        turn = await client.answer("And now? [[fake answer tokens=2]]")
    assert refusal["key"] == key
    assert refusal["data"]
    assert "messageId" not in refusal
    assert turn.types == ["sources", "message", "messageEnd"]
    assert turn.text


async def test_what_was_refused_is_not_stored(program: Program) -> None:
    """None of the refused frames has left a chat behind."""
    async with Client.connect(program) as client:
        await client.send(saying("") | {"chatId": "x"})
        await client.refusal()
    assert (await program.http.get("/api/chats/chat-of-bad-frames")).status_code == 404


async def test_frame_over_the_limit_closes_the_socket_only(program: Program) -> None:
    """A frame of more bytes than may pass closes its socket with 1009, and no other."""
    async with Client.connect(program) as other:
        async with Client.connect(program) as client:
            await client.send("x" * (5 * 1024 * 1024))
            assert await client.closed() == 1009
        assert (await other.answer("Still there?")).text


async def test_long_talk_passes(program: Program) -> None:
    """The web UI repeats the whole talk in each frame: one of 3 MiB is answered."""
    talk = [["human" if at % 2 == 0 else "assistant", "word " * 2000] for at in range(300)]
    async with Client.connect(program) as client:
        turn = await client.answer("And after all this?", history=talk)
    assert turn.types == ["sources", "message", "messageEnd"]


@pytest.mark.parametrize(
    "query",
    [
        {"chatModelProvider": "nobody", "chatModel": "none"},
        {"chatModelProvider": "openai", "chatModel": "no-such-model"},
        {"embeddingModelProvider": "nobody", "embeddingModel": "none"},
        {"chatModelProvider": "custom_openai", "chatModel": "m"},
    ],
)
async def test_unknown_model_is_refused_and_the_socket_closed(
    program: Program, query: dict[str, str]
) -> None:
    """A connection that names a model nobody offers gets one error frame, no signal, and ends."""
    async with Client.connect(program, query, ready=False) as client:
        await client.closed()
        refusal = await client.refusal()
    assert refusal["key"] == "INVALID_MODEL_SELECTED"
    assert [frame["type"] for frame in client.frames] == ["error"]
