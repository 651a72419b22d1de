"""Every limit: the setting, what exceeds it, and what is told. A row each."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.e2e import exceeding
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.exceeding import (
    LIMITS,
    PLAIN,
    Excess,
    Visitor,
    crowded,
    questions,
    requests,
    sockets,
    strangers,
)
from tests.e2e.program import Program
from tests.e2e.village import USERS
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEARCH = {"json": {"query": "Why?", **PLAIN}}
TALK = {"json": {"query": "Why?", "chatHistory": []}}
LOGIN = {"json": {"name": "ann", "password": "a guess"}}
CHANGE = {"json": {"old": "a guess", "new": "another"}}
FILE = {"files": [("files", ("a.txt", b"x" * 4000))]}
HUGE = {"files": [("files", ("a.txt", b"x" * 10_000))]}


class Row(NamedTuple):
    """A limit."""

    setting: str
    exceed: Excess
    told: str


# What each visitor asks for counts for the address they share, or for the person they are.
COUNTED = (
    Row("ASKER_QUESTIONS", requests("POST", "/api/search", 4, **SEARCH), "429 in s"),
    Row("ASKER_QUESTIONS", questions(4), "RATE_LIMITED in ms"),
    Row("ASKER_TURNS", exceeding.turns(3), "BUSY in ms"),
    Row("ASKER_EXTRAS", requests("POST", "/api/suggestions", 3, **TALK), "429 in s"),
    Row("ASKER_UPLOAD_BYTES", requests("POST", "/api/uploads", 3, **FILE), "429 in s"),
    Row("ASKER_UPLOAD_BYTES", requests("POST", "/api/uploads", 1, **HUGE), "413"),
    Row("ASKER_UPLOAD_BYTES", exceeding.chunks, "429 in s"),
    Row(
        "ASKER_LOGINS",
        requests("POST", "/api/password", 3, **CHANGE),
        "429 in s",
    ),
)
BY_ADDRESS = (
    *COUNTED,
    Row("ASKER_SOCKETS", sockets(4, at_once=True), "503 in s"),
    Row("ASKER_HANDSHAKES", sockets(7, at_once=False), "429 in s"),
    Row("ASKER_LOGINS", requests("POST", "/api/login", 3, **LOGIN), "429 in s"),
    Row("ASKER_LOGINS", requests("POST", "/api/setup", 3, **LOGIN), "429 in s"),
    Row("ASKER_QUESTIONS", exceeding.apology, "sources, message, messageEnd: Too many questions"),
)
BY_NAME = (
    *COUNTED,
    Row("ASKER_SOCKETS", sockets(4, at_once=True), "BUSY, 1008"),
    Row("ASKER_HANDSHAKES", sockets(7, at_once=False), "RATE_LIMITED in ms, 1008"),
)
BY_NOBODY = (
    Row("QUEUE", exceeding.full_line, "BUSY in ms, 503 in s"),
    Row("QUEUE_S", exceeding.long_wait, "queued [1], BUSY in ms"),
    Row("QUESTION_CHARS", exceeding.long_question, "TOO_LARGE, 413"),
    Row("FRAME_BYTES", exceeding.long_frame, "1009"),
    Row("BODY_BYTES", requests("POST", "/api/search", 1, content=b"x" * 30_000), "413"),
    Row("HEAD_BYTES", requests("GET", "/api", 1, headers={"X-A": "a" * 5000}), "431"),
    Row("REQUEST_S", exceeding.half_a_request, "408"),
)
NUMBERS = count(1)


def names(rows: tuple[Row, ...]) -> list[str]:
    """What the rows are called in the report."""
    return [f"{row.setting.lower()}-{row.told.split(':')[0]}" for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tight(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """A program behind a proxy, which allows little."""
    settings = {
        **upstreams(models, search),
        **{f"PERPLEXICA_LIMITS_{name}": str(most) for name, most in LIMITS.items()},
        "PERPLEXICA_AUTH": "proxy",
        "PERPLEXICA_ACCESS_PROXIES": "127.0.0.1",
        "PERPLEXICA_ACCESS_ADMINS": "root",
        "PERPLEXICA_UI_GAP_MS": "0",
    }
    async with Program(tmp_path_factory.mktemp("tight"), **settings) as program:
        yield program
    assert "Traceback" not in program.log_text()


@pytest.mark.parametrize("row", BY_ADDRESS, ids=names(BY_ADDRESS))
async def test_limit_of_an_address(tight: Program, row: Row) -> None:
    """Whoever asks from there; anybody elsewhere is answered."""
    place = f"10.1.{next(NUMBERS)}"
    told = await row.exceed(lambda n: Visitor(tight, f"{place}.{n}", f"{place}.1"))
    assert told == row.told
    elsewhere = Visitor(tight, f"bob{place}", f"{place}.200")
    assert (await elsewhere.http("POST", "/api/search", **SEARCH)).status_code == 200


@pytest.mark.parametrize("row", BY_NAME, ids=names(BY_NAME))
async def test_limit_of_a_person(tight: Program, row: Row) -> None:
    """Wherever they ask from; anybody else is answered."""
    place = f"10.2.{next(NUMBERS)}"
    told = await row.exceed(lambda n: Visitor(tight, f"ann{place}", f"{place}.{n}"))
    assert told == row.told
    other = Visitor(tight, f"bob{place}", f"{place}.1")
    assert (await other.http("POST", "/api/search", **SEARCH)).status_code == 200


@pytest.mark.parametrize("row", BY_NOBODY, ids=names(BY_NOBODY))
async def test_limit_of_all(tight: Program, row: Row) -> None:
    """Whoever asks."""
    place = f"10.3.{next(NUMBERS)}"
    assert await row.exceed(lambda n: Visitor(tight, f"{place}.{n}", f"{place}.{n}")) == row.told


async def test_question_that_waits_outlives_its_client(tight: Program) -> None:
    """It shows in the backlog, gets its turn, and is told to the client that comes back."""
    ann = Visitor(tight, "ann", "10.4.0.1")
    root = Visitor(tight, "root", "10.4.0.2")
    backlog: dict[str, int] = {}

    async def act() -> str:
        async with ann.socket() as client:
            await client.ask("Who waits?", **PLAIN)
            queued = await client.until(lambda frame: frame.get("position") == 1)
            backlog.update((await root.http("GET", "/health")).json()["backlog"])
        return str(queued["messageId"])

    waiting = await crowded(strangers(tight, LIMITS["TURNS"]), act)
    async with ann.socket() as client:
        await client.send({"type": "resume", "messageId": waiting})
        turn = await client.turn()
    assert (backlog["turns"], backlog["queued"]) == (2, 1)
    assert (turn.end["type"], turn.message_id) == ("messageEnd", waiting)


async def test_only_so_many_passwords_wait_to_be_checked(tmp_path: Path) -> None:
    """The others are told to come back, at once."""
    settings = USERS | {"PERPLEXICA_LIMITS_PASSWORDS": "1"}
    async with Program(tmp_path, **settings) as program:
        replies = await asyncio.gather(
            *(program.http.post("/api/login", **LOGIN) for _ in range(12))  # type: ignore[arg-type]
        )
    told = {exceeding.of_reply(reply) for reply in replies}
    assert told == {"401", "503 in s"}


async def test_keeper_of_an_open_server_on_loopback_meets_no_limit(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """Many tabs and programs of one person are not counted."""
    settings = {f"PERPLEXICA_LIMITS_{name}": "1" for name in LIMITS if name.startswith("ASKER")}
    async with Program(tmp_path, **upstreams(models, search), **settings) as program:
        statuses = [
            (await program.http.post("/api/search", **SEARCH)).status_code  # type: ignore[arg-type]
            for _ in range(3)
        ]
        async with Client.connect(program) as one, Client.connect(program) as other:
            ends = [(await client.answer("Why?", **PLAIN)).end["type"] for client in (one, other)]
    assert (statuses, ends) == ([200] * 3, ["messageEnd"] * 2)
