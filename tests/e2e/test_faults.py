"""The fault matrix: fourteen kinds of fault between the program and each of its four services.

In each cell the client is told in time what the tables in ``faults.py`` say, and the chat has
just that.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
import pytest_asyncio

from retrieval.backend import with_content
from retrieval.ranking import hybrid
from retrieval.searxng import read_nodes, texts_of
from tests.e2e.client import Client, Turn
from tests.e2e.conftest import warm_up
from tests.e2e.faults import (
    CELLS,
    FAULTS,
    KEYS,
    OUTCOMES,
    PLAINLY,
    SERVICES,
    TURN_S,
    WELL,
    Outcome,
    Service,
    held_port,
)
from tests.e2e.program import Program
from tests.e2e.town import Ports, Town, query, question, settings
from tests.standins.http_server import StandIn
from tests.standins.model_server import ModelServer
from tests.standins.search_server import ENGINES, SearchServer, results
from tests.standins.website import Website

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLACK_S = 5.0  # a machine that is busy with other things
WHOLE = ["sources", "message", "messageEnd"]
FAILED = ["sources", "message", "error"]
# What no client should read: words of libraries, of the system and of the services themselves.
FOREIGN = re.compile(r"Traceback|Errno|httpx|httpcore|ssl|SSL|nginx|secret words|<html|idna")
Programs = dict[str, Program]


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    """A port for each service, where nobody listens but in a test."""
    with ExitStack() as stack:
        yield {service: stack.enter_context(held_port()) for service in SERVICES}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(ports: Ports, models: ModelServer, search: SearchServer) -> AsyncIterator[Town]:
    """The services of this module; the search and the models are those of all tests."""
    async with Website() as site:
        services: dict[Service, StandIn] = {
            "search": search,
            "chat": models,
            "embedding": models,
            "page": site,
        }
        yield Town(ports, services, models, site)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programs(town: Town, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Programs]:
    """A program for each form of the address of the search, which no client can change."""
    forms = dict.fromkeys(trouble.address for trouble in FAULTS.values())
    async with AsyncExitStack() as stack:
        started = [
            Program(tmp_path_factory.mktemp("faults"), **settings(town, form)) for form in forms
        ]
        running = await asyncio.gather(*map(stack.enter_async_context, started))
        named = dict(zip(forms, running, strict=True))
        async with WELL.stand(town.spot("search")), WELL.stand(town.spot("chat")):
            await warm_up(named[PLAINLY])
        yield named
    assert not [program for program in started if "Traceback" in program.log_text()]


async def ended(
    programs: Programs, town: Town, service: Service, fault: str, text: str, **fields: str
) -> tuple[Turn, dict[str, Any]]:
    """The whole turn of a question that is asked under the fault, and its answer in the chat."""
    trouble = FAULTS[fault]
    program = programs[trouble.address if service == "search" else PLAINLY]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(trouble.stand(town.spot(service)))
        if service != "search":
            await stack.enter_async_context(WELL.stand(town.spot("search")))
        client = await stack.enter_async_context(
            Client.connect(program, query(town, service, trouble), v2=True)
        )
        asked = await client.ask(text, **fields)
        turn = await client.turn(TURN_S + SLACK_S)
        return turn, (await program.messages(asked.chat_id))[-1]


@pytest.mark.parametrize(("service", "fault"), CELLS)
async def test_question_ends_in_time_and_the_client_is_told_why(
    programs: Programs, town: Town, service: Service, fault: str
) -> None:
    """Frames to the last, with the key or the degraded answer of the table; stored as told."""
    outcome, text = OUTCOMES[service][fault], question(town, service, fault)
    mode = "balanced" if service == "embedding" else "speed"
    turn, row = await ended(programs, town, service, fault, text, optimizationMode=mode)
    check_ending(turn, outcome, row)
    CHECKS[service](town, turn, text, outcome)


@pytest.mark.parametrize("fault", KEYS)
async def test_without_sources_the_key_of_the_model_s_failure_is_told(
    programs: Programs, town: Town, fault: str
) -> None:
    """Where there is nothing to quote, a fault ahead of the first word ends the turn."""
    text = question(town, "chat", fault)
    turn, row = await ended(programs, town, "chat", fault, text, focusMode="writingAssistant")
    outcome = Outcome(OUTCOMES["chat"][fault].says, KEYS[fault])
    check_ending(turn, outcome, row)
    assert re.search(outcome.says, turn.text)


def check_ending(turn: Turn, outcome: Outcome, row: dict[str, Any]) -> None:
    """The frames are in order, the words our own, and the chat has what was told."""
    kinds = [kind for kind in turn.types if kind not in {"accepted", "status"}]
    assert kinds == (FAILED if outcome.key else WHOLE)
    assert turn.end.get("key") == outcome.key
    assert not FOREIGN.search(turn.text + turn.end.get("data", ""))
    assert (row["role"], row["content"]) == ("assistant", turn.text)
    assert row["metadata"].get("error") == outcome.key
    assert row["metadata"].get("sources", []) == turn.sources


def urls(turn: Turn) -> list[str]:
    """Where the sources are."""
    return [source["metadata"]["url"] for source in turn.sources]


def reply(town: Town, text: str) -> str:
    """What the model service meant to answer."""
    return next(e.reply for e in town.models.record.about(text, "answer"))


def check_search(town: Town, turn: Turn, text: str, outcome: Outcome) -> None:
    """The model answers whole, from the program's own documents; ahead of it stands why."""
    assert re.match(rf"\*{outcome.says}", turn.text)
    assert turn.text.endswith(reply(town, text))
    assert not [url for url in urls(turn) if "site" in url]


def check_chat(_town: Town, turn: Turn, _text: str, outcome: Outcome) -> None:
    """Cited extracts that say why, or what was written until then with a sentence behind it."""
    says = rf"(?s:.+)({outcome.says})" if outcome.key else rf"\*.*({outcome.says})"
    assert re.match(says, turn.text)
    assert turn.sources
    assert ("no language model wrote this" in turn.text) is (outcome.key is None)


def by_words(text: str) -> list[str]:
    """Where the results of the search are, in their order by words alone."""
    found = read_nodes(tuple(texts_of(result) for result in results(text, ENGINES)))
    nodes = with_content(found, title_when_empty=False)
    return [nodes[at].url for at, _ in hybrid(text, [node.text for node in nodes], None)]


def check_embedding(town: Town, turn: Turn, text: str, _outcome: Outcome) -> None:
    """The answer is whole, and its sources are in the order of their words."""
    assert turn.text == reply(town, text)
    assert urls(turn) == by_words(text)


def check_page(town: Town, turn: Turn, text: str, outcome: Outcome) -> None:
    """The other page is the source of a whole answer; ahead of it stands why the one is not."""
    assert re.match(rf"\*`[^`]+/long` could not be read: ({outcome.says})\.\*", turn.text)
    assert turn.text.endswith(reply(town, text))
    assert set(urls(turn)) == {f"{town.site.url}/page.txt"}


CHECKS = {
    "search": check_search,
    "chat": check_chat,
    "embedding": check_embedding,
    "page": check_page,
}


async def test_table_has_every_cell() -> None:
    """Fourteen faults at four services, each with what is to be told."""
    assert len(set(CELLS)) == 56
    assert all(OUTCOMES[service].keys() == FAULTS.keys() for service in SERVICES)


async def test_without_a_fault_nothing_is_told_of_one(programs: Programs, town: Town) -> None:
    """Through the same proxies all is well: other sources, in another order, and no note."""
    text = "What does the harbour of the embedding do with no fault?"
    link = f"How tall is {WELL.address.format(port=town.ports['page'])}/page.txt ?"
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            await stack.enter_async_context(WELL.stand(town.spot(service)))
        client = await stack.enter_async_context(
            Client.connect(programs[PLAINLY], query(town, "chat", WELL), v2=True)
        )
        found = await client.answer(text, optimizationMode="balanced")
        read = await client.answer(link)
    assert (found.text, read.text) == (reply(town, text), reply(town, link))
    assert found.sources
    assert urls(found) != by_words(text)
    assert read.sources
