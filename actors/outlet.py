"""The only writer to a client's socket."""

import asyncio
import functools
from typing import ClassVar

import structlog

from actors.base import Actor, on
from actors.errors import ActorDead, MailboxFull
from actors.journal import Journal
from actors.policy import Policy
from protocol.base import Message
from protocol.connection import Connection, ConnectionGone
from protocol.events import END, Entry, SourcesFound
from protocol.frames import dialect, encode, merged

log = structlog.get_logger(__name__)

TOO_SLOW = 4008


class Reading:
    """How far a client has been told a journal; it outlives the outlet's restarts."""

    __slots__ = ("journal", "seq", "sources_at", "wake", "woken")

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.seq = 0
        self.sources_at: float | None = None
        self.woken = False
        self.wake = lambda: None


class Say(Message, frozen=True):
    """Send a frame that belongs to no turn."""

    frame: str


class Follow(Message, frozen=True):
    """Tell the client this journal from its beginning to its end."""

    journal: Journal


class ReadOn(Message, frozen=True):
    """The journal of this reading has grown."""

    reading: Reading


class Outlet(Actor):
    """Tells journals to one client, by position: what waits merges, a slow client slows nobody."""

    policy: ClassVar[Policy] = Policy(restarts=5)
    mailbox_bound: ClassVar[int] = 256

    def __init__(
        self, connection: Connection, readings: list[Reading], *, ui_gap_s: float, send_s: float
    ) -> None:
        super().__init__()
        self._connection = connection
        self._readings = readings
        self._known = dialect(connection.subprotocol)
        self._ui_gap_s = ui_gap_s
        self._send_s = send_s

    async def on_start(self) -> None:
        """Go on with what a failed predecessor was telling."""
        for reading in self._readings:
            self._listen(reading)

    @on(Say)
    async def say(self, message: Say) -> None:
        """Send one frame."""
        await self._send(message.frame)

    @on(Follow)
    async def follow(self, message: Follow) -> None:
        """Begin to tell a journal."""
        reading = Reading(message.journal)
        self._readings.append(reading)
        self._listen(reading)

    @on(ReadOn)
    async def read_on(self, message: ReadOn) -> None:
        """Tell what has come since; a reading that was told to its end stays ended."""
        reading = message.reading
        reading.woken = False
        if reading not in self._readings:
            return
        for entry in merged(reading.journal.after(reading.seq)):
            if self._too_early(reading, entry):
                return
            await self._tell(reading, entry)

    async def on_stop(self) -> None:
        """Stop listening: the turns go on without this client."""
        for reading in self._readings:
            reading.journal.unfollow(reading.wake)

    def _listen(self, reading: Reading) -> None:
        reading.journal.unfollow(reading.wake)
        reading.wake = functools.partial(self._wake, reading)
        reading.woken = False
        reading.journal.follow(reading.wake)
        reading.wake()

    def _wake(self, reading: Reading) -> None:
        """At most one message waits for each reading, however fast its journal grows."""
        if reading.woken:
            return
        try:
            self.ref.tell(ReadOn(reading))
            reading.woken = True
        except (ActorDead, MailboxFull):
            log.debug("reading.unheard", seq=reading.seq)

    async def _tell(self, reading: Reading, entry: Entry) -> None:
        frame = encode(entry, reading.journal.turn, self._known)
        if frame is not None:
            await self._send(frame)
        reading.seq = entry.seq
        if isinstance(entry.event, SourcesFound):
            reading.sources_at = self.life.system.now()
        if isinstance(entry.event, END):
            reading.journal.unfollow(reading.wake)
            self._readings.remove(reading)

    def _too_early(self, reading: Reading, entry: Entry) -> bool:
        """Whether the end would follow the sources too fast for the web UI to notice both."""
        if reading.sources_at is None or not isinstance(entry.event, END):
            return False
        wait_s = reading.sources_at + self._ui_gap_s - self.life.system.now()
        if wait_s <= 0:
            return False
        asyncio.get_running_loop().call_later(wait_s, reading.wake)
        return True

    async def _send(self, frame: str) -> None:
        try:
            async with asyncio.timeout(self._send_s):
                await self._connection.send(frame)
        except TimeoutError:
            log.warning("client.dropped", reason="too slow")
            await self._connection.close(TOO_SLOW, "too slow: come back and resume")
            self.stop()
        except ConnectionGone:
            self.stop()
