"""Between our prompts and pieces of text and LlamaIndex's messages. Loaded when first used."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    MessageRole,
)
from llama_index.core.llms import LLM

from protocol.values import Prompt, PromptMessage

ROLES: dict[MessageRole, Literal["system", "assistant"]] = {
    MessageRole.SYSTEM: "system",
    MessageRole.DEVELOPER: "system",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
}


def as_prompt(messages: Sequence[ChatMessage]) -> Prompt:
    """Our prompt of LlamaIndex's messages; roles of tools and functions speak for the user."""
    return tuple(PromptMessage(ROLES.get(m.role, "user"), m.content or "") for m in messages)


def as_messages(prompt: Prompt) -> list[ChatMessage]:
    """LlamaIndex's messages of our prompt."""
    return [ChatMessage(role=MessageRole(m.role), content=m.text) for m in prompt]


def asked(prompt: str) -> list[ChatMessage]:
    """The messages of a prompt that is one text."""
    return [ChatMessage(role=MessageRole.USER, content=prompt)]


def said(content: str, *, delta: str | None = None) -> ChatResponse:
    """LlamaIndex's reply of an answer, or of an answer so far with its newest piece."""
    message = ChatMessage(role=MessageRole.ASSISTANT, content=content)
    return ChatResponse(message=message, delta=delta)


def completed(response: ChatResponse) -> CompletionResponse:
    """The same reply, as to a prompt of one text."""
    return CompletionResponse(text=response.message.content or "", delta=response.delta)


async def whole(pieces: AsyncGenerator[str, None]) -> str:
    """All pieces in one."""
    return "".join([piece async for piece in pieces])


async def growing(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[ChatResponse, None]:
    """The answer so far after each piece, with the piece as ``delta``."""
    so_far = ""
    async with aclosing(pieces):
        async for piece in pieces:
            so_far += piece
            yield said(so_far, delta=piece)


async def completing(responses: ChatResponseAsyncGen) -> CompletionResponseAsyncGen:
    """The same replies, as to a prompt of one text."""
    async for response in responses:
        yield completed(response)


async def told_by(llm: LLM, prompt: Prompt) -> AsyncGenerator[str, None]:
    """The pieces of an answer by any LlamaIndex model; none of them empty.

    A model that tells no ``delta`` is read by how its answer grows.
    """
    known = 0
    async for response in await llm.astream_chat(as_messages(prompt)):
        content = response.message.content or ""
        piece = content[known:] if response.delta is None else response.delta
        known = len(content)
        if piece:
            yield piece
