"""What counts for others to read, or what stands in its place: the program knows one seam only."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from actors.journal import Journal
from actors.system import Counts
from protocol.base import Value
from protocol.errors import SettingsError
from protocol.settings import Metrics
from transport.traffic import Traffic
from upstreams.breaker import UpstreamHealth
from upstreams.tally import Tally


class Working(Protocol):
    """The running actors."""

    @property
    def counts(self) -> Mapping[str, Counts]:
        """What became of messages, by kind of actor."""

    def backlog(self) -> Mapping[str, int]:
        """What is under way, by name."""

    def waiting(self) -> Mapping[str, int]:
        """How many messages wait, by kind of actor."""


class Metered(Value, frozen=True):
    """What the program knows anyway, and is read when somebody asks for metrics.

    Attributes:
        actors: Those that run.
        tally: How calls of services ended, and what was done about slow ones.
        upstreams: How the services are.
        traffic: Bytes to and fro.

    """

    actors: Working
    tally: Tally
    upstreams: Callable[[], Iterable[UpstreamHealth]]
    traffic: Traffic


class Meter(Protocol):
    """Counts what happens."""

    @property
    def text(self) -> Callable[[], bytes] | None:
        """Tells what is counted, as Prometheus reads it; ``None`` where nothing is."""

    def watch(self, journal: Journal) -> None:
        """Count this turn; it begins now."""

    def start(self, metered: Metered) -> None:
        """Measure the running loop from now on, and tell of all this too."""

    def close(self) -> None:
        """Measure no longer; does nothing when it has not begun."""


class Teller(Protocol):
    """Tells of turns that have ended."""

    def watch(self, journal: Journal) -> None:
        """Follow this turn; it begins now."""

    def close(self) -> None:
        """Send what is left, within a bounded time."""


class NoMeter:
    """Counts nothing, and costs nothing."""

    text = None

    def watch(self, journal: Journal) -> None:
        """Let it pass."""

    def start(self, metered: Metered) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class SpansToo:
    """A meter beside which the spans of each turn are sent."""

    def __init__(self, meter: Meter, teller: Teller) -> None:
        self._meter = meter
        self._teller = teller
        self.text = meter.text
        self.start = meter.start

    def watch(self, journal: Journal) -> None:
        """Count this turn, and tell of it when it has ended."""
        self._meter.watch(journal)
        self._teller.watch(journal)

    def close(self) -> None:
        """Send what is left."""
        self._meter.close()
        self._teller.close()


def open_meter(settings: Metrics) -> Meter:
    """The meter that the settings want; libraries are imported only for what is on.

    Raises SettingsError where spans are wanted and the extra is not installed.
    """
    meter = _counting() if settings.on else NoMeter()
    return SpansToo(meter, _teller()) if settings.spans else meter


def _counting() -> Meter:
    from metrics.prometheus import PrometheusMeter  # noqa: PLC0415 - see above

    return PrometheusMeter()


def _teller() -> Teller:
    try:
        from metrics.otel import SpanTeller  # noqa: PLC0415 - see above
    except ImportError as error:
        allowed = "it needs the extra otel: pip install .[otel]"
        raise SettingsError("[METRICS] SPANS", True, allowed) from error
    return SpanTeller(time.time_ns)
