"""Broken streams of requests, some of the many that ``make fuzz`` tries."""

import random

from tests.transport.fuzzing import CORPUS, play_all, stream


def test_no_stream_of_requests_breaks_the_front() -> None:
    """The first streams keep every promise, and reach all that a front can say."""
    told = play_all(range(1, 701))
    assert {200, 204, 400, 403, 404, 405, 413, 415, 417, 421, 426, 431, 501, 505} <= told.keys()


def test_a_seed_stands_for_its_stream() -> None:
    """A seed that broke something can be tried again."""
    streams = {stream(random.Random(seed)) for seed in range(100)}
    assert len(streams) > 90
    assert streams == {stream(random.Random(seed)) for seed in range(100)}
    assert len(CORPUS) > 200
