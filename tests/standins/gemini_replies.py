"""What Gemini's API is sent and what it answers, in its own shapes."""

import re
from typing import Any

from tests.standins.reply import Reply, sse
from tests.standins.words import vector

BASE = "/gemini"
MODELS = f"{BASE}/v1beta/models"
CHAT, EMBED = f"{MODELS}/*:streamGenerateContent", f"{MODELS}/*:batchEmbedContents"
NAMES = {
    "gemini-flash-latest": ("Gemini Flash", "generateContent"),
    "gemini-embedding-001": ("Gemini Embedding 001", "embedContent"),
}
OF_A_MODEL = re.compile(rf"({MODELS})/[^/:]+(:\w+)")


def route(path: str) -> str:
    """The path with a star where a model's name stands."""
    return OF_A_MODEL.sub(r"\1/*\2", path)


def said(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request, its instructions first."""
    system = (
        [{"role": "system", **body["systemInstruction"]}] if "systemInstruction" in body else []
    )
    return [
        {"role": content.get("role"), "content": _text(content)}
        for content in system + list(body.get("contents", []))
    ]


def inputs(body: dict[str, Any]) -> list[str]:
    """The texts of a request for vectors."""
    return [_text(request["content"]) for request in body.get("requests", [])]


def key_of(headers: dict[str, str]) -> str:
    """The key that a request bears."""
    return headers.get("x-goog-api-key", "")


def error(status: int, message: str) -> Reply:
    """A refusal; a wrong key is a malformed request here, with the reason in the details."""
    if status == 401:
        status, reason = 400, [{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
    else:
        reason = []
    names = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}
    told = {"code": status, "message": message, "status": names[status], "details": reason}
    return Reply.json({"error": told}, status)


def models() -> Reply:
    """The list of models."""
    rows = [
        {
            "name": f"models/{name}",
            "displayName": title,
            "supportedGenerationMethods": [method, "countTokens"],
        }
        for name, (title, method) in NAMES.items()
    ]
    return Reply.json({"models": rows})


def stream(_body: dict[str, Any], tokens: tuple[str, ...]) -> Reply:
    """A thought, the words, and a last chunk with the reason of the end."""
    return Reply(
        head=_chunk({"text": "Let me see.", "thought": True}),
        pieces=tuple(_chunk({"text": token}) for token in tokens),
        tail=_chunk({"text": ""}, finishReason="STOP"),
        content_type="text/event-stream",
        streamed=True,
        text="".join(tokens),
    )


def vectors(body: dict[str, Any]) -> Reply:
    """A vector a text."""
    return Reply.json({"embeddings": [{"values": vector(text)} for text in inputs(body)]})


def _text(content: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content.get("parts", []))


def _chunk(part: dict[str, Any], **fields: Any) -> bytes:
    candidate = {"content": {"role": "model", "parts": [part]}, "index": 0, **fields}
    return sse({"candidates": [candidate], "modelVersion": "1"})
