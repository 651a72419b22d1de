"""What a turn was: shown in the terminal and over HTTP, and run again without any network."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from protocol.values import OPTIMIZATION_MODES
from tests.e2e.client import Client
from tests.e2e.conftest import IMPATIENT, upstreams, warm_up
from tests.e2e.program import Program, run, spawn
from tests.e2e.test_modes import ENGINES
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from tests.standins.website import Website

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALONE = {"chatModelProvider": "built_in", "chatModel": "extractive"}
BY_VECTORS = {"embeddingModelProvider": "openai", "embeddingModel": "text-embedding-3-small"}
# What may happen to a question beside the modes; a pair with the query of the socket.
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "greeting": ("Hello", {}),
    "vectors of a service": ("How old is the harbour?", BY_VECTORS),
    "vectors that fail": ("How old is the mill? [[fake embed fault=500]]", BY_VECTORS),
    "link": ("How tall is it in {site}/ ?", {}),
    "two links": ("Compare {site}/ and {site}/page.txt", {}),
    "page that is no more": ("What says {site}/missing ?", {}),
    "no model": ("How tall is the lighthouse of {site}/ ?", ALONE),
    "no model, search": ("How tall is the lighthouse?", ALONE),
    "nothing found": ("Zyzzyva? [[fake search results=0]]", {}),
    "search down": ("Zyzzyva lighthouse? [[fake search fault=500]]", {}),
    "search hangs": ("Where is it? [[fake search fault=hang]]", {}),
    "search passes": ("Does it pass? [[fake search fault=500 times=1]]", {}),
    "rephrasing fails": ("How deep is it? [[fake rephrase fault=500]]", {}),
    "rephrasing hangs": ("How wide is it? [[fake rephrase fault=hang]]", {}),
    "answer fails": ("How far is it? [[fake answer fault=500]]", {}),
    "answer hangs": ("How near is it? [[fake answer fault=hang]]", {}),
    "answer breaks off": ("How long is it? [[fake answer fault=reset at=5]]", {}),
    "answer stays away": ("How short is it? [[fake answer fault=hang at=5]]", {}),
}
PLAIN = "How tall is the lighthouse?"
TURNS = len(ENGINES) * len(OPTIMIZATION_MODES) + 2 * len(KINDS) + 1
AT_ONCE = 6


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[Website]:
    """The site that the links lead to."""
    async with Website() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def settings(models: ModelServer, search: SearchServer) -> dict[str, str]:
    """Those of the program that records."""
    return {**upstreams(models, search), **IMPATIENT}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recorder(
    settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """A program whose turns are looked into."""
    async with Program(tmp_path_factory.mktemp("recorder"), **settings) as running:
        await warm_up(running)
        yield running
    assert "Traceback" not in running.log_text()


async def trace(program: Program, settings: dict[str, str], *args: str) -> tuple[int, list[str]]:
    """The exit code and the lines of the command."""
    ended = await run(program.folder, "trace", *args, settings=settings, deadline_s=60)
    assert "Traceback" not in ended.err
    return ended.code, ended.out.splitlines()


async def ask_all(program: Program, site: Website) -> list[str]:
    """One turn of each kind, a few at once; the ids of their answers."""
    files = [("files", ("mill.txt", b"The mill of Lower Ford has seven sails."))]
    reply = await program.http.post("/api/uploads", files=files)
    file = reply.raise_for_status().json()["files"][0]["fileId"]
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        *((PLAIN, {}, fields(*modes)) for modes in product(ENGINES, OPTIMIZATION_MODES)),
        *((*kind, fields("webSearch", "speed")) for kind in KINDS.values()),
        *((*kind, fields("webSearch", "quality")) for kind in KINDS.values()),
        ("How many sails?", {}, {"files": [file]}),
    ]
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(number: int, text: str, query: dict[str, str], given: dict[str, Any]) -> str:
        # The number is for the stand-ins' faults, each of which is to have its own question.
        tag = f"[[fake search port={site.url.rpartition(':')[2]} row={number}]]"
        async with places, Client.connect(program, query) as client:
            turn = await client.answer(f"{text.format(site=site.url)} {tag}", **given)
            return turn.message_id

    return await asyncio.gather(*(ask(number, *each) for number, each in enumerate(asked)))


def fields(focus: str, mode: str) -> dict[str, Any]:
    """How a question is to be answered."""
    return {"focusMode": focus, "optimizationMode": mode}


async def test_recorded_turns_of_all_kinds_give_the_same_answers(
    recorder: Program,
    settings: dict[str, str],
    models: ModelServer,
    search: SearchServer,
    site: Website,
) -> None:
    """Byte for byte, though nobody is asked: every mode, links, files, whatever fails."""
    answers = await ask_all(recorder, site)
    assert len(answers) == TURNS > 50
    before = len(models.record.exchanges), len(search.record.exchanges)
    code, lines = await trace(recorder, settings, "--replay", "--turns", str(TURNS))
    assert {line for line in lines[:-1] if "the same answer" not in line} == set()
    assert lines[-1] == f"{TURNS} of {TURNS} turns give the same answer."
    assert code == 0
    assert (len(models.record.exchanges), len(search.record.exchanges)) == before


async def test_trace_is_the_same_in_the_terminal_and_over_http(
    recorder: Program, settings: dict[str, str]
) -> None:
    """By either id: state, stages, and spans that name the model and what was found."""
    async with Client.connect(recorder) as client:
        turn = await client.answer("What is in a trace?")
    _, [line] = await trace(recorder, settings, turn.message_id, "--json")
    told = await recorder.json(f"/api/turns/{turn.message_id}/trace")
    assert json.loads(line) == told
    assert told == await recorder.json(f"/api/turns/{told['turnId']}/trace")
    spans = {span["name"]: span.get("facts", {}) for span in told["spans"]}
    assert (told["state"], told["messageId"]) == ("finished", turn.message_id)
    assert spans["search"]["backend"] == "searxng"
    assert spans["model"]["provider"] == "openai"
    assert 0 < spans["told"]["frames"] <= len(turn.frames)
    assert {"rephrasing", "searching", "writing"} <= told["stages"].keys()


async def test_trace_tells_why_extracts_answered(recorder: Program) -> None:
    """The call to the model names the limit that ended it, and who answered is told."""
    async with Client.connect(recorder) as client:
        turn = await client.answer("How tall is the pier? [[fake answer fault=hang row=pier]]")
    spans = (await recorder.json(f"/api/turns/{turn.message_id}/trace"))["spans"]
    models = [span["facts"] for span in spans if span["name"] == "model"]
    assert models[-1]["failed"] == "no first word in time"
    assert [span["facts"]["by"] for span in spans if span["name"] == "replaced"] == [
        "cited extracts"
    ]


async def test_trace_follows_a_server_in_another_process(
    recorder: Program, settings: dict[str, str]
) -> None:
    """A turn is shown when it has ended; nothing is shown twice."""
    following = await spawn(recorder.folder, "trace", "--follow", "--json", settings=settings)
    assert following.stdout
    try:
        async with Client.connect(recorder) as client, asyncio.timeout(20):
            shown: dict[str, Any] = {}
            while not shown:  # it may not look yet when the first one ends
                answer = (await client.answer("Who follows?")).message_id
                with contextlib.suppress(TimeoutError):
                    line = await asyncio.wait_for(following.stdout.readline(), 3)
                    shown = json.loads(line)
    finally:
        following.terminate()
        await following.communicate()
    assert shown["question"] == "Who follows?"
    assert shown["messageId"] == answer


@pytest.mark.parametrize("args", [("nobody",), ("nobody", "--replay")])
async def test_a_turn_that_is_not_there_is_an_error(
    recorder: Program, settings: dict[str, str], args: tuple[str, ...]
) -> None:
    """One plain sentence, and exit code 1."""
    ended = await run(recorder.folder, "trace", *args, settings=settings)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert (await recorder.http.get("/api/turns/nobody/trace")).status_code == 404


async def test_without_recordings_nothing_can_be_replayed(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """With the setting 0 the story is there, but not what the turn was given."""
    none = {**settings, "PERPLEXICA_JOURNAL_RECORDINGS": "0"}
    async with Program(tmp_path, **none) as program, Client.connect(program) as client:
        turn = await client.answer("Is it kept?", focusMode="writingAssistant")
        code, lines = await trace(program, none, turn.message_id, "--replay")
    assert code == 1
    assert lines[0].endswith("has no recording")


async def test_a_turn_is_replayed_elsewhere_from_a_file(
    recorder: Program, settings: dict[str, str], tmp_path: Path
) -> None:
    """Whoever is sent it needs no key, no search and no store of the sender's."""
    file = str(tmp_path / "turn.case")
    async with Client.connect(recorder) as client:
        turn = await client.answer(PLAIN)
    assert (await trace(recorder, settings, turn.message_id, "--save", file))[0] == 0
    assert (await trace(recorder, settings, turn.message_id, "--save", file))[0] == 1
    ended = await run(tmp_path, "trace", file, "--replay", settings={}, deadline_s=60)
    assert (ended.code, ended.out.splitlines()[0]) == (0, f"{turn.message_id}  the same answer")
    (tmp_path / "other.case").write_bytes(b"no case")
    ended = await run(tmp_path, "trace", str(tmp_path / "other.case"), "--replay", settings={})
    assert (ended.code, ended.err.count("\n")) == (1, 1)


async def test_a_changed_prompt_is_told(recorder: Program, settings: dict[str, str]) -> None:
    """What the model is asked in another way is named, and the command fails."""
    async with Client.connect(recorder) as client:
        turn = await client.answer(PLAIN, optimizationMode="quality")
    changed = {**settings, "PERPLEXICA_QUALITY_QUERIES": "4"}  # the prompt names the number
    code, lines = await trace(recorder, changed, turn.message_id, "--replay")
    assert code == 1
    assert "what is asked of the model in the stage rephrasing differs" in lines[0]
    assert await trace(recorder, settings, turn.message_id, "--replay") == (
        0,
        [f"{turn.message_id}  the same answer", "1 of 1 turns give the same answer."],
    )
