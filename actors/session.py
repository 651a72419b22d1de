"""One client's live conversation: a state machine that never waits."""

from collections.abc import Callable, Mapping
from typing import ClassVar
from weakref import WeakSet

import structlog

from actors.base import Actor, on
from actors.context import bound
from actors.errors import ActorDead
from actors.journal import Journal, refuse
from actors.outlet import Follow, Say
from actors.policy import Policy
from actors.ref import Ref
from actors.turns import StartTurn
from protocol.base import Request, Value
from protocol.commands import AskQuestion, decode_command
from protocol.errors import Busy, InvalidFocusMode, ServerDraining, ServiceError
from protocol.frames import error_frame
from protocol.ids import MessageId, SessionId, TurnId
from protocol.settings import Limits
from protocol.values import Models, Question, TurnInfo
from retrieval.modes import FocusMode

log = structlog.get_logger(__name__)


class House(Value, frozen=True):
    """What all sessions share."""

    turns: Ref
    modes: Mapping[str, FocusMode]
    limits: Limits
    ui_gap_s: float
    new_id: Callable[[], str]  # 14 hex digits, as the web UI's own


class FrameCame(Request[None], frozen=True):
    """The client has sent a frame; the reply says that it has been dealt with."""

    frame: str | bytes


class Session(Actor):
    """Turns the client's frames into turns, and answers what cannot become one."""

    policy: ClassVar[Policy] = Policy(restarts=5)
    mailbox_bound: ClassVar[int] = 16

    def __init__(self, session_id: SessionId, models: Models, outlet: Ref, house: House) -> None:
        super().__init__()
        self._session_id = session_id
        self._models = models
        self._outlet = outlet
        self._house = house
        self._running: WeakSet[Journal] = WeakSet()  # an idle session holds no old answers

    @on(FrameCame)
    async def frame_came(self, message: FrameCame) -> None:
        """Do what the frame says, or tell the client why not."""
        try:
            limits = self._house.limits
            asked = decode_command(message.frame, question_chars=limits.question_chars)
            self._check(asked)
        except ServiceError as error:
            log.info("frame.refused", key=error.key, detail=error.detail)
            self._outlet.tell(Say(error_frame(error)))
            return
        self._begin(asked)

    def _check(self, asked: AskQuestion) -> None:
        if asked.focus_mode not in self._house.modes:
            raise InvalidFocusMode(asked.focus_mode, tuple(self._house.modes))

    def _begin(self, asked: AskQuestion) -> None:
        journal = Journal(self._turn(asked))
        self._outlet.tell(Follow(journal))
        with bound(turn_id=journal.turn.turn_id):
            log.info("turn.asked", focus_mode=asked.focus_mode, chars=len(asked.text))
            try:
                self._start(journal)
            except ServiceError as error:
                log.warning("turn.failed", key=error.key, problem=str(error))
                refuse(journal, error)

    def _start(self, journal: Journal) -> None:
        running = sum(not other.ended for other in self._running)
        if running >= self._house.limits.session_turns:
            raise Busy("questions of this connection")
        try:
            self._house.turns.tell(StartTurn(journal))
        except ActorDead:
            raise ServerDraining from None
        self._running.add(journal)

    def _turn(self, asked: AskQuestion) -> TurnInfo:
        new_id = self._house.new_id
        question = Question(
            asked.chat_id,
            asked.message_id or MessageId(new_id()),
            asked.text,
            asked.focus_mode,
            asked.optimization_mode,
            asked.history,
            asked.files,
        )
        return TurnInfo(
            TurnId(new_id()), self._session_id, MessageId(new_id()), question, self._models
        )
