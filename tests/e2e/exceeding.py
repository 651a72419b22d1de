"""What a program with small limits is asked too much of, and what it says to that."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.exceptions import InvalidStatus

from tests.e2e.client import Asked, Client, Frame, question
from tests.e2e.program import Program

LIMITS = {
    "TURNS": 2,
    "QUEUE": 1,
    "QUEUE_S": 2,
    "ASKER_TURNS": 2,
    "ASKER_QUESTIONS": 3,
    "ASKER_EXTRAS": 2,
    "ASKER_SOCKETS": 3,
    "ASKER_HANDSHAKES": 6,
    "ASKER_UPLOAD_BYTES": 9000,
    "ASKER_LOGINS": 2,
    "SESSION_TURNS": 1,
    "QUESTION_CHARS": 5000,
    "FRAME_BYTES": 20_000,
    "BODY_BYTES": 20_000,
    "HEAD_BYTES": 4096,
    "REQUEST_S": 1,
}
PLAIN = {"focusMode": "writingAssistant"}
SLOWLY = "[[fake answer tokens=400 fault=pace seconds=0.1]]"


@dataclass(frozen=True)
class Visitor:
    """Somebody of that name at that address, as a proxy tells of them."""

    program: Program
    name: str
    address: str

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy adds."""
        return {"X-Forwarded-User": self.name, "X-Forwarded-For": f"1.2.3.4, {self.address}"}

    async def http(self, method: str, path: str, **given: Any) -> httpx.Response:
        """What they are answered."""
        headers = self.headers | given.pop("headers", {})
        return await self.program.http.request(method, path, headers=headers, **given)

    @asynccontextmanager
    async def socket(self, *, v2: bool = True, ready: bool = True) -> AsyncIterator[Client]:
        """A WebSocket of theirs."""
        async with Client.connect(self.program, v2=v2, ready=ready, headers=self.headers) as client:
            yield client


Visit = Callable[[int], Visitor]
"""The visitor of that number; they have in common what is counted."""
Excess = Callable[[Visit], Awaitable[str]]


def of_reply(reply: httpx.Response) -> str:
    """What an HTTP answer says: the status, and whether it names a time."""
    assert reply.json()["message"]
    return f"{reply.status_code}{_timed(reply.headers)}"


def of_frame(frame: Frame) -> str:
    """What a frame says: the key, and whether it names a time."""
    assert frame["data"]
    return f"{frame['key']}{' in ms' if frame.get('retryAfterMs', 0) > 0 else ''}"


def _timed(headers: Mapping[str, str]) -> str:
    return " in s" if int(headers.get("Retry-After", "0")) >= 1 else ""


def requests(method: str, path: str, times: int, **given: Any) -> Excess:
    """The answer to the last of so many requests; those before it were let through."""

    async def exceed(visit: Visit) -> str:
        for number in range(1, times):
            reply = await visit(number).http(method, path, **given)
            assert reply.status_code not in {413, 429, 503}, reply.text
        return of_reply(await visit(times).http(method, path, **given))

    return exceed


def questions(times: int) -> Excess:
    """What is told of the last of so many questions, one after the other."""

    async def exceed(visit: Visit) -> str:
        for number in range(1, times + 1):
            async with visit(number).socket() as client:
                turn = await client.answer("Why?", **PLAIN)
                assert (turn.end["type"] == "error") is (number == times)
        return of_frame(turn.end)

    return exceed


def turns(times: int) -> Excess:
    """What is told of the last of so many questions at once."""

    async def exceed(visit: Visit) -> str:
        async def act() -> str:
            async with visit(times).socket() as client:
                return of_frame((await client.answer("Why?", **PLAIN)).end)

        return await crowded([visit(number) for number in range(1, times)], act)

    return exceed


def sockets(times: int, *, at_once: bool) -> Excess:
    """What the last of so many WebSockets is told, before the upgrade or after it."""

    async def exceed(visit: Visit) -> str:
        async with AsyncExitStack() as stack:
            for number in range(1, times):
                client = await stack.enter_async_context(visit(number).socket())
                if not at_once:
                    await client.leave()
            try:
                async with visit(times).socket(ready=False) as client:
                    code = await client.closed()
                    return f"{of_frame(client.frames[-1])}, {code}"
            except InvalidStatus as refused:
                return f"{refused.response.status_code}{_timed(refused.response.headers)}"

    return exceed


async def apology(visit: Visit) -> str:
    """What a plain client is told in place of an answer."""
    async with visit(1).socket(v2=False) as client:
        for _ in range(LIMITS["ASKER_QUESTIONS"]):
            await client.answer("Why?", **PLAIN)
        turn = await client.answer("Why?", **PLAIN)
    return f"{', '.join(turn.types)}: {turn.text.partition('.')[0]}"


async def crowded(crowd: Sequence[Visitor], act: Callable[[], Awaitable[str]]) -> str:
    """What comes of it while each of the crowd has a question that runs or waits."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(one.socket()) for one in crowd]
        for client in clients:
            await client.ask(SLOWLY, **PLAIN)
            await client.until(lambda frame: frame["type"] in {"status", "queued"})
        told = await act()
        for client in clients:
            await stop(client)
    return told


def strangers(program: Program, many: int) -> list[Visitor]:
    """People who have nothing in common."""
    return [Visitor(program, f"stranger{n}", f"203.0.113.{n}") for n in range(many)]


async def full_line(visit: Visit) -> str:
    """A question for which there is no room, by WebSocket and by HTTP."""
    body = {"query": "Why?", **PLAIN}

    async def act() -> str:
        async with visit(1).socket() as client:
            await client.ask("Why?", **PLAIN)
            frame = of_frame((await client.turn()).end)
        return f"{frame}, {of_reply(await visit(2).http('POST', '/api/search', json=body))}"

    return await crowded(strangers(visit(0).program, LIMITS["TURNS"] + LIMITS["QUEUE"]), act)


async def long_wait(visit: Visit) -> str:
    """A question that waits for longer than it may."""

    async def act() -> str:
        async with visit(1).socket() as waiting:
            turn = await waiting.answer("Why?", **PLAIN)
        queued = [frame["position"] for frame in turn.frames if frame["type"] == "queued"]
        return f"queued {queued}, {of_frame(turn.end)}"

    return await crowded(strangers(visit(0).program, LIMITS["TURNS"]), act)


async def stop(client: Client) -> None:
    """Stop what still runs for the client, and wait until it has ended."""
    names = {f["messageId"] for f in client.frames if f["type"] == "accepted"}
    for name in names:
        await client.send({"type": "stop", "messageId": name})
        await client.until(
            lambda frame, name=name: (
                frame.get("messageId") == name  # type: ignore[misc]
                and frame["type"] in {"stopped", "messageEnd", "error"}
            )
        )


async def long_question(visit: Visit) -> str:
    """One that is too long, by WebSocket and by HTTP."""
    text = "x" * (LIMITS["QUESTION_CHARS"] + 1)
    async with visit(1).socket() as client:
        await client.ask(text, history=[])
        frame = of_frame(await client.refusal())
    body = {"query": text, **PLAIN}
    return f"{frame}, {of_reply(await visit(1).http('POST', '/api/search', json=body))}"


async def long_frame(visit: Visit) -> str:
    """One that is not even read."""
    async with visit(1).socket() as client:
        await client.send(json.dumps(question(Asked("x" * 30_000, "c", "m"))))
        return str(await client.closed())


async def half_a_request(visit: Visit) -> str:
    """One that is never sent to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", visit(1).program.port)
    writer.write(b"GET /api HTTP/1.1\r\nHost: ")
    status = (await asyncio.wait_for(reader.readline(), 10)).split()[1]
    writer.close()
    return status.decode()


async def chunks(visit: Visit) -> str:
    """A second upload, whose length nobody knows before its end."""

    async def form() -> AsyncIterator[bytes]:
        head = b'--XX\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        yield head + b"x" * 3000
        yield b"x" * 3000 + b"\r\n--XX--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    for number in (1, 2):
        reply = await visit(number).http("POST", "/api/uploads", content=form(), headers=headers)
    return of_reply(reply)
