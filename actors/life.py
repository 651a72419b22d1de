"""One address from its start to its end: the task, its restarts, its children."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from pykka import ActorRegistry

from actors import context
from actors.context import Context
from actors.envelope import Reply
from actors.errors import ActorDead, Escalated, ForeignCancellation, Killed, MailboxFull
from actors.mailbox import Mailbox
from actors.ref import ChildLost, Ref
from actors.system import Counts, System

if TYPE_CHECKING:
    from actors.base import Actor

log = structlog.get_logger(__name__)


class Life:
    """What stays the same while an actor is restarted; also pykka's ``actor_stopped`` flag."""

    __slots__ = (
        "_ended",
        "_failures",
        "_killed",
        "_leaving",
        "_make",
        "_parent",
        "_ref",
        "_stop_by",
        "_timer",
        "_when_ended",
        "actor",
        "actor_class",
        "children",
        "counts",
        "facts",
        "failure",
        "mailbox",
        "name",
        "system",
        "task",
    )

    def __init__(
        self,
        system: System,
        parent: "Life | None",
        make: "Callable[[Life], Actor]",
        actor_class: "type[Actor]",
    ) -> None:
        self.system = system
        self.actor_class = actor_class
        self.name = actor_class.__name__.lower()
        self.counts: Counts = system.counts[self.name]
        self.facts = {**context.current().facts, "actor": self.name}
        self.mailbox = Mailbox(self.name, actor_class.mailbox_bound)
        self._ref: Ref | None = None
        self.task: asyncio.Task[BaseException | None] | None = None
        self.actor: Actor | None = None
        self.failure: BaseException | None = None
        self._make = make
        self._parent = parent
        self.children: dict[Life, None] = {}  # the living ones, oldest first
        self._failures: tuple[float, ...] = ()
        self._stop_by: float | None = None
        self._leaving = False  # its children are being stopped, or it has ended
        self._killed = False
        self._ended = False
        self._when_ended: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None  # of its restart, its kill or its end
        if parent is not None:
            parent.children[self] = None

    @property
    def ref(self) -> Ref:
        """The address that others hold."""
        if self._ref is None:
            self._ref = Ref(self, self.actor_class, self.system.urn())
        return self._ref

    def is_set(self) -> bool:
        """Whether it has ended for good, or is stopping (pykka's ``actor_stopped``)."""
        return self.mailbox.closed

    # start and end

    def start(self) -> None:
        """Make the actor and run it."""
        self._leaving = False
        self.task = self.system.run(self._run(), self.name)
        # A callback, since a task that is cancelled before its first step runs nothing of its own.
        self.task.add_done_callback(self._finish)

    async def _run(self) -> BaseException | None:
        context.enter(Context(self.facts))
        failure = await self._outcome(self._live()) or self.failure
        context.enter(Context(self.facts))  # the deadline of the last message is not this one's
        self._leaving = True
        if not self._leaves_children(failure):
            await self._stop_children()
        return failure if self.actor is None else await self._say_goodbye(self.actor, failure)

    def _leaves_children(self, failure: BaseException | None) -> bool:
        """Whether they work on while the actor is restarted."""
        own = failure is not None and not isinstance(failure, Killed | Escalated)
        return own and self.actor_class.policy.keeps_children and not self.mailbox.closed

    async def _live(self) -> None:
        self.actor = self._make(self)
        await self.actor.live()

    async def _say_goodbye(
        self, actor: "Actor", failure: BaseException | None
    ) -> BaseException | None:
        if failure is None:
            return await self._outcome(actor.on_stop())
        hook = actor.on_failure(type(failure), failure, failure.__traceback__)
        again = await self._outcome(hook)
        if again is not None:
            log.error("actor.failed", actor=self.name, stage="on_failure", exc_info=again)
        return failure

    async def _outcome(self, work: Awaitable[Any]) -> BaseException | None:
        """The exception that ended the work, if any; for a cancellation, the reason of it."""
        try:
            await work
        except asyncio.CancelledError:
            while self.task is not None and self.task.uncancel():
                pass  # the next thing it does, it does uncancelled
            return self._why_cancelled()
        # Broad, since this is where a bug in one actor becomes its supervisor's business.
        except Exception as error:  # noqa: BLE001
            return error
        return None

    def _why_cancelled(self) -> BaseException:
        """A kill, a child's escalation, or somebody who has no business here."""
        return self.failure or ForeignCancellation(f"{self.name} was cancelled from outside")

    def _finish(self, task: "asyncio.Task[BaseException | None]") -> None:
        self.task = self.actor = None
        gone = task.cancelled()
        self.failure = self._why_cancelled() if gone else task.exception() or task.result()
        if self.failure is not None and not isinstance(self.failure, Killed):
            log.error("actor.failed", actor=self.name, exc_info=self.failure)
        if self.failure is None or self.mailbox.closed or self._parent is None:
            self._bury()
        else:
            self._recover(self.failure, self._parent)

    def _recover(self, failure: BaseException, parent: "Life") -> None:
        """Start again on the same address, where messages wait meanwhile, or give it up."""
        pause_s = self._next_pause()
        if pause_s is None:
            ref = self.ref
            self._bury()
            parent.lose(ref, failure)
        else:
            self.counts.restarts += 1
            self.failure = None
            self._call_later(pause_s, self.start)

    def _next_pause(self) -> float | None:
        policy, now = self.actor_class.policy, self.system.now()
        recent = [at for at in self._failures if now - at < policy.within_s]
        self._failures = (*recent, now)
        return policy.pause(len(recent))

    def _bury(self) -> None:
        """The end of the address: what waits becomes dead letters, every asker is told."""
        self._ended = self._leaving = True
        self._discard()
        self._kill_children()  # none is left but of one that is left behind itself
        if self._timer is not None:
            self._timer.cancel()
        if self._parent is None:
            ActorRegistry.unregister(self.ref)
        else:
            self._parent.children.pop(self, None)
        calls, self._when_ended = self._when_ended, []
        # It holds its ref and the ref holds it: thousands of ended sessions would wait for the
        # collector, which runs rarely here.
        self._ref = self._timer = None
        for call in calls:
            call()

    def _discard(self) -> None:
        """Close the mailbox; what waits in it becomes dead letters."""
        self.mailbox.close()
        rest = self.mailbox.drain()
        self.counts.dead += len(rest)
        for envelope in rest:
            envelope.fail(ActorDead(self.name))

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have ``call`` made once, when the address has ended for good."""
        self._when_ended.append(call)

    # stopping

    def close(self) -> None:
        """Take no more messages; the actor stops when it has handled those it has."""
        self.mailbox.close()

    def stop(self, *, drain: bool = True, timeout_s: float | None = None) -> Reply[bool]:
        """Begin to stop; the reply comes at the end, and tells whether it was alive before."""
        reply = Reply[bool](self.name)
        if self._ended:
            reply.set(value=False)
            return reply
        self.when_ended(functools.partial(reply.set, value=True))
        self.close() if drain else self._discard()
        if timeout_s is not None:
            self._stop_within(timeout_s)
        if self.task is None:  # between a failure and the restart
            self._bury()
        return reply

    def _stop_within(self, timeout_s: float) -> None:
        by = self.system.now() + timeout_s
        if self._stop_by is None or by < self._stop_by:
            self._stop_by = by
            self._call_later(timeout_s, self.kill)

    def _call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Have ``call`` made in a while, instead of what was to be called."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, call)

    def kill(self) -> None:
        """End the actor and all below it, wherever they are; what waits becomes dead letters."""
        self._discard()
        if self.task is None:
            self._bury()
        elif not self._killed:
            self._killed = True
            self._stop_by = self.system.now()
            self._call_later(self.system.grace_s, self._give_up)
            self._kill_children()
            self._fail(Killed())

    def _give_up(self) -> None:
        """The actor does not even end when it is killed: leave it behind, and tell who waits."""
        log.error("actor.abandoned", actor=self.name)
        self._bury()
        self._fail(Killed())  # a last try, for one that ignored the first

    def _fail(self, error: BaseException) -> None:
        if self.task is not None:
            self.failure = self.failure or error
            self.task.cancel()

    async def _stop_children(self) -> None:
        """Newest first, each a grace before this one's own deadline, at which all are killed."""
        if not self.children:
            return
        system = self.system
        own_s = system.grace_s if self.failure else system.drain_s
        by = system.now() + own_s if self._stop_by is None else self._stop_by
        timer = asyncio.get_running_loop().call_at(by, self._kill_children)
        while self.children:
            newest = next(reversed(self.children))
            left_s = max(by - system.now() - system.grace_s, system.grace_s)
            # A cancellation changes nothing here: it is a kill, which the children have felt too.
            await self._outcome(newest.stop(timeout_s=left_s))
        timer.cancel()

    def _kill_children(self) -> None:
        for child in reversed(list(self.children)):
            child.kill()

    # a parent's part

    def spawn(self, kind: "type[Actor]", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ref:
        """Start a child; raises ActorDead when this one is stopping already."""
        if self._leaving:
            raise ActorDead(self.name)
        child = Life(self.system, self, functools.partial(kind.make, args, kwargs), kind)
        child.start()
        return child.ref

    def lose(self, child: Ref, failure: BaseException) -> None:
        """Fail with a child that was given up, or tell the actor of it, if it wants to know."""
        if child.actor_class.policy.escalate:
            escalated = Escalated(f"{child.life.name} failed too often")
            escalated.__cause__ = failure
            self._fail(escalated)
        elif ChildLost in self.actor_class._handlers:  # noqa: SLF001 - read, as dispatch does
            with suppress(ActorDead, MailboxFull):  # counted as refused
                self.ref.tell(ChildLost(child, failure))
