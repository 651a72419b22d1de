"""Who may do what, as docs/access.md says: every cell of its table, and the doors themselves."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import httpx
import pytest
import pytest_asyncio

from protocol.commands import AskQuestion, Command, Ping, ResumeTurn, StopTurn
from tests.e2e.canary import canary
from tests.e2e.client import Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Program, run
from tests.e2e.village import PASSWORD, USERS, Village, command, deed_of, village
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer
from transport.routes import ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOC = Path(__file__).parents[2] / "docs" / "access.md"
SECRET = canary("token")
COMMANDS = {AskQuestion: "ask", StopTurn: "stop", ResumeTurn: "resume", Ping: "ping"}


def table() -> dict[str, dict[str, str]]:
    """What the document says: rows by their titles, cells by who it is."""
    lines = DOC.read_text(encoding="utf-8").partition("## The table")[2].splitlines()
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if "|" in line
    ]
    titles = rows[0][1:]
    return {row[0]: dict(zip(titles, row[1:], strict=True)) for row in rows[2:]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(
    models: ModelServer, search: SearchServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Village]:
    """A program with accounts."""
    async with village(tmp_path_factory.mktemp("village"), models, search) as made:
        yield made
        assert "Traceback" not in made.program.log_text()


async def test_table_has_every_route_and_every_command() -> None:
    """Who adds one says there who may do it."""
    rows = table()
    assert {f"{route.method} {route.pattern}" for route in ROUTES} <= rows.keys()
    told = " ".join(row for row in rows if row.startswith("WebSocket"))
    assert set(COMMANDS) == set(get_args(Command))
    assert all(word in told for word in COMMANDS.values())


@pytest.mark.parametrize("row", table())
async def test_everybody_may_do_what_the_table_says(town: Village, row: str) -> None:
    """A stranger, the owner, another user, an administrator."""
    done = {title: await deed_of(row)(town, who) for title, who in town.visitors.items()}
    assert done == table()[row]


async def test_browser_logs_in_and_out(town: Village) -> None:
    """A cookie that no script can read and no other site can send; it is of no use afterwards."""
    async with httpx.AsyncClient(base_url=town.program.url, trust_env=False) as browser:
        wrong = await browser.post("/api/login", json={"name": "a", "password": "guessed it"})
        right = await browser.post("/api/login", json={"name": "A", "password": PASSWORD})
        cookie = {"Cookie": f"perplexica_login={browser.cookies['perplexica_login']}"}
        me = await browser.get("/api/me")
        await browser.post("/api/logout")
    assert (wrong.status_code, right.status_code) == (401, 200)
    assert {"httponly", "samesite=strict"} <= set(
        right.headers["set-cookie"].lower().replace(" ", "").split(";")
    )
    assert me.json() == {"name": "a", "role": "user"}
    assert (await town.program.http.get("/api/me", headers=cookie)).status_code == 401


async def test_key_that_is_revoked_loses_the_socket_that_is_open(town: Village) -> None:
    """Also when that was done by another process."""
    made = await command(town.program.folder, "key", "create", "b", "--label", "lost")
    secret, told = made.out.splitlines()
    headers = {"Authorization": f"Bearer {secret}"}
    async with Client.connect(town.program, v2=True, headers=headers) as client:
        name = re.findall(r"Key (\w+);", told)[0]
        assert (await command(town.program.folder, "key", "revoke", name)).code == 0
        await client.send({"type": "ping"})
        assert await client.closed() == 4401
        assert client.frames[-1]["key"] == "UNAUTHORIZED"


async def test_account_that_is_disabled_is_out_until_it_is_enabled(town: Village) -> None:
    """With all its keys."""
    visitor = town.visitors["B"]
    statuses = []
    for action in ("disable", "enable"):
        assert (await command(town.program.folder, "user", action, "b")).code == 0
        statuses.append((await town.http(visitor, "GET", "/api/me")).status_code)
    assert statuses == [401, 200]


async def test_lists_show_no_secret(town: Village) -> None:
    """Neither keys nor hashes."""
    users = await command(town.program.folder, "user", "list")
    keys = await command(town.program.folder, "key", "list")
    assert [line.split("\t")[:3] for line in users.out.splitlines()] == [
        ["root", "admin", "active"],
        ["a", "user", "active"],
        ["b", "user", "active"],
    ]
    assert not re.search(r"ppx_|argon2|[0-9a-f]{32}", users.out + keys.out)


@pytest.mark.parametrize(
    ("args", "typed", "says"),
    [
        (("user", "add", "a"), PASSWORD, "already"),
        (("user", "add", "c"), "short", "password"),
        (("user", "add", "not a name"), PASSWORD, "name"),
        (("user", "passwd", "nobody"), PASSWORD, "no account"),
        (("user", "disable", "nobody"), "", "no account"),
        (("key", "create", "nobody"), "", "no account"),
        (("key", "revoke", "nothing"), "", "no key"),
    ],
)
async def test_command_that_cannot_be_done_says_why(
    town: Village, args: tuple[str, ...], typed: str, says: str
) -> None:
    """In one line, with exit code 1."""
    ended = await command(town.program.folder, *args, typed=f"{typed}\n")
    assert (ended.code, ended.out) == (1, "")
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_other_page_of_the_same_host_has_no_say(town: Village) -> None:
    """A cookie goes with whatever any port of its host asks."""
    body = {"name": "a", "password": PASSWORD}
    other = {"Origin": "http://127.0.0.1:3000"}
    own = {"Origin": town.program.url}
    statuses = [
        (await town.program.http.post("/api/login", json=body, headers=headers)).status_code
        for headers in (other, own)
    ]
    town.program.http.cookies.clear()
    assert statuses == [403, 200]


async def test_token_lets_in_who_shows_it(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """And nobody else, neither to a route nor to a conversation."""
    settings = {"PERPLEXICA_AUTH": "token", "PERPLEXICA_ACCESS_TOKEN": SECRET}
    shown = {"Authorization": f"Bearer {SECRET}"}
    async with Program(tmp_path, **upstreams(models, search), **settings) as program:
        statuses = [
            (await program.http.get("/api/config", headers=headers)).status_code
            for headers in ({}, {"Authorization": "Bearer guessed-it-well"}, shown)
        ]
        async with Client.connect(program, ready=False) as nobody:
            code = await nobody.closed()
        async with Client.connect(program, headers=shown) as client:
            turn = await client.answer("May I?", focusMode="writingAssistant")
    assert statuses == [401, 401, 200]
    assert code == 4401
    assert turn.end["type"] == "messageEnd"


async def test_proxy_says_who_it_is(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> None:
    """In a header, which counts from its address alone."""
    settings = {
        "PERPLEXICA_AUTH": "proxy",
        "PERPLEXICA_ACCESS_PROXIES": "127.0.0.1",
        "PERPLEXICA_ACCESS_ADMINS": "root",
    }
    async with Program(tmp_path, **upstreams(models, search), **settings) as program:
        replies = [
            await program.http.get("/api/me", headers={"X-Forwarded-User": name} if name else {})
            for name in ("Ann", "root", "")
        ]
    told = [(reply.status_code, reply.json().get("role")) for reply in replies]
    assert told == [(200, "user"), (200, "admin"), (401, None)]


@pytest.mark.parametrize(
    "settings",
    [
        {"PERPLEXICA_HOST": "0.0.0.0"},
        {"PERPLEXICA_AUTH": "token"},
        {"PERPLEXICA_AUTH": "token", "PERPLEXICA_ACCESS_TOKEN": "short"},
        {"PERPLEXICA_AUTH": "proxy"},
        {"PERPLEXICA_AUTH": "nobody"},
    ],
)
async def test_start_that_would_let_in_the_wrong_ones_is_refused(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """With code 2 and one line that says what to do, before any file is made."""
    ended = await run(tmp_path, "--port", "0", settings=settings)
    assert ended.code == 2
    assert "PERPLEXICA" in ended.err or "[ACCESS]" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "data").exists()


async def test_insecure_is_for_those_who_insist(tmp_path: Path) -> None:
    """A container, say, whose port is published on loopback alone."""
    async with Program(tmp_path, "--insecure", PERPLEXICA_HOST="0.0.0.0") as program:
        assert (await program.http.get("/api/config")).status_code == 200


async def test_server_with_accounts_keeps_its_setup_token_to_itself(tmp_path: Path) -> None:
    """It is printed where its keeper looks, and new at the next start; never logged."""
    tokens = set()
    for _ in range(2):
        async with Program(tmp_path, **USERS) as program:
            lines = [line for line in program.log_text().splitlines() if "setup token" in line]
            assert len(lines) == 1
            tokens.add(lines[0].split()[-1])
            assert not any("setup token" in str(line) for line in program.log_lines())
    assert len(tokens) == 2
