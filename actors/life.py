"""One address from its start to its end: the task, its restarts, its children."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from pykka import ActorRegistry

from actors import context
from actors.context import Context
from actors.envelope import Reply
from actors.errors import ActorDead, Escalated, ForeignCancellation
from actors.mailbox import Mailbox
from actors.ref import Ref
from actors.system import Counts, System
from protocol.base import Signal

if TYPE_CHECKING:
    from actors.base import Actor

log = structlog.get_logger(__name__)


class ChildLost(Signal, frozen=True):
    """A child failed and was given up; sent to a parent that handles it."""

    child: Ref
    error: BaseException


class Life:
    """What stays the same while an actor is restarted; also pykka's ``actor_stopped`` flag."""

    __slots__ = (
        "_children",
        "_failures",
        "_kill_timer",
        "_make",
        "_parent",
        "_restart_timer",
        "_stop_by",
        "_stopped",
        "_when_ended",
        "actor_class",
        "counts",
        "facts",
        "failure",
        "mailbox",
        "name",
        "ref",
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
        self.ref = Ref(self, actor_class, uuid4().urn)
        self.task: asyncio.Task[None] | None = None
        self._make = make
        self._parent = parent
        self._children: dict[Life, None] | None = None
        self._failures: tuple[float, ...] = ()
        self.failure: BaseException | None = None
        self._stop_by: float | None = None
        self._stopped = False
        self._when_ended: list[Callable[[], None]] | None = None
        self._kill_timer: asyncio.TimerHandle | None = None
        self._restart_timer: asyncio.TimerHandle | None = None
        if parent is not None:
            parent.children[self] = None

    @property
    def children(self) -> "dict[Life, None]":
        """The living children, oldest first."""
        if self._children is None:
            self._children = {}
        return self._children

    def is_set(self) -> bool:
        """Whether it has ended for good, or is stopping (pykka's ``actor_stopped``)."""
        return self.mailbox.closed

    # start and end

    def start(self) -> None:
        """Make the actor and run it."""
        self._restart_timer = None
        if self._stopped:
            return
        self.task = self.system.run(self._run(), self.name)

    async def _run(self) -> None:
        context.enter(Context(self.facts))
        actor: Actor | None = None
        failure: BaseException | None = None

        async def live() -> None:
            nonlocal actor
            actor = self._make(self)
            await actor.live()

        try:
            failure = await outcome(live())
        except asyncio.CancelledError:
            failure = self._why_cancelled()
        context.enter(Context(self.facts))  # the deadline of the last message is not this one's
        await self._stop_children()
        if actor is not None:
            failure = await self._say_goodbye(actor, failure)
        self._ended(failure)

    def _why_cancelled(self) -> BaseException | None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        if self.failure is not None:  # a child's, or a kill
            return self.failure
        return ForeignCancellation(f"{self.name} was cancelled from outside")

    async def _say_goodbye(
        self, actor: "Actor", failure: BaseException | None
    ) -> BaseException | None:
        if failure is None:
            return await outcome(actor.on_stop())
        again = await outcome(actor.on_failure(type(failure), failure, failure.__traceback__))
        if again is not None:
            log.error("actor.failed", actor=self.name, stage="on_failure", exc_info=again)
        return failure

    def _ended(self, failure: BaseException | None) -> None:
        self.task = None
        self.failure = failure
        if failure is not None and not isinstance(failure, Killed):
            log.error("actor.failed", actor=self.name, exc_info=failure)
        if failure is None or self.mailbox.closed or self._parent is None:
            self._bury()
        else:
            self._parent.recover(self, failure)

    def _bury(self) -> None:
        """The end of the address: what waits becomes dead letters, every asker is told."""
        self._stopped = True
        self.mailbox.close()
        self._discard()
        for timer in (self._kill_timer, self._restart_timer):
            if timer is not None:
                timer.cancel()
        if self._parent is None:
            ActorRegistry.unregister(self.ref)
        else:
            self._parent.children.pop(self, None)
        calls, self._when_ended = self._when_ended or (), None
        for call in calls:
            call()

    def _discard(self) -> None:
        rest = self.mailbox.drain()
        self.counts.dead += len(rest)
        for envelope in rest:
            envelope.fail(ActorDead(self.name))

    def when_ended(self, call: Callable[[], None]) -> None:
        """Have ``call`` made once, when the address has ended for good."""
        self._when_ended = [*(self._when_ended or ()), call]

    # stopping

    def close(self) -> None:
        """Take no more messages; the actor stops when it has handled those it has."""
        self.mailbox.close()

    def stop(self, *, drain: bool = True, timeout_s: float | None = None) -> Reply[bool]:
        """Begin to stop; the reply comes at the end, and tells whether it was alive before."""
        reply = Reply[bool](self.name)
        if self._stopped:
            reply.set(value=False)
            return reply
        self.when_ended(functools.partial(reply.set, value=True))
        self._begin_stop(drain=drain, timeout_s=timeout_s)
        return reply

    def _begin_stop(self, *, drain: bool, timeout_s: float | None) -> None:
        self.mailbox.close()
        if not drain:
            self._discard()
        if timeout_s is not None:
            self._stop_by = self.system.now() + timeout_s
            loop = asyncio.get_running_loop()
            self._kill_timer = loop.call_at(self._stop_by, self.kill)
        if self.task is None:  # between a failure and the restart
            self._bury()

    def kill(self) -> None:
        """End the actor wherever it is; what waits becomes dead letters."""
        self.mailbox.close()
        if self.task is None:
            self._bury()
        else:
            self._discard()
            self._fail(Killed())
            loop = asyncio.get_running_loop()
            self._kill_timer = loop.call_later(self.system.grace_s, self._give_up)

    def _give_up(self) -> None:
        """The actor does not even end when it is killed: leave it behind, and tell who waits."""
        log.error("actor.abandoned", actor=self.name)
        self._bury()

    def _fail(self, error: BaseException) -> None:
        if self.task is not None and self.failure is None:
            self.failure = error
            self.task.cancel()

    async def _stop_children(self) -> None:
        """Newest first, all by one deadline, then killed."""
        if not self._children:
            return
        by = self._stop_by or self.system.now() + self.system.drain_s
        for child in reversed(list(self._children)):
            left_s = 0.0 if self.failure else max(0.0, by - self.system.now())
            await child.stop(drain=True, timeout_s=left_s)

    # a parent's part

    def spawn(self, kind: "type[Actor]", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ref:
        """Start a child; raises ActorDead when this one is stopping already."""
        if self._stopped:
            raise ActorDead(self.name)
        child = Life(self.system, self, functools.partial(kind.make, args, kwargs), kind)
        child.start()
        return child.ref

    def recover(self, child: "Life", failure: BaseException) -> None:
        """Restart a failed child, give it up, or fail with it, as its policy says."""
        pause_s = child.next_pause()
        if pause_s is not None:
            child.counts.restarts += 1
            child.restart_after(pause_s)
            return
        child._bury()  # noqa: SLF001 - another Life
        if child.actor_class.policy.escalate:
            escalated = Escalated(f"{child.name} failed too often")
            escalated.__cause__ = failure
            self._fail(escalated)
        elif ChildLost in self.actor_class._handlers and not self.mailbox.closed:  # noqa: SLF001
            self.ref.tell(ChildLost(child.ref, failure))

    def restart_after(self, pause_s: float) -> None:
        """Start again on the same address; messages wait meanwhile."""
        self.failure = None
        self._restart_timer = asyncio.get_running_loop().call_later(pause_s, self.start)

    def next_pause(self) -> float | None:
        """Seconds until the restart; ``None`` when it has failed too often."""
        policy, now = self.actor_class.policy, self.system.now()
        recent = [at for at in self._failures if now - at < policy.within_s]
        self._failures = (*recent, now)
        return policy.pause(len(recent))


class Killed(RuntimeError):
    """The actor did not stop by its deadline, or its parent failed."""


async def outcome(work: Awaitable[None]) -> Exception | None:
    """The exception that ended the work, if any."""
    try:
        await work
    # Broad, since this is where a bug in one actor becomes its supervisor's business.
    except Exception as error:  # noqa: BLE001
        return error
    return None
