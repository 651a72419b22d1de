"""An actor's address: what others hold of it."""

from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import pykka

from actors import context
from actors.context import Context, sooner
from actors.envelope import Envelope, Reply
from actors.errors import ActorDead, MailboxFull
from protocol.base import Request, Signal

if TYPE_CHECKING:
    from actors.base import Actor
    from actors.life import Life

R = TypeVar("R")


class Ref(pykka.ActorRef[Any]):
    """Sends to one actor, through its restarts; never blocks."""

    def __init__(self, life: "Life", actor_class: "type[Actor]", urn: str) -> None:
        self.life = life
        self.actor_class = actor_class
        self.actor_urn = urn
        self.actor_inbox = cast("Any", life.mailbox)
        self.actor_stopped = cast("Any", life)

    def tell(self, message: Any) -> None:
        """Send without a reply; raises ActorDead or MailboxFull, and then nothing was sent."""
        telling = context.current()
        self.send(Envelope(message, Context(telling.facts, None, telling.diary)))

    @overload  # type: ignore[override]
    def ask(self, message: Request[R], *, timeout: float | None = None) -> Reply[R]: ...
    @overload
    def ask(self, message: Any, *, timeout: float | None = None) -> Reply[Any]: ...
    def ask(self, message: Any, *, timeout: float | None = None, **_block: bool) -> Reply[Any]:
        """Send at once, and give a reply to await, or to abandon, which ends the work.

        The deadline is the sooner of ``timeout`` seconds and the deadline of the message that is
        being handled now. Awaiting raises the actor's ServiceError, ActorFailed when it broke,
        ActorDead, MailboxFull or AskTimeout. pykka's ``block`` is taken and changes nothing:
        the reply never blocks.
        """
        asking = context.current()
        reply = Reply[Any](self.life.name, timeout)
        reply.deadline = sooner(reply.deadline, asking.deadline)
        try:
            self.send(Envelope(message, Context(asking.facts, reply.deadline, asking.diary), reply))
        except (ActorDead, MailboxFull) as error:
            reply.set_exception(error)
        return reply

    def send(self, envelope: Envelope) -> None:
        """Put a message that has its context and reply already, as a pool hands it on."""
        counts = self.life.counts
        try:
            self.life.mailbox.put(envelope)
        except (ActorDead, MailboxFull):
            counts.refused += 1
            raise
        counts.accepted += 1

    def stop(  # type: ignore[override]
        self, *, drain: bool = True, timeout: float | None = None, **_block: bool
    ) -> Reply[bool]:
        """Ask the actor to stop; the reply tells whether it was still alive.

        With ``drain``, what waits is handled first (pykka's meaning); without, it goes to the dead
        letters. After ``timeout`` seconds the actor is killed.
        """
        return self.life.stop(drain=drain, timeout_s=timeout)

    def _actor_weakref(self) -> "Actor | None":  # type: ignore[override]
        return self.life.actor  # pykka's proxies look here for the names of its attributes

    def is_alive(self) -> bool:
        """Whether messages still reach the actor, or the one that is about to replace it."""
        return not self.life.is_set()


class ChildLost(Signal, frozen=True):
    """A child failed and was given up; sent to a parent that handles it."""

    child: Ref
    error: BaseException
