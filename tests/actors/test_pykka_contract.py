"""What the runtime builds on of pykka 4.5: an upgrade that moves any of it fails here, by name."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import GeneratorType
from typing import Any

import pykka
import pytest
from pykka import messages

from actors.base import Actor
from actors.envelope import Envelope, Reply
from actors.errors import ActorDead, ActorFailed, AskTimeout
from actors.life import Life
from actors.mailbox import Mailbox
from actors.ref import Ref
from tests.actors.player import Do, Note, Player, crash, hang, sleep
from tests.clock import virtual
from tests.fakes import Inbox

OVERRIDDEN: dict[type, tuple[type, dict[str, str]]] = {
    Actor: (
        pykka.Actor,
        {
            "start": "(*args: 'Any', **kwargs: 'Any') -> 'ActorRef[Self]'",
            "_create_actor_inbox": "() -> 'ActorInbox'",
            "_create_future": "() -> 'Future[Any]'",
            "_start_actor_loop": "(self) -> 'None'",
            "__init__": "(self, *_args: 'Any', **_kwargs: 'Any') -> 'None'",
            "stop": "(self) -> 'None'",
            "on_start": "(self) -> 'None'",
            "on_stop": "(self) -> 'None'",
            "on_receive": "(self, message: 'Any') -> 'Any'",
            "on_failure": (
                "(self, exception_type: 'type[BaseException] | None', exception_value: "
                "'BaseException | None', traceback: 'TracebackType | None') -> 'None'"
            ),
        },
    ),
    Ref: (
        pykka.ActorRef,
        {
            "__init__": "(self, actor: 'A') -> 'None'",
            "tell": "(self, message: 'Any') -> 'None'",
            "ask": (
                "(self, message: 'Any', *, block: 'bool' = True, timeout: 'float | None' = None)"
                " -> 'Any | Future[Any]'"
            ),
            "stop": (
                "(self, *, block: 'bool' = True, timeout: 'float | None' = None)"
                " -> 'bool | Future[bool]'"
            ),
            "is_alive": "(self) -> 'bool'",
        },
    ),
    Reply: (
        pykka.Future,
        {
            "__init__": "(self) -> 'None'",
            "get": "(self, *, timeout: 'float | None' = None) -> 'T'",
            "set": "(self, value: 'T | None' = None) -> 'None'",
            "set_exception": "(self, exc_info: 'OptExcInfo | None' = None) -> 'None'",
            "set_get_hook": "(self, func: 'GetHookFunc[T]') -> 'None'",
            "__await__": "(self) -> 'Generator[None, None, T]'",
        },
    ),
}


@asynccontextmanager
async def started(kind: type[Actor], *args: Any, **kwargs: Any) -> AsyncIterator[Ref]:
    """An actor that was started by hand, as pykka does it."""
    ref = kind.start(*args, **kwargs)
    yield ref
    await ref.stop(timeout=1)
    assert ref not in pykka.ActorRegistry.get_all()


def test_the_version_is_the_one_that_was_read() -> None:
    """Private hooks are used, so a new minor version is read before it is allowed."""
    assert version("pykka").startswith("4.5.")


@pytest.mark.parametrize(
    ("ours", "name"), [(ours, name) for ours, (_, names) in OVERRIDDEN.items() for name in names]
)
def test_what_is_overridden_is_there(ours: type, name: str) -> None:
    """Each method that the runtime replaces exists, with the signature that was read."""
    theirs, names = OVERRIDDEN[ours]
    assert issubclass(ours, theirs)
    assert str(inspect.signature(getattr(theirs, name))) == names[name]
    assert name in vars(ours)


def test_nothing_else_of_the_actor_is_abstract() -> None:
    """These three are what an actor on another kind of concurrency has to bring."""
    assert pykka.Actor.__abstractmethods__ == {
        "_create_actor_inbox",
        "_create_future",
        "_start_actor_loop",
    }
    assert not inspect.isabstract(Actor)


def test_the_constructor_sets_what_bind_sets() -> None:
    """The runtime does not call pykka's constructor; ``bind`` sets the same attributes."""
    source = inspect.getsource(pykka.Actor.__init__)
    theirs = {"actor_urn", "actor_inbox", "actor_stopped", "_actor_ref"}
    assert set(pykka.ThreadingActor().__dict__) == theirs
    assert all(f"self.{name} = " in source for name in theirs)
    bound = inspect.getsource(Actor.bind)
    assert all(f"self.{name} = " in bound for name in theirs)


def test_the_steps_of_a_start() -> None:
    """Made, registered, then run: what ``start`` does by hand, in this order."""
    source = inspect.getsource(pykka.Actor.start)
    steps = ("obj = cls(", "ActorRegistry.register(obj.actor_ref)", "obj._start_actor_loop()")
    places = [source.index(step) for step in steps]
    assert places == sorted(places)


def test_a_ref_has_these_attributes_and_no_more() -> None:
    """What pykka itself reads of a ref is set by ours, too."""
    theirs = set(pykka.ThreadingActor().actor_ref.__dict__)
    assert theirs == {
        "_actor_weakref",
        "actor_class",
        "actor_urn",
        "actor_inbox",
        "actor_stopped",
    }


@virtual
async def test_our_ref_has_them_too() -> None:
    """Class, name, mailbox and flag, in the types that pykka's own methods use."""
    async with started(Player) as ref:
        assert ref.actor_class is Player
        assert ref.actor_urn.startswith("urn:uuid:")
        assert isinstance(ref.actor_inbox, Mailbox)
        assert isinstance(ref.actor_stopped, Life)
        assert str(ref) == f"Player ({ref.actor_urn})"
        assert repr(ref) == f"<ActorRef for {ref}>"
        assert ref.actor_inbox.empty()
        assert not ref.actor_stopped.is_set()
    assert ref.actor_stopped.is_set()


@virtual
async def test_an_actor_has_its_attributes_in_the_constructor() -> None:
    """As in pykka: address, name and mailbox are there before ``__init__`` runs."""

    class Early(Player):
        def __init__(self, seen: list[Any]) -> None:
            seen.append((self.actor_ref, self.actor_urn, self.actor_inbox, str(self)))
            super().__init__()

    seen: list[Any] = []
    async with started(Early, seen) as ref:
        await asyncio.sleep(0)
        expected = (ref, ref.actor_urn, ref.actor_inbox, f"Early ({ref.actor_urn})")
        assert seen == [expected]


@virtual
async def test_hooks_make_our_kinds() -> None:
    """Inbox and future are ours where pykka asks the class for them."""
    assert isinstance(Actor._create_actor_inbox(), Mailbox)
    assert isinstance(Player._create_future(), Reply)


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


def test_errors_are_pykkas_too() -> None:
    """Who catches pykka's errors catches ours."""
    assert issubclass(ActorDead, pykka.ActorDeadError)
    assert issubclass(AskTimeout, pykka.Timeout)
    assert issubclass(pykka.ActorDeadError, Exception)
    assert issubclass(pykka.Timeout, Exception)


def test_messages_of_proxies_are_where_dispatch_finds_them() -> None:
    """``_handle_receive`` is what serves them, and on_receive what is left."""
    source = inspect.getsource(pykka.Actor._handle_receive)
    for name in ("ProxyCall", "ProxyGetAttr", "ProxySetAttr"):
        assert f"messages.{name}" in source
    assert "return self.on_receive(message)" in source
    assert "actor_ref._actor_weakref()" in inspect.getsource(pykka.ActorProxy.__init__)
    assert messages.ProxyCall._fields == ("attr_path", "args", "kwargs")
    assert messages.ProxyGetAttr._fields == ("attr_path",)
    assert messages.ProxySetAttr._fields == ("attr_path", "value")


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


def test_futures_await_in_one_step() -> None:
    """Pykka's own await blocks in ``get``; ours replaces it, and the alias that it set."""
    theirs: Any = pykka.Future
    assert theirs.__iter__ is theirs.__await__
    assert isinstance(pykka.ThreadingFuture[int]().__await__(), GeneratorType)


@virtual
async def test_an_envelope_has_what_pykkas_has() -> None:
    """The same two fields, and our context."""
    from pykka._envelope import Envelope as Theirs  # noqa: PLC0415 - private, only compared here

    assert set(Theirs.__slots__) < set(Envelope.__slots__)
