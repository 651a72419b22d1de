"""What keeps its meaning for those who know pykka."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from pykka import messages

from actors.base import Actor
from actors.errors import ActorFailed
from actors.ref import Ref
from tests.actors.player import Do, Note, Player, crash, hang, sleep, started
from tests.clock import virtual
from tests.fakes import Inbox


@virtual
async def test_the_registry_knows_what_was_started_by_hand() -> None:
    """register, unregister, the lookups and stop_all work on our refs."""
    diary: list[str] = []
    first, second = Player.start("first", diary), Player.start("second", diary)
    registry = pykka.ActorRegistry
    assert registry.get_all() == [first, second]
    assert registry.get_by_class(Player) == registry.get_by_class_name("Player") == [first, second]
    assert registry.get_by_urn(first.actor_urn) is first
    registry.broadcast(Note("heard"), Player)
    replies: Any = registry.stop_all(block=False, timeout=1)
    assert [await reply for reply in replies] == [True, True]
    assert registry.get_all() == []
    assert diary.count("heard") == 2
    assert str(inspect.signature(registry.register)) == "(actor_ref: 'ActorRef[Any]') -> 'None'"
    assert str(inspect.signature(registry.unregister)) == "(actor_ref: 'ActorRef[A]') -> 'None'"


@virtual
async def test_nobody_restarts_what_was_started_by_hand() -> None:
    """A failure ends it and takes it out of the registry, whatever its policy."""
    ref = Player.start()
    with pytest.raises(ActorFailed):
        await ref.ask(Do(crash))
    await asyncio.sleep(0)
    assert not ref.is_alive()
    assert pykka.ActorRegistry.get_all() == []


@virtual
async def test_tell_ask_and_stop_keep_their_meaning() -> None:
    """Tell returns nothing; ask gives a future, also with pykka's block; stop says whether."""
    diary: list[str] = []
    async with started(Player, "a", diary) as ref:
        ref.tell(Note("told"))
        as_in_pykka: Any = ref.ask
        for block in (True, False):
            assert await as_in_pykka(Do(sleep(0, 7)), block=block) == 7
        with pytest.raises(pykka.Timeout):
            await ref.ask(Do(hang), timeout=1)
        assert ref.is_alive()
        assert await ref.stop(block=True) is True
        assert await ref.stop(block=False) is False
        assert not ref.is_alive()
        with pytest.raises(pykka.ActorDeadError):
            ref.tell(Note("late"))
        with pytest.raises(pykka.ActorDeadError):
            await ref.ask(Note("late"))
    assert diary == ["a start", "told", "a torn away", "a stop"]


@virtual
async def test_proxies_work_without_blocking() -> None:
    """Attributes, plain methods and coroutine methods through a proxy, each awaited."""

    class Counter(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def add(self, number: int) -> int:
            self.count += number
            return self.count

        async def add_slowly(self, number: int) -> int:
            await asyncio.sleep(1)
            return self.add(number)

    async with started(Counter) as ref:
        await asyncio.sleep(0)  # it is made in its first step
        proxy: Any = ref.proxy()
        assert await proxy.add(2) == 2
        assert await proxy.add_slowly(3) == 5
        proxy.add.defer(1)
        assert await proxy.count == 6
        proxy.count = 40
        assert await proxy.count == 40
        assert await ref.ask(messages.ProxyCall(("add",), (2,), {})) == 42
        with pytest.raises(AttributeError):
            _ = proxy.missing
        with pytest.raises(RuntimeError, match="await"):
            proxy.count.get()


@virtual
async def test_what_has_no_handler_comes_to_on_receive() -> None:
    """It may be plain or a coroutine; what it returns is the reply."""

    class Echo(Actor):
        async def on_receive(self, message: Any) -> Any:
            return message

    async with started(Echo) as ref:
        assert await ref.ask({"any": "thing"}) == {"any": "thing"}
    received: list[Any] = []
    async with started(Inbox, received) as ref:
        ref.tell("a")
        assert await ref.ask("b") is None
    assert received == ["a", "b"]


@pytest.mark.parametrize(
    "block",
    [
        lambda ref: ref.ask(Note("x")).get(),
        lambda ref: ref.ask(Note("x"), timeout=1).get(timeout=1),
        lambda ref: ref.stop().get(),
        lambda ref: pykka.get_all([ref.ask(Note("x"))]),
        lambda _: pykka.get_all(pykka.ActorRegistry.stop_all(block=False)),
    ],
)
@virtual
async def test_blocking_calls_are_refused(block: Callable[[Ref], Any]) -> None:
    """Where pykka would hold its thread, ours would hold every actor: it says so at once."""
    async with started(Player) as ref:
        with pytest.raises(RuntimeError, match="would block"):
            block(ref)
