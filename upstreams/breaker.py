"""A circuit breaker: a service that is dead costs one time-out, not one for each question."""

from collections.abc import Callable
from typing import Literal, Self

import structlog

from protocol.base import Value
from protocol.settings import Resilience
from upstreams.diary import note

log = structlog.get_logger(__name__)

State = Literal["closed", "open", "probing"]


class BreakerPolicy(Value, frozen=True):
    """When to stop asking, and when to try again; seconds.

    ``failures`` in a row open the breaker, one time-out does so at once; 0 keeps it closed always.
    The pause doubles with each probe that fails, up to ``most_pause_s``.
    """

    failures: int = 3
    pause_s: float = 5.0
    most_pause_s: float = 60.0

    @classmethod
    def of(cls, resilience: Resilience) -> Self:
        """As the settings want it."""
        return cls(resilience.failures, resilience.pause_s, resilience.most_pause_s)


NEVER = BreakerPolicy(failures=0)


class UpstreamHealth(Value, frozen=True, rename="camel", omit_defaults=True):
    """How a service is, for people: since how many seconds, and why it is left alone if it is."""

    name: str
    state: State
    since_s: int
    problem: str = ""
    refused: int = 0


class Breaker:
    """Closed: all may ask. Open: nobody may. Probing: one asks, and the rest wait for how it ends.

    Whoever was let in must say how it ended: ``succeeded``, ``failed`` or ``left``.
    """

    def __init__(self, name: str, policy: BreakerPolicy, clock: Callable[[], float]) -> None:
        self.name = name
        self.state: State = "closed"
        self.since = clock()
        self.problem = ""
        self.refused = 0
        self.answers = 0
        self._policy = policy
        self._clock = clock
        self._failures = 0
        self._pause_s = policy.pause_s

    def admits(self) -> bool:
        """Whether to ask now; after the pause one caller is let in as a probe."""
        if self.state == "open" and self._clock() >= self.since + self._pause_s:
            self._turn("probing")
            return True
        if self.state == "closed":
            return True
        self.refused += 1
        note("left alone", upstream=self.name, problem=self.problem)
        return False

    def succeeded(self) -> None:
        """The service has answered: it is well."""
        self.answers += 1
        self._failures = 0
        self._pause_s = self._policy.pause_s
        if self.state != "closed":
            note("breaker closed", upstream=self.name)
            log.info("breaker.closed", upstream=self.name, refused=self.refused)
            self._turn("closed")
            self.problem = ""

    def failed(self, problem: str, *, timed_out: bool = False) -> None:
        """The service did not answer properly."""
        self._failures += 1
        self.problem = problem
        if self.state == "probing":
            self._pause_s = min(2 * self._pause_s, self._policy.most_pause_s)
            self._turn("open")
        elif self.state == "closed" and self._is_enough(timed_out=timed_out):
            note("breaker opened", upstream=self.name, problem=problem)
            log.warning("breaker.opened", upstream=self.name, problem=problem)
            self._turn("open")

    def left(self) -> None:
        """The caller has left before the service could answer: nothing is known."""
        if self.state == "probing":
            self._turn("open")

    def health(self) -> UpstreamHealth:
        """How the service is, as far as is known."""
        since_s = round(self._clock() - self.since)
        return UpstreamHealth(self.name, self.state, since_s, self.problem, self.refused)

    def _is_enough(self, *, timed_out: bool) -> bool:
        most = self._policy.failures
        return bool(most) and (timed_out or self._failures >= most)

    def _turn(self, state: State) -> None:
        self.state = state
        self.since = self._clock()
