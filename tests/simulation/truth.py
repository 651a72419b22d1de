"""What really happened in each turn, as its journal told it while it was written."""

import asyncio
from collections.abc import Callable
from weakref import ref

from actors.journal import Journal
from protocol.events import END, Delta, Entry, Finished
from protocol.ids import MessageId
from protocol.values import TurnInfo

Noted = Callable[["Turn", Entry], None]


class Turn:
    """One turn: its events with their times; it keeps the journal's content, not the journal."""

    def __init__(self, info: TurnInfo, era: int, noted: Noted) -> None:
        self.info = info
        self.era = era
        self.number = int(info.question.text.partition("x")[0][1:])
        self.began_at = asyncio.get_running_loop().time()
        self.entries: list[Entry] = []
        self.times: list[float] = []
        self.is_cut = False  # its process has died before it could end
        self._noted = noted

    @property
    def answer_id(self) -> MessageId:
        """The id of its answer."""
        return self.info.answer_id

    @property
    def text(self) -> str:
        """The answer as far as it was written."""
        return text_of(self.entries)

    @property
    def has_ended(self) -> bool:
        """Whether its last event is there."""
        return bool(self.entries) and isinstance(self.entries[-1].event, END)

    @property
    def is_whole(self) -> bool:
        """Whether it has promised a whole answer."""
        return bool(self.entries) and isinstance(self.entries[-1].event, Finished)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.has_ended or self.is_cut

    def follow(self, journal: Journal) -> None:
        """Note all that the journal gets, as long as it lives."""
        weak = ref(journal)

        def note() -> None:
            if (there := weak()) is not None and not self.is_cut:
                self._note(there)

        journal.follow(note)
        note()

    def _note(self, journal: Journal) -> None:
        now = asyncio.get_running_loop().time()
        for entry in journal.after(len(self.entries)):
            self.entries.append(entry)
            self.times.append(now)
            self._noted(self, entry)


def text_of(entries: list[Entry]) -> str:
    """The answer that the events tell."""
    return "".join(e.event.text for e in entries if isinstance(e.event, Delta))
