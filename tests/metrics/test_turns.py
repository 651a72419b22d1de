"""Turns are counted once each, when they end."""

import pytest

from metrics.prometheus import PrometheusMeter
from protocol.events import Accepted, Delta, Event, Failed, Finished, SourcesFound, Stopped
from tests.metrics.places import ENDED, STAGES, Clock, Values, play, values

MODES = (("focus_mode", "webSearch"), ("optimization_mode", "balanced"))


def told(*events: Event) -> Values:
    """What is told after a turn of these events, a second apart."""
    clock = Clock()
    meter = PrometheusMeter(clock)
    play(meter, clock, *events)
    return values(meter)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [(Finished(), "finished"), (Failed("BUSY", "Busy."), "failed"), (Stopped(), "stopped")],
)
def test_turn_counts_by_how_it_ended(end: Event, outcome: str) -> None:
    """Once, under its modes, with the time that it took."""
    found = told(Accepted(), SourcesFound(()), end)
    assert found["perplexica_questions_total", (*MODES, ("outcome", outcome))] == 1
    assert found["perplexica_turn_seconds_sum", (("outcome", outcome),)] == 2


def test_stages_count_in_seconds() -> None:
    """As the journal's last event tells them."""
    found = told(*ENDED)
    for stage, milliseconds in STAGES.items():
        key = ("perplexica_stage_seconds_sum", (("stage", stage),))
        assert found[key] == milliseconds / 1000


def test_first_piece_counts_from_the_question() -> None:
    """The later ones do not."""
    found = told(*ENDED)
    assert found["perplexica_first_piece_seconds_sum", (MODES[1],)] == 2
    assert found["perplexica_first_piece_seconds_count", (MODES[1],)] == 1


def test_apology_is_no_first_piece() -> None:
    """Else services that fail at once would look fast."""
    found = told(Accepted(), SourcesFound(()), Delta("Sorry."), Failed("BUSY", "Busy."))
    assert not [name for name, _ in found if name.startswith("perplexica_first_piece")]


def test_turn_that_runs_does_not_count_yet() -> None:
    """Nor does it twice later."""
    assert not [name for name, _ in told(*ENDED[:-1]) if name.startswith("perplexica_questions")]


def test_journal_that_has_ended_is_let_go() -> None:
    """Nothing of the meter hangs on it."""
    clock = Clock()
    journal = play(PrometheusMeter(clock), clock, *ENDED)
    assert not journal._followers
