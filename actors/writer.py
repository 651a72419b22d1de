"""Writes the answer."""

from contextlib import aclosing
from typing import ClassVar

import structlog

from actors.base import Actor, on
from actors.patience import Patience
from protocol.errors import DeadlineExceeded, ModelUnavailable, ProviderError, ServiceError
from protocol.messages import Write, Written
from protocol.settings import Limits
from providers.service import Providers
from retrieval.known_hosts import KnownHosts
from retrieval.safe_answer import SafeAnswer
from retrieval.service import Retrieval
from upstreams.diary import note

log = structlog.get_logger(__name__)


class Writer(Actor):
    """Answers from the sources: with a chat model, or with cited extracts where there is none."""

    mailbox_bound: ClassVar[int] = 1

    def __init__(self, retrieval: Retrieval, providers: Providers, limits: Limits) -> None:
        super().__init__()
        self._retrieval = retrieval
        self._providers = providers
        self._limits = limits
        self._chars = 0
        self._pieces = 0
        self._safe = SafeAnswer(KnownHosts(()))

    @on(Write)
    async def write(self, message: Write) -> Written:
        """Stream the answer into ``write_delta``, without pictures and links to foreign hosts.

        A model that fails before its first word is replaced by cited extracts, which say so;
        with nothing to extract from, or in the middle of the text, the failure is the asker's.
        """
        self._safe = SafeAnswer(KnownHosts.of(message.question, message.nodes))
        if not self._providers.has_model(message.models.chat):
            return self._extract(message)
        try:
            return await self._stream(message)
        except (ProviderError, DeadlineExceeded) as error:
            if self._pieces or not message.nodes:
                self._tell(message, self._safe.finish())
                raise
            provider = message.models.chat.provider
            log.warning("model.replaced", key=error.key, problem=str(error), provider=provider)
            note("replaced", by="cited extracts", key=error.key, problem=error.problem)
            return self._extract(message, because=error)

    async def _stream(self, message: Write) -> Written:
        choice = message.models.chat
        question = message.question
        await self._retrieval.ready()
        prompt = self._retrieval.answer_prompt(
            question.focus_mode, question.text, question.history, message.nodes
        )
        temperature = self._retrieval.modes[question.focus_mode].answer_temperature
        try:
            async with (
                Patience(self._limits.first_token_s, self._limits.token_gap_s) as patience,
                aclosing(self._providers.stream(choice, prompt, temperature=temperature)) as pieces,
            ):
                async for piece in pieces:
                    patience.renew()
                    self._say(message, piece)
        except TimeoutError:
            raise self._too_slow() from None
        if not self._pieces:
            raise ModelUnavailable(choice.provider, "it wrote nothing")
        self._tell(message, self._safe.finish())
        return Written(f"{choice.provider}/{choice.model}", self._pieces)

    def _too_slow(self) -> DeadlineExceeded:
        if self._pieces:
            return DeadlineExceeded("The next words of the model", after_s=self._limits.token_gap_s)
        return DeadlineExceeded("The model's first words", after_s=self._limits.first_token_s)

    def _say(self, message: Write, piece: str) -> None:
        self._chars += len(piece)
        if self._chars > self._limits.answer_chars:
            problem = f"it wrote more than {self._limits.answer_chars} characters"
            raise ModelUnavailable(message.models.chat.provider, problem)
        self._pieces += 1
        self._tell(message, self._safe.feed(piece))

    def _tell(self, message: Write, text: str) -> None:
        if text:
            message.write_delta(text)

    def _extract(self, message: Write, *, because: ServiceError | None = None) -> Written:
        if because is not None:
            message.write_delta(f"*{because}*\n\n")
        for piece in self._retrieval.extract_answer(message.question.text, message.nodes):
            self._pieces += 1
            self._tell(message, self._safe.feed(piece))
        self._tell(message, self._safe.finish())
        return Written("built_in/extractive", self._pieces)
