"""What a bench runs beside itself, each in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

DEADLINE_S = 30.0


class Server(Protocol):
    """What is measured: the program, or the bare relay."""

    @property
    def pid(self) -> int:
        """Its process."""

    @property
    def port(self) -> int:
        """Its port of loopback."""


@dataclass(frozen=True)
class Running:
    """A module that runs as a process, and where it listens."""

    process: asyncio.subprocess.Process
    url: str

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    @property
    def port(self) -> int:
        """The port that its address names."""
        return urlsplit(self.url).port or 0

    async def line(self, within_s: float = DEADLINE_S) -> str:
        """The next line that it prints; empty when it has ended."""
        assert self.process.stdout
        return (await asyncio.wait_for(self.process.stdout.readline(), within_s)).decode().strip()

    async def tell(self, line: str) -> None:
        """Send a line to its standard input."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Running]:
    """A module that prints its address first; it is terminated at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        started = Running(process, "")
        yield Running(process, await started.line())
    finally:
        process.terminate()
        await process.wait()


async def swift_services(stack: AsyncExitStack) -> tuple[dict[str, str], Running]:
    """The settings of a program whose services answer at once, and the relay between the same."""
    models = await stack.enter_async_context(running("tests.standins.model_server"))
    search = await stack.enter_async_context(running("tests.standins.search_server"))
    relay = await stack.enter_async_context(running("bench.relay", models.url, search.url))
    return settings_for(models.url, search.url), relay


def settings_for(models: str, search: str) -> dict[str, str]:
    """The settings that name the services."""
    return {
        "SEARXNG_API_URL": search,
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": f"{models}/v1",
        "PERPLEXICA_UI_GAP_MS": "0",
    }
