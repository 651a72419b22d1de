"""Streams of text over real sockets: shapes, endings, and leaving."""

import asyncio
from contextlib import aclosing

import pytest

from protocol.errors import ModelUnavailable
from protocol.values import ModelChoice
from tests.providers.places import PROMPT, custom, serving, told
from tests.providers.tiny_server import (
    Reply,
    Seen,
    Wire,
    answers,
    event,
    hangs,
    ollama_line,
    says,
)


async def test_pieces_come_in_order_and_none_is_empty() -> None:
    """The stream gives the text of each event and drops those without text."""
    async with serving(says("", "Hel", "", "lo ", "wörld\n")) as (server, providers):
        pieces = await told(providers, custom(server.url))
    assert all(pieces)
    assert "".join(pieces) == "Hello wörld\n"


async def test_request_names_model_messages_temperature_and_key() -> None:
    """What is asked of an OpenAI-like service is one streamed chat completion."""
    async with serving(says("x")) as (server, providers):
        await told(providers, custom(f"{server.url}/v1/?v=2", model="tiny", key="sk-1"))
        (request,) = server.seen
        assert (request.method, request.path) == ("POST", "/v1/chat/completions?v=2")
        assert request.headers["authorization"] == "Bearer sk-1"
        assert request.json() == {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "What is it?"},
            ],
            "stream": True,
            "temperature": 0,
        }


async def test_no_key_no_header() -> None:
    """A service without a key is asked without an Authorization header."""
    async with serving(says("x")) as (server, providers):
        await told(providers, custom(server.url))
        assert "authorization" not in server.seen[0].headers


async def test_reasoning_models_are_asked_without_temperature() -> None:
    """Models that refuse any temperature but their own are sent none."""
    async with serving(says("x")) as (server, providers):
        await told(providers, custom(server.url, model="o3-mini"))
        assert "temperature" not in server.seen[0].json()


async def test_first_piece_comes_before_the_last_is_sent() -> None:
    """A piece is passed on at once: the server waits for its reader to have it."""
    had_first = asyncio.Event()

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        await wire.send(event("one"))
        await had_first.wait()
        await wire.send(event("two") + b"data: [DONE]\n\n")
        await wire.end()

    async with serving(reply) as (server, providers):
        pieces = []
        async for piece in providers.stream(custom(server.url), PROMPT, temperature=0):
            pieces.append(piece)
            had_first.set()
        assert pieces == ["one", "two"]


# As Mistral's models send what they think and what they say.
IN_PARTS = (
    b'data: {"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"text":"hm"}]},'
    b'{"type":"text","text":"one"}]}}]}\n\n'
)


@pytest.mark.parametrize(
    "parts",
    [
        [event("one") + event("two") + b"data: [DONE]\n\n"],
        [bytes([byte]) for byte in event("one") + event("two") + b"data: [DONE]\n\n"],
        [event("one").replace(b"\n", b"\r\n"), b": ping\n\n", event("two"), b"data: [DONE]"],
        [b"event: x\nid: 1\nretry: 5\n" + event("one"), event("two", finish="stop")],
        [event("one"), b'data:{"choices":[]}\n\n', event("two", finish="length")],
        [event("one"), b'data: {"choices":null,"usage":{}}\n', event("two"), event(None, "stop")],
        [event("one"), b'data: {"choices":[{"delta":null}]}\n', event("two"), event("", "stop")],
        [IN_PARTS, event("two", "stop")],
    ],
)
async def test_every_usual_shape_of_an_event_stream_is_read(parts: list[bytes]) -> None:
    """Line ends, comments, other fields, cuts anywhere, and either mark of the end."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        for part in parts:
            await wire.send(part)
        await wire.end()

    async with serving(reply) as (server, providers):
        assert "".join(await told(providers, custom(server.url))) == "onetwo"


async def test_ollama_is_asked_and_read_in_its_own_way() -> None:
    """Ollama gets the temperature as an option and answers in lines of JSON."""

    async def reply(request: Seen, wire: Wire) -> None:
        if request.path == "/api/tags":
            await answers({"models": [{"name": "tiny:latest"}]})(request, wire)
            return
        await wire.head()
        for line in (ollama_line("Hel"), b"\n", ollama_line("lo"), ollama_line("", done=True)):
            await wire.send(line)
        await wire.end()

    async with serving(reply, ollama=True) as (server, providers):
        said = await told(providers, ModelChoice("ollama", "tiny:latest"))
        assert "".join(said) == "Hello"
        asked = server.seen[-1].json()
        assert (asked["model"], asked["stream"]) == ("tiny:latest", True)
        assert asked["options"] == {"temperature": 0}


async def test_connection_is_used_again() -> None:
    """An answer read to its end leaves its connection for the next one."""
    async with serving(says("x")) as (server, providers):
        for _ in range(3):
            await told(providers, custom(server.url))
        assert server.connections == 1


async def test_server_that_dawdles_after_the_answer_is_left() -> None:
    """After the last piece the stream ends, though the server keeps the reply open."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        await wire.send(event("all", finish="stop"))
        await wire.gone()

    async with serving(reply) as (server, providers):
        async with asyncio.timeout(3):
            assert await told(providers, custom(server.url)) == ["all"]
            await server.closed.wait()


async def endless(_request: Seen, wire: Wire) -> None:
    """One piece, then nothing until the client leaves."""
    await wire.head()
    await wire.send(event("one"))
    await wire.gone()


async def test_closing_the_stream_closes_the_call() -> None:
    """When the reader closes the generator the server sees its client leave."""
    async with serving(endless) as (server, providers):
        async with aclosing(providers.stream(custom(server.url), PROMPT, temperature=0)) as pieces:
            assert await anext(pieces) == "one"
        async with asyncio.timeout(1):
            await server.closed.wait()


@pytest.mark.parametrize("reply", [endless, hangs])
async def test_cancelling_the_reader_closes_the_call(reply: Reply) -> None:
    """A task that is cancelled while it waits for a piece takes its call along."""
    async with serving(reply) as (server, providers):
        reader = asyncio.create_task(told(providers, custom(server.url)))
        await server.saw(1)
        reader.cancel()
        async with asyncio.timeout(1):
            await server.closed.wait()
        with pytest.raises(asyncio.CancelledError):
            await reader


async def test_deadline_of_the_reader_closes_the_call() -> None:
    """A reader's own time-out between pieces ends the call."""
    async with serving(endless) as (server, providers):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await told(providers, custom(server.url))
        async with asyncio.timeout(1):
            await server.closed.wait()


async def test_dropped_stream_closes_the_call() -> None:
    """A reader that breaks out of its loop and forgets the generator leaves no call behind."""
    async with serving(endless) as (server, providers):
        async for _ in providers.stream(custom(server.url), PROMPT, temperature=0):
            break
        async with asyncio.timeout(1):
            await server.closed.wait()


async def test_a_hundred_left_streams_leave_no_connection() -> None:
    """Streams that are left midway hold nothing of the pool: the next answer comes."""

    async def reply(request: Seen, wire: Wire) -> None:
        await (says("x") if b"last" in request.body else endless)(request, wire)

    async with serving(reply) as (server, providers):
        readers = [asyncio.create_task(told(providers, custom(server.url))) for _ in range(100)]
        await server.saw(100)
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
        async with asyncio.timeout(2):
            assert await told(providers, custom(server.url, model="last")) == ["x"]


async def test_closing_the_providers_ends_a_stream() -> None:
    """At shutdown a stream under way ends as a model that went away."""
    async with serving(endless) as (server, providers):
        stream = providers.stream(custom(server.url), PROMPT, temperature=0)
        assert await anext(stream) == "one"
        await providers.close()
        with pytest.raises(ModelUnavailable):
            await anext(stream)
        with pytest.raises(ModelUnavailable, match="being stopped"):
            await told(providers, custom(server.url))
