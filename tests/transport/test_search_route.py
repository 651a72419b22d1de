"""``POST /api/search`` against an oracle: shapes, statuses, and who closes the turn."""

import asyncio
from typing import Any

import msgspec
import pytest

from actors.errors import MailboxFull
from protocol.errors import TURN_ERRORS, ServiceError, known_error
from protocol.events import Accepted, Delta, Failed, Finished, SourcesFound, Status
from protocol.settings import Limits
from protocol.values import ModelChoice, Models, Node, Utterance
from tests.transport.places import PATIENCE_S, Client, Oracle, client, post, services, serving

NODE = Node("text", "title", "https://a.example/", img_src="https://i.example/1.png")
SOURCE = {
    "pageContent": "text",
    "metadata": {
        "title": "title",
        "url": "https://a.example/",
        "img_src": "https://i.example/1.png",
    },
}
WHOLE = (
    Accepted(),
    Status("searching", "q"),
    SourcesFound((NODE,)),
    Delta("Be"),
    Delta("cause\n[1]."),
    Finished(),
)
JSON = "Content-Type: application/json"
ROOM = Limits(body_bytes=10_000)


def search(body: Any, announced: str = JSON) -> bytes:
    """A request; anything but bytes is made JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return post("/api/search", raw, announced)


def asked(**more: Any) -> dict[str, Any]:
    """A good body."""
    return {"focusMode": "webSearch", "query": "Why?", **more}


async def told(oracle: Oracle, request: bytes) -> tuple[int, Any]:
    """Status and body of the answer."""
    using = services(asking=oracle.asking)
    async with serving(using=using, limits=ROOM) as server, client(server) as one:
        answer = await one.ask(request)
        return answer.status, answer.json()


async def events(one: Client) -> list[bytes]:
    """All chunks of a body."""
    chunks = []
    async with asyncio.timeout(PATIENCE_S):
        while size := int(await one.reader.readuntil(b"\r\n"), 16):
            chunks.append((await one.reader.readexactly(size + 2))[:-2])
        await one.reader.readexactly(2)
    return chunks


async def test_a_whole_answer() -> None:
    """Text and sources, in the shape of the frames."""
    assert await told(Oracle(*WHOLE), search(asked())) == (
        200,
        {"message": "Because\n[1].", "sources": [SOURCE]},
    )


async def test_a_streamed_answer() -> None:
    """The frames of a plain client, one event each."""
    oracle = Oracle(*WHOLE)
    using = services(asking=oracle.asking)
    async with serving(using=using) as server, client(server) as one:
        answer = await one.ask(search(asked(stream=True)))
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        sources = msgspec.json.encode([SOURCE])
        assert await events(one) == [
            b'data: {"type":"sources","data":' + sources + b',"messageId":"a","seq":3}\n\n',
            b'data: {"type":"message","data":"Because\\n[1].","messageId":"a","seq":5}\n\n',
            b'data: {"type":"messageEnd","messageId":"a","seq":6}\n\n',
        ]
        assert (await one.ask(search(asked()))).status == 200


async def test_defaults_and_both_shapes_of_history() -> None:
    """Balanced, no models named; pairs and objects mean the same, the question itself is none."""
    shapes: list[Any] = [
        [["human", "a"], ["assistant", "b"], ["human", "Why?"]],
        [{"role": "user", "content": "a", "messageId": "m"}, {"role": "ai", "content": "b"}],
        None,
    ]
    oracle = Oracle(*WHOLE)
    for history in shapes:
        await told(oracle, search(asked(history=history, optimizationMode=None, chatModel=None)))
    said = (Utterance("user", "a"), Utterance("assistant", "b"))
    assert [question.history for question, _ in oracle.asked] == [said, said, ()]
    assert {question.optimization_mode for question, _ in oracle.asked} == {"balanced"}
    assert [models for _, models in oracle.asked] == [Models()] * 3


async def test_models_are_those_of_the_body() -> None:
    """With the client's own service; nulls are nothing."""
    own = {"provider": "custom_openai", "model": "m"}
    own |= {"customOpenAIBaseURL": "http://h/v1", "customOpenAIKey": "k"}
    embedding = {"provider": "openai", "model": "e", "customOpenAIKey": None}
    oracle = Oracle(*WHOLE)
    await told(oracle, search(asked(chatModel=own, embeddingModel=embedding)))
    chat = ModelChoice("custom_openai", "m", "http://h/v1", "k")
    assert oracle.asked[0][1] == Models(chat, ModelChoice("openai", "e"))


CUSTOM = {"provider": "custom_openai", "model": "m"}
NO_QUESTION = "Missing focus mode or query"
NO_ENDPOINT = "Missing custom OpenAI base URL or key"
DEEP_LIST = b"[" * 4_000 + b"]" * 4_000
REFUSED: dict[str, tuple[Any, int, str]] = {
    "no focus mode": ({"query": "x"}, 400, NO_QUESTION),
    "no query": ({"focusMode": "webSearch"}, 400, NO_QUESTION),
    "nulls": ({"focusMode": None, "query": None}, 400, NO_QUESTION),
    "nothing": ({}, 400, NO_QUESTION),
    "spaces": (asked(query=" \n"), 400, NO_QUESTION),
    "unknown focus mode": (asked(focusMode="toString"), 400, "Invalid focus mode"),
    "unknown provider": (asked(chatModel={"provider": "nope"}), 400, "Invalid model selected"),
    "unknown embedding": (
        asked(embeddingModel={"provider": "nope"}),
        400,
        "Invalid model selected",
    ),
    "no endpoint": (asked(chatModel=CUSTOM), 400, NO_ENDPOINT),
    "no key": (asked(chatModel=CUSTOM | {"customOpenAIBaseURL": "http://h"}), 400, NO_ENDPOINT),
    "no address": (asked(chatModel=CUSTOM | {"customOpenAIKey": "k"}), 400, NO_ENDPOINT),
    "too long": (asked(query="x" * 101), 413, "The query is over its limit of 100 characters."),
    "no json": (b"{bad", 400, "Invalid message format"),
    "too deep": (b"[" * 4_000, 400, "Invalid message format"),
    "too deep a query": (b'{"query":' * 1_000, 400, "Invalid message format"),
    "too deep where nobody looks": (b'{"x":' + DEEP_LIST + b"}", 400, "Invalid message format"),
    "no object": ([1], 400, "Invalid message format"),
    "number": (asked(query=42), 400, "Invalid message format"),
    "odd mode": (asked(optimizationMode="best"), 400, "Invalid message format"),
    "odd history": (asked(history=[["human"]]), 400, "Invalid message format"),
    "odd model": (asked(chatModel="gpt"), 400, "Invalid message format"),
    "odd stream": (asked(stream="yes"), 400, "Invalid message format"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_asked(name: str, stream: bool) -> None:
    """A status and a sentence; nobody is asked."""
    body, status, sentence = REFUSED[name]
    if isinstance(body, dict) and "stream" not in body:
        body |= {"stream": stream}
    oracle = Oracle(*WHOLE)
    answered, said = await told(oracle, search(body))
    assert (answered, said["message"]) == (status, sentence)
    assert oracle.asked == []


async def test_text_is_no_question() -> None:
    """A page of anybody may send plain text here without being asked."""
    for announced in ("Content-Type: text/plain", "X: y"):
        answer = await told(Oracle(*WHOLE), search(asked(), announced))
        assert answer == (400, {"message": NO_QUESTION})


@pytest.mark.parametrize("kind", TURN_ERRORS)
async def test_a_turn_that_failed_has_the_status_of_its_error(kind: type[ServiceError]) -> None:
    """And its sentence; what can be tried again says when."""
    failed = (Accepted(), SourcesFound(()), Delta("Sorry."), Failed(kind.key, "Sorry."))
    using = services(asking=Oracle(*failed).asking)
    async with serving(using=using) as server, client(server) as one:
        answer = await one.ask(search(asked()))
        assert (answer.status, answer.json()) == (kind.status, {"message": "Sorry."})
        assert ("retry-after" in answer.headers) == kind.temporary
        await one.ask(search(asked(stream=True)))
        last = (await events(one))[-1]
        assert msgspec.json.decode(last.removeprefix(b"data: ")) == {
            "type": "error",
            "data": "Sorry.",
            "key": kind.key,
            "messageId": "a",
            "seq": 4,
        }


def test_an_unknown_key_is_an_internal_error() -> None:
    """A journal may hold what this program does not know."""
    assert known_error("NEW", "Sorry.").status == 500


@pytest.mark.parametrize("stream", [False, True])
async def test_a_turn_that_cannot_begin_has_a_status(stream: bool) -> None:
    """Also where a stream was wanted: nothing of it has been sent."""
    oracle = Oracle()
    using = services(asking=oracle.asking)
    async with serving(using=using) as server, client(server) as one:
        await one.send(search(asked(stream=stream)))
        await oracle.breaks(MailboxFull("answers"))
        assert (await one.answer()).status == 503


async def test_a_turn_that_breaks_ends_its_stream_with_an_error() -> None:
    """The events so far, then what happened."""
    oracle = Oracle(Accepted(), SourcesFound(()))
    using = services(asking=oracle.asking)
    async with serving(using=using) as server, client(server) as one:
        await one.ask(search(asked(stream=True)))
        await oracle.breaks(ServiceError("Broken."))
        first, last = await events(one)
        assert b'"sources"' in first
        assert last == (
            b'data: {"type":"error","data":"Broken.","key":"INTERNAL_SERVER_ERROR"}\n\n'
        )


@pytest.mark.parametrize("begun", [(), (Accepted(), SourcesFound(()))])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_the_turn(begun: tuple[Any, ...], stream: bool) -> None:
    """Before its first event or after it: the asker of the turn has left."""
    oracle = Oracle(*begun)
    using = services(asking=oracle.asking)
    async with serving(using=using) as server, client(server) as one:
        await one.send(search(asked(stream=stream)))
        async with asyncio.timeout(PATIENCE_S):
            await oracle.begun.wait()
            one.writer.transport.abort()
            await oracle.left.wait()
