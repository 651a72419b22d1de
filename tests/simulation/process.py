"""One life of the program, put together as ``app.Program`` does it, from parts in memory."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

from actors.life import Life
from actors.outlet import Outlet
from actors.sessions import Sessions
from actors.staff import Staff, Tools
from actors.supervisor import Tree
from actors.system import System
from protocol.access import identify_keeper
from protocol.service_settings import ApiEndpoints, ApiKeys
from protocol.settings import Limits, Search, Settings
from providers.service import Providers
from retrieval.service import Retrieval
from storage.sqlite import SqliteStore
from tests.clock import StandStill, VirtualLoop
from tests.retrieval.fakes import ReadHere, run_at_once
from tests.simulation.client import Client
from tests.simulation.client import Connection as ClientConnection
from tests.simulation.disk import Connection, Disk
from tests.simulation.services import CHAT_MODEL, EMBEDDING_MODEL, MODELS, SEARCH, Services
from upstreams.retry import Retry
from upstreams.tally import Tally

T = TypeVar("T")

SETTINGS = Settings(
    api_keys=ApiKeys(openai="key"),
    api_endpoints=ApiEndpoints(openai=MODELS, searxng=SEARCH),
    search=Search(backends=("searxng",)),
    limits=Limits(
        rephrase_s=4,
        search_s=3,
        rerank_s=3,
        first_token_s=6,
        token_gap_s=4,
        turn_s=30,
        store_s=3,
        send_s=6,
        drain_s=12,
        turns=2,
        queue=6,
        queue_s=20,
    ),
)
# What a turn may take at most: its own time, and then a promise that is on its way, an apology that
# cannot be kept, and the acceptance before all of that.
LONGEST_S = SETTINGS.limits.queue_s + SETTINGS.limits.turn_s + 3 * SETTINGS.limits.store_s + 1
MODEL = {
    "chatModelProvider": "openai",
    "chatModel": CHAT_MODEL,
    "embeddingModelProvider": "openai",
    "embeddingModel": EMBEDDING_MODEL,
}
EXTRACTS = {**MODEL, "chatModelProvider": "built_in", "chatModel": "extractive"}
RESTART = 1012
BURIAL_S = 1000.0


class Cast(NamedTuple):
    """The parts that a mutant may take: as a rule those of the program."""

    connection: type[Connection] = Connection
    outlet: type[Outlet] = Outlet
    sessions: type[Sessions] = Sessions


def sessions_with(outlet: type[Outlet]) -> type[Sessions]:
    """Sessions whose clients are told by this kind of outlet."""

    class OtherSessions(Sessions):
        def spawn(self, kind: Any, *args: Any, **kwargs: Any) -> Any:
            """The other kind where the usual one is wanted."""
            return super().spawn(outlet if kind is Outlet else kind, *args, **kwargs)

    return OtherSessions


class CastTree(Tree):
    """A tree that grows the parts of a cast."""

    def __init__(self, system: System, cast: Cast) -> None:
        self._sessions = cast.sessions
        if cast.outlet is not Outlet:
            self._sessions = sessions_with(cast.outlet)
        super().__init__(system)

    def grow(self, kind: Any, *args: Any, **kwargs: Any) -> Any:
        """As a tree does, with the part of the cast."""
        return super().grow(self._sessions if kind is Sessions else kind, *args, **kwargs)

    def living(self) -> Iterator[Life]:
        """All actors below the root, oldest first."""
        waiting = list(self._root.children)
        while waiting:
            life = waiting.pop(0)
            yield life
            waiting.extend(life.children)


class Process:
    """The running program."""

    def __init__(
        self,
        disk: Disk,
        services: Services,
        cast: Cast,
        now: Callable[[], datetime],
        new_id: Callable[[int], str],
    ) -> None:
        self.disk = disk
        self.services = services
        self._cast = cast
        self._now = now
        self._new_id = new_id
        self._stack = AsyncExitStack()
        self._connections: list[ClientConnection] = []
        self.is_leaving = False

    async def start(self, path: Path) -> None:
        """Open the store, then start the actors."""
        stack, clock = self._stack, asyncio.get_running_loop().time
        client = await stack.enter_async_context(self.services.client())
        retries = SETTINGS.resilience.retries
        tally = Tally()
        retry = Retry(retries, tally, random=Random(0).random, clock=clock)
        providers = Providers(
            SETTINGS,
            offload=run_at_once,
            clock=clock,
            open_client=self.services.client,
            retry=retry,
        )
        stack.push_async_callback(providers.close)
        retrieval = Retrieval.build(
            SETTINGS,
            client=client,
            offload=run_at_once,
            now=self._now,
            reading=ReadHere(run_at_once),
            retry=retry,
        )
        stack.push_async_callback(retrieval.close)
        self.store = await SqliteStore.open(path, clock=self._now, connect=self.disk.open)
        stack.push_async_callback(self.store.close)
        self.tree = CastTree(System(drain_s=SETTINGS.limits.drain_s), self._cast)
        stack.push_async_callback(partial(self.tree.stop, SETTINGS.limits.drain_s))
        shuffle = Random(0).shuffle
        tools = Tools(self.store, retrieval, providers, self._now, self._new_id, shuffle, tally)
        self.staff = Staff(self.tree, SETTINGS, tools)
        providers.warm()

    def connect(self, client: Client) -> tuple[ClientConnection, "asyncio.Task[None]"]:
        """Let a client in; the task is its conversation."""
        connection = ClientConnection(client)
        self._connections.append(connection)
        query = MODEL if client.person.has_model else EXTRACTS
        talk = self.staff.converse(connection, query, identify_keeper)
        return connection, asyncio.get_running_loop().create_task(talk)

    async def leave(self) -> None:
        """A planned stop: as ``app.run_server`` ends."""
        self.is_leaving = True
        await self.staff.drain(SETTINGS.limits.drain_s)
        for connection in self._connections:
            await connection.close(RESTART)
        await self._stack.aclose()

    def die(self) -> None:
        """The process is killed: nothing of it reaches the disk or anybody any more."""
        self.disk.cut()
        # What the kernel does for a process that dies; other locks and files it had are gone too.
        self.store._slot.release()
        for connection in self._connections:
            connection.cut()


def bury(loop: VirtualLoop) -> None:
    """End what is left of a process; nothing of it reaches anybody any more."""
    loop.set_exception_handler(lambda *_: None)
    loop._jump.until = loop.time() + BURIAL_S
    for _ in range(20):
        left = asyncio.all_tasks(loop)
        if not left:
            break
        for task in left:
            task.cancel()
        with suppress(StandStill):
            loop.run_until_complete(asyncio.wait(left, timeout=10))
    with suppress(StandStill):
        loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    gc.collect()
