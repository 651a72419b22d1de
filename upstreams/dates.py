"""What time it is for others, as their replies say in passing: a clock of ours that is off shows.

Replies out of a cache are older than they look, and do not count.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

KEPT = 20  # of the newest replies


class Dates:
    """How far our clock is from those of the services that have answered."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Know nothing yet; ``now`` is our clock, with its zone."""
        self._now = now
        self._told: deque[tuple[str, datetime]] = deque(maxlen=KEPT)

    def watch(self, client: httpx.AsyncClient) -> httpx.AsyncClient:
        """The client; what its replies say of the time is noted from now on."""
        client.event_hooks = {**client.event_hooks, "response": [self._note]}
        return client

    @property
    def ahead_s(self) -> float | None:
        """Seconds that our clock is ahead of the one nearest to it; ``None`` where none is known.

        A single service with a wrong clock must not speak against ours.
        """
        ahead_s = [
            (ours - theirs).total_seconds()
            for text, ours in self._told
            if (theirs := date_of(text)) is not None
        ]
        return min(ahead_s, key=abs, default=None)

    async def _note(self, response: httpx.Response) -> None:
        if "date" in response.headers and "age" not in response.headers:
            self._told.append((response.headers["date"], self._now()))


def date_of(text: str) -> datetime | None:
    """The time that a Date header tells; nothing for what is none."""
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
