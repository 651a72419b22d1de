"""What the program needs of a client's connection, whatever carries it."""

from collections.abc import AsyncIterator
from typing import Protocol

from protocol.errors import ServiceError


class ConnectionGone(ServiceError):
    """The client has left, or the connection is closed."""

    def __init__(self) -> None:
        super().__init__("The connection is closed.")


class Connection(Protocol):
    """One client; a driver of sockets, a terminal or a test stands behind it."""

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol both sides agreed on (``perplexica.v2``), if any."""

    def frames(self) -> AsyncIterator[str | bytes]:
        """The client's frames in order; ends when the client has left, however it left."""

    async def send(self, frame: str, *, within_s: float | None = None) -> None:
        """Send a text frame; waits while the client is slow, no longer than ``within_s``.

        Raises ConnectionGone, and TimeoutError.
        """

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a code; does nothing when it is closed already."""
