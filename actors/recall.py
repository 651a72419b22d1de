"""Turns that nobody works on any more, told again from the store."""

from typing import ClassVar

import structlog

from actors.base import Actor, on
from actors.journal import Journal
from actors.outlet import Resume, Say
from actors.ref import Ref
from protocol.access import Reach
from protocol.base import Message
from protocol.errors import ServiceError, TurnFailed, UnknownTurn
from protocol.events import Delta, Entry, Event, Failed, Finished, SourcesFound, Stopped
from protocol.frames import error_frame
from protocol.ids import ChatId, MessageId, SessionId
from protocol.values import Question, TurnInfo
from storage.store import Store, StoredTurn

log = structlog.get_logger(__name__)

UNFINISHED = "This answer did not come to its end."


class Recall(Message, frozen=True):
    """Have the outlet tell the turn of an answer from behind event ``after``.

    Without ``after`` the client only wanted it to end: it is told where no such turn is known.
    """

    answer_id: MessageId
    after: int | None
    outlet: Ref
    reach: Reach


class Recaller(Actor):
    """Makes a journal of what the store has of a turn."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    @on(Recall)
    async def recall(self, message: Recall) -> None:
        """Give the outlet the journal, or the reason why there is none."""
        try:
            turn = await self._turn(message)
            if message.after is not None:
                message.outlet.tell(await self._resumed(turn, message.after, message.reach))
        except ServiceError as error:
            log.info("recall.refused", key=error.key)
            message.outlet.tell(Say(error_frame(error, message.answer_id)))

    async def _turn(self, message: Recall) -> StoredTurn:
        """One that has ended; what runs, and is not ours, runs in another process."""
        turn = await self._store.turn(message.answer_id, message.reach)
        if turn is None or turn.state == "running":
            raise UnknownTurn
        return turn

    async def _resumed(self, turn: StoredTurn, after: int, reach: Reach) -> Resume:
        entries = await self._store.entries(turn.turn_id, reach)
        is_torn = after > turn.survived or not entries
        return Resume(Journal(_named(turn), entries or _retold(turn)), after, is_torn)


def _named(turn: StoredTurn) -> TurnInfo:
    """The turn by its names alone: nobody answers its question again."""
    question = Question(ChatId(""), MessageId(""), "", "", "speed")
    return TurnInfo(turn.turn_id, SessionId(""), turn.answer_id, question)


def _retold(turn: StoredTurn) -> list[Entry]:
    """A journal that has been forgotten, from the answer that is left."""
    ends: dict[str, Event] = {"finished": Finished(), "stopped": Stopped()}
    end = ends.get(turn.state) or Failed(turn.error or TurnFailed.key, UNFINISHED)
    events: list[Event] = [SourcesFound(turn.sources), Delta(turn.text), end]
    return [Entry(seq, event) for seq, event in enumerate(events, 1)]
