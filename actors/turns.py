"""All turns that run, whoever asked for them and whether or not they still listen."""

from collections.abc import Mapping
from typing import ClassVar

import structlog

from actors.base import Actor, on
from actors.context import bound
from actors.finding import Crew
from actors.journal import Journal, refuse
from actors.line import Line
from actors.policy import Policy
from actors.turn import Begin, Turn
from protocol.base import Message
from protocol.errors import ServiceError
from protocol.settings import Limits
from retrieval.modes import FocusMode

log = structlog.get_logger(__name__)


class StartTurn(Message, frozen=True):
    """Answer the question of the journal, or end the journal with the reason why not."""

    journal: Journal


class Turns(Actor):
    """Owns the turns, so that a client that leaves does not end what it asked for."""

    policy: ClassVar[Policy] = Policy(restarts=5, escalate=True, keeps_children=True)
    mailbox_bound: ClassVar[int] = 10_000

    def __init__(
        self, crew: Crew, modes: Mapping[str, FocusMode], limits: Limits, line: Line
    ) -> None:
        super().__init__()
        self._line = line
        self._crew = crew
        self._modes = modes
        self._limits = limits

    @on(StartTurn)
    async def start_turn(self, message: StartTurn) -> None:
        """Give the journal an actor of its own, as long as there is room for one more."""
        journal = message.journal
        with bound(turn_id=journal.turn.turn_id):
            try:
                place = self._line.enter(journal.turn)
            except ServiceError as error:
                log.warning("turn.failed", key=error.key, problem=str(error))
                refuse(journal, error)
                return
            mode = self._modes[journal.turn.question.focus_mode]
            turn = self.spawn(Turn, journal, place, self._crew, mode, self._limits)
            turn.life.when_ended(place.leave)
            turn.tell(Begin())
