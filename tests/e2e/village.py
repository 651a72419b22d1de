"""A program with accounts: who lives there, and what each of them can try."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.canary import canary
from tests.e2e.client import Asked, Client
from tests.e2e.conftest import upstreams
from tests.e2e.program import Ended, Program, run
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

PASSWORD = canary("password")
USERS = {"PERPLEXICA_AUTH": "users", "PERPLEXICA_UI_GAP_MS": "0"}
TOKEN = re.compile(r"setup token of the first account: (\w+)")
KEY = re.compile(r"ppx_[0-9a-f]{64}")
LORE = "The mill of Lower Ford has seven sails."
SLOWLY = "[[fake answer tokens=200 fault=pace seconds=0.1]]"
PLAIN = {"focusMode": "writingAssistant"}


async def command(folder: Path, *args: str, typed: str = "") -> Ended:
    """What a command of the terminal came to."""
    return await run(folder, *args, settings=USERS, typed=typed)


@dataclass(frozen=True)
class Visitor:
    """Somebody with a key, or with none."""

    name: str
    key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What they show."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


@dataclass(frozen=True)
class Village:
    """A program in which a and b have accounts, and root rules."""

    program: Program
    visitors: Mapping[str, Visitor]

    async def http(self, who: Visitor, method: str, path: str, **given: Any) -> httpx.Response:
        """What somebody is answered."""
        return await self.program.http.request(method, path, headers=who.headers, **given)

    @asynccontextmanager
    async def socket(self, who: Visitor) -> AsyncIterator[Client]:
        """Somebody's socket; it may be one that is about to be closed."""
        async with Client.connect(
            self.program, v2=True, ready=False, headers=who.headers
        ) as client:
            yield client

    async def asked(self, **fields: Any) -> tuple[Asked, str]:
        """A question of a's that has been answered, and the id of its answer."""
        async with self.socket(self.visitors["A"]) as client:
            asked = await client.ask("Whose is it?", **PLAIN, **fields)
            return asked, (await client.turn()).message_id

    async def file(self) -> str:
        """A file of a's."""
        given = {"files": [("files", ("mill.txt", LORE.encode()))]}
        reply = await self.http(self.visitors["A"], "POST", "/api/uploads", **given)
        return str(reply.raise_for_status().json()["files"][0]["fileId"])


@asynccontextmanager
async def village(
    folder: Path, models: ModelServer, search: SearchServer
) -> AsyncIterator[Village]:
    """Made as its keeper would: the setup token first, then the command line beside it."""
    async with Program(folder, **upstreams(models, search), **USERS) as program:
        token = TOKEN.search(program.log_text())
        assert token
        body = {"token": token[1], "name": "root", "password": PASSWORD}
        (await program.http.post("/api/setup", json=body)).raise_for_status()
        for name in ("a", "b"):
            assert (await command(folder, "user", "add", name, typed=f"{PASSWORD}\n")).code == 0
        visitors = {"anonymous": Visitor("")}
        for title, name in (("A", "a"), ("B", "b"), ("administrator", "root")):
            made = await command(folder, "key", "create", name)
            visitors[title] = Visitor(name, KEY.findall(made.out)[0])
        program.http.cookies.clear()
        yield Village(program, visitors)


Deed = Callable[[Village, Visitor], Awaitable[str]]


def request(
    method: str, path: str, body: Callable[[Visitor], Any] | None = None, **given: Any
) -> Deed:
    """The status of a request; ``{chat_id}`` is a chat of a's."""

    async def deed(town: Village, who: Visitor) -> str:
        chat = (await town.asked())[0].chat_id if "{chat_id}" in path else ""
        sent = {"json": body(who)} if body else given
        reply = await town.http(who, method, path.replace("{chat_id}", chat), **sent)
        town.program.http.cookies.clear()
        return str(reply.status_code)

    return deed


async def look_into_the_answer(town: Village, who: Visitor) -> str:
    """The status of the trace of an answer to a."""
    _, answer = await town.asked()
    return str((await town.http(who, "GET", f"/api/turns/{answer}/trace")).status_code)


def listing(path: str) -> Deed:
    """Whether a list of chats has one of a's."""

    async def deed(town: Village, who: Visitor) -> str:
        asked, _ = await town.asked()
        reply = await town.http(who, "GET", path)
        if reply.status_code != 200:
            return str(reply.status_code)
        is_there = asked.chat_id in {chat["id"] for chat in reply.json()["chats"]}
        return f"200, {'lists' if is_there else 'without'} it"

    return deed


def asking(act: Callable[[Village, Client], Awaitable[None]]) -> Deed:
    """How a turn ends that somebody's socket is about."""

    async def deed(town: Village, who: Visitor) -> str:
        async with town.socket(who) as client:
            if not who.key:
                return str(await client.closed())
            await act(town, client)
            end = (await client.turn()).end
        return str(end.get("key") or {"messageEnd": "finished"}.get(end["type"], end["type"]))

    return deed


async def ask_anything(_: Village, client: Client) -> None:
    """Ask in a chat of one's own."""
    await client.ask("A chat of my own?", **PLAIN)


async def ask_in_the_chat(town: Village, client: Client) -> None:
    """Ask on in a's chat."""
    asked, _ = await town.asked()
    await client.ask("And then?", chat=asked.chat_id, **PLAIN)


async def ask_anew(town: Village, client: Client) -> None:
    """Rewrite a's question."""
    asked, _ = await town.asked()
    await client.ask("Whose?", chat=asked.chat_id, message=asked.message_id, **PLAIN)


async def resume(town: Village, client: Client) -> None:
    """Read a's answer once more."""
    _, answer = await town.asked()
    await client.send({"type": "resume", "messageId": answer})


async def ask_with_the_file(town: Village, who: Visitor) -> str:
    """Whether a's file was read for somebody's question."""
    async with town.socket(who) as client:
        if not who.key:
            return str(await client.closed())
        await client.ask("How many sails?", files=[await town.file()], **PLAIN)
        turn = await client.turn()
    was_read = LORE in json.dumps(turn.sources)
    return f"{'finished' if turn.end['type'] == 'messageEnd' else turn.end}, " + (
        "read" if was_read else "not read"
    )


def meddling(kind: str) -> Deed:
    """What somebody is told who resumes or stops a turn of a's that runs."""

    async def deed(town: Village, who: Visitor) -> str:
        async with town.socket(town.visitors["A"]) as owner, town.socket(who) as client:
            if not who.key:
                return str(await client.closed())
            await owner.ask(f"Who meddles? {SLOWLY}", **PLAIN)
            answer = (await owner.until(lambda frame: frame["type"] == "message"))["messageId"]
            await client.send({"type": kind, "messageId": answer})
            told = await (owner if kind == "stop" and who.name != "b" else client).until(
                lambda frame: frame["type"] in {"resumed", "stopped", "error"}
            )
            await owner.send({"type": "stop", "messageId": answer})
            await owner.turn()
        return str(told.get("key", told["type"]))

    return deed


async def meddle_with_an_administrators(town: Village, who: Visitor) -> str:
    """What somebody is told who resumes a turn that an administrator has in a's chat."""
    asked, _ = await town.asked()
    root = town.visitors["administrator"]
    async with town.socket(root) as asker, town.socket(who) as client:
        if not who.key:
            return str(await client.closed())
        await asker.ask(f"And mine? {SLOWLY}", chat=asked.chat_id, **PLAIN)
        answer = (await asker.until(lambda frame: frame["type"] == "message"))["messageId"]
        await client.send({"type": "resume", "messageId": answer})
        told = await client.until(lambda frame: frame["type"] in {"resumed", "error"})
        await asker.send({"type": "stop", "messageId": answer})
        await asker.turn()
    return str(told.get("key", told["type"]))


async def ping(town: Village, who: Visitor) -> str:
    """The answer to a ping."""
    async with town.socket(who) as client:
        if not who.key:
            return str(await client.closed())
        await client.send({"type": "ping"})
        return str((await client.until(lambda frame: frame["type"] == "pong"))["type"])


def login(_: Visitor) -> dict[str, str]:
    """A's name and password: whoever knows them may log in."""
    return {"name": "a", "password": PASSWORD}


def same_password(_: Visitor) -> dict[str, str]:
    """One's own password, as it was."""
    return {"old": PASSWORD, "new": PASSWORD}


def words(**more: Any) -> Callable[[Visitor], dict[str, Any]]:
    """A body of the routes beside answers."""
    return lambda _: {"chatHistory": [{"role": "user", "content": "mills"}], **more}


QUESTION = {"focusMode": "writingAssistant", "query": "Mills?"}
DEEDS: dict[str, Deed] = {
    "GET /api/chats": listing("/api/chats"),
    "GET /api/chats?owner=a": listing("/api/chats?owner=a"),
    "GET /api/turns/{message_id}/trace": look_into_the_answer,
    "POST /api/config": request("POST", "/api/config", lambda _: {}),
    "POST /api/search": request("POST", "/api/search", lambda _: QUESTION),
    "POST /api/images": request("POST", "/api/images", words(query="mills")),
    "POST /api/videos": request("POST", "/api/videos", words(query="mills")),
    "POST /api/suggestions": request("POST", "/api/suggestions", words()),
    "POST /api/uploads": request("POST", "/api/uploads", files=[("files", ("a.txt", b"Mills."))]),
    "POST /api/login": request("POST", "/api/login", login),
    "POST /api/logout": request("POST", "/api/logout"),
    "POST /api/setup": request(
        "POST", "/api/setup", lambda _: {"token": "t", "name": "n", "password": PASSWORD}
    ),
    "POST /api/password": request("POST", "/api/password", same_password),
    "WebSocket: ask in a new chat": asking(ask_anything),
    "WebSocket: ask in the chat": asking(ask_in_the_chat),
    "WebSocket: ask the question anew": asking(ask_anew),
    "WebSocket: ask with the file": ask_with_the_file,
    "WebSocket: resume": asking(resume),
    "WebSocket: resume while it runs": meddling("resume"),
    "WebSocket: resume an administrator's turn in the chat": meddle_with_an_administrators,
    "WebSocket: stop while it runs": meddling("stop"),
    "WebSocket: ping": ping,
}


def deed_of(row: str) -> Deed:
    """What a row of the table is about; a plain request where nothing else is said."""
    method, _, path = row.partition(" ")
    return DEEDS.get(row) or request(method, path)
