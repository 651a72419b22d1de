"""What one asker may do: by the address that they ask from, and by their name."""

from collections.abc import Callable
from typing import Literal

from access.buckets import Buckets, Crowd, Keys
from protocol.settings import Limits

Deed = Literal["handshakes", "questions", "extras", "logins", "upload_bytes"]

MINUTE_S, HOUR_S = 60.0, 3600.0
# More than the hasher gets through in an hour of those of strangers that it must refuse.
MOST_NAMES = 50_000


class Quotas:
    """Counts what is done; ``connections``, ``sockets`` and ``turns`` are those at once."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        """Begin with nothing done; ``now`` is a clock that only goes forward, in seconds."""

        def buckets(what: str, most: int, period_s: float = MINUTE_S) -> Buckets:
            return Buckets(what, most, period_s=period_s, now=now)

        self.connections = Crowd("connections", limits.asker_connections)
        self.sockets = Crowd("WebSockets", limits.asker_sockets)
        self.turns = Crowd("your questions", limits.asker_turns)
        self._buckets: dict[Deed, Buckets] = {
            "handshakes": buckets("new WebSockets", limits.asker_handshakes),
            "questions": buckets("questions", limits.asker_questions),
            "extras": buckets("requests beside answers", limits.asker_extras),
            "logins": buckets("logins", limits.asker_logins),
            "upload_bytes": buckets("bytes of uploads", limits.asker_upload_bytes, HOUR_S),
        }

    def spend(self, deed: Deed, keys: Keys, amount: int = 1) -> None:
        """Count that it is done; raises RateLimited, or TooLarge, where it may not be."""
        self._buckets[deed].take(keys, amount)


def guesses_of(limits: Limits, now: Callable[[], float]) -> Buckets:
    """Counts the logins that fail for one name, wherever they come from."""
    most, names = limits.name_logins, MOST_NAMES
    return Buckets("failed logins", most, period_s=HOUR_S, now=now, most_keys=names)
