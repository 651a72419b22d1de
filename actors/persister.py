"""The only actor that writes to the store."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar

import structlog

from actors.base import Actor, on
from actors.errors import ActorDead, MailboxFull
from actors.journal import Journal
from actors.policy import Policy
from protocol.base import Message, Request
from protocol.errors import ChatNotFound, StorageError, TurnStopped
from protocol.events import END, Accepted, Entry, Failed, Finished, Stopped
from protocol.settings import Journal as Retention
from protocol.values import Upload
from protocol.writes import (
    AcceptTurn,
    AppendEntries,
    EndTurn,
    ForgetJournals,
    KeepUploads,
    TurnState,
    Write,
)
from storage.store import Store

log = structlog.get_logger(__name__)

TIDY_S = 60.0
MOST_DOUBTFUL = 1_000
RETRY_S = 1.0  # after which a store that refused is asked again
ERRORS: dict[type, Callable[[Any], str | None]] = {
    Finished: lambda _: None,
    Failed: lambda event: str(event.key),
    Stopped: lambda _: TurnStopped.key,
}
STATES: dict[type, TurnState] = {Finished: "finished", Failed: "failed", Stopped: "stopped"}


class Keep(Request[None], frozen=True):
    """Make the entry durable, and with it all that came before in its journal."""

    journal: Journal
    entry: Entry


class Grown(Message, frozen=True):
    """The journal has more than the store holds; unless it is much, that may wait for a group."""

    journal: Journal
    is_much: bool = False


class Flush(Message, frozen=True):
    """Make durable what waits."""


class Perform(Request[bool], frozen=True):
    """Make one write durable that belongs to no turn; the reply says whether it could be done."""

    write: Write


class KeepFiles(Request[None], frozen=True):
    """Keep files that their owner has given."""

    uploads: tuple[Upload, ...]
    owner: str


class Tidy(Message, frozen=True):
    """Forget journals that are old."""


class Persister(Actor):
    """Makes journals durable: promises at once, deltas in groups, one transaction for all."""

    policy: ClassVar[Policy] = Policy(restarts=5, escalate=True)
    mailbox_bound: ClassVar[int] = 10_000

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        grown: dict[int, Journal],
        retention: Retention,
        *,
        flush_s: float = 0.2,
    ) -> None:
        """Write to the store; ``grown`` has what waits, and outlives a restart."""
        super().__init__()
        self._store = store
        self._now = now
        self._flush_s = flush_s
        self._grown = grown
        self._retention = retention
        self._tidy_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def on_start(self) -> None:
        """Go on with what a failed predecessor was told of."""
        self._flush_in(0)

    @on(Keep, batch=64)
    async def keep(self, messages: Sequence[Keep]) -> list[ChatNotFound | None]:
        """Commit the promises of all turns that wait, together with the deltas that do.

        A question in somebody else's chat is told that there is no such chat.
        """
        promised = {id(message.journal) for message in messages}
        others = [journal for key, journal in self._grown.items() if key not in promised]
        writes = [self._write(message.journal, message.entry) for message in messages]
        refused = await self._commit(writes, [*(message.journal for message in messages), *others])
        for message in messages:
            if isinstance(message.entry.event, Accepted):
                await self._find_owner(message.journal)
        self._tidy_soon()
        return [ChatNotFound() if write in refused else None for write in writes]

    @on(Grown)
    async def grown(self, message: Grown) -> None:
        """Remember the journal, and see to it that it is flushed soon, or now."""
        self._grown[id(message.journal)] = message.journal
        if not message.journal.durable:
            self._drop_doubtful()
        if message.is_much:
            await self.flush(Flush())
        else:
            self._flush_in(self._flush_s)

    @on(Flush)
    async def flush(self, _message: Flush) -> None:
        """Commit all that waits; what cannot be kept now is tried again in a while."""
        journals = list(self._grown.values())
        try:
            await self._commit([], journals)
        except StorageError as error:
            log.warning("flush.failed", journals=len(journals), key=error.key)
            self._flush_in(RETRY_S)

    @on(Tidy)
    async def tidy(self, _message: Tidy) -> None:
        """Forget some journals; what is left over has its turn a minute later."""
        await self._store.commit([self._forgetting()])

    @on(Perform)
    async def perform(self, message: Perform) -> bool:
        """Commit one write by itself; whether it could be done."""
        return not await self._store.commit([message.write])

    @on(KeepFiles)
    async def keep_files(self, message: KeepFiles) -> None:
        """Commit the files by themselves: they are large, and nobody's promise waits for them."""
        await self._store.commit([KeepUploads(message.uploads, self._now(), message.owner)])

    async def on_stop(self) -> None:
        """Flush what is left."""
        await self.flush(Flush())
        if self._timer is not None:
            self._timer.cancel()

    async def _commit(
        self, promises: list[Write], journals: Sequence[Journal]
    ) -> tuple[Write, ...]:
        """One transaction: the promises, and the deltas of journals that have none.

        Which of them could not be done.
        """
        held = {id(journal): len(journal.entries) for journal in journals}
        writes = [*promises, *self._waiting(journals[len(promises) :])]
        refused = await self._store.commit(writes) if writes else ()
        for journal in journals:
            self._hold(journal, held[id(journal)])
        self._flush_in(self._flush_s)
        return refused

    async def _find_owner(self, journal: Journal) -> None:
        """An administrator's turn in somebody's chat belongs to whose chat it is."""
        person = journal.turn.person
        if person.is_admin and person.name:
            with suppress(ChatNotFound, StorageError):  # the administrator may stop it all the same
                chat = await self._store.chat(journal.turn.question.chat_id, person.reach)
                journal.owner = chat.owner

    def _hold(self, journal: Journal, seq: int) -> None:
        """Know that the store has all up to an event, and whether that is all there is."""
        journal.durable = max(journal.durable, seq)
        if len(journal.entries) == journal.durable:
            journal.is_awaited = False
            self._grown.pop(id(journal), None)

    def _drop_doubtful(self) -> None:
        """Of turns that the store refused, keep the ends of the latest: it may have taken them."""
        doubtful = [key for key, journal in self._grown.items() if not journal.durable]
        for key in doubtful[:-MOST_DOUBTFUL]:
            del self._grown[key]

    def _tidy_soon(self) -> None:
        """Every minute in which something is kept."""
        now = self.life.system.now()
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_S
            with suppress(ActorDead, MailboxFull):
                self.ref.tell(Tidy())

    def _waiting(self, journals: Sequence[Journal]) -> list[Write]:
        """What the store lacks of these journals; also an end that it could not keep in time."""
        lacking = [(journal, tuple(journal.after(journal.durable))) for journal in journals]
        return [self._rest(journal, entries) for journal, entries in lacking if entries]

    def _write(self, journal: Journal, entry: Entry) -> Write:
        if isinstance(entry.event, Accepted):
            return AcceptTurn(journal.turn, entry, self._now())
        return self._rest(journal, (*journal.after(journal.durable), entry))

    def _rest(self, journal: Journal, entries: tuple[Entry, ...]) -> Write:
        turn, entry = journal.turn, entries[-1]
        if not isinstance(entry.event, END):
            return AppendEntries(turn.turn_id, entries)
        return EndTurn(
            turn.turn_id,
            entries,
            STATES[type(entry.event)],
            journal.text,
            journal.sources or (),
            ERRORS[type(entry.event)](entry.event),
            self._now(),
            recording=journal.recording,
        )

    def _forgetting(self) -> ForgetJournals:
        kept = self._retention
        return ForgetJournals(self._now() - timedelta(days=kept.days), kept.turns, kept.recordings)

    def _flush_in(self, seconds: float) -> None:
        """Flush what waits after a while, unless a flush is due already."""
        if self._timer is None and self._grown:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._send_flush)

    def _send_flush(self) -> None:
        self._timer = None
        if self.life.mailbox.closed or not self._grown:
            return
        self.ref.tell(Flush())
