"""Small fakes that the tests of several packages share."""

from typing import Any

from actors.base import Actor


class Inbox(Actor):
    """Puts every message that it is sent into the list it was given, and answers nothing."""

    def __init__(self, received: list[Any]) -> None:
        super().__init__()
        self._received = received

    def on_receive(self, message: Any) -> None:
        """Keep it, whatever its type."""
        self._received.append(message)
