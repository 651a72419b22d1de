"""How calls of services ended, and what was done about slow and failing ones, since the start."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

Deed = Literal["retried", "hedged", "hedgesWon", "early"]
DEEDS: tuple[Deed, ...] = ("retried", "hedged", "hedgesWon", "early")


class Tally:
    """Numbers by what was done and for whom; the names are ours, so that there are few."""

    def __init__(self) -> None:
        self._counts: dict[Deed, Counter[str]] = {deed: Counter() for deed in DEEDS}
        self.calls: Counter[tuple[str, str]] = Counter()

    def add(self, deed: Deed, name: str) -> None:
        """It was done once more."""
        self._counts[deed][name] += 1

    def called(self, upstream: str, ended: str) -> None:
        """One more call of that service has ended so."""
        self.calls[upstream, ended] += 1

    def told(self) -> Mapping[str, Mapping[str, int]]:
        """For each deed the names with their numbers; no name where it was never done."""
        return {deed: dict(count) for deed, count in self._counts.items()}
