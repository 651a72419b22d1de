"""What Anthropic's Messages API is sent and what it answers, in its own shapes."""

import json
from typing import Any

from tests.standins.reply import Reply

BASE = "/anthropic"
CHAT, MODELS = f"{BASE}/v1/messages", f"{BASE}/v1/models"
NAMES = {"claude-sonnet-5-5": "Claude Sonnet 5.5", "claude-sonnet-4-6": "Claude Sonnet 4.6"}


def said(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request, its instructions first."""
    system = [{"role": "system", "content": body["system"]}] if "system" in body else []
    return system + list(body.get("messages", []))


def key_of(headers: dict[str, str]) -> str:
    """The key that a request bears; empty without the version that every request must name."""
    return headers.get("x-api-key", "") if "anthropic-version" in headers else ""


def error(status: int, message: str) -> Reply:
    """A refusal."""
    kinds = {401: "authentication_error", 404: "not_found_error"}
    told = {"type": kinds.get(status, "invalid_request_error"), "message": message}
    return Reply.json({"type": "error", "error": told}, status)


def models() -> Reply:
    """The list of models."""
    rows = [
        {"type": "model", "id": name, "display_name": title, "created_at": "2026-09-01T00:00:00Z"}
        for name, title in NAMES.items()
    ]
    return Reply.json({"data": rows, "has_more": False, "first_id": None, "last_id": None})


def stream(body: dict[str, Any], tokens: tuple[str, ...]) -> Reply:
    """The message begins, thinks aloud, says its words with a ping between, and ends."""
    if not isinstance(body.get("max_tokens"), int):
        return error(400, "max_tokens: Field required")
    message: dict[str, object] = {
        "id": "msg_1",
        "role": "assistant",
        "model": body.get("model"),
        "usage": {},
    }
    begin = _event("message_start", message=message) + _event("ping")
    thinking = _delta(0, {"type": "thinking_delta", "thinking": "Let me see."})
    block = _event("content_block_start", index=1, content_block={"type": "text", "text": ""})
    end = (
        _event("content_block_stop", index=1),
        _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}),
        _event("message_stop"),
    )
    return Reply(
        head=begin + thinking + block,
        pieces=tuple(_delta(1, {"type": "text_delta", "text": token}) for token in tokens),
        tail=b"".join(end),
        content_type="text/event-stream; charset=utf-8",
        streamed=True,
        text="".join(tokens),
    )


def _delta(index: int, delta: dict[str, str]) -> bytes:
    return _event("content_block_delta", index=index, delta=delta)


def _event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}).encode()
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
