"""What Anthropic and Gemini are asked, and the replies that only they give."""

import json
from typing import Any

import pytest

from protocol.values import Prompt, PromptMessage
from providers.anthropic_api import FIRST_TOKENS, MOST_TOKENS, AnthropicDialect
from providers.calls import Call, Dialect, Unreadable, refused
from providers.endpoint import Endpoint
from providers.gemini_api import GeminiDialect

ANTHROPIC, GEMINI = AnthropicDialect(), GeminiDialect()
AT = Endpoint("x", "https://host/base", "sk-secret")
PROMPT: Prompt = (
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "Aa?"),
    PromptMessage("assistant", "Bb."),
    PromptMessage("user", "Cc?"),
)


def sent(call: Call) -> Any:
    """The body of a call."""
    assert call.body
    return json.loads(call.body)


def test_anthropic_is_sent_its_instructions_apart() -> None:
    """One message request with the key, the version and the most that it may write."""
    call = ANTHROPIC.chat(AT, "claude-sonnet-4-6", PROMPT, 0.7)
    assert call.url == "https://host/base/v1/messages"
    assert (call.headers["x-api-key"], call.headers["anthropic-version"]) == (
        "sk-secret",
        "2023-06-01",
    )
    assert "Authorization" not in call.headers
    assert sent(call) == {
        "model": "claude-sonnet-4-6",
        "max_tokens": MOST_TOKENS,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Aa?"},
            {"role": "assistant", "content": "Bb."},
            {"role": "user", "content": "Cc?"},
        ],
        "stream": True,
        "temperature": 0.7,
    }


@pytest.mark.parametrize(
    "model", ["claude-opus-4-7", "claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5", "new"]
)
def test_later_models_of_anthropic_are_asked_without_temperature(model: str) -> None:
    """From Opus 4.7 on a request that names a temperature is refused."""
    assert "temperature" not in sent(ANTHROPIC.chat(AT, model, PROMPT, 0))


@pytest.mark.parametrize(
    "model", ["claude-3-haiku-20240307", "claude-opus-4-20250514", "claude-opus-4-6"]
)
def test_earlier_models_of_anthropic_are_told_the_temperature(model: str) -> None:
    """Those that take one get one, as rephrasing wants none of chance."""
    assert sent(ANTHROPIC.chat(AT, model, PROMPT, 0))["temperature"] == 0


def test_first_models_of_anthropic_write_less() -> None:
    """More than a model can write is refused."""
    assert sent(ANTHROPIC.chat(AT, "claude-3-haiku", PROMPT, 0))["max_tokens"] == FIRST_TOKENS


def test_gemini_is_sent_its_instructions_apart() -> None:
    """The model is in the path, the key in a header, the roles are user and model."""
    call = GEMINI.chat(AT, "gemini-x", PROMPT, 0)
    path = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
    assert call.url == f"https://host/base{path}"
    assert call.headers["x-goog-api-key"] == "sk-secret"
    assert sent(call) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Aa?"}]},
            {"role": "model", "parts": [{"text": "Bb."}]},
            {"role": "user", "parts": [{"text": "Cc?"}]},
        ],
        "generationConfig": {"temperature": 0},
    }


@pytest.mark.parametrize("model", ["../../v2/x", "a?key=b", "a#b", "a b", "..", "models/é", "%2e"])
def test_name_of_a_model_stays_one_part_of_the_path(model: str) -> None:
    """A client makes no other request of ours by the name that it gives a model."""
    url = GEMINI.chat(AT, model, PROMPT, 0).url
    assert url.startswith("https://host/base/v1beta/models/")
    assert url.endswith(":streamGenerateContent?alt=sse")
    assert url.count("/") == 6
    assert (url.count("?"), url.count("#"), url.count(" ")) == (1, 0, 0)


SPEECHES: list[tuple[list[tuple[str, str]], str, list[tuple[str, str]]]] = [
    ([("system", "S"), ("user", "a")], "S", [("user", "a")]),
    ([("system", "S"), ("system", "T"), ("user", "a")], "S\n\nT", [("user", "a")]),
    ([("user", "a"), ("user", "b")], "", [("user", "a\n\nb")]),
    ([("user", "a"), ("assistant", ""), ("user", "b")], "", [("user", "a\n\nb")]),
    ([("user", "a"), ("system", "S"), ("user", "b")], "S", [("user", "a\n\nb")]),
    ([("system", "S")], "", [("user", "S")]),
    ([("user", " \n")], "", [("user", "…")]),
    ([], "", [("user", "…")]),
    ([("user", "a\ud83db")], "", [("user", "a?b")]),
]


@pytest.mark.parametrize(("said", "system", "turns"), SPEECHES)
def test_sides_alternate_and_nobody_is_silent(
    said: Any, system: str, turns: list[tuple[str, str]]
) -> None:
    """Neighbours of one role become one, messages without words are left out."""
    prompt = tuple(PromptMessage(role, text) for role, text in said)
    body = sent(ANTHROPIC.chat(AT, "m", prompt, 0))
    assert body.get("system", "") == system
    assert [(turn["role"], turn["content"]) for turn in body["messages"]] == turns
    contents = sent(GEMINI.chat(AT, "m", prompt, 0))["contents"]
    assert [turn["parts"][0]["text"] for turn in contents] == [text for _, text in turns]


def candidate(reason: str) -> Any:
    """A last chunk of Gemini's."""
    return {"candidates": [{"finishReason": reason}]}


PROBLEMS: list[tuple[Dialect, Any, str]] = [
    (ANTHROPIC, {"type": "error", "error": {"type": "overloaded_error"}}, "overloaded"),
    (ANTHROPIC, {"type": "error", "error": {"type": "new_error"}}, "it reported an error"),
    (ANTHROPIC, {"type": "error"}, "it reported an error"),
    (ANTHROPIC, {"type": "message_delta", "delta": {"stop_reason": "refusal"}}, "declined"),
    (ANTHROPIC, {"kind": "none"}, "unreadable"),
    (ANTHROPIC, [], "unreadable"),
    (GEMINI, {"promptFeedback": {"blockReason": "SAFETY"}}, "declined"),
    (GEMINI, candidate("SAFETY"), "declined"),
    (GEMINI, candidate("OTHER"), "broke off"),
    (GEMINI, {"error": {"code": 503, "status": "UNAVAILABLE"}}, "overloaded"),
    (GEMINI, {"error": {"details": [None, {"reason": 5}, {"reason": []}]}}, "reported an error"),
    (GEMINI, {"error": {"details": {"a": 1}, "type": {"b": 2}}}, "reported an error"),
    (GEMINI, {"candidates": "x"}, "unreadable"),
]


@pytest.mark.parametrize(("dialect", "event", "words"), PROBLEMS)
def test_event_that_ends_an_answer_badly(dialect: Dialect, event: Any, words: str) -> None:
    """Errors within a stream, refusals to answer and nonsense become words of ours."""
    with pytest.raises(Unreadable, match=words):
        dialect.piece(b"data: " + json.dumps(event).encode())


@pytest.mark.parametrize("reason", ["STOP", "MAX_TOKENS"])
def test_last_chunk_of_gemini_may_bear_text(reason: str) -> None:
    """The reason of the end comes with or without text; parts are put together."""
    parts = [{"text": "a"}, {"text": "t", "thought": True}, {"inlineData": {}}, {"text": "b"}]
    event = {"candidates": [{"content": {"parts": parts}, "finishReason": reason}]}
    assert GEMINI.piece(b"data: " + json.dumps(event).encode()) == ("ab", True)


@pytest.mark.parametrize(
    "line", [b"", b"event: ping", b": comment", b"data:", b'data: {"type":"ping"}']
)
def test_lines_without_text_go_by(line: bytes) -> None:
    """Pings, comments and names of events are no pieces."""
    assert ANTHROPIC.piece(line) == ("", False)


REFUSALS = [
    (400, {"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, "it refused the key"),
    (400, {"error": {"status": "INVALID_ARGUMENT"}}, "malformed or too long"),
    (401, {"type": "error", "error": {"type": "authentication_error"}}, "it refused the key"),
    (529, {"type": "error", "error": {"type": "overloaded_error"}}, "it is overloaded"),
    (529, None, "it is overloaded"),
    (400, {"error": "text"}, "malformed or too long"),
    (503, {"error": {"status": "UNAVAILABLE"}}, "it is overloaded"),
]


@pytest.mark.parametrize(("status", "body", "words"), REFUSALS)
def test_refusal_says_what_its_body_tells(status: int, body: Any, words: str) -> None:
    """A wrong key is a malformed request to Gemini; its details tell."""
    call = Call("x", "https://host", {})
    assert words in str(refused(call, status, json.dumps(body).encode()))


def test_anthropic_embeds_nothing() -> None:
    """There is no such call."""
    with pytest.raises(Unreadable):
        ANTHROPIC.embed(AT, "m", ["a"])
    with pytest.raises(Unreadable):
        ANTHROPIC.vectors(b"{}")
