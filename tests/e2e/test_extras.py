"""Media, suggestions and news of the real program, as the web UIs ask for them."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import Program
from tests.standins.faults import Fault
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

TALK = [{"role": "user", "content": "Tell me of Fakeport"}]
ENGINES = {"images": "bing images,google images", "videos": "youtube"}
BUILT_IN = {"provider": "built_in", "model": "extractive"}


@pytest.mark.parametrize("kind", ENGINES)
async def test_media_are_found_through_a_query_of_the_model(
    program: Program, models: ModelServer, search: SearchServer, kind: str
) -> None:
    """Ten complete items; the model at 0.7, the engines as the reference has them."""
    query = f"lighthouse {kind}"
    body = {"query": query, "chatHistory": TALK}
    reply = await program.http.post(f"/api/{kind}", json=body)
    items = reply.json()[kind]
    assert (reply.status_code, len(items)) == (200, 10)
    assert all(item["img_src"].startswith("https://") and item["url"] for item in items)
    assert (await models.seen("rephrase", about=query)).temperature == 0.7
    asked = (await search.seen("search", about=query)).params
    assert asked == {"format": "json", "q": query, "engines": ENGINES[kind]}


@pytest.mark.parametrize("kind", ENGINES)
async def test_media_are_found_without_a_model(program: Program, kind: str) -> None:
    """The question is the query."""
    body = {"query": f"no model {kind}", "chatModel": BUILT_IN}
    items = (await program.http.post(f"/api/{kind}", json=body)).json()[kind]
    assert f"no model {kind}" in items[0]["title"]


@pytest.mark.parametrize("fault", ["500", "hang", "garbage", "reset"])
async def test_media_survive_a_model_and_report_a_search_that_fails(
    impatient: Program, fault: str
) -> None:
    """A query can be done without, a search cannot: JSON with a message, within its time."""
    body: dict[str, Any] = {"query": f"x [[fake rephrase fault={fault}]]"}
    assert (await impatient.http.post("/api/images", json=body)).json()["images"]
    body = {"query": f"x [[fake search fault={fault}]]"}
    reply = await impatient.http.post("/api/images", json=body)
    assert (reply.status_code, list(reply.json())) == (503, ["message"])


async def test_suggestions_are_lines_of_the_model(program: Program, models: ModelServer) -> None:
    """At temperature 0, about the whole talk; none without a model."""
    body: dict[str, Any] = {"chatHistory": TALK}
    suggestions = (await program.http.post("/api/suggestions", json=body)).json()["suggestions"]
    assert len(suggestions) == 4
    assert all(line.startswith("What about") for line in suggestions)
    asked = await models.seen("suggestions", about="Tell me of Fakeport")
    assert asked.temperature == 0
    body |= {"chatModel": BUILT_IN}
    reply = await program.http.post("/api/suggestions", json=body)
    assert (reply.status_code, reply.json()) == (200, {"suggestions": []})


async def test_suggestions_that_fail_are_an_error(program: Program) -> None:
    """In JSON: the web UI shows nothing then."""
    talk = [{"role": "user", "content": "[[fake suggestions fault=500]]"}]
    reply = await program.http.post("/api/suggestions", json={"chatHistory": talk})
    assert (reply.status_code, list(reply.json())) == (503, ["message"])


async def test_news_are_mixed_complete_and_remembered(
    program: Program, search: SearchServer
) -> None:
    """Six searches the first time and none the next; every item can be shown."""
    before = len(search.record.exchanges)
    first, second = [(await program.json("/api/discover"))["blogs"] for _ in range(2)]
    assert len(first) > 60
    assert first != second
    assert {item["title"] for item in first} == {item["title"] for item in second}
    assert all(list(item) == ["title", "content", "url", "thumbnail"] for item in first)
    assert all(item["thumbnail"].startswith("https://") for item in first)
    asked = [e.params for e in list(search.record.exchanges)[before:]]
    topics, sites = ("AI", "tech"), ("businessinsider.com", "www.exchangewire.com", "yahoo.com")
    wanted = {f"site:{site} {topic}" for topic in topics for site in sites}
    assert sorted(params["q"] for params in asked) == sorted(wanted)
    assert {(p["engines"], p["pageno"], p.get("language")) for p in asked} == {
        ("bing news", "1", None)
    }


async def test_news_without_any_search_are_an_error(tmp_path: Path) -> None:
    """A sentence for the web UI's notice; topics and sites are settings."""
    async with SearchServer() as search:
        settings = {
            "SEARXNG_API_URL": search.url,
            "PERPLEXICA_DISCOVER_TOPICS": "Boats",
            "PERPLEXICA_DISCOVER_SITES": "a.example,b.example",
        }
        search.fault("search", Fault.status(500), times=None)
        async with Program(tmp_path, **settings) as program:
            reply = await program.http.get("/api/discover")
            assert (reply.status_code, bool(reply.json()["message"])) == (503, True)
            search.faults.forget()
            assert len((await program.json("/api/discover"))["blogs"]) > 20
        asked = {exchange.text for exchange in search.record.exchanges}
    assert asked == {"site:a.example Boats", "site:b.example Boats"}
