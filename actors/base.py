"""pykka's ``Actor`` on the running asyncio loop: one task and one bounded mailbox an actor.

This file and its neighbours (life, ref, envelope, mailbox) are the only place where pykka's
private hooks are used; ``tests/actors/test_pykka_contract.py`` pins each of them.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, NamedTuple, ParamSpec, TypeVar, cast

import pykka
import structlog

from actors import context
from actors.context import Context
from actors.envelope import Envelope, Reply
from actors.errors import ActorFailed, AskTimeout
from actors.life import Life
from actors.mailbox import Mailbox
from actors.policy import Policy
from actors.ref import Ref
from actors.system import System
from protocol.errors import ServiceError

log = structlog.get_logger(__name__)

A = TypeVar("A", bound="Actor")
P = ParamSpec("P")
Handler = Callable[..., Awaitable[Any]]
_Pykka: Any = pykka.Actor  # untyped: its hooks are plain functions, ours are coroutines


class Handled(NamedTuple):
    """What a handler is registered for."""

    message: type
    batch: int


def on(message: type, *, batch: int = 1) -> Callable[[Handler], Handler]:
    """Register a method as the handler of a message type.

    With ``batch`` over 1 the method gets a list of messages that stood in line one behind the
    other, at most that many, and gives a list of replies in the same order; one that is a
    ServiceError is raised for its asker. A batch is not cancelled when one of its askers leaves.
    """

    def register(handler: Handler) -> Handler:
        handler.__dict__["handles"] = Handled(message, batch)
        return handler

    return register


class Actor(_Pykka):  # type: ignore[misc]
    """One task, one mailbox, one message at a time.

    Handlers are methods marked with ``on``. A handler's ``ServiceError`` goes to the asker and the
    actor goes on; any other exception is a bug: the asker gets ``ActorFailed``, the actor stops,
    and its parent restarts it as its ``policy`` says.
    """

    policy: ClassVar[Policy] = Policy()
    mailbox_bound: ClassVar[int] = 1000
    _handlers: ClassVar[dict[type, tuple[Handler, int]]] = {}

    life: Life

    def __init_subclass__(cls) -> None:
        """Collect the handlers, also inherited ones, as the methods that now bear their names."""
        super().__init_subclass__()
        members = [member for kind in reversed(cls.__mro__) for member in vars(kind).items()]
        marks = [(name, getattr(member, "handles", None)) for name, member in members]
        handlers = [(name, mark) for name, mark in marks if isinstance(mark, Handled)]
        cls._handlers = {mark.message: (getattr(cls, name), mark.batch) for name, mark in handlers}

    def __init__(self) -> None:
        """The address (``actor_ref``) is there already: whoever made the actor has bound it."""

    def bind(self, life: Life) -> None:
        """Take the address and mailbox of ``life``: new ones, or those of a failed predecessor."""
        self.life = life
        self.actor_urn = life.ref.actor_urn
        self.actor_inbox = cast("Any", life.mailbox)
        self.actor_stopped = cast("Any", life)
        self._actor_ref = life.ref
        self._job: Envelope | None = None
        self._job_cancelled = False

    # pykka's way in: started by hand, found through the registry

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> Ref:
        """Start an actor without a parent and register it; nobody restarts it."""
        life = Life(System(), None, functools.partial(cls.make, args, kwargs), cls)
        pykka.ActorRegistry.register(life.ref)
        life.start()
        return life.ref

    @classmethod
    def make(cls, args: tuple[Any, ...], kwargs: dict[str, Any], life: Life) -> "Actor":
        """A new actor on the address of ``life``."""
        actor = cls.__new__(cls)
        actor.bind(life)
        actor.__init__(*args, **kwargs)  # type: ignore[misc]
        return actor

    @staticmethod
    def _create_actor_inbox() -> Any:
        return Mailbox("actor", Actor.mailbox_bound)

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return Reply[Any]()

    def _start_actor_loop(self) -> None:
        self.life.start()

    # what actors do

    @property
    def ref(self) -> Ref:
        """The actor's own address."""
        return self.life.ref

    def spawn(self, kind: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> Ref:
        """Start a child; it is stopped before this actor is, and restarted by its policy."""
        return self.life.spawn(cast("type[Actor]", kind), args, kwargs)

    def stop(self) -> None:
        """Stop when all that waits has been handled."""
        self.life.close()

    async def on_start(self) -> None:
        """Run before the first message; also after a restart."""

    async def on_stop(self) -> None:
        """Run after the last message, when the children have stopped; not after a failure."""

    async def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Run after an unhandled exception."""

    def on_receive(self, message: Any) -> Any:
        """What has no handler; only its type is logged, since a message may hold a question."""
        log.warning("message.unexpected", message=type(message).__name__)

    # the loop

    async def live(self) -> None:
        """Start, then handle messages until the mailbox is closed and empty."""
        await self.on_start()
        life = self.life
        # A failure that the last handler has swallowed (a kill, a child's escalation) counts here.
        while life.failure is None and (envelope := await life.mailbox.get()) is not None:
            await self.receive(envelope)
            del envelope  # an idle actor does not hold on to its last message

    async def receive(self, envelope: Envelope) -> None:
        """Handle one message, or with it those that its handler takes in a batch."""
        handler, batch = self._handlers.get(type(envelope.message), (Actor._unregistered, 1))
        if batch == 1:
            await self._handle_one(handler, envelope)
        else:
            rest = self.life.mailbox.take_like(envelope.message, batch - 1)
            await self._handle_batch(handler, [envelope, *rest])

    async def _handle_one(self, handler: Handler, envelope: Envelope) -> None:
        if self._too_late(envelope):
            return
        reply_to = envelope.reply_to
        if reply_to is not None:
            reply_to.when_abandoned(functools.partial(self._cancel, envelope))
        became = "failed"
        self._job = envelope
        self._enter(envelope.context)
        try:
            envelope.answer(await handler(self, envelope.message))
            became = "handled"
        except ServiceError as error:
            self._refuse([envelope], error)
        except asyncio.CancelledError:
            if not self._job_cancelled:
                raise
            became = "cancelled"
        finally:
            self._count(became, 1)
            if became == "failed":
                envelope.fail(ActorFailed())
            self._forget_job()

    async def _handle_batch(self, handler: Handler, taken: list[Envelope]) -> None:
        job = [envelope for envelope in taken if not self._too_late(envelope)]
        if not job:
            return
        became = "failed"
        self._enter(Context({}))
        try:
            replies = await handler(self, [envelope.message for envelope in job])
            for envelope, reply in zip(job, replies, strict=True):
                if isinstance(reply, ServiceError):
                    envelope.fail(reply)
                else:
                    envelope.answer(reply)
            became = "handled"
        except ServiceError as error:
            self._refuse(job, error)
        finally:
            self._count(became, len(job))
            if became == "failed":
                for envelope in job:
                    envelope.fail(ActorFailed())

    async def _unregistered(self, message: Any) -> Any:
        answer = self._handle_receive(message)  # pykka's: proxy messages, then on_receive
        return await answer if asyncio.iscoroutine(answer) else answer

    def _refuse(self, job: list[Envelope], error: ServiceError) -> None:
        error.__traceback__ = None  # it knows the job: they would wait for the collector together
        for envelope in job:
            envelope.fail(error)
        if job[0].reply_to is None:
            log.warning("message.refused", message=type(job[0].message).__name__, key=error.key)

    def _too_late(self, envelope: Envelope) -> bool:
        """Whether the message need not be handled any more; that is counted, and its asker told."""
        if not envelope.abandoned and not envelope.expired(self.life.system.now):
            return False
        self._count("cancelled" if envelope.abandoned else "expired", 1)
        envelope.fail(AskTimeout(self.life.name, after_s=0))
        return True

    def _count(self, became: str, messages: int) -> None:
        counts = self.life.counts
        setattr(counts, became, getattr(counts, became) + messages)

    def _enter(self, sent: Context) -> None:
        facts = {**sent.facts, **self.life.facts}
        context.enter(Context(facts, sent.deadline, sent.diary))

    def _cancel(self, envelope: Envelope) -> None:
        """The asker has left: end the running handler, if it still works for that asker."""
        if self._job is envelope and not self._job_cancelled and self.life.task is not None:
            self._job_cancelled = True
            self.life.task.cancel()

    def _forget_job(self) -> None:
        self._job = None
        if self._job_cancelled:
            self._job_cancelled = False
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
