"""Vectors that a turn's recording has, or is to have. Loaded when first used."""

from collections.abc import Sequence

import numpy as np

from protocol.base import Value
from retrieval.postprocessor import Embed, Vectors
from upstreams.recorded import recorded


class Packed(Value, frozen=True, array_like=True):
    """A matrix of 32-bit floats, little-endian, row by row."""

    rows: int
    numbers: bytes


def recording(embed: Embed) -> Embed:
    """The same vectors as ``embed`` gives, or those of the recording that is played."""

    async def embed_recorded(texts: Sequence[str]) -> Vectors:
        async def call() -> Packed:
            return _packed(await embed(texts))

        return _unpacked(await recorded("embedding model", list(texts), call, Packed))

    return embed_recorded


def _packed(vectors: Vectors) -> Packed:
    return Packed(len(vectors), vectors.astype("<f4").tobytes())


def _unpacked(packed: Packed) -> Vectors:
    numbers = np.frombuffer(packed.numbers, "<f4").astype(np.float32)
    return numbers.reshape(packed.rows, -1) if packed.rows else numbers.reshape(0, 0)
