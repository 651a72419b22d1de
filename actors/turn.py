"""One question and all that is done to answer it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import structlog

from actors import context
from actors.base import Actor, on
from actors.errors import ActorDead, Killed, MailboxFull
from actors.finding import Crew, Finding
from actors.journal import FLUSH_CHARS, Journal, apologise
from actors.line import Place
from actors.persister import Grown, Keep
from protocol.base import Message
from protocol.errors import (
    DeadlineExceeded,
    ServerDraining,
    ServiceError,
    StorageUnavailable,
    TurnFailed,
    TurnStopped,
)
from protocol.events import (
    Accepted,
    Delta,
    Event,
    Failed,
    Finished,
    Queued,
    SourcesFound,
    Stage,
    Status,
    Stopped,
)
from protocol.messages import Write, Written
from protocol.settings import Limits
from protocol.traces import Span
from protocol.values import Node
from retrieval.modes import FocusMode
from upstreams.diary import Diary, span
from upstreams.tape import Recorder

log = structlog.get_logger(__name__)


ENDS = {Finished: "turn.finished", Failed: "turn.failed", Stopped: "turn.stopped"}


class Begin(Message, frozen=True):
    """Answer the question of your journal."""


class Turn(Actor):
    """Finds, ranks, writes and keeps one answer; ends in every case, and says how."""

    def __init__(
        self, journal: Journal, place: Place, crew: Crew, mode: FocusMode, limits: Limits
    ) -> None:
        super().__init__()
        self._journal = journal
        self._place = place
        self._question = journal.turn.question
        self._models = journal.turn.models
        self._crew = crew
        self._mode = mode
        self._limits = limits
        self._writing = False
        self._writer = ""
        self._is_stopped = False
        self._began = self.life.system.now()
        self._stages: dict[str, int] = {}
        self._diary = Diary(self.life.system.now)

    @on(Begin)
    async def run(self, _message: Begin) -> None:
        """Answer within the time of a whole turn, or say why there is no answer."""
        limits = self._limits
        self._open_diary()
        try:
            await self._promise(Accepted())
            await self._in_time(self._wait(), limits.queue_s, self._place.busy)
            if not self._journal.ended:
                too_late = partial(DeadlineExceeded, "The whole answer", after_s=limits.turn_s)
                await self._in_time(self._answer(), limits.turn_s, too_late)
        except ServiceError as error:
            await self._fail(error)
        self._log_end()
        self.stop()

    async def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Whatever broke: the client is told, and what was written is kept."""
        del exception_type, traceback
        killed = isinstance(exception_value, Killed)
        if not self._journal.ended:
            await self._fail(ServerDraining() if killed else TurnFailed())
        self._log_end()

    async def _in_time(
        self, work: Coroutine[Any, Any, None], within_s: float, too_late: Callable[[], ServiceError]
    ) -> None:
        try:
            async with asyncio.timeout(within_s) as patience:
                self._journal.when_stopped(partial(self._halt, patience))
                await work
        except TimeoutError:
            if self._journal.ended:  # its last promise was on its way
                return
            if self._is_stopped:
                await self._end(TurnStopped(), Stopped(self._stages, self._story()))
            else:
                raise too_late() from None
        finally:
            self._journal.when_stopped(None)

    def _halt(self, patience: asyncio.Timeout) -> None:
        """The user has stopped the turn: its time is up now, and with it that of all it asked."""
        if patience.expired():  # a stop before this one, or its own time, has ended it already
            return
        self._is_stopped = True
        patience.reschedule(self.life.system.now())

    async def _wait(self) -> None:
        """Wait until the turn may run, and tell its place in the line."""
        began = self.life.system.now()
        await self._place.reached(lambda position: self._journal.write(Queued(position)))
        waited_ms = round((self.life.system.now() - began) * 1000)
        if waited_ms:
            self._stages["queued"] = waited_ms

    async def _answer(self) -> None:
        # Not kept: it knows this turn, and would have it wait for the collector when it has ended.
        journal, stage = self._journal, self._stage
        finding = Finding(journal.turn, self._crew, self._mode, self._limits, stage)
        found, nodes = await finding.sources()
        await self._promise(SourcesFound(nodes))
        with self._stage("writing"):
            if found.note and (nodes or not found.nodes):  # else its sources fell away
                self._show(f"*{found.note}*\n\n")
            self._writer = (await self._ask_writer(nodes)).writer
        self._journal.recording = self._recording()
        await self._promise(Finished(self._stages, self._story()))

    async def _ask_writer(self, nodes: tuple[Node, ...]) -> Written:
        request = Write(self._question, nodes, self._models, self._write_delta)
        self._writing = True
        try:
            return await self._crew.writer.ask(request, timeout=self._limits.turn_s)
        finally:
            self._writing = False

    def _write_delta(self, text: str) -> None:
        """A piece from the writer; one that comes after its time is up is dropped."""
        if self._writing:
            self._show(text)

    def _show(self, text: str) -> None:
        """Show a piece at once, and have the persister keep it with the next group."""
        journal = self._journal
        journal.write(Delta(text))
        is_much = journal.chars >= journal.flush_at
        if is_much or not journal.is_awaited:
            journal.is_awaited = True
            journal.flush_at = journal.chars + FLUSH_CHARS
            self._crew.persister.tell(Grown(journal, is_much))

    async def _promise(self, event: Event) -> None:
        """Make the event durable, then show it; one that is on its way is not given up."""
        promise = self.life.system.run(self._keep(event), "promise")
        try:
            await asyncio.shield(promise)
        except asyncio.CancelledError:
            try:
                await asyncio.wait({promise})
            finally:
                promise.cancel()
            raise

    async def _keep(self, event: Event) -> None:
        entry = self._journal.next(event)
        request = Keep(self._journal, entry)
        try:
            with span("storing", event=type(event).__name__):
                await self._crew.persister.ask(request, timeout=self._limits.store_s)
        except DeadlineExceeded as error:
            raise StorageUnavailable("it did not answer in time") from error
        self._journal.confirm(entry)
        self._journal.recording = b""  # followers may hold the journal for long

    async def _fail(self, error: ServiceError) -> None:
        """End with an apology in the answer; shown even where it cannot be kept."""
        apologise(self._journal, error)
        self._diary.add("failed", {"key": error.key, "problem": error.problem})
        self._journal.recording = self._recording()
        failed = Failed(error.key, str(error), self._stages, error.again_after_s, self._story())
        await self._end(error, failed)

    async def _end(self, error: ServiceError, event: Failed | Stopped) -> None:
        if not self._journal.chars:  # every answer says something
            apologise(self._journal, error)
        try:
            await self._promise(event)
        except ServiceError as unkept:
            log.warning("turn.unkept", key=unkept.key)
            self._journal.write(event)
            # Kept when the store is back; for a turn that it never took this changes nothing, but
            # a commit that seemed to fail may have gone through.
            with suppress(ActorDead, MailboxFull):
                self._crew.persister.tell(Grown(self._journal))

    @contextmanager
    def _stage(self, stage: Stage, detail: str = "") -> Iterator[None]:
        self._journal.write(Status(stage, detail))
        began = self.life.system.now()
        self._diary.stage = stage
        try:
            with span(stage, **({"detail": detail} if detail else {})):
                yield
        finally:
            took_ms = round((self.life.system.now() - began) * 1000)
            self._stages[stage] = self._stages.get(stage, 0) + took_ms

    def _open_diary(self) -> None:
        """Have all that is done for the turn noted; in the diary of its asker, if that has one."""
        tape = Recorder() if self._crew.records else None
        made = Diary(self.life.system.now, tape, asker=self._place.asker)
        self._diary = context.current().diary or made
        context.keep(self._diary)

    def _story(self) -> tuple[Span, ...]:
        """All that the turn has been through up to its end."""
        journal = self._journal
        self._diary.add("told", {"frames": journal.frames, "bytes": journal.frame_bytes})
        return self._diary.story()

    def _recording(self) -> bytes:
        """What the turn was given; nothing where that is not recorded."""
        tape = self._diary.tape
        return tape.packed(self._question, self._models) if isinstance(tape, Recorder) else b""

    def _log_end(self) -> None:
        """The one line that tells the whole turn."""
        event = self._journal.entries[-1].event
        stages_ms = {f"{stage}_ms": ms for stage, ms in self._stages.items()}
        failure = {"key": event.key} if isinstance(event, Failed) else {}
        log.info(
            ENDS.get(type(event), "turn.left"),
            **failure,
            writer=self._writer,
            focus_mode=self._question.focus_mode,
            optimization_mode=self._question.optimization_mode,
            sources=len(self._journal.sources or ()),
            chars=self._journal.chars,
            duration_ms=round((self.life.system.now() - self._began) * 1000),
            **stages_ms,
        )
