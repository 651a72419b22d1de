"""What is asked of the services for each sort of question: the reference's calls, or better ones.

The first column of each row is what a client does, the second what the model service and the search
service are asked meanwhile, in order. Deliberate differences are listed in ``docs/wire.md``.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.client import Client
from tests.e2e.conftest import upstreams, warm_up
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.record import Exchange
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "Which harbour has the tallest lighthouse?"
TALK = [["human", "Tell me of harbours"], ["assistant", "There are many."]]
CHATS = [{"role": "user", "content": "Tell me of harbours"}]
SCHOLARS = "arxiv,google scholar,pubmed"

REPHRASE = "rephrase at 0 of user"
EMBED = "embed"
ANSWER = {0: "answer at 0 of system,user", 7: "answer at 0.7 of system,user"}


def search(engines: str | None = None) -> str:
    """A search as the record shows it."""
    return f"search of {engines} in en"


TURNS: dict[tuple[str, str], list[str]] = {
    ("webSearch", "speed"): [REPHRASE, search(), ANSWER[0]],
    ("webSearch", "balanced"): [REPHRASE, search(), EMBED, ANSWER[0]],
    ("academicSearch", "speed"): [REPHRASE, search(SCHOLARS), ANSWER[7]],
    ("academicSearch", "balanced"): [REPHRASE, search(SCHOLARS), EMBED, ANSWER[7]],
    ("writingAssistant", "speed"): [ANSWER[7]],
    ("writingAssistant", "balanced"): [ANSWER[7]],
    ("writingAssistant", "quality"): [ANSWER[7]],
    ("wolframAlphaSearch", "speed"): [REPHRASE, search("wolframalpha"), ANSWER[7]],
    ("wolframAlphaSearch", "balanced"): [REPHRASE, search("wolframalpha"), ANSWER[7]],
    ("wolframAlphaSearch", "quality"): [REPHRASE, search("wolframalpha"), ANSWER[7]],
    ("youtubeSearch", "speed"): [REPHRASE, search("youtube"), ANSWER[7]],
    ("youtubeSearch", "balanced"): [REPHRASE, search("youtube"), EMBED, ANSWER[7]],
    ("redditSearch", "speed"): [REPHRASE, search("reddit"), ANSWER[7]],
    ("redditSearch", "balanced"): [REPHRASE, search("reddit"), EMBED, ANSWER[7]],
}

MEDIA = "rephrase at 0.7 of user"
NEWS = "search of bing news in None page 1"
REST: dict[str, tuple[str, str, Any, int, list[str]]] = {
    "images": (
        "POST",
        "/api/images",
        {"query": "lighthouses", "chatHistory": CHATS},
        200,
        [MEDIA, "search of bing images,google images in None"],
    ),
    "videos": (
        "POST",
        "/api/videos",
        {"query": "lighthouses", "chatHistory": CHATS},
        200,
        [MEDIA, "search of youtube in None"],
    ),
    "suggestions": (
        "POST",
        "/api/suggestions",
        {"chatHistory": CHATS},
        200,
        ["suggestions at 0 of user"],
    ),
    "discover": ("GET", "/api/discover", None, 200, [NEWS] * 6),
    "search, ranked unless told otherwise": (
        "POST",
        "/api/search",
        {"focusMode": "webSearch", "query": QUESTION},
        200,
        [REPHRASE, search(), EMBED, ANSWER[0]],
    ),
    "search with what was said before": (
        "POST",
        "/api/search",
        {
            "focusMode": "webSearch",
            "query": QUESTION,
            "optimizationMode": "speed",
            "history": TALK,
        },
        200,
        [REPHRASE, search(), "answer at 0 of system,user,assistant,user"],
    ),
    "nothing is asked for a bad request": (
        "POST",
        "/api/search",
        {"focusMode": "webSearch"},
        400,
        [],
    ),
    "status": ("GET", "/api", None, 200, []),
    "capitals and a slash": ("GET", "/API/Chats/", None, 200, []),
    "any path can be asked by OPTIONS": ("OPTIONS", "/nope", None, 204, []),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fresh(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """A program that remembers nothing, so that each row asks anew."""
    folder = tmp_path_factory.mktemp("fresh")
    forgetful = {f"PERPLEXICA_CACHE_{name}_S": "0" for name in ("SEARCH", "EMBEDDING", "DISCOVER")}
    async with Program(folder, **upstreams(models, search), **forgetful) as running:
        await warm_up(running)
        yield running


class Watch:
    """What both services have been asked since the watch began; lists of models do not count."""

    def __init__(self, models: ModelServer, search: SearchServer) -> None:
        self._records = (models.record, search.record)
        self._seen = [len(record.exchanges) for record in self._records]

    def calls(self) -> list[str]:
        """The calls in short, in the order in which they began."""
        pairs = zip(self._records, self._seen, strict=True)
        new = [call for record, seen in pairs for call in list(record.exchanges)[seen:]]
        new.sort(key=lambda call: call.started)
        return [short(call) for call in new if call.kind != "models"]


def short(call: Exchange) -> str:
    """A call in a few words."""
    if call.kind == "search":
        page = f" page {call.params['pageno']}" if "pageno" in call.params else ""
        return f"search of {call.params.get('engines')} in {call.params.get('language')}{page}"
    if call.kind == "embed":
        return EMBED
    roles = ",".join(message["role"] for message in call.body["messages"])
    return f"{call.kind} at {call.temperature:g} of {roles}"


@pytest.mark.parametrize(("focus", "optimization"), TURNS)
async def test_turn_asks_what_the_reference_asks(
    fresh: Program, models: ModelServer, search: SearchServer, focus: str, optimization: str
) -> None:
    """The same calls, engines, temperatures and roles; queries are made at temperature 0."""
    watch = Watch(models, search)
    async with Client.connect(fresh) as client:
        turn = await client.answer(QUESTION, focusMode=focus, optimizationMode=optimization)
    assert turn.types == ["sources", "message", "messageEnd"]
    assert watch.calls() == TURNS[focus, optimization]


@pytest.mark.parametrize("case", REST)
async def test_route_asks_what_the_reference_asks(
    fresh: Program, models: ModelServer, search: SearchServer, case: str
) -> None:
    """With the same status."""
    method, path, body, status, calls = REST[case]
    watch = Watch(models, search)
    reply = await fresh.http.request(method, path, json=body)
    assert reply.status_code == status
    assert watch.calls() == calls


async def test_greeting_is_answered_without_a_search(
    fresh: Program, models: ModelServer, search: SearchServer
) -> None:
    """The model says that nothing needs to be looked up."""
    watch = Watch(models, search)
    async with Client.connect(fresh) as client:
        turn = await client.answer("Hello")
    assert turn.sources == []
    assert watch.calls() == [REPHRASE, ANSWER[0]]


async def test_connection_asks_nothing_of_a_service_that_is_known(
    fresh: Program, models: ModelServer, search: SearchServer
) -> None:
    """The reference asks two lists of models for each."""
    watch = Watch(models, search)
    for _ in range(3):
        async with Client.connect(fresh):
            pass
    assert watch.calls() == []
