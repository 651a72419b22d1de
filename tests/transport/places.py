"""A served port for tests, its fakes, and a client that speaks in raw bytes."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from access.doors import OpenDoor
from access.gate import Gate
from access.quotas import Quotas
from actors.envelope import Reply
from actors.journal import Journal
from actors.unkept import Following
from protocol.access import Identify, Person
from protocol.access_settings import Access
from protocol.connection import Connection
from protocol.errors import InvalidModelSelected, ServiceError
from protocol.events import Event
from protocol.ids import MessageId, SessionId, TurnId
from protocol.settings import General, Limits, Settings, Uploads
from protocol.values import Models, Question, TurnInfo
from tests.transport.declared import as_declared
from tests.transport.desks import Drawer, Held
from tests.transport.shelf import Shelf
from transport.desk import Times
from transport.http import Request, Response, Route
from transport.routes import ROUTES
from transport.server import Server, serve
from transport.services import Asking, Health, Services, UploadDesk
from transport.websocket import Converse
from upstreams.breaker import UpstreamHealth

PATIENCE_S = 10.0  # a test that waits longer has failed

# How these tests ask, and where the web UI is that asks beside them.
HERE = Access(hosts=("h",), origins=("http://localhost:3000",))
SMALL = Limits(body_bytes=1000, head_bytes=2000, frame_bytes=4 * 1024 * 1024)


@dataclass(frozen=True)
class Lists:
    """What models are on offer."""

    chat: dict[str, dict[str, str]]
    embedding: dict[str, dict[str, str]]


class Oracle:
    """Answers each question with the same events; remembers what it was asked."""

    def __init__(self, *events: Event, extras: object = None) -> None:
        self.events = events
        self.asked: list[tuple[Question, Models]] = []
        self.beside: list[Any] = []
        self.begun = asyncio.Event()
        self.left = asyncio.Event()
        self.replies: list[Reply[None]] = []
        self._extras = extras

    @property
    def asking(self) -> Asking:
        """The oracle as routes see it."""
        modes = ("webSearch", "writingAssistant")
        return Asking(self.answer, self.find, self.resolve, modes, Limits(question_chars=100))

    def answer(self, question: Question, models: Models, person: Person) -> Following:
        """A turn with the events; without an end among them it goes on for ever."""
        self.asked.append((question, models))
        ids = (TurnId("t"), SessionId("s"), MessageId("a"))
        turn = TurnInfo(*ids, question, models, person)
        journal, reply = Journal(turn), Reply[None]()
        for event in self.events:
            journal.write(event)
        reply.when_abandoned(self.left.set)
        self.replies.append(reply)
        self.begun.set()
        return Following(journal, reply)

    async def breaks(self, error: ServiceError) -> None:
        """Let the first turn come to nothing, once it has been asked for."""
        async with asyncio.timeout(PATIENCE_S):
            await self.begun.wait()
        self.replies[0].set_exception(error)

    async def find(self, request: Any) -> Any:
        """What it was made with."""
        self.beside.append(request)
        if isinstance(self._extras, ServiceError):
            raise self._extras
        return self._extras

    @staticmethod
    def resolve(models: Models) -> Models:
        """The models as they are; ``nope`` is not on offer."""
        for choice in (models.chat, models.embedding):
            if choice.provider == "nope":
                raise InvalidModelSelected("nope")
        return models


def services(
    shelf: Shelf | None = None,
    lists: Lists | None = None,
    trouble: ServiceError | None = None,
    settings: Held | None = None,
    unwell: Mapping[str, str] | None = None,
    uploads: UploadDesk | None = None,
    asking: Asking | None = None,
    gate: Gate | None = None,
) -> Services:
    """Services over a shelf; never ready when there is trouble."""
    kept = shelf or Shelf()

    async def models() -> Lists:
        return lists or Lists({}, {})

    async def ready() -> None:
        if trouble is not None:
            raise trouble

    async def health() -> Health:
        upstream = UpstreamHealth("searxng", "open", 7, "no answer in time", 3)
        counts = {"retried": {"searxng": 2}}
        return Health(
            "degraded", (upstream,), unwell or {}, "", {"sessions": 2, "turns": 1}, counts
        )

    return Services(
        store=kept,
        models=models,
        unwell=lambda: unwell or {},
        settings=settings or Held(),
        uploads=uploads or Drawer().desk,
        delete_chat=kept.delete,
        ready=ready,
        asking=asking or Oracle().asking,
        health=health,
        gate=gate or Gate(OpenDoor(), is_open=True),
        quotas=Quotas(SMALL, time.monotonic),
    )


class Named(msgspec.Struct):
    """A body with one field."""

    name: str


async def echo(request: Request, _: Services) -> Response:
    """Answer the body as it came."""
    return Response(body=request.body, headers=(("Content-Type", "text/plain"),))


async def read_name(request: Request, _: Services) -> Response:
    """Answer the field of a typed body."""
    return Response.of({"name": request.body_as(Named).name})


async def show_request(request: Request, _: Services) -> Response:
    """Answer what the request said."""
    return Response.of({"params": dict(request.params), "query": dict(request.query)})


TRIED = (
    Route("POST", "/echo", echo),
    Route("POST", "/named", read_name),
    Route("GET", "/show/{one}/and/{two}", show_request),
)


async def repeat(connection: Connection, query: Mapping[str, str], _: Identify) -> None:
    """Send each frame back; the parameters first, when there are any."""
    if query:
        await connection.send(msgspec.json.encode(query).decode())
    async for frame in connection.frames():
        await connection.send(frame if isinstance(frame, str) else f"{len(frame)} bytes")


@asynccontextmanager
async def serving(
    *,
    converse: Converse = repeat,
    routes: tuple[Route, ...] = (),
    limits: Limits = SMALL,
    times: Times | None = None,
    using: Services | None = None,
) -> AsyncIterator[Server]:
    """A server on a free port of loopback, closed at the end."""
    settings = Settings(
        general=General(port=0),
        access=HERE,
        limits=limits,
        uploads=Uploads(file_bytes=1000, files=3),
    )
    server = await serve(
        settings,
        using or services(),
        converse,
        routes=(*as_declared(ROUTES), *TRIED, *routes),
        times=times,
    )
    try:
        yield server
    finally:
        await server.close()


@dataclass(frozen=True)
class Answer:
    """One response, read strictly."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return msgspec.json.decode(self.body)


class Client:
    """A client that sends what it is told, good or bad."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes; waits while the server takes none."""
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
            await self.writer.drain()

    async def answer(self, *, head_only: bool = False) -> Answer:
        """The next response."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z' -]+", first)
            assert match, first
            headers = dict(line.lower().split(": ", 1) for line in lines)
            assert len(headers) == len(lines)
            size = 0 if head_only else int(headers.get("content-length", "0"))
            return Answer(int(match[1]), headers, await self.reader.readexactly(size))

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def ask(self, data: bytes, *, head_only: bool = False) -> Answer:
        """The response to a request."""
        await self.send(data)
        return await self.answer(head_only=head_only)


@asynccontextmanager
async def client(server: Server) -> AsyncIterator[Client]:
    """A connection to the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def get(path: str, *lines: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: h", *lines, "", "")).encode()


def post(path: str, body: bytes, *lines: str) -> bytes:
    """A request with a body of known length."""
    length = f"Content-Length: {len(body)}"
    return get(path, length, *lines, method="POST") + body
