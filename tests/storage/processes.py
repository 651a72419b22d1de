"""Other processes that use the same store."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Child:
    """A process that runs ``tests.storage.child``."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def says(self, word: str) -> None:
        """Wait for a word of the child, whatever else it prints before."""
        assert self._process.stdout
        async with asyncio.timeout(30):
            await self._process.stdout.readuntil(f"{word}\n".encode())

    def go(self) -> None:
        """Let it begin its work."""
        assert self._process.stdin
        self._process.stdin.write(b"go\n")

    async def kill(self) -> None:
        """End it as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def leave(self) -> int:
        """Let it close its store; its exit code."""
        assert self._process.stdin
        self._process.stdin.close()
        return await asyncio.wait_for(self._process.wait(), 30)


@contextlib.asynccontextmanager
async def child(verb: str, path: Path, name: str) -> AsyncIterator[Child]:
    """A process that is ready to work, and dead at the end."""
    words = ("-m", "tests.storage.child", verb, str(path), name)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    started = Child(process)
    try:
        await started.says("ready")
        yield started
    finally:
        await started.kill()
