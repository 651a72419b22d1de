"""Vectors as arrays, whatever a service or a library gave. Loaded when first used."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from providers.calls import Unreadable

Vectors = NDArray[np.float32]


def stacked(rows: Sequence[Sequence[float]], *, count: int) -> Vectors:
    """The rows as an array of shape (count, d); one with a value that is no number becomes zeros.

    Raises:
        Unreadable: There are more or fewer rows, or they differ in length.

    """
    if len(rows) != count or len({len(row) for row in rows}) > 1:
        raise Unreadable("it sent another number of vectors or values than it should")
    with np.errstate(over="ignore"):
        return finite(np.array(rows, dtype=np.float32).reshape(count, -1))


def finite(vectors: Vectors) -> Vectors:
    """The vectors with those that hold an infinity or no number set to zero, in place."""
    vectors[~np.isfinite(vectors).all(axis=1)] = 0
    return vectors


def spread(batches: Sequence[Vectors], places: Sequence[int], *, among: int) -> Vectors:
    """The rows of all batches at their places in an array of shape (among, d), zeros elsewhere.

    Raises:
        Unreadable: The batches differ in d.

    """
    widths = {batch.shape[1] for batch in batches}
    if len(widths) > 1:
        raise Unreadable("it sent vectors of different length")
    vectors = np.zeros((among, max(widths, default=0)), dtype=np.float32)
    if batches:
        vectors[list(places)] = np.concatenate(batches)
    return vectors
