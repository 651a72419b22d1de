"""A turn's events while it runs: appended by the turn, read by position by whoever follows."""

from collections.abc import Callable, Sequence

from protocol.errors import ServiceError
from protocol.events import END, Delta, Entry, Event, Failed, SourcesFound
from protocol.values import Node, TurnInfo


class Journal:
    """An append-only list of numbered events, and who is to be woken when it grows.

    An event that promises something is first made durable (``next``, then the persister, then
    ``publish``); any other is published at once (``write``). ``durable`` is the number of the last
    event that the store holds.
    """

    def __init__(self, turn: TurnInfo) -> None:
        self.turn = turn
        self.durable = 0
        self.entries: list[Entry] = []
        self.chars = 0
        self._followers: list[Callable[[], None]] = []

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


def apologise(journal: Journal, error: ServiceError) -> None:
    """Write the failure into the answer, so that every client can show it; sources come first."""
    if journal.sources is None:
        journal.write(SourcesFound(()))
    gap = "\n\n" if journal.chars else ""
    journal.write(Delta(f"{gap}{error}"))


def refuse(journal: Journal, error: ServiceError) -> None:
    """End a turn that could not even be kept."""
    apologise(journal, error)
    journal.write(Failed(error.key, str(error)))
