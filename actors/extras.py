"""Finds what stands beside an answer: media, further questions, news."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, TypeVar

import structlog

from actors.base import Actor, on
from actors.errors import ActorDead
from actors.ref import Ref
from protocol.base import Request
from protocol.errors import DeadlineExceeded, ServerDraining, ServiceError
from protocol.extras import (
    Discover,
    Discovered,
    FindMedia,
    MediaFound,
    NewsItem,
    Suggest,
    Suggested,
)
from protocol.settings import Limits
from protocol.values import ModelChoice, Prompt
from providers.service import Providers
from retrieval.extras import Extras as Finds

log = structlog.get_logger(__name__)

MEDIA_TEMPERATURE = 0.7
SUGGESTION_TEMPERATURE = 0.0

SLACK_S = 1.0  # for the work to say itself that its time is up

R = TypeVar("R")
Shuffle = Callable[[list[NewsItem]], None]


class Extras(Actor):
    """Makes a query with the chat model, searches, and keeps what is complete."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(
        self, finds: Finds, providers: Providers, limits: Limits, shuffle: Shuffle
    ) -> None:
        super().__init__()
        self._finds = finds
        self._providers = providers
        self._limits = limits
        self._shuffle = shuffle

    @on(FindMedia)
    async def find_media(self, message: FindMedia) -> MediaFound:
        """Pictures or videos; raises SearchUnavailable."""
        items = await self._finds.media(message.kind, await self._query(message))
        return MediaFound(items)

    @on(Suggest)
    async def suggest(self, message: Suggest) -> Suggested:
        """Questions that a model thought of; none without a model, or with nothing said yet."""
        if not message.history or not self._providers.has_model(message.model):
            return Suggested(())
        prompt = await self._finds.suggestions_prompt(message.history)
        reply = await self._complete(
            message.model, prompt, SUGGESTION_TEMPERATURE, within_s=self._limits.suggest_s
        )
        return Suggested(self._finds.parse_suggestions(reply))

    @on(Discover)
    async def discover(self, _message: Discover) -> Discovered:
        """News in another order each time; raises SearchUnavailable."""
        items = list(await self._finds.news())
        self._shuffle(items)
        return Discovered(tuple(items))

    async def _query(self, message: FindMedia) -> str:
        """What a model makes of the question; the question itself where none does."""
        if not self._providers.has_model(message.model):
            return message.query
        prompt = await self._finds.media_prompt(message.kind, message.query, message.history)
        try:
            reply = await self._complete(
                message.model, prompt, MEDIA_TEMPERATURE, within_s=self._limits.rephrase_s
            )
        except ServiceError as error:
            log.warning("rephrase.failed", key=error.key)
            return message.query
        return self._finds.parse_query(reply, message.query)

    async def _complete(
        self, model: ModelChoice, prompt: Prompt, temperature: float, *, within_s: float
    ) -> str:
        try:
            async with asyncio.timeout(within_s):
                return await self._providers.complete(model, prompt, temperature=temperature)
        except TimeoutError:
            raise DeadlineExceeded("The model's answer", after_s=within_s) from None


class ExtrasDesk:
    """What the transport asks for what stands beside an answer."""

    def __init__(self, pool: Ref, limits: Limits) -> None:
        self._pool = pool
        longest_s = max(limits.suggest_s, limits.rephrase_s + limits.search_s)
        self._timeout_s = longest_s + SLACK_S

    async def __call__(self, request: Request[R], /) -> R:
        """The reply; raises a ServiceError, at the latest when the longest work must be done."""
        try:
            return await self._pool.ask(request, timeout=self._timeout_s)
        except ActorDead:
            raise ServerDraining from None
