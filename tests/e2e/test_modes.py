"""Every focus mode in every optimisation mode, with every sort of question: it ends as it must.

A row is one question (or one asked twice); what sets it apart in the records of the stand-ins is a
directive that they ignore.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
import pytest_asyncio

from protocol.values import OPTIMIZATION_MODES
from tests.e2e.client import Client, Turn
from tests.e2e.conftest import upstreams, warm_up
from tests.e2e.program import Program
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.standins.website import Website

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDED = ["sources", "message", "messageEnd"]
DEADLINE_S = 10.0  # a row takes a twentieth of a second; this is for a busy machine
ENGINES = {
    "webSearch": None,
    "academicSearch": "arxiv,google scholar,pubmed",
    "wolframAlphaSearch": "wolframalpha",
    "youtubeSearch": "youtube",
    "redditSearch": "reddit",
    "writingAssistant": None,
}


@dataclass(frozen=True)
class Case:
    """A sort of question; ``{site}`` is the web site's address.

    Attributes:
        text: The question.
        links: Paths of the pages that are to be its sources in a mode that reads links.
        reads: Whether such a mode reads instead of searching.
        finds: Whether a search finds anything; ``None`` where either may be. Where results are
            ranked the floor may let nothing through.
        searches: Whether anything is searched at all.
        says: What the answer says of itself where it searches, or reads what is to be read.

    """

    text: str
    links: tuple[str, ...] = ()
    reads: bool = False
    finds: bool | None = True
    searches: bool = True
    says: str = ""
    history: tuple[tuple[str, str], ...] = ()
    twice: bool = False
    model: bool = True


TALK = (("human", "Tell me of Fakeport"), ("assistant", "It is a harbour."))
CASES = {
    "greeting": Case("Hello", searches=False),
    "question": Case("How tall is the lighthouse?"),
    "follow-up": Case("How tall is its lighthouse?", history=TALK),
    "rewrite": Case("How old is the lighthouse?", twice=True),
    "link": Case("How tall is it in {site}/ ?", ("/",), reads=True),
    "two links": Case("Compare {site}/ and {site}/page.txt", ("/", "/page.txt"), reads=True),
    "PDF link": Case("Summarize {site}/page.pdf", ("/page.pdf",), reads=True),
    "unreadable link": Case(
        "What says {site}/missing ?", reads=True, says="could not be read: it answered with"
    ),
    "no results": Case("Zyzzyva? [[fake search results=0]]", finds=False),
    "search down": Case(
        "Zyzzyva lighthouse? [[fake search fault=500]]", finds=None, says="Searching did not work"
    ),
    "model down": Case("How tall is the lighthouse? [[fake llm fault=500]]", model=False),
}
ROWS = list(product(ENGINES, OPTIMIZATION_MODES, CASES))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Website]:
    """The site that the links lead to."""
    async with Website() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def swift(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """The program as people run it, but for the moment that it leaves to the web UI."""
    folder = tmp_path_factory.mktemp("swift")
    settings = upstreams(models, search) | {"PERPLEXICA_UI_GAP_MS": "0"}
    async with Program(folder, **settings) as running:
        await warm_up(running)
        yield running
    assert "Traceback" not in running.log_text()


@pytest.mark.parametrize(("focus", "mode", "name"), ROWS)
async def test_every_question_ends_with_its_frames_and_its_rows(
    swift: Program,
    models: ModelServer,
    search: SearchServer,
    site: Website,
    focus: str,
    mode: str,
    name: str,
) -> None:
    """Frames in order and in time, both messages stored, and of the upstreams what is needed."""
    case = CASES[name]
    tag = f"[[fake search port={port_of(site)} row={focus}-{mode}-{name.replace(' ', '-')}]]"
    text = f"{case.text.format(site=site.url)} {tag}"
    history = [*map(list, case.history), ["human", text]]
    async with Client.connect(swift) as client:
        fields: dict[str, Any] = {"focusMode": focus, "optimizationMode": mode, "history": history}
        asked = await client.ask(text, **fields)
        turn = await client.turn(DEADLINE_S)
        if case.twice:
            await client.ask(text, chat=asked.chat_id, message=asked.message_id, **fields)
            turn = await client.turn(DEADLINE_S)
        rows = await swift.messages(asked.chat_id)
    is_reading = case.reads and focus == "webSearch"
    is_searching = case.searches and focus != "writingAssistant" and not is_reading
    assert turn.types == ENDED
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert [row["content"] for row in rows] == [text, turn.text]
    assert rows[1]["metadata"].get("sources", []) == turn.sources
    links = [site.url + link for link in case.links]
    check_sources(turn, case, mode, links, is_reading=is_reading, is_searching=is_searching)
    told = [e.params.get("engines") for e in search.record.about(tag, "search")]
    assert set(told) == ({ENGINES[focus]} if is_searching else set())
    is_failed = not case.model and not turn.sources
    assert rows[1]["metadata"].get("error") == ("MODEL_UNAVAILABLE" if is_failed else None)
    temperatures = {e.kind: e.temperature for e in models.record.about(tag) if e.kind != "embed"}
    assert temperatures.pop("answer") == (0 if focus == "webSearch" else 0.7)
    assert set(temperatures.values()) <= {0}


def check_sources(
    turn: Turn, case: Case, mode: str, links: list[str], *, is_reading: bool, is_searching: bool
) -> None:
    """The sources, and what the answer says of them."""
    urls = [source["metadata"]["url"] for source in turn.sources]
    if is_reading:
        assert urls == links
        assert "could not be read" not in str(turn.sources)
    elif not is_searching:
        assert urls == []
    elif not case.finds or mode == "speed":
        assert case.finds is None or bool(urls) == case.finds
    assert len(urls) <= 15
    if case.says and (is_reading if case.reads else is_searching):
        assert case.says in turn.text


def port_of(site: Website) -> str:
    """Where the search stand-in is to say that its first pages are."""
    return site.url.rpartition(":")[2]


async def test_quality_reads_what_it_found_and_says_so(
    swift: Program, models: ModelServer, search: SearchServer, site: Website
) -> None:
    """Three queries, the pages' own words among the sources, at most three of a site."""
    question = f"How tall is the lighthouse? [[fake search port={port_of(site)}]]"
    async with Client.connect(swift, v2=True) as client:
        turn = await client.answer(question, optimizationMode="quality")
    details = {f["stage"]: f.get("detail", "") for f in turn.frames if f["type"] == "status"}
    assert details["searching"].count(" | ") == 2
    assert re.fullmatch(r"the best of \d+ results", details["reading"])
    texts = [source["pageContent"] for source in turn.sources]
    assert any("On page two it is 41 metres tall." in text for text in texts)
    hosts = [re.sub(r"//([^:/]+).*", r"\1", s["metadata"]["url"]) for s in turn.sources]
    assert max(map(hosts.count, hosts)) <= 3


async def test_pages_are_summed_up_unseen_and_side_by_side(
    swift: Program, models: ModelServer, site: Website
) -> None:
    """A long page is at most four calls, all under way at once; none of it is in the answer."""
    question = f"How tall is the lighthouse of {site.url}/long ?"
    gates = [models.hold_after(1, kind="summary") for _ in range(4)]
    async with Client.connect(swift) as client:
        await client.ask(question)
        for gate in gates:
            await gate.reached.wait()
        assert [frame["type"] for frame in client.frames] == ["signal"]
        for gate in gates:
            gate.release()
        turn = await client.turn()
    assert [source["pageContent"][:8] for source in turn.sources] == ["Summary:"] * 4
    assert {source["metadata"]["title"] for source in turn.sources} == {"Long"}
    assert turn.text == (await models.seen("answer", about=question)).reply
    assert {e.temperature for e in models.record.about("lighthouse of", "summary")} == {0}


async def test_without_a_model_the_page_speaks_for_itself(swift: Program, site: Website) -> None:
    """The built-in writer quotes the page that is named."""
    query = {"chatModelProvider": "built_in", "chatModel": "extractive"}
    async with Client.connect(swift, query) as client:
        turn = await client.answer(f"How tall is the lighthouse in {site.url}/ ?")
    assert [source["metadata"]["title"] for source in turn.sources] == ["Tides & lighthouses"]
    assert "41 metres tall. [1]" in turn.text
    assert "no language model wrote this" in turn.text
