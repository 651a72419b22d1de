"""A turn's events while it runs: appended by the turn, read by position by whoever follows."""

from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from protocol.errors import ServiceError
from protocol.events import END, Delta, Entry, Event, Failed, SourcesFound
from protocol.ids import MessageId
from protocol.values import Node, TurnInfo

FLUSH_CHARS = 2048  # of an answer that the store may lack


class Journal:
    """An append-only list of numbered events, and who is to be woken when it grows.

    An event that promises something is first made durable (``next``, then the persister, then
    ``confirm``); any other is published at once (``write``). ``durable`` is the number of the last
    event that the store holds; ``is_awaited`` while the persister knows that there is more, and
    ``flush_at`` is the length of the text at which that becomes much. ``frames`` and
    ``frame_bytes`` are what clients have been told of it; ``recording`` is kept with its end.
    ``owner`` is whose it is: whoever's chat it is in, once that is known, and until then who asks.
    """

    def __init__(self, turn: TurnInfo, entries: Sequence[Entry] = ()) -> None:
        self.turn = turn
        self.owner = turn.person.name
        self.entries = list(entries)
        self.durable = len(self.entries)
        self.chars = len(self.text)
        self.is_awaited = False
        self.flush_at = FLUSH_CHARS
        self.frames = 0
        self.frame_bytes = 0
        self.recording = b""
        self._followers: list[Callable[[], None]] = []
        self._halt: Callable[[], None] | None = None
        self._is_unwanted = False

    def sent(self, frame: str) -> None:
        """A client is told this much more of it."""
        self.frames += 1
        self.frame_bytes += len(frame) if frame.isascii() else len(frame.encode())

    def next(self, event: Event) -> Entry:
        """The event with the number it will have; not yet visible to followers."""
        return Entry(len(self.entries) + 1, event)

    def publish(self, entry: Entry) -> None:
        """Make the entry visible; it must be the next one, and the journal not ended."""
        if self.ended or entry.seq != len(self.entries) + 1:
            message = f"entry {entry.seq} cannot follow entry {len(self.entries)}"
            raise ValueError(message)
        self.entries.append(entry)
        if isinstance(entry.event, Delta):
            self.chars += len(entry.event.text)
        for wake in tuple(self._followers):
            wake()

    def confirm(self, entry: Entry) -> None:
        """Publish an entry that the store holds, and with it all that came before."""
        self.publish(entry)
        self.durable = entry.seq

    def write(self, event: Event) -> None:
        """Publish an event that promises nothing."""
        self.publish(self.next(event))

    def after(self, seq: int) -> Sequence[Entry]:
        """The entries with a higher number, in order."""
        return self.entries[seq:]

    def follow(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called whenever the journal grows."""
        self._followers.append(wake)

    def unfollow(self, wake: Callable[[], None]) -> None:
        """Take ``follow`` back."""
        if wake in self._followers:
            self._followers.remove(wake)

    def stop(self) -> None:
        """The user wants no more of it: whoever writes it ends it now; harmless after the end."""
        self._is_unwanted = True
        if self._halt is not None:
            self._halt()

    def when_stopped(self, halt: Callable[[], None] | None) -> None:
        """Have ``halt`` called by ``stop``, also by one that came before; ``None`` for nobody."""
        self._halt = halt
        if halt is not None and self._is_unwanted:
            halt()

    @property
    def ended(self) -> bool:
        """Whether the last event is there."""
        return bool(self.entries) and isinstance(self.entries[-1].event, END)

    @property
    def text(self) -> str:
        """The answer as far as it is written."""
        return "".join(e.event.text for e in self.entries if isinstance(e.event, Delta))

    @property
    def sources(self) -> tuple[Node, ...] | None:
        """The sources of the answer; ``None`` as long as there are none yet."""
        for entry in self.entries:
            if isinstance(entry.event, SourcesFound):
                return entry.event.nodes
        return None


Journals = WeakValueDictionary[MessageId, Journal]
"""Journals by the ids of their answers, as long as somebody works on them or lacks some of them."""


Watch = Callable[[Journal], None]
"""Is given the journal of each turn when it begins."""


def unwatched(_journal: Journal) -> None:
    """Where nobody watches."""


def apologise(journal: Journal, error: ServiceError) -> None:
    """Write the failure into the answer, so that every client can show it; sources come first."""
    if journal.sources is None:
        journal.write(SourcesFound(()))
    gap = "\n\n" if journal.chars else ""
    journal.write(Delta(f"{gap}{error}"))


def refuse(journal: Journal, error: ServiceError) -> None:
    """End a turn that could not even be kept."""
    apologise(journal, error)
    journal.write(Failed(error.key, str(error), again_after_s=error.again_after_s))
