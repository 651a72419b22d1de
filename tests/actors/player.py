"""An actor that does what each message says, in a tree that is checked when it has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar

import pykka

from actors.base import Actor, on
from actors.policy import Policy
from actors.ref import ChildLost, Ref
from actors.supervisor import Tree
from actors.system import Counts, System
from protocol.base import Message, Request, Signal
from protocol.errors import Busy

Act = Callable[["Player"], Awaitable[Any]]


class Do(Request[Any], frozen=True):
    """Do this and reply with what comes of it."""

    act: Act


class Note(Message, frozen=True):
    """Write this into the diary."""

    text: str


class Hurry(Signal, frozen=True):
    """Write this into the diary before all that waits."""

    text: str


class Player(Actor):
    """Keeps a diary of its life, which outlives it; ``hooks`` add to what it does there."""

    def __init__(self, name: str = "player", diary: list[str] | None = None, **hooks: Act) -> None:
        super().__init__()
        self.name = name
        self.diary = [] if diary is None else diary
        self._hooks = hooks

    async def on_start(self) -> None:
        """The first line."""
        await self._live_through("start")

    async def on_stop(self) -> None:
        """The last line, after a good life."""
        await self._live_through("stop")

    async def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """The last line, after a bad one."""
        await self._live_through("failure", f" {exception_type.__name__}")

    @on(Do)
    async def do(self, message: Do) -> Any:
        """Whatever it says."""
        return await message.act(self)

    @on(Note)
    async def note(self, message: Note) -> None:
        """One line."""
        self.diary.append(message.text)

    @on(Hurry)
    async def hurry(self, message: Hurry) -> None:
        """One line, early."""
        self.diary.append(message.text)

    async def _live_through(self, event: str, detail: str = "") -> None:
        self.diary.append(f"{self.name} {event}{detail}")
        if event in self._hooks:
            await self._hooks[event](self)


class Phoenix(Player):
    """Rises three times in a minute."""

    policy: ClassVar[Policy] = Policy(restarts=3, within_s=60, pause_s=1, longest_pause_s=8)


class Tyrant(Player):
    """Takes its parent with it."""

    policy: ClassVar[Policy] = Policy(escalate=True)


class Mourner(Player):
    """Notes the children it has lost."""

    @on(ChildLost)
    async def lost(self, message: ChildLost) -> None:
        """One line."""
        self.diary.append(f"{self.name} lost {type(message.error).__name__}")


# what a player can be told to do


async def crash(_me: Player) -> None:
    """Fail as a bug does."""
    raise ZeroDivisionError


async def refuse(_me: Player) -> None:
    """Fail as a service does."""
    raise Busy("test")


async def hang(_me: Player) -> None:
    """Wait for what never comes, and note that the wait was ended."""
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        _me.diary.append(f"{_me.name} torn away")


async def defy(me: Player) -> None:
    """Hang for a day, whoever cancels that."""
    loop = asyncio.get_running_loop()
    until = loop.time() + 86_400
    while loop.time() < until:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(until - loop.time())
    me.diary.append(f"{me.name} done")


def sleep(seconds: float, value: Any = None) -> Act:
    """Take that long."""

    async def act(_me: Player) -> Any:
        return await asyncio.sleep(seconds, value)

    return act


def pass_on(to: Ref, act: Act, timeout: float | None = None) -> Act:
    """Have another do it and reply with what that replied."""

    async def ask(_me: Player) -> Any:
        return await to.ask(Do(act), timeout=timeout)

    return ask


def bear(kind: type[Actor], *args: Any, **kwargs: Any) -> Act:
    """Start a child and reply with its address."""

    async def act(me: Player) -> Ref:
        return me.spawn(kind, *args, **kwargs)

    return act


def now() -> float:
    """The time of the loop."""
    return asyncio.get_running_loop().time()


# what must hold


def ended(counts: Counts) -> int:
    """How many messages have met their end, whatever it was."""
    return counts.handled + counts.failed + counts.cancelled + counts.expired + counts.dead


def check_books(system: System, *, waiting: int = 0) -> None:
    """Each accepted message has come to one end, or waits, or is being handled."""
    accepted = sum(counts.accepted for counts in system.counts.values())
    assert accepted == sum(map(ended, system.counts.values())) + waiting, system.counts


def check_nothing_left(tree: Tree) -> None:
    """No task, no timer, no child."""
    loop: Any = asyncio.get_running_loop()
    assert not tree.system.tasks
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [timer for timer in loop._scheduled if not timer.cancelled()]
    check_books(tree.system)


@asynccontextmanager
async def grown_tree(*, drain_s: float = 5.0, grace_s: float = 0.5) -> AsyncIterator[Tree]:
    """A tree which, when the test has done with it, stops and leaves nothing."""
    tree = Tree(System(drain_s=drain_s, grace_s=grace_s))
    yield tree
    await tree.stop(10.0)
    await asyncio.sleep(0)  # tasks that ended with the tree are let go a step later
    check_nothing_left(tree)


@asynccontextmanager
async def started(kind: type[Actor], *args: Any, **kwargs: Any) -> AsyncIterator[Ref]:
    """An actor that was started by hand, as pykka does it."""
    ref = kind.start(*args, **kwargs)
    yield ref
    await ref.stop(timeout=1)
    assert ref not in pykka.ActorRegistry.get_all()
