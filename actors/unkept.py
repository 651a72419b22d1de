"""Questions that are answered once and not kept: nobody but their asker follows them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import ClassVar

import msgspec
import structlog

from actors.base import Actor, on
from actors.context import bound
from actors.envelope import Reply
from actors.errors import ActorDead
from actors.finding import Crew
from actors.journal import Journal, Watch, unwatched
from actors.line import Line
from actors.persister import Grown, Keep
from actors.policy import Policy
from actors.ref import Ref
from actors.turn import Begin, Turn
from protocol.access import Person
from protocol.base import Request
from protocol.errors import ServerDraining, ServiceError, TurnFailed
from protocol.events import Entry
from protocol.frames import merged
from protocol.ids import ChatId, MessageId, SessionId, TurnId
from protocol.settings import Limits
from protocol.values import Models, Question, TurnInfo
from retrieval.modes import FocusMode

log = structlog.get_logger(__name__)

FAREWELL_S = 5.0  # for a turn to end by itself after its own deadline


class Answer(Request[None], frozen=True):
    """Bring the journal to its end; the work ends with its asker."""

    journal: Journal


class Forgetter(Actor):
    """Stands where the persister stands, for turns that are not kept."""

    policy: ClassVar[Policy] = Policy(restarts=5, escalate=True)
    mailbox_bound: ClassVar[int] = 10_000

    @on(Keep)
    async def keep(self, _message: Keep) -> None:
        """Say that it is done."""

    @on(Grown)
    async def grown(self, message: Grown) -> None:
        """Nothing waits to be kept."""


class Answerer(Actor):
    """Owns one turn, and ends it when its asker leaves."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(
        self, crew: Crew, modes: Mapping[str, FocusMode], limits: Limits, line: Line
    ) -> None:
        super().__init__()
        self._line = line
        self._crew = crew
        self._modes = modes
        self._limits = limits

    @on(Answer)
    async def answer(self, message: Answer) -> None:
        """Run the turn to its end; raises Busy and ServerDraining where it cannot begin."""
        journal = message.journal
        place = self._line.enter(journal.turn)
        mode = self._modes[journal.turn.question.focus_mode]
        turn = self.spawn(Turn, journal, place, self._crew, mode, self._limits)
        turn.life.when_ended(place.leave)
        await turn.ask(Begin(), timeout=longest_s(self._limits))


def longest_s(limits: Limits) -> float:
    """Seconds after which a turn has ended in every case, its waiting included."""
    return limits.queue_s + limits.turn_s + FAREWELL_S


def forgetting(crew: Crew, forgetter: Ref) -> Crew:
    """The same crew, with nobody who keeps anything."""
    return msgspec.structs.replace(crew, persister=forgetter, records=False)


class Following:
    """The events of one turn as they come; whoever has it must close it.

    Closing it before its end ends the turn, and with it every call that it makes.
    """

    def __init__(self, journal: Journal, reply: Reply[None]) -> None:
        self.journal = journal
        self._reply = reply
        self._grown = asyncio.Event()
        self._seq = 0
        journal.follow(self._grown.set)
        self._watch = asyncio.ensure_future(self._watched())
        self._watch.add_done_callback(lambda _: self._grown.set())

    async def __aiter__(self) -> AsyncIterator[Entry]:
        """The events from the first on, deltas that wait merged.

        Raises:
            ServiceError: The turn could not begin, or did not even end by itself.

        """
        while True:
            self._grown.clear()
            for entry in merged(self.journal.after(self._seq)):
                self._seq = entry.seq
                yield entry
            if self.journal.ended and not self.journal.after(self._seq):
                return
            await self._more()

    async def begun(self) -> None:
        """Wait for the first event; raises as iterating does."""
        while not self.journal.entries:
            self._grown.clear()
            await self._more()

    async def ended(self) -> Journal:
        """The journal, once it has ended; raises as iterating does."""
        while not self.journal.ended:
            self._grown.clear()
            await self._more()
        return self.journal

    async def aclose(self) -> None:
        """Leave; does nothing the second time."""
        self.journal.unfollow(self._grown.set)
        self._reply.abandon()
        self._watch.cancel()
        await asyncio.wait({self._watch})

    async def _more(self) -> None:
        """Wait for the journal to grow, or for the news that it never will."""
        if self._watch.done() and not self.journal.ended:
            raise self._watch.result() or TurnFailed()
        await self._grown.wait()

    async def _watched(self) -> ServiceError | None:
        """Why the turn came to nothing; cancelled, it abandons the reply."""
        try:
            await self._reply
        except ActorDead:
            return ServerDraining()
        except ServiceError as error:
            return error
        return None


class Answers:
    """What the transport asks for an answer that is not kept."""

    def __init__(
        self, pool: Ref, limits: Limits, new_id: Callable[[], str], watch: Watch = unwatched
    ) -> None:
        self._watch = watch
        self._pool = pool
        self._limits = limits
        self._new_id = new_id
        self._session_id = SessionId(new_id())  # of all who ask so

    def begin(self, question: Question, models: Models, person: Person) -> Following:
        """Begin to answer; the question's ids may be empty, and are made here then."""
        journal = Journal(self._turn(question, models, person))
        self._watch(journal)
        with bound(turn_id=journal.turn.turn_id):
            log.info("turn.asked", focus_mode=question.focus_mode, chars=len(question.text))
            reply = self._pool.ask(Answer(journal), timeout=longest_s(self._limits) + FAREWELL_S)
        return Following(journal, reply)

    def _turn(self, question: Question, models: Models, person: Person) -> TurnInfo:
        new_id = self._new_id
        named = msgspec.structs.replace(
            question,
            chat_id=question.chat_id or ChatId(new_id()),
            message_id=question.message_id or MessageId(new_id()),
        )
        ids = (TurnId(new_id()), self._session_id, MessageId(new_id()))
        return TurnInfo(*ids, named, models, person)
