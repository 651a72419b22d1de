"""Time as a stand-in sees it, so that a test can hand in its own."""

import asyncio
from typing import Protocol


class Clock(Protocol):
    """What the time is, and how to let some pass."""

    def now(self) -> float:
        """Seconds; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""


class LoopClock:
    """The clock of the running loop."""

    def now(self) -> float:
        """Seconds on the loop's clock."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(seconds)
