"""Lets the event loop run while a thread works through a document."""

import time

_SHORT_S = 0.0002


def pause() -> None:
    """Stand still for a moment; to be called every few milliseconds of work.

    A library that lets go of the interpreter's lock and takes it again at once, thousands of times
    a second, keeps every other thread waiting: each release restarts the 5 ms after which a
    waiting thread may insist (CPython 3.11, ``take_gil``). Measured: 150 ms without a turn.
    """
    time.sleep(_SHORT_S)
