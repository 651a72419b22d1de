"""What ranking costs: 40 snippets, 200 and 2,000 passages, beside what no ranking can leave out.

``python -m bench.ranking [--runs 9]``: CPU time in ms by words alone, with vectors that are there
already, and with those of the built-in model. The floor splits the texts into words and multiplies
the vectors once.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

import numpy as np

from bench.measure import print_machine, print_table, spread
from providers.static_model import StaticModel
from retrieval.ranking import hybrid
from tests.standins.words import filler

QUERY = "Which river runs through the valley with the copper bridge?"
SIZES = (("snippets", 40, 30), ("passages", 200, 130), ("passages", 2_000, 130))
HEADS = ("what", "count", "how", "CPU ms", "floor CPU ms", "ratio")
Work = Callable[[], object]
Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def cpu_ms(work: Work) -> float:
    """CPU time of this process, all threads, for the work."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def floor(texts: Sequence[str], vectors: Vectors) -> object:
    """Split and multiply."""
    return [set(text.lower().split()) for text in texts], vectors[1:] @ vectors[0]


def ways(
    texts: Sequence[str], model: StaticModel, vectors: Vectors
) -> dict[str, Callable[[], object]]:
    """The ways to rank."""
    return {
        "words": partial(hybrid, QUERY, texts, None),
        "words, vectors": partial(hybrid, QUERY, texts, vectors),
        "words, vectors, built-in model": lambda: hybrid(
            QUERY, texts, model.embed([QUERY, *texts])
        ),
    }


def rows(runs: int) -> Iterator[tuple[object, ...]]:
    """The table; each way and the floor in turn."""
    model = StaticModel()
    for what, count, words in SIZES:
        texts = [filler(f"{what} {place}", words) for place in range(count)]
        vectors = np.asarray(model.embed([QUERY, *texts]), dtype=np.float32)
        least = partial(floor, texts, vectors)
        for how, rank in ways(texts, model, vectors).items():
            pairs = [(cpu_ms(rank), cpu_ms(least)) for _ in range(runs + 1)][1:]
            ours, floors = zip(*pairs, strict=True)
            yield what, count, how, spread(ours), spread(floors), median(ours) / median(floors)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    lines = list(rows(parser.parse_args().runs))
    print_machine()
    print_table(HEADS, lines)


if __name__ == "__main__":
    main()
