"""When a program has nothing to do."""

import asyncio

from tests.e2e.program import Program

PAUSE_S = 0.25
DEADLINE_S = 60.0
BUSY = ("sessions", "turns", "queued")


async def idle(program: Program) -> None:
    """Return once no session is open and no turn runs; raises TimeoutError."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            backlog = (await program.json("/health"))["backlog"]
            if not any(backlog[what] for what in BUSY):
                return
            await asyncio.sleep(PAUSE_S)
