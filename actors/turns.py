"""All turns that run, whoever asked for them and whether or not they still listen."""

from collections.abc import Mapping
from typing import ClassVar

import structlog

from actors.base import Actor, on
from actors.context import bound
from actors.finding import Crew
from actors.journal import Journal, refuse
from actors.policy import Policy
from actors.turn import Begin, Turn
from protocol.base import Message
from protocol.errors import Busy
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

    def __init__(self, crew: Crew, modes: Mapping[str, FocusMode], limits: Limits) -> None:
        super().__init__()
        self._crew = crew
        self._modes = modes
        self._limits = limits

    @on(StartTurn)
    async def start_turn(self, message: StartTurn) -> None:
        """Give the journal an actor of its own, as long as there is a place for one more."""
        journal = message.journal
        if len(self.life.children) >= self._limits.turns:
            busy = Busy("questions")
            log.warning("turn.failed", key=busy.key, problem=str(busy))
            refuse(journal, busy)
            return
        with bound(turn_id=journal.turn.turn_id):
            mode = self._modes[journal.turn.question.focus_mode]
            self.spawn(Turn, journal, self._crew, mode, self._limits).tell(Begin())
