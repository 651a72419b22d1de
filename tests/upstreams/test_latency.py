"""What is usual is learnt from the last answers."""

from upstreams.latency import ENOUGH, QUICK_S, WINDOW, Latency


def learnt(*times: float) -> Latency:
    """After such answers."""
    latency = Latency()
    for seconds in times:
        latency.answered(seconds)
    return latency


def test_nothing_is_usual_before_enough_is_known() -> None:
    """Ten answers are enough."""
    assert learnt(*[1.0] * (ENOUGH - 1)).usual_s is None
    assert learnt(*[1.0] * ENOUGH).usual_s == 1


def test_nine_of_ten_answers_come_within_it() -> None:
    """The slowest do not count."""
    assert learnt(*[1.0] * 18, 9.0, 8.0).usual_s == 1


def test_old_answers_are_forgotten() -> None:
    """A service that has become slower is soon known to be."""
    assert learnt(*[1.0] * WINDOW, *[5.0] * WINDOW).usual_s == 5


def test_what_came_from_a_memory_does_not_count() -> None:
    """It would make each true call look slow."""
    assert learnt(*[1.0] * ENOUGH, *[QUICK_S / 2] * WINDOW).usual_s == 1


def test_waits_that_were_given_up_count_once_they_are_long() -> None:
    """Else one that is always overtaken would be thought quick for ever."""
    latency = learnt(*[1.0] * ENOUGH)
    latency.unanswered(0.5)
    assert latency.usual_s == 1
    for _ in range(ENOUGH):
        latency.unanswered(2)
    assert latency.usual_s == 2
