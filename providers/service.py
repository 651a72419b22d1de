"""The models as the program uses them: lists, choices, streams of text, vectors."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from protocol.errors import ModelUnavailable
from protocol.offload import Offload
from protocol.settings import Settings
from protocol.values import ModelChoice, Models, Prompt
from providers.catalogue import BUILT_IN, ROWS, Row
from providers.endpoint import Endpoint
from providers.guard import Guards
from providers.lazy_models import LazyModels
from providers.loaded import Loaded, Order, guarded
from providers.noted import noted_pieces
from providers.selection import Purpose, chosen
from providers.stock import ModelLists, Stock
from upstreams.addresses import guest_policy
from upstreams.breaker import UpstreamHealth
from upstreams.diary import span
from upstreams.recorded import recorded_pieces
from upstreams.retry import Retry, once

if TYPE_CHECKING:
    from providers.http import OpenClient
    from providers.vectors import Vectors

LONGEST_LULL_S = 0.25


class Providers:
    """Every chat and embedding model, whoever serves it.

    Whatever goes wrong with a model is ModelUnavailable, in words for the reader. Nothing costly
    is imported before a model is used or ``prepare`` is called.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        offload: Offload,
        clock: Callable[[], float] = time.monotonic,
        open_client: "OpenClient | None" = None,
        retry: Retry | None = None,
        rows: Sequence[Row] = ROWS,
    ) -> None:
        self._longest = settings.limits.answer_chars
        open_guarded = guarded(guest_policy(settings), offload)
        self._loaded = Loaded(open_client, settings.local.models, open_guarded, lull_s(settings))
        self._models = LazyModels(self._loaded, offload)
        self._guards = Guards(settings, clock, retry or once())
        self._stock = Stock(rows, settings, loaded=self._loaded, offload=offload, clock=clock)

    def prepare(self) -> None:
        """Import and load all that models need; takes about two seconds: call it in a thread."""
        self._loaded.everything()

    def warm(self) -> None:
        """Begin to fetch the live lists of models, so that the first client finds them there."""
        self._stock.refresh()

    async def configure(self, settings: Settings) -> None:
        """Put other settings in force: providers, keys, addresses and limits, at once.

        Streams under way go on as they were begun. The lists of providers that stay as they are
        stay known; those of others are asked for when they are next needed, or by ``warm``.
        """
        self._longest = settings.limits.answer_chars
        await self._stock.configure(settings)

    def unwell(self) -> dict[str, str]:
        """The providers that do not work, as far as is known, each with the reason for people.

        A provider is known by its list of models, which ``models`` asks for; never waits.
        """
        return self._stock.unwell()

    def health(self) -> list[UpstreamHealth]:
        """How the services are, as far as anybody has asked them."""
        return self._guards.health()

    async def close(self) -> None:
        """Close all connections; streams under way end with ModelUnavailable."""
        await self._stock.close()
        for http in (*self._loaded.http.made, *self._loaded.guests.made):
            await http.close()

    async def models(self) -> ModelLists:
        """What is on offer; a service that does not answer holds it up for ``model_list_s``."""
        return await self._stock.lists()

    def resolve(self, models: Models) -> Models:
        """The choice of a client with its gaps filled by what comes first; never waits.

        The name of a model stays empty while its provider's list is not known.

        Raises:
            InvalidModelSelected: A provider or model is not on offer.

        """
        return Models(
            chat=chosen(models.chat, self._stock.shelves("chat"), "chat"),
            embedding=chosen(models.embedding, self._stock.shelves("embedding"), "embedding"),
        )

    def has_model(self, choice: ModelChoice) -> bool:
        """Whether a chat model stands behind the choice, and not cited extracts alone."""
        return choice.provider != BUILT_IN

    def describe(self) -> str:
        """The default writer in a few words, for the line that is printed at start."""
        choice = chosen(ModelChoice(), self._stock.shelves("chat"), "chat")
        if not self.has_model(choice):
            return "cited extracts (no chat model is set up)"
        return f"{choice.provider}/{choice.model}" if choice.model else choice.provider

    def stream(
        self, choice: ModelChoice, prompt: Prompt, *, temperature: float
    ) -> AsyncGenerator[str, None]:
        """The pieces of the answer as they come, none of them empty; perhaps no piece at all.

        Closing the generator, or cancelling who waits for it, closes the call to the model's
        service at once. Connecting is bounded; how long to wait for a piece is the caller's.

        Raises:
            ModelUnavailable: The service refused, cannot be reached, or broke off; pieces that
                came before are part of an unfinished answer.

        """
        asked = (choice.provider, choice.model, temperature, prompt)
        make = partial(self._stream, choice, prompt, temperature)
        return recorded_pieces("model", asked, partial(noted_pieces, choice, prompt, make))

    async def _stream(
        self, choice: ModelChoice, prompt: Prompt, temperature: float
    ) -> AsyncGenerator[str, None]:
        row, order = await self._ordered(choice, "chat", temperature=temperature)
        chars = sum(len(said.text) for said in prompt)
        told = self._guards.pieces(order, lambda: self._pieces(row, order, prompt), chars=chars)
        async with aclosing(told) as pieces:
            async for piece in pieces:
                yield piece

    async def _pieces(self, row: Row, order: Order, prompt: Prompt) -> AsyncGenerator[str, None]:
        with _told_failures(row):
            llm = await self._models.chat_model(row, order)
            async with aclosing(self._models.pieces(llm, prompt)) as pieces:
                async for piece in pieces:
                    yield piece

    async def complete(self, choice: ModelChoice, prompt: Prompt, *, temperature: float) -> str:
        """The whole answer; raises ModelUnavailable, also for one over ``answer_chars``."""
        pieces: list[str] = []
        length = 0
        async with aclosing(self.stream(choice, prompt, temperature=temperature)) as stream:
            async for piece in stream:
                pieces.append(piece)
                length += len(piece)
                if length > self._longest:
                    raise ModelUnavailable(choice.provider, "its answer has no end")
        return "".join(pieces)

    async def embed(self, choice: ModelChoice, texts: Sequence[str]) -> "Vectors":
        """Vectors of the texts as float32, shape (n, d), in their order, not normalised.

        Zeros stand for a text without words and for a vector with a value that is no number. When
        there is no text with words d may be 0. Raises ModelUnavailable.
        """
        with span("vectors", provider=choice.provider, model=choice.model, texts=len(texts)):
            row, order = await self._ordered(choice, "embedding", temperature=0)
            vectors = partial(self._vectors, row, order, texts)
            return await self._guards.whole(order, "embedding", vectors, chars=sum(map(len, texts)))

    async def _vectors(self, row: Row, order: Order, texts: Sequence[str]) -> "Vectors":
        with _told_failures(row):
            embedder = await self._models.embedding_model(row, order)
            return await self._models.vectors(embedder, texts)

    async def _ordered(
        self, choice: ModelChoice, purpose: Purpose, *, temperature: float
    ) -> tuple[Row, Order]:
        """The provider of a choice, and what its model is built from."""
        if not choice.provider:
            choice = chosen(choice, self._stock.shelves(purpose), purpose)
        row = self._stock.row(choice.provider)
        model = choice.model or await self._stock.first_model(choice.provider, purpose)
        endpoint = _endpoint(row, choice, self._stock.endpoint(row.name))
        return row, Order(row.name, model, temperature, endpoint, row.dialect)


def _endpoint(row: Row, choice: ModelChoice, configured: Endpoint | None) -> Endpoint | None:
    """The client's own endpoint where it may bring one, else that of the settings.

    Their keys never mix: a key of the settings goes nowhere but to the address beside it. There
    is none where a class of the row's own does everything. Raises ModelUnavailable.
    """
    if row.endpoint is None:
        return None
    is_own = row.is_clients and bool(choice.base_url)
    own = Endpoint(choice.provider, choice.base_url, choice.api_key, is_clients=True)
    endpoint = own if is_own else configured
    if endpoint is None or not endpoint.is_usable:
        raise ModelUnavailable(choice.provider, "its address or key cannot be used")
    return endpoint


@contextmanager
def _told_failures(row: Row) -> Iterator[None]:
    """Errors by which a plugged-in class says that its model is out of reach."""
    try:
        yield
    except row.failures as error:
        raise ModelUnavailable(row.name, "its model could not be used", is_down=True) from error


def lull_s(settings: Settings) -> float:
    """In which seconds pieces of an answer are read as one: clients are told no more often.

    A little more than that, so that then it is time to tell them. But what is held back is lost
    when a turn is stopped, and must not seem to be silence.
    """
    merge_s, gap_s = settings.general.merge_ms / 1000, settings.limits.token_gap_s
    return min(1.05 * merge_s, LONGEST_LULL_S, gap_s / 4)
