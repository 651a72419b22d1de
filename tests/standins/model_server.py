"""A model service that speaks as OpenAI and as Ollama do, and answers the same each time.

Tokens are whole words. The number of tokens of an answer is ``tokens``, or what the question's
``[[fake answer tokens=200]]`` says. By hand: ``python -m tests.standins.model_server --port 8001``.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.standins.faults import option, without_directives
from tests.standins.http_server import Request, StandIn
from tests.standins.reply import Reply
from tests.standins.words import WORDS, answer_tokens, dice, vector

CHAT_MODELS = ("gpt-3.5-turbo", "gpt-4o-mini")
EMBEDDING_MODELS = ("text-embedding-3-small", "text-embedding-3-large")
OLLAMA_MODELS = ("llama3.2:latest", "nomic-embed-text:latest")
CREATED = 1_790_000_000
WHEN = "2026-11-22T12:00:00.000000Z"
GREETINGS = {"hi", "hello", "hey", "good morning", "thanks", "thank you", "how are you"}
TAGS = {"<question>": "rephrase", "<suggestions>": "suggestions"}
LABEL = re.compile(r"^[^\n:]*(?:question|message)\s*:", re.IGNORECASE | re.MULTILINE)
# A prompt may end with the label of the place where the model is to go on.
PLACE_OF_REPLY = re.compile(r"\n[^\n]+:\s*\Z")


def kind_of(messages: list[dict[str, Any]]) -> str:
    """What tags the prompt wants make it ``rephrase`` or ``suggestions``; else ``answer``."""
    prompt = "\n".join(content(message) for message in messages)
    return next((kind for tag, kind in TAGS.items() if tag in prompt), "answer")


def content(message: dict[str, Any]) -> str:
    """A message's text, whether it came as text or as parts."""
    given = message.get("content") or ""
    return given if isinstance(given, str) else "".join(part.get("text", "") for part in given)


def question_of(messages: list[dict[str, Any]]) -> str:
    """The last message; of a prompt to rephrase, what its last label names."""
    last = content(messages[-1]) if messages else ""
    if kind_of(messages) != "rephrase":
        return last.strip()
    return LABEL.split(PLACE_OF_REPLY.sub("", last))[-1].strip()


def rephrased(question: str) -> str:
    """What a model says when it is asked for a search query."""
    bare = without_directives(question).lower().strip(" !.?")
    return f"<question>\n{'not_needed' if bare in GREETINGS else question}\n</question>"


def suggested(conversation: str) -> str:
    """What a model says when it is asked for further questions."""
    words = dice(conversation).sample(WORDS, k=4)
    lines = [f"{place}. What about the {word}?" for place, word in enumerate(words, 1)]
    return "\n".join(["<suggestions>", *lines, "</suggestions>"])


def pieces_of(text: str) -> tuple[str, ...]:
    """A text as tokens: each word with the white space ahead of it."""
    return tuple(re.findall(r"\s*\S+|\s+\Z", text))


class ModelServer(StandIn):
    """Kinds: ``models``, ``rephrase``, ``suggestions``, ``answer``, ``embed``, ``unknown``.

    Attributes:
        tokens: How long an answer is that does not say so itself.
        key: What OpenAI-shaped requests must bear; any key when empty.

    """

    def __init__(self, *, tokens: int = 24, key: str = "") -> None:
        super().__init__()
        self.tokens = tokens
        self.key = key

    @property
    def openai_url(self) -> str:
        """The base address for OpenAI's clients."""
        return f"{self.url}/v1"

    def kind(self, request: Request) -> str:
        """The row of the request, and for chats what the prompt wants."""
        kind = KINDS.get((request.method, request.path), "unknown")
        return kind_of(request.body.get("messages", [])) if kind == "chat" else kind

    def text(self, request: Request) -> str:
        """The question of a chat, the texts of an embedding."""
        if "messages" in request.body:
            return question_of(request.body["messages"])
        return "\n".join(_inputs(request.body))

    def reply(self, request: Request) -> Reply:
        """What the service would say; 401 and 404 in its own shape."""
        if request.path.startswith("/v1/") and not self._let_in(request):
            return _error(401, "Incorrect API key provided.", "invalid_request_error")
        handler = REPLIES.get((request.method, request.path))
        return handler(self, request) if handler else _error(404, "Not found.", "not_found")

    def words(self, request: Request) -> tuple[str, ...]:
        """The tokens of the reply to a chat."""
        question = self.text(request)
        if self.kind(request) == "rephrase":
            return pieces_of(rephrased(question))
        if self.kind(request) == "suggestions":
            return pieces_of(suggested(question))
        return answer_tokens(question, option(question, "answer", "tokens", self.tokens))

    def _let_in(self, request: Request) -> bool:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and bool(key) and self.key in ("", key)


def _error(status: int, message: str, kind: str) -> Reply:
    return Reply.json({"error": {"message": message, "type": kind, "code": None}}, status)


def _inputs(body: dict[str, Any]) -> list[str]:
    given = body.get("input", [])
    return [given] if isinstance(given, str) else list(given)


def _openai_models(_server: ModelServer, _request: Request) -> Reply:
    names = (*CHAT_MODELS, *EMBEDDING_MODELS)
    data = [{"id": n, "object": "model", "created": CREATED, "owned_by": "openai"} for n in names]
    return Reply.json({"object": "list", "data": data})


def _openai_chat(server: ModelServer, request: Request) -> Reply:
    body, tokens = request.body, server.words(request)
    if not body.get("messages"):
        return _error(400, "Missing required parameter: 'messages'.", "invalid_request_error")
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


def sse(value: dict[str, Any]) -> bytes:
    """One Server-Sent Event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


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


def _ollama_tags(_server: ModelServer, _request: Request) -> Reply:
    rows = [
        {"name": name, "model": name, "modified_at": WHEN, "size": 1_000_000, "digest": "0" * 64}
        for name in OLLAMA_MODELS
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


KINDS = {
    ("GET", "/v1/models"): "models",
    ("GET", "/api/tags"): "models",
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
}

if __name__ == "__main__":
    from tests.standins.by_hand import main

    main(ModelServer())
