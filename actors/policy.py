"""When a failed actor is started again."""

from typing import NamedTuple


class Policy(NamedTuple):
    """What a parent does when a child of this kind fails.

    It is restarted at once, then after a pause that doubles with each failure inside ``within_s``;
    one failure more than ``restarts`` within that time and it is given up, or, with ``escalate``,
    the parent fails in its turn. With ``keeps_children`` its own children work on meanwhile, and
    the restarted actor finds them there; else they are stopped with it.
    """

    restarts: int = 0
    within_s: float = 60.0
    escalate: bool = False
    keeps_children: bool = False
    pause_s: float = 0.05
    longest_pause_s: float = 5.0

    def pause(self, recent: int) -> float | None:
        """Seconds until the next start after ``recent`` earlier failures; ``None`` for never."""
        if recent >= self.restarts:
            return None
        doubled = self.pause_s * 2 ** min(recent - 1, 60)  # a larger power would not fit a float
        return min(doubled, self.longest_pause_s) if recent else 0.0
