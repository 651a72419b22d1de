"""The root of a program's actors: started in order, stopped in reverse."""

import asyncio
import functools
from collections import Counter
from typing import Any

from actors.base import Actor
from actors.life import Life
from actors.ref import Ref
from actors.system import System


class Supervisor(Actor):
    """Has no messages of its own; it owns what is grown below it."""


class Tree:
    """All actors of one program below one supervisor.

    ``ended`` is set when the tree has stopped; ``failure`` then says why, where a child failed more
    often than its policy allows and took the supervisor with it.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.ended = asyncio.Event()
        self._root = Life(system, None, functools.partial(Supervisor.make, (), {}), Supervisor)
        self._root.when_ended(self.ended.set)
        self._root.start()

    @property
    def failure(self) -> BaseException | None:
        """What the supervisor failed with."""
        return self._root.failure

    @property
    def actors(self) -> int:
        """How many actors there are."""
        return _living(self._root)

    def waiting(self) -> Counter[str]:
        """How many messages wait in the mailboxes of each kind of actor that there is."""
        waiting, lives = Counter[str](), [self._root]
        while lives:
            life = lives.pop()
            waiting[life.name] += len(life.mailbox)
            lives.extend(life.children)
        return waiting

    def grow(self, kind: type[Actor], *args: Any, **kwargs: Any) -> Ref:
        """Start an actor below the root; later ones stop before earlier ones."""
        return self._root.spawn(kind, args, kwargs)

    async def stop(self, timeout_s: float) -> None:
        """Stop everything, newest first; what has not stopped within the time is killed."""
        await self._root.stop(timeout_s=timeout_s)


def _living(life: Life) -> int:
    return 1 + sum(map(_living, life.children))
