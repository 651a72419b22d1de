"""Counts turns: each is followed through its journal, as a client follows it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from actors.journal import Journal
from protocol.events import Delta, Failed, Finished, Stopped

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
OUTCOMES: dict[type, str] = {Finished: "finished", Failed: "failed", Stopped: "stopped"}

End = Finished | Failed | Stopped


class Turns:
    """The metrics of turns."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._questions = Counter(
            "perplexica_questions",
            "Questions that have come to an end",
            ("focus_mode", "optimization_mode", "outcome"),
            registry=registry,
        )
        self._whole = self._seconds(
            registry, "turn", "Seconds from a question to the end of its answer", "outcome"
        )
        self._first = self._seconds(
            registry,
            "first_piece",
            "Seconds from a question to the first piece of an answer that became whole",
            "optimization_mode",
        )
        self._stages = self._seconds(
            registry, "stage", "Seconds that a turn spent in a stage", "stage"
        )

    @staticmethod
    def _seconds(registry: CollectorRegistry, name: str, doc: str, label: str) -> Histogram:
        return Histogram(
            f"perplexica_{name}_seconds", doc, (label,), buckets=BUCKETS, registry=registry
        )

    def watch(self, journal: Journal) -> None:
        """Follow this journal to its end; the question has come now."""
        journal.follow(Watched(journal, self).grew)

    def ended(self, journal: Journal, end: End, took_s: float, first_s: float | None) -> None:
        """A turn has ended, so many seconds after its question and its first piece."""
        question, outcome = journal.turn.question, OUTCOMES[type(end)]
        self._questions.labels(question.focus_mode, question.optimization_mode, outcome).inc()
        self._whole.labels(outcome).observe(took_s)
        for stage, milliseconds in end.stages.items():
            self._stages.labels(stage).observe(milliseconds / 1000)
        if first_s is not None and isinstance(end, Finished):  # else it may be an apology
            self._first.labels(question.optimization_mode).observe(first_s)


class Watched:
    """One turn that is followed."""

    __slots__ = ("_began", "_first_s", "_journal", "_turns")

    def __init__(self, journal: Journal, turns: Turns) -> None:
        self._journal = journal
        self._turns = turns
        self._began = turns.clock()
        self._first_s: float | None = None

    def grew(self) -> None:
        """The journal has one more event."""
        event = self._journal.entries[-1].event
        if isinstance(event, Delta):
            if self._first_s is None:
                self._first_s = self._since_began()
        elif isinstance(event, Finished | Failed | Stopped):
            self._journal.unfollow(self.grew)
            self._turns.ended(self._journal, event, self._since_began(), self._first_s)

    def _since_began(self) -> float:
        return self._turns.clock() - self._began
