"""How often, and how much at once: counted by keys, in tables that stay small."""

from collections import Counter
from collections.abc import Callable
from itertools import islice

from protocol.access import WIDE
from protocol.errors import Busy, TooLarge
from protocol.refusals import RateLimited

MOST_KEYS = 10_000
ROUNDING_S = 1e-6
MOST_AT_ONCE = 3  # keys of one call: two of an address, one of a name

WIDE_SHARE = 4  # of what is allowed to one key, to a network that may have several customers

Keys = tuple[str, ...]


def share_of(key: str) -> int:
    """How many times as much is allowed to this key as to others."""
    return WIDE_SHARE if key.endswith(WIDE) else 1


def nothing() -> None:
    """What is to be done at the end where nothing was counted."""


class Buckets:
    """A bucket of tokens for each key; a full one is not kept.

    ``most`` tokens fill a bucket, in ``period_s`` from its bottom to its top; 0 sets no limit. Of a
    table that is full the key is forgotten that was not used for longest.
    """

    def __init__(
        self,
        what: str,
        most: int,
        *,
        period_s: float,
        now: Callable[[], float],
        most_keys: int = MOST_KEYS,
    ) -> None:
        self._what = what
        self._most = most
        self._period_s = period_s
        self._now = now
        self._most_keys = most_keys
        self._full_at: dict[str, float] = {}  # the longest unused first

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._full_at)

    def take(self, keys: Keys, amount: int = 1) -> None:
        """Take tokens from the buckets of all keys, or from none.

        Raises:
            RateLimited: There are too few; it knows when there will be enough.
            TooLarge: No bucket ever holds so many.

        """
        if not self._most or not keys:
            return
        if amount > self._most:
            raise TooLarge("The sum", limit=self._most, unit=self._what)
        now, cost_s = self._now(), amount * self._period_s / self._most
        full_at = {
            key: max(now, self._full_at.get(key, now)) + cost_s / share_of(key) for key in keys
        }
        wait_s = max(full_at.values()) - now - self._period_s
        if wait_s > ROUNDING_S:
            raise RateLimited(self._what, again_after_s=wait_s)
        for key, at in full_at.items():
            self._full_at.pop(key, None)
            self._full_at[key] = at
        self._forget(now)

    def give_back(self, keys: Keys) -> None:
        """Put back one token that was taken: it was not needed."""
        now = self._now()
        for key in keys:
            at = self._full_at.pop(key, now) - self._period_s / max(1, self._most) / share_of(key)
            if at > now + ROUNDING_S:
                self._full_at[key] = at

    def _forget(self, now: float) -> None:
        """Let go of at least as many keys as one call can bring, where there is something to."""
        for key in list(islice(self._full_at, MOST_AT_ONCE)):
            if self._full_at[key] <= now or len(self._full_at) > self._most_keys:
                del self._full_at[key]


class Crowd:
    """How many are at it at once for each key; 0 sets no limit."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._inside: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._inside)

    def enter(self, keys: Keys, *, again_after_s: float | None = None) -> Callable[[], None]:
        """Count one more for all keys; what is given is to be called once when it has left.

        Raises Busy, with the time that is given, where one of them is at its limit.
        """
        if not self._most or not keys:
            return nothing
        if any(self._inside[key] >= self._most * share_of(key) for key in keys):
            raise Busy(self._what, again_after_s=again_after_s)
        self._inside.update(keys)
        return lambda: self._leave(keys)

    def _leave(self, keys: Keys) -> None:
        for key in keys:
            self._inside[key] -= 1
            if not self._inside[key]:
                del self._inside[key]
