"""How many bytes go to and fro between clients and us."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Flow:
    """Bytes that came, and that were given to the system to be sent, since the start."""

    received: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """By what carries them; the head of an upgrade is HTTP, of WebSockets their text counts."""

    http: Flow = field(default_factory=Flow)
    websocket: Flow = field(default_factory=Flow)
