"""The real program without its port: clients in memory, stand-in upstreams over real sockets."""

import asyncio
from pathlib import Path

from program import Program
from protocol.access import identify_keeper
from protocol.service_settings import ApiEndpoints, ApiKeys
from protocol.settings import General, Search, Settings
from tests.memory_connection import Frame, MemoryConnection
from tests.standins.model_server import ModelServer
from tests.standins.search_server import SearchServer

ENDS = ("messageEnd", "error")


def settings(folder: Path, models: ModelServer, search: SearchServer) -> Settings:
    """Settings that name the stand-ins."""
    return Settings(
        general=General(data_dir=str(folder), ui_gap_ms=0),
        api_keys=ApiKeys(openai="a key of the tests"),
        api_endpoints=ApiEndpoints(searxng=search.url, openai=models.openai_url),
        search=Search(backends=("searxng",)),
    )


class Talk:
    """A client's conversation with the program."""

    def __init__(self, program: Program) -> None:
        self.connection = MemoryConnection()
        self._task = asyncio.ensure_future(
            program.staff.converse(self.connection, {}, identify_keeper)
        )

    async def ends(self, turns: int) -> list[Frame]:
        """The terminal frames, once so many turns have ended."""
        async with asyncio.timeout(5):
            await self.connection.until(lambda _: len(self.connection.of_type(*ENDS)) >= turns)
        return self.connection.of_type(*ENDS)

    async def is_open(self) -> None:
        """The program has said that the session is open."""
        async with asyncio.timeout(5):
            await self.connection.until(lambda _: bool(self.connection.of_type("signal")))

    async def leave(self) -> None:
        """Close, and wait until the program has noticed."""
        self.connection.leave()
        await self._task
