"""The model stand-in speaks as the real services do, and goes wrong as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.standins.asked import question_of
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer
from tests.standins.words import answer_tokens

KEY = {"Authorization": "Bearer key"}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(tokens=8) as started:
        yield started


@pytest.fixture
async def http(server: ModelServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, headers=KEY, trust_env=False) as client:
        yield client


def chat(text: str, *, stream: bool = True) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"model": "gpt-4o-mini", "messages": [message], "stream": stream}


def events(body: str) -> list[Any]:
    data = [line.removeprefix("data: ") for line in body.splitlines() if line]
    return [line if line == "[DONE]" else json.loads(line) for line in data]


async def test_stream_is_role_then_words_then_reason_then_done(http: httpx.AsyncClient) -> None:
    """An OpenAI stream opens with the role and closes with the reason and the end mark."""
    got = events((await http.post("/v1/chat/completions", json=chat("Why?"))).text)
    deltas = [event["choices"][0]["delta"] for event in got[:-1]]
    assert deltas[0]["role"] == "assistant"
    assert tuple(delta["content"] for delta in deltas[1:-1]) == answer_tokens("Why?", 8)
    assert got[-2]["choices"][0]["finish_reason"] == "stop"
    assert got[-1] == "[DONE]"


async def test_ollama_stream_is_a_json_object_a_line(http: httpx.AsyncClient) -> None:
    """An Ollama stream is NDJSON whose last line is done."""
    body = (await http.post("/api/chat", json=chat("Why?"))).text
    lines = [json.loads(line) for line in body.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == "".join(
        answer_tokens("Why?", 8)
    )
    assert [line["done"] for line in lines] == [False] * 8 + [True]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("How tall is it?", "<question>\nHow tall is it?\n</question>"),
        ("Hello!", "<question>\nnot_needed\n</question>"),
    ],
)
async def test_rephrasing_gives_the_question_in_tags(
    http: httpx.AsyncClient, asked: str, answer: str
) -> None:
    """A prompt that speaks of <question> is answered with one, greetings with not_needed."""
    prompt = f"Reply in <question> tags.\n\nFollow up question: {asked}\nRephrased question:\n"
    reply = await http.post("/v1/chat/completions", json=chat(prompt, stream=False))
    assert reply.json()["choices"][0]["message"]["content"] == answer


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        ("Why?", "Why?"),
        ("Message: Why?", "Why?"),
        ("old question: no\nFollow-up question: Why?\nRephrased question:", "Why?"),
        ("The question:\nWhy\nis that?", "Why\nis that?"),
    ],
)
def test_question_is_what_the_last_label_names(prompt: str, question: str) -> None:
    """The question is found at the end of a prompt, with or without its label."""
    wish = {"role": "system", "content": "Reply in <question> tags."}
    assert question_of([wish, {"role": "user", "content": prompt}]) == question


@pytest.mark.parametrize(
    ("fault", "broken", "words"),
    [
        ("reset at=3", httpx.ReadError, 3),
        ("hang at=3", httpx.ReadTimeout, 3),
        ("truncate at=3", None, 3),
        ("garbage at=3", None, 3),
    ],
)
async def test_question_chooses_its_own_fault(
    http: httpx.AsyncClient,
    server: ModelServer,
    fault: str,
    broken: type[httpx.HTTPError] | None,
    words: int,
) -> None:
    """A directive in the question breaks that answer after so many words, and no other."""
    body = chat(f"Why? [[fake answer fault={fault}]]")
    got = await read(http, body)
    assert got[0] is broken
    assert got[1].count('"content": " ') == words
    assert "[DONE]" not in got[1]
    assert "[DONE]" in (await read(http, chat("Why?")))[1]


async def read(http: httpx.AsyncClient, body: Any) -> tuple[type[Exception] | None, str]:
    """The text of a stream as far as it came, and how it broke."""
    seen = b""
    try:
        async with http.stream("POST", "/v1/chat/completions", json=body, timeout=0.3) as reply:
            async for chunk in reply.aiter_raw():
                seen += chunk
    except httpx.HTTPError as error:
        return type(error), seen.decode(errors="replace")
    return None, seen.decode(errors="replace")


async def test_told_fault_strikes_as_often_as_told(
    http: httpx.AsyncClient, server: ModelServer
) -> None:
    """A fault told by the test strikes the next requests of its kind, then is used up."""
    server.fault("llm", Fault.status(503), times=2)
    replies = [await http.post("/v1/chat/completions", json=chat("Why?")) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]


async def test_client_that_leaves_is_noticed(http: httpx.AsyncClient, server: ModelServer) -> None:
    """An exchange whose client goes away before the end is recorded as such."""
    gate = server.hold_after(2)
    async with http.stream("POST", "/v1/chat/completions", json=chat("Why?")):
        await gate.reached.wait()
    exchange = await server.closed_early(about="Why?")
    assert exchange.pieces == 2


async def test_held_answer_goes_on_when_released(
    http: httpx.AsyncClient, server: ModelServer
) -> None:
    """A gate lets the pieces before it through, and the rest only once it is released."""
    gate = server.hold_after(2)
    posting = asyncio.create_task(http.post("/v1/chat/completions", json=chat("Why?")))
    await gate.reached.wait()
    assert (await server.seen("answer")).pieces == 2
    gate.release()
    assert "[DONE]" in (await posting).text


async def test_key_is_wanted(server: ModelServer) -> None:
    """The OpenAI side answers 401 without a key."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        assert (await client.get("/v1/models")).status_code == 401


async def test_similar_texts_have_close_vectors(http: httpx.AsyncClient) -> None:
    """Embeddings are unit vectors, closer for texts that share more words."""
    texts = ["tall lighthouse at sea", "a lighthouse at sea", "green tea leaves"]
    reply = (await http.post("/v1/embeddings", json={"model": "e", "input": texts})).json()
    first, near, far = (row["embedding"] for row in reply["data"])

    def dot(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert dot(first, first) == pytest.approx(1)
    assert dot(first, near) > 0.5 > dot(first, far)


async def test_models_that_it_lacks_are_refused(
    server: ModelServer, http: httpx.AsyncClient
) -> None:
    """As OpenAI does it; its Ollama lists those that were pulled."""
    server.lacks, server.pulled = ("gpt-4o-mini",), ()
    assert (await http.post("/v1/chat/completions", json=chat("Why?"))).status_code == 404
    assert (await http.get("/api/tags")).json() == {"models": []}
