"""What all clients of WebSockets together have us keep, and who is cut off when it is too much."""

from typing import Protocol

import structlog

log = structlog.get_logger()


class Sender(Protocol):
    """A client that has sent something."""

    def give_up(self) -> None:
        """Cut it off, and let go of what it has sent."""


class Arrivals:
    """Counts the bytes that have come and that nobody has dealt with, and keeps them in bounds.

    Over the bound the client is cut off that has had something waiting for the longest time: a
    client that lets its frames drip, and not one whose frame comes and is dealt with.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: dict[Sender, int] = {}  # in the order in which they began to hold something
        self.total = 0  # bytes held now, of all clients

    def note(self, sender: Sender, held: int) -> None:
        """Remember how many bytes of a client are held now."""
        self.total += held - self._held.get(sender, 0)
        if held:
            self._held[sender] = held
        else:
            self._held.pop(sender, None)
        while self.total > self._limit_bytes:
            self._cut_off(next(iter(self._held)))

    def _cut_off(self, sender: Sender) -> None:
        held = self._held.pop(sender)
        self.total -= held
        log.warning("socket.cut_off", held_bytes=held, limit_bytes=self._limit_bytes)
        sender.give_up()
