"""One model service: its dialect spoken over HTTP. Loaded when first used."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

import msgspec

from protocol.values import Prompt
from providers.calls import Dialect, Listed, Unreadable
from providers.endpoint import Endpoint
from providers.http import Http, translated
from providers.vectors import Vectors, spread, stacked

EMBED_BATCH = 100  # Gemini takes no more
EMBED_CHARS = 8_000
LIST_BYTES = 4 * 1024 * 1024
LIST_MODELS = 2_000
NAME_CHARS = 200
JOINED_CHARS = 2_048  # of a piece, unless the service sends longer ones

Read = Callable[[bytes], tuple[str, bool]]


class Remote:
    """The models at one endpoint. Every method raises ModelUnavailable and nothing else."""

    def __init__(self, http: Http, endpoint: Endpoint, dialect: Dialect) -> None:
        self._http = http
        self._endpoint = endpoint
        self._dialect = dialect

    def apart(self) -> "Remote":
        """The same service over connections of its own, for another event loop."""
        return Remote(self._http.apart(), self._endpoint, self._dialect)

    async def close(self) -> None:
        """Close the connections, which is for the owner of ``apart`` to do."""
        await self._http.close()

    async def stream(
        self, model: str, prompt: Prompt, *, temperature: float
    ) -> AsyncGenerator[str, None]:
        """The pieces of an answer as they come, none of them empty; what comes together is one.

        Closing the generator, or cancelling who waits for it, closes the connection. A reply
        that ends before it says that it is whole is an error, whatever came before.
        """
        call = self._dialect.chat(self._endpoint, model, prompt, temperature)
        async with self._http.stream(call) as reply, aclosing(reply.batches()) as batches:
            async for lines in batches:
                for text, whole in joined(self._dialect.piece, lines):
                    if text:
                        reply.begun()
                        yield text
                    if whole:
                        await reply.end()
                        return
            raise Unreadable("it broke off its answer")

    async def embed(self, model: str, texts: list[str]) -> Vectors:
        """Vectors of the texts, shape (n, d), in their order; one call a batch.

        A text without words becomes a vector of zeros and is not sent (services refuse it);
        of a long one the first ``EMBED_CHARS`` characters count. With no text to send d is 0.
        """
        told = [index for index, text in enumerate(texts) if text.strip()]
        with translated(self._endpoint.provider):
            batches = [
                await self._embed_batch(model, [texts[index][:EMBED_CHARS] for index in some])
                for some in _batches(told)
            ]
            return spread(batches, told, among=len(texts))

    async def _embed_batch(self, model: str, texts: list[str]) -> Vectors:
        body = await self._http.read(self._dialect.embed(self._endpoint, model, texts))
        return stacked(self._dialect.vectors(body), count=len(texts))

    async def listed(self) -> tuple[Listed, ...]:
        """The models that the service lists, without names that nobody could choose."""
        with translated(self._endpoint.provider):
            body = await self._http.read(self._dialect.listing(self._endpoint), limit=LIST_BYTES)
            models = self._dialect.listed(body)
        return tuple(
            model if _is_short_line(model.title) else msgspec.structs.replace(model, title="")
            for model in models[:LIST_MODELS]
            if model.name and _is_short_line(model.name)
        )


def joined(read: Read, lines: list[bytes]) -> Iterator[tuple[str, bool]]:
    """The text of lines that have come together, and whether the answer is whole.

    All that follows costs once for each piece, so there are few. An error comes behind the text
    that stands ahead of it.
    """
    waiting: list[str] = []
    chars, whole = 0, False
    try:
        for line in lines:
            text, whole = read(line)
            waiting.append(text)
            chars += len(text)
            if whole:
                break
            if chars >= JOINED_CHARS:
                yield "".join(waiting), False
                waiting, chars = [], 0
    except Unreadable:
        yield "".join(waiting), False
        raise
    yield "".join(waiting), whole


def _batches(indices: list[int]) -> list[list[int]]:
    starts = range(0, len(indices), EMBED_BATCH)
    return [indices[start : start + EMBED_BATCH] for start in starts]


def _is_short_line(text: str) -> bool:
    return len(text) <= NAME_CHARS and text.isprintable()
