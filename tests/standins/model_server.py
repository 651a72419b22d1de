"""A model service that speaks as each kind of service does, and answers the same each time.

Tokens are whole words. The number of tokens of an answer is ``tokens``, or what the question's
``[[fake answer tokens=200]]`` says; with ``thick=50`` each word is there so many times.
By hand: ``python -m tests.standins.model_server --port 8001``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.standins import anthropic_replies as anthropic
from tests.standins import gemini_replies as gemini
from tests.standins.asked import (
    content,
    divided,
    kind_of,
    pieces_of,
    question_of,
    rephrased,
    suggested,
    summed_up,
)
from tests.standins.faults import option
from tests.standins.http_server import Request, StandIn
from tests.standins.reply import Reply, sse
from tests.standins.words import answer_tokens, vector

CHAT_MODELS = ("gpt-3.5-turbo", "gpt-4o-mini")
EMBEDDING_MODELS = ("text-embedding-3-small", "text-embedding-3-large")
OLLAMA_MODELS: tuple[str, ...] = ("llama3.2:latest", "nomic-embed-text:latest")
CREATED = 1_790_000_000
WHEN = "2026-11-22T12:00:00.000000Z"


class ModelServer(StandIn):
    """A model service; its kinds of requests are told apart by their prompts.

    Kinds: ``models``, ``rephrase``, ``divide``, ``summary``, ``suggestions``, ``answer``,
    ``embed``, ``unknown``.

    Attributes:
        tokens: How long an answer is that does not say so itself.
        key: What OpenAI-shaped requests must bear; any key when empty.
        pulled: The models that its Ollama has.
        lacks: Names of models that it refuses, as it does not have them.

    """

    def __init__(self, *, tokens: int = 24, key: str = "") -> None:
        super().__init__()
        self.tokens = tokens
        self.key = key
        self.pulled = OLLAMA_MODELS
        self.lacks: tuple[str, ...] = ()

    @property
    def openai_url(self) -> str:
        """The base address for OpenAI's clients."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base address for Anthropic's clients."""
        return self.url + anthropic.BASE

    @property
    def gemini_url(self) -> str:
        """The base address for Gemini's clients."""
        return self.url + gemini.BASE

    def kind(self, request: Request) -> str:
        """The row of the request, and for chats what the prompt wants."""
        kind = KINDS.get(_route(request), "unknown")
        return kind_of(said(request.body)) if kind == "chat" else kind

    def text(self, request: Request) -> str:
        """The question of a chat, the texts of an embedding."""
        if messages := said(request.body):
            return question_of(messages)
        return "\n".join(_inputs(request.body))

    def reply(self, request: Request) -> Reply:
        """What the service would say; 401 and 404 in its own shape."""
        dialect = next(d for d in DIALECTS if request.path.startswith(d.base))
        key = dialect.key_of(request.headers)
        if dialect.wants_key and (not key or self.key not in ("", key)):
            return dialect.error(401, "Incorrect API key provided.")
        if request.body.get("model") in self.lacks:
            return dialect.error(404, "The model does not exist.")
        handler = REPLIES.get(_route(request))
        return handler(self, request) if handler else dialect.error(404, "Not found.")

    def words(self, request: Request) -> tuple[str, ...]:
        """The tokens of the reply to a chat."""
        question, kind = self.text(request), self.kind(request)
        if kind == "rephrase":
            return pieces_of(rephrased(question))
        if kind == "divide":
            return pieces_of(divided(question))
        if kind == "summary":
            return pieces_of(summed_up(content(request.body["messages"][-1])))
        if kind == "suggestions":
            return pieces_of(suggested(question))
        count = option(question, "answer", "tokens", self.tokens)
        thick = option(question, "answer", "thick", 1)
        return tuple(token * thick for token in answer_tokens(question, count))


def said(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request of any kind; nothing where it has none."""
    return gemini.said(body) if "contents" in body else anthropic.said(body)


def _route(request: Request) -> tuple[str, str]:
    return request.method, gemini.route(request.path)


def _bearer(headers: dict[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def _error(status: int, message: str, kind: str = "invalid_request_error") -> Reply:
    return Reply.json({"error": {"message": message, "type": kind, "code": None}}, status)


def _inputs(body: dict[str, Any]) -> list[str]:
    if "requests" in body:
        return gemini.inputs(body)
    given = body.get("input", [])
    return [given] if isinstance(given, str) else list(given)


def _openai_models(_server: ModelServer, _request: Request) -> Reply:
    names = (*CHAT_MODELS, *EMBEDDING_MODELS)
    data = [{"id": n, "object": "model", "created": CREATED, "owned_by": "openai"} for n in names]
    return Reply.json({"object": "list", "data": data})


def _openai_chat(server: ModelServer, request: Request) -> Reply:
    body, tokens = request.body, server.words(request)
    if not body.get("messages"):
        return _error(400, "Missing required parameter: 'messages'.")
    if body.get("stream"):
        return _openai_stream(body, tokens)
    message = {"role": "assistant", "content": "".join(tokens), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return Reply.json(
        {**_frame(body, "chat.completion"), "choices": [choice], "usage": _usage(len(tokens))}
    )


def _openai_stream(body: dict[str, Any], tokens: tuple[str, ...]) -> Reply:
    """The role first, then the words, the reason of the end, the usage if asked for, the mark."""

    def event(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return sse({**_frame(body, "chat.completion.chunk"), "choices": [choice]})

    wants_usage = (body.get("stream_options") or {}).get("include_usage")
    usage = {**_frame(body, "chat.completion.chunk"), "choices": [], "usage": _usage(len(tokens))}
    end = (event({}, "stop"), sse(usage) if wants_usage else b"", b"data: [DONE]\n\n")
    return Reply(
        head=event({"role": "assistant", "content": "", "refusal": None}),
        pieces=tuple(event({"content": token}) for token in tokens),
        tail=b"".join(end),
        content_type="text/event-stream; charset=utf-8",
        streamed=True,
        text="".join(tokens),
    )


def _frame(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": CREATED, "model": body.get("model")}


def _usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}


def _openai_embed(_server: ModelServer, request: Request) -> Reply:
    data = [
        {"object": "embedding", "index": index, "embedding": vector(text)}
        for index, text in enumerate(_inputs(request.body))
    ]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    model = request.body.get("model")
    return Reply.json({"object": "list", "data": data, "model": model, "usage": usage})


def _ollama_tags(server: ModelServer, _request: Request) -> Reply:
    rows = [
        {"name": name, "model": name, "modified_at": WHEN, "size": 1_000_000, "digest": "0" * 64}
        for name in server.pulled
    ]
    return Reply.json({"models": rows})


def _ollama_chat(server: ModelServer, request: Request) -> Reply:
    tokens = server.words(request)
    done = {"done": True, "done_reason": "stop", "eval_count": len(tokens), "total_duration": 1}

    def line(text: str, **more: Any) -> bytes:
        message = {"role": "assistant", "content": text}
        row = {"model": request.body.get("model"), "created_at": WHEN, "message": message}
        return json.dumps({**row, "done": False, **more}).encode() + b"\n"

    if request.body.get("stream") is False:
        return Reply.of(line("".join(tokens), **done), "application/json")
    return Reply(
        pieces=tuple(line(token) for token in tokens),
        tail=line("", **done),
        content_type="application/x-ndjson",
        streamed=True,
        text="".join(tokens),
    )


def _ollama_embed(_server: ModelServer, request: Request) -> Reply:
    vectors = [vector(text) for text in _inputs(request.body)]
    return Reply.json({"model": request.body.get("model"), "embeddings": vectors})


@dataclass(frozen=True)
class Dialect:
    """What sets one kind of service apart, told by how its paths begin."""

    base: str
    key_of: Callable[[dict[str, str]], str]
    error: Callable[[int, str], Reply]
    wants_key: bool = True


DIALECTS = (
    Dialect(anthropic.BASE, anthropic.key_of, anthropic.error),
    Dialect(gemini.BASE, gemini.key_of, gemini.error),
    Dialect("/v1/", _bearer, _error),
    Dialect("", _bearer, _error, wants_key=False),
)

KINDS = {
    ("GET", "/v1/models"): "models",
    ("GET", "/api/tags"): "models",
    ("GET", anthropic.MODELS): "models",
    ("GET", gemini.MODELS): "models",
    ("POST", anthropic.CHAT): "chat",
    ("POST", gemini.CHAT): "chat",
    ("POST", gemini.EMBED): "embed",
    ("POST", "/v1/chat/completions"): "chat",
    ("POST", "/api/chat"): "chat",
    ("POST", "/v1/embeddings"): "embed",
    ("POST", "/api/embed"): "embed",
}
REPLIES: dict[tuple[str, str], Callable[[ModelServer, Request], Reply]] = {
    ("GET", "/v1/models"): _openai_models,
    ("GET", "/api/tags"): _ollama_tags,
    ("POST", "/v1/chat/completions"): _openai_chat,
    ("POST", "/api/chat"): _ollama_chat,
    ("POST", "/v1/embeddings"): _openai_embed,
    ("POST", "/api/embed"): _ollama_embed,
    ("GET", anthropic.MODELS): lambda _server, _request: anthropic.models(),
    ("GET", gemini.MODELS): lambda _server, _request: gemini.models(),
    ("POST", anthropic.CHAT): lambda s, r: anthropic.stream(r.body, s.words(r)),
    ("POST", gemini.CHAT): lambda s, r: gemini.stream(r.body, s.words(r)),
    ("POST", gemini.EMBED): lambda _server, request: gemini.vectors(request.body),
}

if __name__ == "__main__":
    from tests.standins.by_hand import main

    main(ModelServer())
