"""A meter with something to tell, and what it tells, read by the library's own parser."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client.parser import text_string_to_metric_families

from actors.journal import Journal
from actors.system import Counts
from metrics.meter import Metered
from metrics.prometheus import PrometheusMeter
from protocol.events import Accepted, Delta, Event, Finished, SourcesFound
from tests.actors.parts import turn_info
from transport.traffic import Flow, Traffic
from upstreams.breaker import UpstreamHealth
from upstreams.tally import Tally

STAGES = {"searching": 300, "writing": 2000}
ENDED = (Accepted(), SourcesFound(()), Delta("Because"), Delta(" so."), Finished(STAGES))
HEALTH = (
    UpstreamHealth("searxng", "open", 7, "no answer in time", 3),
    UpstreamHealth("custom_openai chat", "closed", 7),
    UpstreamHealth("custom_openai chat", "open", 7),
)

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Workers:
    """Actors of two kinds."""

    def __init__(self) -> None:
        self.counts = {"turn": Counts(handled=5, dead=2, restarts=1), "pool": Counts(refused=3)}

    def backlog(self) -> dict[str, int]:
        """What is under way."""
        return {"sessions": 4, "turns": 3, "actors": 20, "tasks": 30}

    def waiting(self) -> Counter[str]:
        """Who waits."""
        return Counter(turn=0, pool=6)


def metered() -> Metered:
    """Something of everything."""
    tally = Tally()
    tally.called("searxng", "429")
    for deed, name in (("retried", "searxng"), ("hedged", "keyless"), ("hedgesWon", "keyless")):
        tally.add(deed, name)  # type: ignore[arg-type]
    tally.add("early", "used")
    return Metered(Workers(), tally, lambda: HEALTH, Traffic(Flow(10, 20), Flow(30, 40)))


@contextmanager
def running(clock: Clock | None = None) -> Iterator[PrometheusMeter]:
    """A meter that measures; needs a running loop."""
    meter = PrometheusMeter(clock or Clock())
    meter.start(metered())
    try:
        yield meter
    finally:
        meter.close()


def play(meter: PrometheusMeter, clock: Clock, *events: Event) -> Journal:
    """A turn whose events come a second apart, the first of them at once."""
    journal = Journal(turn_info())
    meter.watch(journal)
    for event in events:
        journal.write(event)
        clock.now += 1
    return journal


def values(meter: PrometheusMeter) -> Values:
    """All that the meter tells, by name and labels."""
    families = text_string_to_metric_families(meter.text().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def told(meter: PrometheusMeter) -> dict[str, set[str]]:
    """The names of all metrics, as they are written in a query, with their labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(meter.text().decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    return found
