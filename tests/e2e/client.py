"""A WebSocket client that speaks as the web UI does, or as ``perplexica.v2``."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.typing import Subprotocol

from tests.e2e.canary import check

V2 = Subprotocol("perplexica.v2")
ENDS = {"messageEnd", "error", "stopped"}
DEADLINE_S = 30.0

Frame = dict[str, Any]


class Place(Protocol):
    """Where a client can connect: the program, or a proxy before it."""

    @property
    def port(self) -> int:
        """A port of loopback."""


@dataclass(frozen=True)
class Asked:
    """Which question was sent."""

    text: str
    chat_id: str
    message_id: str


@dataclass(frozen=True)
class Turn:
    """The frames of one turn, oldest first, with the time each came."""

    frames: tuple[Frame, ...]
    times: tuple[float, ...]

    @property
    def message_id(self) -> str:
        """The answer's id."""
        return str(self.frames[-1]["messageId"])

    @property
    def types(self) -> list[str]:
        """What sorts of frames came; neighbours of one sort count once."""
        kinds = [frame["type"] for frame in self.frames]
        return [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(frame["data"] for frame in self.frames if frame["type"] == "message")

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The sources of the first frame that has some."""
        return next((f["data"] for f in self.frames if f["type"] == "sources"), [])

    @property
    def seqs(self) -> list[int]:
        """The number of each frame."""
        return [frame["seq"] for frame in self.frames]

    @property
    def end(self) -> Frame:
        """The terminal frame."""
        return self.frames[-1]


class Client:
    """One socket; frames are read as they come, so that no test has to hurry."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self._taken: set[str] = set()
        self._errors = 0
        self._changed = asyncio.Event()
        self.is_gone = False  # the socket is closed, and all frames that came are here
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        place: Place,
        query: Mapping[str, str] | None = None,
        *,
        v2: bool = False,
        ready: bool = True,
        sock: socket.socket | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "AsyncIterator[Client]":
        """A client; with ``ready`` it has had its signal; ``sock`` is connected already."""
        connection = await connect(
            f"ws://127.0.0.1:{place.port}/?{urlencode(query or {})}",
            subprotocols=[V2] if v2 else None,
            compression=None,
            max_size=None,
            ping_interval=None,
            proxy=None,
            sock=sock,
            additional_headers=headers,
        )
        client = cls(connection)
        try:
            if ready:
                await client.until(lambda frame: frame["type"] == "signal")
            yield client
        finally:
            await client.leave()

    async def leave(self) -> None:
        """Close the socket; does nothing the second time, or when the server has closed it."""
        # The library's own close() breaks on a socket that the server has closed while data still
        # waited to be sent: asyncio's transport cannot be aborted after that (Python 3.11).
        if self.socket.state is State.OPEN:
            await self.socket.close()
        await self.socket.wait_closed()
        await self._reading

    async def send(self, frame: Any) -> None:
        """Send text or bytes as they are, anything else as JSON."""
        raw = isinstance(frame, str | bytes)
        await self.socket.send(frame if raw else json.dumps(frame))

    async def ask(self, text: str, *, chat: str = "", message: str = "", **fields: Any) -> Asked:
        """Send a question as the UI does: its history ends with the question itself."""
        asked = Asked(text, chat or secrets.token_hex(20), message or secrets.token_hex(7))
        await self.send(question(asked) | fields)
        return asked

    async def answer(self, text: str, **fields: Any) -> Turn:
        """Ask, and wait for the whole turn."""
        await self.ask(text, **fields)
        return await self.turn()

    async def turn(self, deadline_s: float = DEADLINE_S) -> Turn:
        """The next turn that has come to its end; each is handed out once."""
        end = await self.until(self._is_new_end, deadline_s)
        self._taken.add(end["messageId"])
        mine = [at for at, f in enumerate(self.frames) if f.get("messageId") == end["messageId"]]
        return Turn(tuple(self.frames[at] for at in mine), tuple(self.times[at] for at in mine))

    async def refusal(self) -> Frame:
        """The next ``error`` frame; each is handed out once."""
        wanted = self._errors + 1
        await self.until(lambda _frame: len(self._refusals()) >= wanted)
        self._errors = wanted
        return self._refusals()[wanted - 1]

    def forget(self) -> None:
        """Let go of all frames that have come so far."""
        self.frames.clear()
        self.times.clear()

    async def until(self, wanted: Callable[[Frame], bool], deadline_s: float = DEADLINE_S) -> Frame:
        """The first frame that is as wanted; raises TimeoutError, and when the socket closes."""
        await self.settle(lambda: any(map(wanted, self.frames)), deadline_s)
        found = next(filter(wanted, self.frames), None)
        assert found is not None, f"closed with {self.socket.close_code}: {self.frames}"
        return found

    async def settle(self, holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
        """Return once that holds or the socket is closed; raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while not (self.is_gone or holds()):
                self._changed.clear()
                await self._changed.wait()

    async def closed(self, deadline_s: float = DEADLINE_S) -> int | None:
        """The code that the server closes with."""
        await asyncio.wait_for(self.socket.wait_closed(), deadline_s)
        return self.socket.close_code

    @property
    def has_end(self) -> bool:
        """Whether a turn has ended, of those whose frames are here."""
        return any(frame["type"] in ENDS for frame in self.frames)

    def _refusals(self) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == "error"]

    def _is_new_end(self, frame: Frame) -> bool:
        name = frame.get("messageId")
        return frame["type"] in ENDS and name is not None and name not in self._taken

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                check("a frame", str(text))
                self.frames.append(json.loads(text))
                self.times.append(asyncio.get_running_loop().time())
                self._changed.set()
        except ConnectionClosed:
            pass  # an abrupt end is an end; tests look at the close code
        finally:
            self.is_gone = True
            self._changed.set()


def question(asked: Asked) -> Frame:
    """The frame of a question."""
    return {
        "type": "message",
        "message": {
            "messageId": asked.message_id,
            "chatId": asked.chat_id,
            "content": asked.text,
        },
        "focusMode": "webSearch",
        "optimizationMode": "speed",
        "history": [["human", asked.text]],
    }
