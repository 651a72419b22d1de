"""How late the event loop is: whatever holds it up holds up everybody."""

import asyncio
from collections.abc import Callable

EVERY_S = 0.5


class LoopLag:
    """Has itself called twice a second, and tells how many seconds later than that it was."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin on the running loop."""
        loop = asyncio.get_running_loop()
        due = loop.time() + EVERY_S
        self._timer = loop.call_at(due, self._ring, due)

    def stop(self) -> None:
        """End; does nothing when it has not begun."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self, due: float) -> None:
        self._tell(max(0.0, asyncio.get_running_loop().time() - due))
        self.start()
