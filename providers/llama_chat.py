"""Chat models as LlamaIndex classes. Loaded when first used.

LlamaIndex sees ordinary chat models; the program itself goes through ``stream_text``, which
carries nothing but the text and closes the connection as soon as its reader leaves.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import LLM, CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

from protocol.values import Prompt
from providers import llama_text as text
from providers.blocking import stepped, waited
from providers.loaded import Order
from providers.remote import Remote


class ChatModel(CustomLLM):
    """A chat model of a remote service."""

    provider: str
    model: str
    temperature: float = 0.0
    _remote: Remote = PrivateAttr()

    @classmethod
    def of(cls, remote: Remote, order: Order) -> "ChatModel":
        """The model that an order names, at its service."""
        made = cls(provider=order.provider, model=order.model, temperature=order.temperature)
        made._remote = remote
        return made

    @property
    def metadata(self) -> LLMMetadata:
        """The name of the model; the size of its context is not known."""
        return LLMMetadata(model_name=self.model, is_chat_model=True)

    def stream_text(
        self, prompt: Prompt, *, remote: Remote | None = None
    ) -> AsyncGenerator[str, None]:
        """The pieces of the answer as they come; see ``Remote.stream``."""
        service = remote or self._remote
        return service.stream(self.model, prompt, temperature=self.temperature)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponseAsyncGen:
        """The answer growing, each step with its new piece as ``delta``."""
        return text.growing(self.stream_text(text.as_prompt(messages)))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        """The whole answer."""
        return text.said(await text.whole(self.stream_text(text.as_prompt(messages))))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponseGen:
        """As ``astream_chat``, for callers without an event loop."""
        prompt = text.as_prompt(messages)
        return stepped(self._remote, lambda r: text.growing(self.stream_text(prompt, remote=r)))

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        """As ``achat``, for callers without an event loop."""
        prompt = text.as_prompt(messages)
        return text.said(
            waited(self._remote, lambda r: text.whole(self.stream_text(prompt, remote=r)))
        )

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, *_: Any, **__: Any) -> CompletionResponseAsyncGen:
        """The answer to a prompt of one message, growing."""
        return text.completing(await self.astream_chat(text.asked(prompt)))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, *_: Any, **__: Any) -> CompletionResponse:
        """The whole answer to a prompt of one message."""
        return text.completed(await self.achat(text.asked(prompt)))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, *_: Any, **__: Any) -> CompletionResponseGen:
        """As ``astream_complete``, for callers without an event loop."""
        return (text.completed(response) for response in self.stream_chat(text.asked(prompt)))

    @llm_completion_callback()
    def complete(self, prompt: str, *_: Any, **__: Any) -> CompletionResponse:
        """As ``acomplete``, for callers without an event loop."""
        return text.completed(self.chat(text.asked(prompt)))


def pieces_of(llm: LLM, prompt: Prompt) -> AsyncGenerator[str, None]:
    """The pieces of an answer by any LlamaIndex model; over our own path where it has one."""
    if isinstance(llm, ChatModel):
        return llm.stream_text(prompt)
    return text.told_by(llm, prompt)
