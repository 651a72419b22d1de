"""The only writer to a client's socket."""

import asyncio
import functools
from typing import ClassVar

import structlog

from actors.base import Actor, on
from actors.errors import ActorDead, MailboxFull
from actors.journal import Journal
from actors.policy import Policy
from protocol.base import Message, Value
from protocol.connection import Connection, ConnectionGone
from protocol.events import END, Delta, Entry, SourcesFound
from protocol.frames import dialect, encode, merged, resumed_frame, snapshot_frame

log = structlog.get_logger(__name__)

TOO_SLOW = 4008
TOO_SLOW_REASON = "too slow: come back and resume"


class Pace(Value, frozen=True):
    """How fast a client is told: seconds.

    ``ui_gap_s`` lie at least between the sources and the end of a turn, ``merge_s`` between two
    frames of text; a frame that is not taken within ``send_s`` is one too many.
    """

    ui_gap_s: float
    merge_s: float
    send_s: float


def nobody() -> None:
    """Wake nobody."""


class Reading:
    """How far a client has been told a journal; it outlives the outlet's restarts."""

    __slots__ = ("journal", "next_delta_at", "seq", "sources_at", "timer", "wake", "woken")

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.seq = 0
        self.sources_at: float | None = None
        self.next_delta_at = 0.0  # until then deltas wait, to be told together
        self.timer: asyncio.TimerHandle | None = None
        self.woken = False
        self.wake = nobody

    def rest(self) -> None:
        """Forget the timer, if there is one."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Say(Message, frozen=True):
    """Send a frame that belongs to no turn."""

    frame: str


class Follow(Message, frozen=True):
    """Tell the client this journal from its beginning to its end."""

    journal: Journal


class Resume(Message, frozen=True):
    """Tell the client the rest of a journal that it knows up to event ``after``.

    One that claims to know more than there is, or whose knowledge ``is_torn`` from it, is given the
    whole text as it is now.
    """

    journal: Journal
    after: int
    is_torn: bool = False


class ReadOn(Message, frozen=True):
    """The journal of this reading has grown."""

    reading: Reading


class Outlet(Actor):
    """Tells journals to one client, by position: what waits merges, a slow client slows nobody.

    What one client can make us hold is the frame that it does not take, and what its socket
    buffers: a frame of text is bounded, and no second one is made before the first is gone.
    """

    policy: ClassVar[Policy] = Policy(restarts=5)
    mailbox_bound: ClassVar[int] = 256

    def __init__(self, connection: Connection, readings: list[Reading], pace: Pace) -> None:
        super().__init__()
        self._connection = connection
        self._readings = readings
        self._known = dialect(connection.subprotocol)
        self._pace = pace

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
        self._listen(self._reading(message.journal))

    @on(Resume)
    async def resume(self, message: Resume) -> None:
        """Tell the rest of a journal, or all of it in one frame."""
        journal = message.journal
        reading = self._reading(journal)
        if message.is_torn or message.after > len(journal.entries):
            await self._tell_whole(reading)
        else:
            await self._send(resumed_frame(journal.turn, message.after))
            reading.seq = message.after
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
        if reading.journal.ended and reading.seq >= len(reading.journal.entries):
            self._let_go(reading)

    async def on_stop(self) -> None:
        """Stop listening: the turns go on without this client."""
        for reading in list(self._readings):
            self._let_go(reading)

    def _reading(self, journal: Journal) -> Reading:
        """A new reading of the journal, in place of one that goes on."""
        for other in [other for other in self._readings if other.journal is journal]:
            self._let_go(other)
        reading = Reading(journal)
        self._readings.append(reading)
        return reading

    def _listen(self, reading: Reading) -> None:
        reading.journal.unfollow(reading.wake)
        reading.rest()
        reading.wake = functools.partial(self._wake, reading)
        reading.woken = False
        reading.journal.follow(reading.wake)
        self._ring(reading)

    def _let_go(self, reading: Reading) -> None:
        reading.journal.unfollow(reading.wake)
        reading.wake = nobody  # it knew this reading, which would wait for the collector
        reading.rest()
        self._readings.remove(reading)

    def _wake(self, reading: Reading) -> None:
        """The journal has grown: by what this client is not told, what can wait, or what cannot."""
        kind = type(reading.journal.entries[-1].event)
        if reading.woken or (kind not in self._known and kind not in END):
            return
        if kind is Delta:
            if reading.timer is None:
                self._ring_at(reading, reading.next_delta_at)
        else:
            self._ring(reading)

    def _ring_at(self, reading: Reading, at: float) -> None:
        if at <= self.life.system.now():
            self._ring(reading)
        else:
            loop = asyncio.get_running_loop()
            reading.rest()
            reading.timer = loop.call_at(at, self._ring, reading)

    def _ring(self, reading: Reading) -> None:
        """At most one message waits for each reading, however fast its journal grows."""
        reading.rest()
        if reading.woken:
            return
        try:
            self.ref.tell(ReadOn(reading))
            reading.woken = True
        except (ActorDead, MailboxFull):
            log.debug("reading.unheard", seq=reading.seq)

    async def _tell(self, reading: Reading, entry: Entry) -> None:
        frame = encode(entry, reading.journal.turn, self._known)
        # Before it is sent: a connection writes first and waits then, so that an outlet that is
        # ended while it waits must not send the same again after its restart.
        reading.seq = entry.seq
        if frame is not None:
            reading.journal.sent(frame)
            await self._send(frame)
        if isinstance(entry.event, Delta):
            reading.next_delta_at = self.life.system.now() + self._pace.merge_s
        elif isinstance(entry.event, SourcesFound):
            reading.sources_at = self.life.system.now()

    async def _tell_whole(self, reading: Reading) -> None:
        """The sources and the text as they are now; the end, if there is one, is told behind it."""
        journal = reading.journal
        for entry in journal.entries:
            if isinstance(entry.event, SourcesFound):
                await self._tell(reading, entry)
        reading.seq = len(journal.entries) - journal.ended
        await self._send(snapshot_frame(journal.turn, reading.seq, journal.text))

    def _too_early(self, reading: Reading, entry: Entry) -> bool:
        """Whether the end would follow the sources too fast for the web UI to notice both."""
        if reading.sources_at is None or not isinstance(entry.event, END):
            return False
        at = reading.sources_at + self._pace.ui_gap_s
        if at <= self.life.system.now():
            return False
        self._ring_at(reading, at)
        return True

    async def _send(self, frame: str) -> None:
        try:
            await self._connection.send(frame, within_s=self._pace.send_s)
        except TimeoutError:
            log.warning("client.dropped", reason="too slow")
            await self._connection.close(TOO_SLOW, TOO_SLOW_REASON)
            self.stop()
        except ConnectionGone:
            self.stop()
