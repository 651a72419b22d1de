"""Many short-lived workers behind one address."""

import asyncio
from typing import Any, ClassVar

from actors.base import Actor
from actors.envelope import Envelope
from actors.errors import ActorDead
from actors.policy import Policy


class Pool(Actor):
    """One new worker a message, up to ``size`` at once; the mailbox is the waiting line.

    A worker that breaks takes only its own job with it. An asker that leaves ends its own job,
    waiting or running. Over the bound of the mailbox an asker is refused with MailboxFull.
    """

    policy: ClassVar[Policy] = Policy(restarts=5, escalate=True, keeps_children=True)

    def __init__(self, worker: type[Actor], *args: Any, size: int) -> None:
        super().__init__()
        self._worker = worker
        self._args = args
        left = self.life.children  # workers of a pool that broke: they work on
        self._free = asyncio.Semaphore(max(0, size - len(left)))
        for life in left:
            life.when_ended(self._free.release)

    async def receive(self, envelope: Envelope) -> None:
        """Hand the message to a worker of its own, once there is a place for one."""
        try:
            await self._free.acquire()
        except asyncio.CancelledError:  # the pool is killed while it waits for a place
            self._count("dead", 1)
            envelope.fail(ActorDead(self.life.name))
            raise
        if self._too_late(envelope):
            self._free.release()
        else:
            self._hand_over(envelope)

    def _hand_over(self, envelope: Envelope) -> None:
        self._enter(envelope.context)
        worker = self.spawn(self._worker, *self._args)
        worker.life.when_ended(self._free.release)
        worker.send(envelope)
        worker.life.close()
        self._count("handled", 1)
