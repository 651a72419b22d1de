"""``POST /api/search``: an answer over HTTP, whole or as events, that nothing keeps."""

import json
from typing import Any

import httpx
import pytest

from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

STREAMED = ["sources", "message", "messageEnd"]
CUSTOM = {"provider": "custom_openai", "model": "any"}


async def ask(program: Program, **body: Any) -> httpx.Response:
    """The reply to a search."""
    return await program.http.post("/api/search", json=body)


def events(text: str) -> list[dict[str, Any]]:
    """The frames in a body of events, each of them one line."""
    blocks = text.removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


@pytest.mark.parametrize("history", [[["human", "a"], ["assistant", "b"]], None])
async def test_answer_comes_whole_and_is_not_kept(
    program: Program, models: ModelServer, history: list[list[str]] | None
) -> None:
    """Text and sources are those of a turn; the list of chats stays as it was."""
    before = await program.json("/api/chats")
    question = f"Who keeps this? {history}"
    reply = await ask(program, focusMode="webSearch", query=question, history=history)
    told = reply.json()
    assert reply.status_code == 200
    assert list(told) == ["message", "sources"]
    assert told["message"] == (await models.seen("answer", about=question)).reply
    assert set(told["sources"][0]) == {"pageContent", "metadata"}
    assert await program.json("/api/chats") == before


async def test_balanced_is_the_default(program: Program, models: ModelServer) -> None:
    """Without a mode the sources are ranked: an embedding model is asked."""
    embedding = {"provider": "openai", "model": "text-embedding-3-small"}
    question = "Ranked by default?"
    reply = await ask(program, focusMode="webSearch", query=question, embeddingModel=embedding)
    assert reply.status_code == 200
    assert await models.seen("embed", about=question)


async def test_a_service_of_the_clients_own_is_asked(program: Program, models: ModelServer) -> None:
    """With its key, for the model that the request names."""
    own = {**CUSTOM, "customOpenAIBaseURL": models.openai_url, "customOpenAIKey": "sk-own"}
    question = "Mine?"
    await ask(program, focusMode="writingAssistant", query=question, chatModel=own)
    exchange = await models.seen("answer", about=question)
    assert exchange.body["model"] == "any"
    assert exchange.headers["authorization"] == "Bearer sk-own"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"focusMode": "webSearch"}, "Missing focus mode or query"),
        ({"query": "x"}, "Missing focus mode or query"),
        ({"focusMode": "", "query": " "}, "Missing focus mode or query"),
        ({"focusMode": "nope", "query": "x"}, "Invalid focus mode"),
        (
            {"focusMode": "webSearch", "query": "x", "chatModel": {"provider": "nope"}},
            "Invalid model selected",
        ),
        (
            {"focusMode": "webSearch", "query": "x", "embeddingModel": {"provider": "nope"}},
            "Invalid model selected",
        ),
        (
            {"focusMode": "webSearch", "query": "x", "chatModel": CUSTOM},
            "Missing custom OpenAI base URL or key",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_be_asked_is_400(
    program: Program, body: dict[str, Any], sentence: str, stream: bool
) -> None:
    """One sentence for each, the reference's own, whether or not a stream was wanted."""
    reply = await ask(program, **body, stream=stream)
    assert (reply.status_code, reply.json()) == (400, {"message": sentence})


@pytest.mark.parametrize(
    ("fault", "status"), [("500", 503), ("reset at=3", 503), ("hang at=3", 504), ("hang", 504)]
)
async def test_a_turn_that_fails_is_an_error(impatient: Program, fault: str, status: int) -> None:
    """With the status of what failed, and a sentence; half an answer is none."""
    query = f"Q? [[fake answer fault={fault}]]"
    reply = await ask(impatient, focusMode="writingAssistant", query=query)
    assert reply.status_code == status
    assert list(reply.json()) == ["message"]


async def test_answer_comes_as_events(program: Program, models: ModelServer) -> None:
    """The frames of a WebSocket, one a data line; together they are the answer."""
    question = "In pieces?"
    reply = await ask(program, focusMode="webSearch", query=question, stream=True)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    told = events(reply.text)
    kinds = [frame["type"] for frame in told]
    assert list(dict.fromkeys(kinds)) == STREAMED
    assert (kinds[0], kinds[-1]) == ("sources", "messageEnd")
    assert len({frame["messageId"] for frame in told}) == 1
    text = "".join(frame["data"] for frame in told if frame["type"] == "message")
    assert text == (await models.seen("answer", about=question)).reply


async def test_a_stream_that_fails_ends_with_an_error(impatient: Program) -> None:
    """What was written stays; the last event names what went wrong."""
    query = "Q? [[fake answer fault=reset at=5]]"
    reply = await ask(impatient, focusMode="writingAssistant", query=query, stream=True)
    told = events(reply.text)
    assert told[0] | {"messageId": "", "seq": 0} == {
        "type": "sources",
        "data": [],
        "messageId": "",
        "seq": 0,
    }
    assert (told[-1]["type"], told[-1]["key"]) == ("error", "MODEL_UNAVAILABLE")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("at", [0, 3])
async def test_a_client_that_leaves_ends_the_turn(
    program: Program, models: ModelServer, stream: bool, at: int
) -> None:
    """Nobody else would read the answer: the call to the model is closed at once."""
    question = f"Who leaves? {stream} {at}"
    body = {"focusMode": "writingAssistant", "query": question, "stream": stream}
    gate = models.hold_after(at)
    async with httpx.AsyncClient(base_url=program.url, timeout=1, trust_env=False) as client:
        request = client.build_request("POST", "/api/search", json=body)
        if stream:
            reply = await client.send(request, stream=True)
            await gate.reached.wait()
            await reply.aclose()
        else:
            with pytest.raises(httpx.ReadTimeout):
                await client.send(request, stream=False)
    exchange = await models.closed_early(about=question)
    assert exchange.closed_early


async def test_body_of_8_mib_is_taken(program: Program) -> None:
    """The web UI repeats the whole talk with its sources; more than the limit is 413."""
    sources = [{"pageContent": "x" * 7_000_000}]
    history = [{"role": "user", "content": "Why?", "sources": sources}]
    body = {"chatHistory": history, "chatModel": {"provider": "built_in"}}
    reply = await program.http.post("/api/suggestions", json=body)
    assert (reply.status_code, reply.json()) == (200, {"suggestions": []})
    history[0]["content"] = "x" * 2_000_000
    assert (await program.http.post("/api/suggestions", json=body)).status_code == 413


async def test_the_same_question_is_looked_up_once(
    program: Program, models: ModelServer, search: SearchServer
) -> None:
    """What was found for it a moment ago is taken again, and so are the vectors of its texts."""
    embedding = {"provider": "openai", "model": "text-embedding-3-small"}
    body = {"focusMode": "webSearch", "query": "Twice the same?", "embeddingModel": embedding}
    first, second = [(await ask(program, **body)).json()["sources"] for _ in range(2)]
    assert first == second != []
    assert len(search.record.about("Twice the same?", "search")) == 1
    assert len(models.record.about("Twice the same?", "embed")) == 1


@pytest.mark.parametrize("start", ['{"query":', '{"history":', '{"x":', ""])
async def test_a_body_that_is_too_deep_is_refused(program: Program, start: str) -> None:
    """Whoever would have looked at it: 100,000 lists, one in the other."""
    body = f"{start}{'[' * 100_000}{']' * 100_000}{'}' if start else ''}"
    headers = {"Content-Type": "application/json"}
    reply = await program.http.post("/api/search", content=body, headers=headers)
    assert (reply.status_code, reply.json()["message"]) == (400, "Invalid message format")
