"""How long a service usually takes."""

from collections import deque

WINDOW = 64
ENOUGH = 10
SHARE = 0.9
QUICK_S = 0.02  # what comes sooner came from a memory, and says nothing of the service


class Latency:
    """The times of a service's last answers, in seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=WINDOW)

    @property
    def usual_s(self) -> float | None:
        """Within this, nine of ten answers came; ``None`` while there are too few."""
        if len(self._times) < ENOUGH:
            return None
        return sorted(self._times)[int(SHARE * (len(self._times) - 1))]

    def answered(self, seconds: float) -> None:
        """An answer took so long."""
        if seconds >= QUICK_S:
            self._times.append(seconds)

    def unanswered(self, seconds: float) -> None:
        """After so long there was none yet.

        Where that is longer than usual it counts, or a service that has become slower would be
        overtaken for ever.
        """
        if self.usual_s is not None and seconds > self.usual_s:
            self._times.append(seconds)
