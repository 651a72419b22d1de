"""Texts and vectors that depend on nothing but the words they are made from."""

import math
import random
import re
import zlib

WORDS = (
    "bridge",
    "signal",
    "growth",
    "language",
    "forest",
    "dragon",
    "copper",
    "island",
    "valley",
    "winter",
    "market",
    "river",
    "measure",
    "theory",
    "kernel",
    "planet",
    "harbour",
    "season",
    "window",
    "garden",
)
CITE_EVERY = 8
DIMENSIONS = 64


def dice(*seed: object) -> random.Random:
    """Random numbers that are the same for the same seed, on every machine."""
    return random.Random(zlib.crc32(repr(seed).encode()))


def filler(seed: str, count: int) -> str:
    """So many words."""
    return " ".join(dice(seed).choices(WORDS, k=count))


def answer_tokens(question: str, count: int) -> tuple[str, ...]:
    """An answer of ``count`` tokens, every eighth of them a citation of one of three sources."""
    chosen = dice(question)
    return tuple(
        f" [{chosen.randint(1, 3)}]." if place % CITE_EVERY == 0 else f" {chosen.choice(WORDS)}"
        for place in range(1, count + 1)
    )


def vector(text: str) -> list[float]:
    """A unit vector of the text's words: texts that share words are close."""
    sums = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        code = zlib.crc32(word.encode())
        sums[code % DIMENSIONS] += 1 if code & 1024 else -1
    length = math.hypot(*sums) or 1.0
    return [value / length for value in sums]
