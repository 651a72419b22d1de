"""Vectors by the hash of their text, so that a text is embedded once."""

from collections.abc import Hashable, Mapping, Sequence
from hashlib import blake2b

import numpy as np

from retrieval.cache import Cache
from retrieval.postprocessor import Embed, Vectors

HASH_BYTES = 16
ENTRY_BYTES = 400  # of a vector beside its numbers: its key, its hash, its place in the cache


class RememberedVectors:
    """Embeds in one call what is not remembered; to be used where an ``Embed`` is wanted.

    Args:
        embed: Gives vectors of shape (n, d) for n texts.
        cache: Where vectors are kept, each of shape (d,).
        model: Who makes the vectors; those of one model mean nothing to another.

    """

    def __init__(self, embed: Embed, cache: Cache[Vectors], model: Hashable) -> None:
        self._embed = embed
        self._cache = cache
        self._model = model

    async def __call__(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (n, d), in the order of the texts; raises what ``embed`` raises."""
        keys: list[Hashable] = [(self._model, hashed(text)) for text in texts]
        known = {key: kept.value for key in set(keys) if (kept := self._cache.find(key))}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = await self._cache.share(tuple(missing), lambda: self._make(missing))
            known |= zip(missing, made, strict=True)
        return stacked([known[key] for key in keys])

    async def _make(self, missing: Mapping[Hashable, str]) -> Vectors:
        rows = await self._embed(list(missing.values()))
        for key, row in zip(missing, rows, strict=True):
            if row.any():  # zeros stand for what could not be embedded
                self._cache.keep(key, row.copy())  # a view would hold on to all the others
        return rows


def hashed(text: str) -> bytes:
    """What a text is known by; also one with half a surrogate pair, which JSON can carry."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=HASH_BYTES).digest()


def stacked(rows: Sequence[Vectors]) -> Vectors:
    """Rows as one matrix; a row without numbers is made of zeros."""
    width = max((len(row) for row in rows), default=0)
    empty = np.zeros(width, dtype=np.float32)
    return np.stack([row if len(row) else empty for row in rows]) if rows else empty[None][:0]


def weight(row: Vectors) -> int:
    """About how many bytes a kept vector takes."""
    return ENTRY_BYTES + row.nbytes
