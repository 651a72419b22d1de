"""Clients in memory: each checks what it is told against what really happened."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from protocol.connection import ConnectionGone
from protocol.events import Delta
from protocol.frames import PLAIN, SUBPROTOCOL, V2
from tests.simulation.script import Person
from tests.simulation.truth import Turn, text_of

Frame = dict[str, Any]
ENDS = {"messageEnd", "stopped", "error"}


class Around(Protocol):
    """What a client needs of the world."""

    def wrong(self, promise: str, what: str) -> None:
        """A promise was broken."""

    def told(self, *what: Any) -> None:
        """A line of the history."""

    def turn(self, answer_id: str) -> Turn | None:
        """The truth of a turn that runs, or has run, in the process of this moment."""

    def lost(self, client: "Client") -> None:
        """The client's connection has been closed by the other side."""

    merge_s: float


class Connection:
    """One connection of a client, as the transport hands it to the server."""

    def __init__(self, client: "Client") -> None:
        self.subprotocol = SUBPROTOCOL if client.person.is_v2 else None
        self.calm_since = asyncio.get_running_loop().time()  # nothing held it up since
        self.waits_since: float | None = None  # a frame that is not taken
        self.is_open = True
        self.closed_with: int | None = None
        self.is_stalled = False
        self._client = client
        self._unread: list[str] = []
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self._moved = asyncio.Event()

    async def frames(self) -> AsyncIterator[str | bytes]:
        """What the client says, until it leaves or is closed."""
        while self.is_open and (frame := await self._incoming.get()) is not None:
            yield frame

    async def send(self, frame: str, *, within_s: float | None = None) -> None:
        """Take a frame; a stalled client has it in its buffer, and the sender waits."""
        if not self.is_open:
            raise ConnectionGone
        async with asyncio.timeout(within_s):
            await self._take(frame)

    async def _take(self, frame: str) -> None:
        if self.is_stalled:
            await self._hold(frame)
            return
        self._client.hear(json.loads(frame))
        takes_s = self._client.person.takes_s
        if takes_s is not None:
            await asyncio.sleep(takes_s)

    async def _hold(self, frame: str) -> None:
        self._unread.append(frame)
        self.waits_since = asyncio.get_running_loop().time()
        try:
            while self.is_stalled and self.is_open:
                self._moved.clear()
                await self._moved.wait()
        finally:
            self.waits_since = None
        if not self.is_open:
            raise ConnectionGone

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """The server closes it."""
        if self.is_open:
            self.closed_with = code
            self.cut()
            self._client.closed(code)

    def cut(self) -> None:
        """It is gone, for both sides."""
        self.is_open = False
        self._incoming.put_nowait(None)
        self._moved.set()

    def say(self, frame: str) -> None:
        """The client sends a frame."""
        self._incoming.put_nowait(frame)

    def stall(self, *, on: bool) -> None:
        """Stop reading, or read what was buffered and go on."""
        self.is_stalled = on
        self.calm_since = asyncio.get_running_loop().time()
        if not on:
            self._moved.set()
            unread, self._unread = self._unread, []
            for frame in unread:
                self._client.hear(json.loads(frame))


class View:
    """What a client knows of one turn."""

    def __init__(self) -> None:
        self.seq = 0
        self.pieces: list[tuple[int, str]] = []
        self.is_accepted = False  # it has been told that its question is durable
        self.end = ""
        self.resuming: list[int] = []  # the events from behind which it has asked to be told
        self.is_unknown = False
        self.heard_on: Connection | None = None  # where it was told of last

    @property
    def text(self) -> str:
        """The answer as far as it was told."""
        return "".join(text for _, text in self.pieces)

    def go_back(self, seq: int) -> None:
        """Forget what came behind an event."""
        self.end = self.end if seq >= self.seq else ""
        self.seq = seq
        self.pieces = [piece for piece in self.pieces if piece[0] <= seq]


class Client:
    """One client through all its connections."""

    def __init__(self, number: int, person: Person, around: Around) -> None:
        self.number = number
        self.person = person
        self.views: dict[str, View] = {}
        self.connection: Connection | None = None
        self.refusals = 0
        self._around = around
        self._known = V2 if person.is_v2 else PLAIN

    @property
    def is_there(self) -> bool:
        """Whether it is connected."""
        return self.connection is not None and self.connection.is_open

    @property
    def listens(self) -> bool:
        """Whether it is connected and reads at once."""
        connection = self.connection
        swift = not self.person.takes_s
        return swift and self.is_there and connection is not None and not connection.is_stalled

    def closed(self, code: int) -> None:
        """The server has closed the connection."""
        self._around.told("closed", self.number, code)
        self._around.lost(self)

    def leave(self) -> None:
        """Go away without a word."""
        if self.connection is not None and self.connection.is_open:
            self.connection.cut()

    def say(self, **fields: Any) -> None:
        """Send a frame with these fields."""
        if self.connection is not None and self.is_there:
            self.connection.say(json.dumps(fields))

    def resume(self, answer_id: str) -> None:
        """Ask for the rest of a turn."""
        if self.is_there and self.person.is_v2:
            view = self.views[answer_id]
            view.resuming.append(view.seq)
            self.say(type="resume", messageId=answer_id, after=view.seq)

    def come_back(self, connection: Connection) -> None:
        """Go on with a new connection: ask for the rest of all that has not ended."""
        self.connection = connection
        for answer_id, view in self.views.items():
            view.resuming.clear()
            if not view.end:
                self.resume(answer_id)

    # what it is told

    def hear(self, frame: Frame) -> None:
        """Take in a frame."""
        around = self._around
        kind, answer_id = frame["type"], frame.get("messageId")
        around.told("frame", self.number, kind, answer_id, frame.get("seq"), frame.get("data"))
        if answer_id is None:
            self.refusals += kind == "error"
        elif "seq" not in frame:
            self._hear_refusal(frame, self.views.setdefault(answer_id, View()))
        else:
            view = self.views.setdefault(answer_id, View())
            ANSWERS.get(kind, Client._hear_event)(self, frame, view)

    def _hear_refusal(self, frame: Frame, view: View) -> None:
        """What was asked of a turn cannot be."""
        if frame["key"] == "UNKNOWN_TURN":
            view.is_unknown = True
        if view.resuming:
            view.resuming.pop(0)

    def _hear_resumed(self, frame: Frame, view: View) -> None:
        if not view.resuming or view.resuming.pop(0) != frame["seq"]:
            self._around.wrong("P3", f"{self._name(frame)} was not asked for")
        view.go_back(frame["seq"])
        view.heard_on = self.connection

    def _hear_snapshot(self, frame: Frame, view: View) -> None:
        if not view.resuming:
            self._around.wrong("P4", f"{self._name(frame)} was not asked for")
        view.resuming.clear()
        view.go_back(0)
        view.seq, view.heard_on = frame["seq"], self.connection
        view.pieces = [(view.seq, frame["data"])]
        turn = self._around.turn(frame["messageId"])
        if turn is not None and text_of(turn.entries[: view.seq]) != frame["data"]:
            self._around.wrong("P4", f"{self._name(frame)} is not the text at that event")

    def _hear_event(self, frame: Frame, view: View) -> None:
        kind, seq = frame["type"], frame["seq"]
        if kind == "sources" and view.resuming and seq <= view.seq:
            return  # of a snapshot that follows
        if seq <= view.seq or view.end:
            self._around.wrong("P3", f"{self._name(frame)} was told again, or late")
        self._compare(frame, view)
        view.seq, view.heard_on = seq, self.connection
        view.is_accepted |= kind == "accepted" or bool(kind == "sources" and frame["data"])
        if kind == "message":
            view.pieces.append((seq, frame["data"]))
        if kind in ENDS:
            view.end = kind

    def _compare(self, frame: Frame, view: View) -> None:
        """What is told must be the events that follow, all of them that this client knows."""
        turn = self._around.turn(frame["messageId"])
        if turn is None or frame["seq"] > len(turn.entries):
            return
        covered = turn.entries[view.seq : frame["seq"]]
        known = [entry for entry in covered if type(entry.event) in self._known]
        if frame["type"] == "message":
            is_right = all(isinstance(entry.event, Delta) for entry in known)
            is_right = is_right and text_of(known) == frame["data"]
            self._check_delay(frame, turn.times[known[0].seq - 1] if known else 0)
        else:
            is_right = len(known) == 1
        if not is_right:
            skipped = ", ".join(type(entry.event).__name__ for entry in known)
            self._around.wrong("P3", f"{self._name(frame)} stands for {skipped or 'nothing'}")

    def _check_delay(self, frame: Frame, written_at: float) -> None:
        """Nobody else's slowness delays a piece."""
        connection, now = self.connection, asyncio.get_running_loop().time()
        if connection is None or not self.listens or written_at <= connection.calm_since:
            return
        late_s = now - written_at - self._around.merge_s
        if late_s > 0.001:
            self._around.wrong("P7", f"{self._name(frame)} came {late_s:.3f} s too late")

    def _name(self, frame: Frame) -> str:
        return f"{frame['type']} {frame['seq']} of {frame['messageId']} to client {self.number}"


ANSWERS: dict[str, Callable[[Client, Frame, View], None]] = {
    "resumed": Client._hear_resumed,
    "snapshot": Client._hear_snapshot,
}
