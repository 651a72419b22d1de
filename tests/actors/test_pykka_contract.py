"""What the runtime builds on of pykka 4.5: an upgrade that moves any of it fails here, by name."""

import asyncio
import inspect
from importlib.metadata import version
from types import GeneratorType
from typing import Any

import pykka
import pytest
from pykka import messages

from actors.base import Actor
from actors.envelope import Envelope, Reply
from actors.errors import ActorDead, AskTimeout
from actors.life import Life
from actors.mailbox import Mailbox
from actors.ref import Ref
from tests.actors.player import Player, started
from tests.clock import virtual

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
        assert ref.actor_urn.startswith("urn:perplexica:")
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
