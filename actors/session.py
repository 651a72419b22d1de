"""One client's live conversation: a state machine that never waits."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import structlog

from access.quotas import Quotas
from actors.base import Actor, on
from actors.context import bound
from actors.errors import ActorDead, MailboxFull
from actors.journal import Journal, Journals, Watch, refuse, unwatched
from actors.outlet import Follow, Pace, Resume, Say
from actors.policy import Policy
from actors.recall import Recall
from actors.ref import Ref
from actors.turns import StartTurn
from protocol.access import Person
from protocol.base import Request, Value
from protocol.commands import (
    AskQuestion,
    Command,
    Ping,
    ResumeTurn,
    StopTurn,
    decode_command,
)
from protocol.errors import Busy, InvalidFocusMode, ServerDraining, ServiceError
from protocol.frames import PONG, error_frame
from protocol.ids import MessageId, SessionId, TurnId
from protocol.settings import Limits
from protocol.values import Models, Question, TurnInfo
from retrieval.modes import FocusMode

log = structlog.get_logger(__name__)


class House(Value, frozen=True):
    """What all sessions share."""

    turns: Ref
    recaller: Ref
    journals: Journals
    modes: Mapping[str, FocusMode]
    limits: Limits
    pace: Pace
    new_id: Callable[[], str]  # 14 hex digits, as the web UI's own
    quotas: Quotas
    watch: Watch = unwatched


class FrameCame(Request[None], frozen=True):
    """The client has sent a frame; the reply says that it has been dealt with.

    ``person`` is who it is at this moment: an account can be shut while its socket is open.
    """

    frame: str | bytes
    person: Person


class Session(Actor):
    """Turns the client's frames into turns, and answers what cannot become one."""

    policy: ClassVar[Policy] = Policy(restarts=5)
    mailbox_bound: ClassVar[int] = 16

    def __init__(
        self, session_id: SessionId, models: Models, outlet: Ref, house: House, *, is_v2: bool
    ) -> None:
        super().__init__()
        self._is_v2 = is_v2
        self._session_id = session_id
        self._models = models
        self._outlet = outlet
        self._house = house

    @on(FrameCame)
    async def frame_came(self, message: FrameCame) -> None:
        """Do what the frame says, or tell the client why not."""
        try:
            command = decode_command(message.frame, self._house.limits, is_v2=self._is_v2)
            if command is not None:
                self._commands[type(command)](self, command, message.person)
        except ServiceError as error:
            log.info("frame.refused", key=error.key)  # the detail may be its words
            self._outlet.tell(Say(error_frame(error)))

    def _ask(self, asked: AskQuestion, person: Person) -> None:
        if asked.focus_mode not in self._house.modes:
            raise InvalidFocusMode(asked.focus_mode, tuple(self._house.modes))
        journal = Journal(self._turn(asked, person))
        self._house.watch(journal)
        self._stop_same(asked, person)
        self._outlet.tell(Follow(journal))
        with bound(turn_id=journal.turn.turn_id):
            log.info("turn.asked", focus_mode=asked.focus_mode, chars=len(asked.text))
            try:
                self._start(journal)
            except ServiceError as error:
                log.warning("turn.failed", key=error.key, problem=str(error))
                refuse(journal, error)

    def _start(self, journal: Journal) -> None:
        others = self._house.journals.values()
        own = [other for other in others if other.turn.session_id == self._session_id]
        running = sum(not other.ended for other in own)
        if running >= self._house.limits.session_turns:
            raise Busy("questions of this connection")
        self._house.quotas.spend("questions", journal.turn.person.keys)
        try:
            self._house.turns.tell(StartTurn(journal))
        except ActorDead:
            raise ServerDraining from None
        self._house.journals[journal.turn.answer_id] = journal

    def _stop_same(self, asked: AskQuestion, person: Person) -> None:
        """What still answers a question is not wanted any more when that is asked anew."""
        for journal in list(self._house.journals.values()):
            question = journal.turn.question
            is_same = (question.chat_id, question.message_id) == (asked.chat_id, asked.message_id)
            if is_same and person.reach.includes(journal.owner):
                journal.stop()

    def _stop(self, command: StopTurn, person: Person) -> None:
        journal = self._journal(command.message_id, person)
        if journal is None:
            self._recall(command.message_id, None, person)
        else:
            journal.stop()

    def _resume(self, command: ResumeTurn, person: Person) -> None:
        journal = self._journal(command.message_id, person)
        if journal is None:
            self._recall(command.message_id, command.after, person)
        else:
            self._outlet.tell(Resume(journal, command.after))

    def _journal(self, answer_id: MessageId, person: Person) -> Journal | None:
        """The journal of a turn at hand; somebody else's is not there."""
        journal = self._house.journals.get(answer_id)
        is_theirs = journal is not None and person.reach.includes(journal.owner)
        return journal if is_theirs else None

    def _recall(self, answer_id: MessageId, after: int | None, person: Person) -> None:
        try:
            self._house.recaller.tell(Recall(answer_id, after, self._outlet, person.reach))
        except MailboxFull:
            raise Busy("answers to look up") from None
        except ActorDead:
            raise ServerDraining from None

    def _answer_ping(self, _command: Ping, _person: Person) -> None:
        self._outlet.tell(Say(PONG))

    _commands: ClassVar[dict[type[Command], Callable[["Session", Any, Person], None]]] = {
        AskQuestion: _ask,
        StopTurn: _stop,
        ResumeTurn: _resume,
        Ping: _answer_ping,
    }

    def _turn(self, asked: AskQuestion, person: Person) -> TurnInfo:
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
        ids = (TurnId(new_id()), self._session_id, MessageId(new_id()))
        return TurnInfo(*ids, question, self._models, person)
