"""Sessions without the turns that they start."""

import asyncio
from typing import Any

from msgspec.structs import replace

from actors.journal import Journals
from actors.outlet import Pace
from actors.recall import Recall
from actors.session import House
from actors.sessions import Conversation, Sessions
from actors.supervisor import Tree
from actors.system import System
from actors.turns import StartTurn
from protocol.access import Identify, identify_keeper
from protocol.errors import InvalidModelSelected
from protocol.settings import Limits
from protocol.values import Models
from tests.actors.parts import MODE
from tests.fakes import Inbox
from tests.memory_connection import MemoryConnection


class Offers:
    """Providers that offer everything but what is called ``unknown``."""

    def resolve(self, models: Models) -> Models:
        """The same, or not."""
        if models.chat.provider == "unknown":
            raise InvalidModelSelected("chatModelProvider: is not known")
        return models


class Hall:
    """Sessions whose turns end up in a list."""

    def __init__(self, subprotocol: str | None = None, **limits: Any) -> None:
        self.tree = Tree(System())
        self.started: list[StartTurn] = []
        self.turns = self.tree.grow(Inbox, self.started)
        ids = iter(f"{n:014x}" for n in range(1_000_000))
        self.limits = Limits(**limits)
        self.recalled: list[Recall] = []
        self.journals = Journals()
        self.house = House(
            self.turns,
            self.tree.grow(Inbox, self.recalled),
            self.journals,
            {"webSearch": MODE},
            self.limits,
            Pace(0, 0, 30),
            lambda: next(ids),
        )
        self.furnish()
        self.identify: Identify = identify_keeper
        self.connection = MemoryConnection(subprotocol)
        self.talk: asyncio.Task[None] | None = None
        self.visits: list[tuple[MemoryConnection, asyncio.Task[None]]] = []

    def furnish(self, **changes: Any) -> None:
        """New sessions, which share these other things; the next client comes to them."""
        self.house = replace(self.house, **changes)
        self.sessions = self.tree.grow(Sessions, self.house, {})
        self.converse = Conversation(self.sessions, Offers(), self.limits)  # type: ignore[arg-type]

    async def open(self, **query: str) -> MemoryConnection:
        """A client that has been let in, or not."""
        self.talk = asyncio.ensure_future(self.converse(self.connection, query, self.identify))
        return await self.settle()

    async def settle(self) -> MemoryConnection:
        """Everything that is ready has run."""
        await asyncio.sleep(0.1)
        return self.connection

    async def close(self) -> None:
        """The clients leave, the program ends."""
        for connection, talk in self.visits:
            connection.leave()
            await talk
        self.connection.leave()
        if self.talk is not None:
            await self.talk
        await self.tree.stop(5)
