"""Media, suggestions and news, in the exact shapes that the web UIs read."""

from typing import Any

import msgspec
import pytest

from protocol.errors import DeadlineExceeded, SearchUnavailable
from protocol.extras import (
    Discover,
    Discovered,
    FindMedia,
    Media,
    MediaFound,
    NewsItem,
    Suggest,
    Suggested,
)
from protocol.settings import Limits
from protocol.values import ModelChoice, Utterance
from tests.transport.places import Oracle, client, get, post, services, serving

ITEM = Media("https://i.example/1.png", "https://a.example/", "T", "https://v.example/1")
JSON = "Content-Type: application/json"
TALK = [
    {"role": "user", "content": "a", "messageId": "m", "createdAt": "t", "id": 1},
    {"role": "assistant", "content": "b", "sources": [{}], "metadata": "{}"},
]
SAID = (Utterance("user", "a"), Utterance("assistant", "b"))
MODEL = {"provider": "openai", "model": "m"}
POSTS = ("/api/images", "/api/videos", "/api/suggestions")


async def told(oracle: Oracle, path: str, body: Any = None, announced: str = JSON) -> Any:
    """Status and body of the answer; GET where there is nothing to send."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    request = get(path) if body is None else post(path, raw, announced)
    using = services(asking=oracle.asking)
    limits = Limits(body_bytes=10_000)
    async with serving(using=using, limits=limits) as server, client(server) as one:
        answer = await one.ask(request)
        return answer.status, answer.json()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("images", {"img_src": ITEM.img_src, "url": ITEM.url, "title": "T"}),
        (
            "videos",
            {
                "img_src": ITEM.img_src,
                "url": ITEM.url,
                "title": "T",
                "iframe_src": ITEM.iframe_src,
            },
        ),
    ],
)
async def test_media(kind: Any, shown: dict[str, str]) -> None:
    """The web UI's talk has many more fields than are needed."""
    oracle = Oracle(extras=MediaFound((ITEM,)))
    body = {"query": "q", "chatHistory": TALK, "chatModel": MODEL}
    assert await told(oracle, f"/api/{kind}", body) == (200, {kind: [shown]})
    assert oracle.beside == [FindMedia(kind, "q", SAID, ModelChoice("openai", "m"))]


async def test_nothing_found_is_an_empty_list() -> None:
    """Without a talk as well."""
    assert await told(Oracle(extras=MediaFound(())), "/api/images", {"query": "q"}) == (
        200,
        {"images": []},
    )


async def test_suggestions() -> None:
    """The whole talk, in either shape."""
    for talk in (TALK, [["human", "a"], ["assistant", "b"]]):
        oracle = Oracle(extras=Suggested(("A?", "B?")))
        answer = await told(oracle, "/api/suggestions", {"chatHistory": talk})
        assert answer == (200, {"suggestions": ["A?", "B?"]})
        assert oracle.beside == [Suggest(SAID, ModelChoice())]


async def test_news() -> None:
    """Four fields, all text."""
    oracle = Oracle(extras=Discovered((NewsItem("T", "", "https://a", "https://i"),)))
    item = {"title": "T", "content": "", "url": "https://a", "thumbnail": "https://i"}
    assert await told(oracle, "/api/discover") == (200, {"blogs": [item]})
    assert oracle.beside == [Discover()]


@pytest.mark.parametrize(
    ("error", "status"),
    [(SearchUnavailable("SearXNG", "it is down"), 503), (DeadlineExceeded("It", after_s=1), 504)],
)
async def test_a_failure_is_json_with_a_message(error: Exception, status: int) -> None:
    """The web UIs wait for ever for what is no JSON."""
    answers = [await told(Oracle(extras=error), path, {"query": "q"}) for path in POSTS]
    answers.append(await told(Oracle(extras=error), "/api/discover"))
    assert answers == [(status, {"message": str(error)})] * 4


CUSTOM = {"provider": "custom_openai", "model": "m"}
REFUSED: list[tuple[Any, int, str]] = [
    ({"query": "q", "chatModel": {"provider": "nope"}}, 400, "Invalid model selected"),
    ({"query": "q", "chatModel": CUSTOM}, 400, "Missing custom OpenAI base URL or key"),
    ({"query": "q", "chatHistory": [{"content": "a"}]}, 400, "Invalid message format"),
    ({"query": "q", "chatHistory": "a"}, 400, "Invalid message format"),
    (b"{bad", 400, "Invalid message format"),
]


@pytest.mark.parametrize("path", POSTS)
async def test_what_cannot_be_asked(path: str) -> None:
    """A status and a sentence; nobody is asked."""
    for body, status, sentence in REFUSED:
        oracle = Oracle()
        answered, said = await told(oracle, path, body)
        assert (answered, said["message"]) == (status, sentence)
        assert oracle.beside == []
    assert (await told(Oracle(), path, {"query": "q"}, "Content-Type: text/plain"))[0] == 415


@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": None}, {"query": "  "}])
async def test_media_of_nothing_are_not_searched(body: Any) -> None:
    """The reference searches for the word undefined."""
    assert await told(Oracle(), "/api/images", body) == (400, {"message": "Missing query"})
