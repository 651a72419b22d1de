"""What the program knows anyway, as metrics: read when somebody asks, never before."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from metrics.meter import Metered
from upstreams.breaker import State as BreakerState
from upstreams.tally import Deed

Row = tuple[tuple[str, ...], float]

BACKLOG = {
    "sessions": "Clients that are connected over WebSocket",
    "turns": "Turns that run",
    "actors": "Actors that there are",
    "tasks": "Tasks of the event loop",
}
DEEDS: dict[Deed, tuple[str, str]] = {
    "retried": ("retries", "Calls that were made once more"),
    "hedged": ("hedges", "Searches asked beside one that was slower than usual"),
    "hedgesWon": ("hedges_won", "Hedges that found something first"),
}
EARLY = ("early_searches", "Searches begun before the question was rephrased")
BECAME = ("handled", "failed", "cancelled", "expired", "dead", "refused")


class State(Collector):
    """The metrics of what there is now, and of what is counted elsewhere."""

    def __init__(self, metered: Metered) -> None:
        self._metered = metered

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        yield from self._actors()
        yield from self._services()
        yield from self._traffic()

    def _actors(self) -> Iterator[Metric]:
        actors = self._metered.actors
        backlog = actors.backlog()
        for name, doc in BACKLOG.items():
            yield gauge(name, doc, (), [((), backlog[name])])
        waiting = actors.waiting()
        yield gauge("mailbox_messages", "Messages that wait", ("actor",), by_name(waiting))
        counts = actors.counts
        pairs = product(counts.items(), BECAME)
        became = [((kind, what), getattr(count, what)) for (kind, count), what in pairs]
        doc = "What became of messages; dead ones waited when their actor ended"
        yield counter("messages", doc, ("actor", "became"), became)
        restarts = {kind: count.restarts for kind, count in counts.items()}
        doc = "Actors that broke and were started anew"
        yield counter("actor_restarts", doc, ("actor",), by_name(restarts))

    def _services(self) -> Iterator[Metric]:
        tally = self._metered.tally
        doc = "Calls of services by how they ended: a status, none (no reply of use), left"
        yield counter("upstream_calls", doc, ("upstream", "code"), tally.calls.items())
        told = tally.told()
        for deed, (name, doc) in DEEDS.items():
            yield counter(name, doc, ("upstream",), by_name(told[deed]))
        yield counter(*EARLY, ("what",), by_name(told["early"]))
        doc = "Breakers of services by their state"
        yield gauge("breakers", doc, ("upstream", "state"), self._breakers())

    def _breakers(self) -> list[Row]:
        """Clients may name services of their own, which share a name here."""
        states = Counter((each.name, each.state) for each in self._metered.upstreams())
        names = dict.fromkeys(name for name, _ in states)
        known: tuple[BreakerState, ...] = get_args(BreakerState)
        return [((name, state), states[name, state]) for name in names for state in known]

    def _traffic(self) -> Iterator[Metric]:
        traffic = self._metered.traffic
        flows = (("http", traffic.http), ("websocket", traffic.websocket))
        received: list[Row] = [((over,), flow.received) for over, flow in flows]
        sent: list[Row] = [((over,), flow.sent) for over, flow in flows]
        yield counter("received_bytes", "Bytes that clients have sent", ("over",), received)
        yield counter("sent_bytes", "Bytes that clients were sent", ("over",), sent)


def by_name(values: Mapping[str, float]) -> list[Row]:
    """Rows with one label."""
    return [((name,), value) for name, value in values.items()]


def gauge(name: str, doc: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    """A family of values that go up and down."""
    return filled(GaugeMetricFamily(f"perplexica_{name}", doc, labels=labels), rows)


def counter(name: str, doc: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    """A family of values that only go up; their names end in ``_total``."""
    return filled(CounterMetricFamily(f"perplexica_{name}", doc, labels=labels), rows)


def filled(
    family: GaugeMetricFamily | CounterMetricFamily, rows: Iterable[Row]
) -> GaugeMetricFamily | CounterMetricFamily:
    """The family with these rows in it."""
    for labels, value in rows:
        family.add_metric(labels, value)
    return family
