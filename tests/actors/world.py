"""A small world of actors that plays random programs, and notes whatever must not happen."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, ClassVar, NamedTuple

from actors import context
from actors.errors import ActorDead, AskTimeout, MailboxFull
from actors.life import Life
from actors.policy import Policy
from actors.pool import Pool
from actors.ref import Ref
from actors.supervisor import Tree
from actors.system import System
from protocol.errors import Busy, ServiceError
from tests.actors.player import Do, Note, Player, check_books, check_nothing_left

DRAIN_S, GRACE_S = 3.0, 0.5


class Boss(Player):
    """Has two children, which are new after each of its restarts."""

    policy: ClassVar[Policy] = Policy(restarts=2, within_s=5, pause_s=0.5)


class Steady(Player):
    """Is restarted, then given up."""

    policy: ClassVar[Policy] = Policy(restarts=2, within_s=5, pause_s=0.5)


class Fragile(Player):
    """Is restarted once, then takes its parent with it."""

    policy: ClassVar[Policy] = Policy(restarts=1, within_s=5, escalate=True)


class Narrow(Player):
    """Two may wait."""

    policy: ClassVar[Policy] = Policy(restarts=1, within_s=5)
    mailbox_bound: ClassVar[int] = 2


class Jobs(Pool):
    """Four may wait for two places."""

    mailbox_bound: ClassVar[int] = 4


NAMES = ("boss", "steady", "fragile", "jobs", "narrow")


class Asked(NamedTuple):
    """A client that asked from outside, and whether it has left since."""

    number: int
    task: asyncio.Task[Any]


class World:
    """Five actors, their clients, and the books kept about them."""

    def __init__(self) -> None:
        self.tree = Tree(System(drain_s=DRAIN_S, grace_s=GRACE_S))
        self.refs: dict[str, Ref] = {}
        self.wrong: list[str] = []
        self.asked: list[Asked] = []
        self.left: set[int] = set()
        self._numbers = count()
        self._begun: set[int] = set()
        self._latest: dict[Life, int] = {}
        self._inside: Counter[Life] = Counter()
        grow = self.tree.grow
        self.refs["boss"] = grow(Boss, "boss", [], start=self._bear)
        self.refs["jobs"] = grow(Jobs, Player, "job", [], size=2)
        self.refs["narrow"] = grow(Narrow, "narrow", [])

    async def _bear(self, boss: Player) -> None:
        self.refs["steady"] = boss.spawn(Steady, "steady", [])
        self.refs["fragile"] = boss.spawn(Fragile, "fragile", [])

    def message(self, name: str, spec: Any) -> tuple[int, Do]:
        """A message that does what the spec says, and its number."""
        number = next(self._numbers)
        return number, Do(partial(self._do, number, name, spec))

    async def _do(self, number: int, name: str, spec: Any, me: Player) -> Any:
        self._check(number, me.life)
        self._inside[me.life] += 1
        if self._inside[me.life] > 1:
            self.wrong.append(f"{name} handles two at once")
        try:
            return await self.act(spec, me)
        finally:
            self._inside[me.life] -= 1

    def _check(self, number: int, life: Life) -> None:
        deadline = context.current().deadline
        if deadline is not None and deadline <= asyncio.get_running_loop().time():
            self.wrong.append(f"{number} was begun although it had expired")
        if number in self.left:
            self.wrong.append(f"{number} was begun although its asker had left")
        if number in self._begun:
            self.wrong.append(f"{number} was begun twice")
        if number < self._latest.get(life, -1):
            self.wrong.append(f"{number} was begun after one that was sent later")
        self._begun.add(number)
        self._latest[life] = number

    async def act(self, spec: Any, me: Player) -> Any:
        """Do one thing, or one after the other."""
        verb, *rest = spec
        return await ACTS[verb](self, me, *rest)

    # steps of a program, done from outside

    async def tell(self, name: str, spec: Any) -> None:
        """Send and forget; a full or dead receiver is no surprise."""
        with suppress(ActorDead, MailboxFull):
            self.refs[name].tell(self.message(name, spec)[1])

    async def ask(self, name: str, spec: Any, seconds: float | None) -> None:
        """Send, and have a client wait for the reply."""
        number, message = self.message(name, spec)
        reply = self.refs[name].ask(message, timeout=seconds)
        task = asyncio.ensure_future(reply)
        self.asked.append(Asked(number, task))

    async def leave(self, which: int) -> None:
        """One of the clients leaves."""
        if self.asked:
            number, task = self.asked[which % len(self.asked)]
            await asyncio.sleep(0)  # so that it waits by now
            if task.cancel():
                self.left.add(number)

    async def wait(self, seconds: float) -> None:
        """Time passes, or with zero just one step of the loop."""
        await asyncio.sleep(seconds)

    async def stop(self, name: str, drain: bool, seconds: float) -> None:
        """Somebody stops an actor, and does not wait for that."""
        self.refs[name].stop(drain=drain, timeout=seconds)

    async def kill(self, name: str) -> None:
        """Somebody kills an actor."""
        self.refs[name].life.kill()

    async def cancel(self, name: str) -> None:
        """Somebody cancels the task of an actor, who has no business there."""
        task = self.refs[name].life.task
        if task is not None:
            task.cancel()

    # the end

    async def close(self) -> None:
        """Stop the tree in its time; then everybody has been answered, and nothing is left."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.tree.stop(DRAIN_S)
        took = loop.time() - began
        if took > DRAIN_S + GRACE_S + 0.001:
            self.wrong.append(f"the tree took {took} s to stop")
        await asyncio.sleep(0.01)
        loop_timers: list[Any] = loop._scheduled  # type: ignore[attr-defined]
        if late := [t for t in loop_timers if not t.cancelled() and "Life" in repr(t._callback)]:
            self.wrong.append(f"timers outlive their actors: {late}")
        outcomes = await asyncio.gather(*(a.task for a in self.asked), return_exceptions=True)
        for asked, outcome in zip(self.asked, outcomes, strict=True):
            if isinstance(outcome, asyncio.CancelledError) and asked.number in self.left:
                continue
            if not isinstance(outcome, ServiceError | int | None):
                self.wrong.append(f"{asked.number} ended with {outcome!r}")
        await asyncio.sleep(100)  # what defied its end has ended, too
        check_nothing_left(self.tree)
        check_books(self.tree.system)
        assert not self.wrong, self.wrong


# what an actor can be told to do: a verb and its details


async def rest(_world: World, _me: Player, seconds: float) -> int:
    await asyncio.sleep(seconds)
    return 1


async def crash(_world: World, _me: Player) -> None:
    raise ZeroDivisionError


async def refuse(_world: World, _me: Player) -> None:
    raise Busy("test")


async def defy(_world: World, _me: Player, times: int, seconds: float) -> None:
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)


async def clean(_world: World, _me: Player, seconds: float, afterwards: float) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.sleep(afterwards)


async def limit(world: World, me: Player, seconds: float, spec: Any) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await world.act(spec, me)


async def ask(world: World, _me: Player, name: str, spec: Any, seconds: float) -> Any:
    return await world.refs[name].ask(world.message(name, spec)[1], timeout=seconds)


async def persist(world: World, me: Player, name: str, spec: Any, seconds: float) -> Any:
    try:
        return await ask(world, me, name, spec, seconds)
    except AskTimeout:
        return await ask(world, me, name, ("rest", 0), seconds)
    except ServiceError:
        return None


async def ask_both(world: World, me: Player, one: Any, two: Any) -> None:
    await asyncio.gather(ask(world, me, *one), ask(world, me, *two))


async def tell(world: World, _me: Player, name: str, spec: Any) -> None:
    await world.tell(name, spec)


async def sequence(world: World, me: Player, one: Any, two: Any) -> None:
    await world.act(one, me)
    await world.act(two, me)


async def bear(_world: World, me: Player, seconds: float) -> None:
    me.spawn(Steady, "late", []).tell(Note("born"))
    await asyncio.sleep(seconds)


async def leave(_world: World, me: Player) -> None:
    me.stop()


async def stop_child(_world: World, me: Player, seconds: float) -> None:
    for child in list(me.life.children)[:1]:
        await child.stop(timeout_s=seconds)


ACTS: dict[str, Callable[..., Any]] = {
    verb.__name__: verb
    for verb in (
        rest,
        crash,
        refuse,
        defy,
        clean,
        limit,
        ask,
        persist,
        ask_both,
        tell,
        sequence,
        bear,
        leave,
        stop_child,
    )
}
