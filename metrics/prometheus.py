"""The meter that Prometheus reads."""

import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from actors.journal import Journal
from metrics.lag import LoopLag
from metrics.meter import Metered
from metrics.state import State
from metrics.turns import Turns

LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class PrometheusMeter:
    """Counts turns as they end, and reads everything else when it is asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # The library's own: a second series for each, of no use here.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._turns = Turns(self._registry, clock)
        lag = Histogram(
            "perplexica_loop_lag_seconds",
            "How much later than planned the event loop came round, twice a second",
            buckets=LAG_BUCKETS,
            registry=self._registry,
        )
        self._lag = LoopLag(lag.observe)

    def text(self) -> bytes:
        """All metrics in Prometheus's text format, version 0.0.4."""
        return generate_latest(self._registry)

    def watch(self, journal: Journal) -> None:
        """Count this turn; it begins now."""
        self._turns.watch(journal)

    def start(self, metered: Metered) -> None:
        """Measure the running loop from now on, and tell of all this too."""
        self._registry.register(State(metered))
        self._lag.start()

    def close(self) -> None:
        """Measure the loop no longer; does nothing when it has not begun."""
        self._lag.stop()
