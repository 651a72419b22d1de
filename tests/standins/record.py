"""What a stand-in has been asked, and what became of each reply; tests wait on it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEPT = 10_000


@dataclass
class Exchange:
    """One request, and how far its reply has come.

    ``text`` is the question as far as the server could tell; ``reply`` the text it meant to send;
    ``pieces`` how many pieces of it were sent; times are those of the event loop.
    """

    kind: str
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any
    text: str
    started: float
    ended: float | None = None
    reply: str = ""
    pieces: int = 0
    sent_at: list[float] = field(default_factory=list)
    closed_early: bool = False

    @property
    def temperature(self) -> float | None:
        """What the model was asked for, in OpenAI's, in Ollama's or in Gemini's place."""
        options = self.body.get("options") or self.body.get("generationConfig") or {}
        value = self.body.get("temperature", options.get("temperature"))
        return None if value is None else float(value)


class Record:
    """The last exchanges of one server, oldest first."""

    def __init__(self) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._changed = asyncio.Event()

    def add(self, exchange: Exchange) -> None:
        """Keep a request that has just been read."""
        self.exchanges.append(exchange)
        self.touch()

    def touch(self) -> None:
        """Wake those who wait: something about an exchange is new."""
        self._changed.set()

    def about(self, text: str, kind: str = "") -> list[Exchange]:
        """The exchanges (of one kind, or all) whose question contains ``text``."""
        return [e for e in self.exchanges if text in e.text and kind in ("", e.kind)]

    async def first(self, wanted: Callable[[Exchange], bool], deadline_s: float) -> Exchange:
        """The first exchange that is as wanted, waiting for it; raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            while not (found := next(filter(wanted, self.exchanges), None)):
                self._changed.clear()
                await self._changed.wait()
        return found
