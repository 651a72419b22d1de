"""What a client may send, and what it is told when it sends something else."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.commands import AskQuestion, Ping, ResumeTurn, StopTurn, decode_command
from protocol.errors import InvalidFormat, TooLarge
from protocol.ids import MessageId
from protocol.settings import Limits
from protocol.values import Utterance

MOST = 1000
LIMITS = Limits(question_chars=MOST)
QUESTION: dict[str, Any] = {
    "type": "message",
    "message": {"messageId": "0a1b", "chatId": "c", "content": "Why?"},
    "focusMode": "webSearch",
    "optimizationMode": "balanced",
    "history": [],
}


def decode(frame: Any) -> AskQuestion:
    """The command in a frame, which may be given as what it says."""
    text = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    command = decode_command(text, LIMITS)
    assert isinstance(command, AskQuestion)
    return command


def changed(**fields: Any) -> dict[str, Any]:
    """The question with other fields; those of its message too."""
    message = {**QUESTION["message"], **fields.pop("message", {})}
    return {**QUESTION, "message": message, **fields}


def without(*path: str) -> dict[str, Any]:
    """The question lacking a field."""
    frame: dict[str, Any] = json.loads(json.dumps(QUESTION))
    inner = frame
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return frame


def test_question_is_taken_as_the_web_ui_sends_it() -> None:
    """All its fields, under our names."""
    asked = decode(QUESTION)
    assert asked == AskQuestion("c", "0a1b", "Why?", "webSearch", "balanced", (), ())  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", [json.dumps(QUESTION), json.dumps(QUESTION).encode()])
def test_text_and_bytes_are_the_same(frame: str | bytes) -> None:
    """The reference takes binary frames as text too."""
    assert decode(frame).text == "Why?"


@pytest.mark.parametrize("field", ["optimizationMode", "focusMode", "files"])
def test_field_may_be_absent(field: str) -> None:
    """Old web UIs send no files; a missing focus mode is refused later, with its own key."""
    frame = {**QUESTION, "files": ["f"]}
    del frame[field]
    assert decode(frame).text == "Why?"


def test_history_ends_before_the_question() -> None:
    """The web UI repeats the question as the last entry."""
    asked = decode(changed(history=[["human", "a"], ["assistant", "b"], ["human", "Why?"]]))
    assert asked.history == (Utterance("user", "a"), Utterance("assistant", "b"))


@pytest.mark.parametrize(
    ("name", "role"),
    [("human", "user"), ("user", "user"), ("assistant", "assistant"), ("ai", "assistant")],
)
def test_speakers_have_two_names_each(name: str, role: str) -> None:
    """A chat from the store names them otherwise than one typed just now."""
    for entry in ([name, "x"], {"role": name, "content": "x"}):
        assert decode(changed(history=[entry])).history[0].role == role


BAD = [
    ("{not json", "the frame is not JSON"),
    ("", "the frame is not JSON"),
    (b"\xff\xfe", "the frame is not JSON"),
    ("null", "the frame: has the wrong shape"),
    ("[]", "the frame: has the wrong shape"),
    ("7", "the frame: has the wrong shape"),
    ("[" * 100_000, "the frame"),
    (without("type"), "type: is missing"),
    (changed(type=7), "type: has the wrong shape"),
    (changed(type="dance"), "type: 'dance' is not a known type of frame"),
    (without("message"), "message: is missing"),
    (without("message", "content"), "message.content: is missing"),
    (without("message", "chatId"), "message.chatId: is missing"),
    (without("history"), "history: is missing"),
    (changed(message={"content": ""}), "message.content: has the wrong shape"),
    (changed(message={"content": "  \n"}), "message.content: is empty"),
    (changed(message={"content": 42}), "message.content: has the wrong shape"),
    (changed(message={"content": {"a": 1}}), "message.content: has the wrong shape"),
    (changed(message={"chatId": ""}), "message.chatId: has the wrong shape"),
    (changed(message={"chatId": "x" * 201}), "message.chatId: has the wrong shape"),
    (changed(message={"messageId": 5}), "message.messageId: has the wrong shape"),
    (changed(history="all of it"), "history: has the wrong shape"),
    (changed(history=[1]), "history[0]: has the wrong shape"),
    (changed(history=[["human"]]), "history[0]: has the wrong shape"),
    (changed(history=[["human", 1]]), "history[0][1]: has the wrong shape"),
    (changed(optimizationMode="best"), "optimizationMode: has the wrong shape"),
    (changed(files="one"), "files: has the wrong shape"),
]


@pytest.mark.parametrize(("frame", "detail"), BAD)
def test_bad_frame_is_refused_by_the_name_of_its_field(frame: Any, detail: str) -> None:
    """The sentence is the reference's; the detail says which field, in our words."""
    with pytest.raises(InvalidFormat) as raised:
        decode(frame)
    assert str(raised.value) == "Invalid message format"
    assert raised.value.detail.startswith(detail)


def test_question_over_its_limit_is_too_large() -> None:
    """The limit itself is still taken."""
    assert decode(changed(message={"content": "x" * MOST})).text == "x" * MOST
    with pytest.raises(TooLarge):
        decode(changed(message={"content": "x" * (MOST + 1)}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.sampled_from(sorted(QUESTION)), JSON)
def test_any_value_in_any_field_is_taken_or_refused(field: str, value: Any) -> None:
    """Nothing but our own errors comes out, whatever goes in."""
    with suppress(InvalidFormat, TooLarge):
        assert decode({**QUESTION, field: value}).chat_id == "c"


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(frame: bytes) -> None:
    """A parser's own errors stay inside."""
    with pytest.raises(InvalidFormat):
        decode(frame)


@pytest.mark.parametrize("kind", ["stop", "resume", "ping", "shout"])
def test_client_of_no_dialect_is_not_answered_what_is_no_question(kind: str) -> None:
    """An error frame would end the page of the web UI."""
    frame = json.dumps({"type": kind, "messageId": "a"})
    assert decode_command(frame, LIMITS, is_v2=False) is None


def test_unknown_kind_of_frame_is_refused_by_its_name() -> None:
    """Who speaks perplexica.v2 can hear that."""
    with pytest.raises(InvalidFormat) as refused:
        decode_command('{"type":"shout"}', LIMITS)
    assert "shout" in refused.value.detail


@pytest.mark.parametrize(
    ("frame", "command"),
    [
        ({"type": "stop", "messageId": "a"}, StopTurn(MessageId("a"))),
        ({"type": "resume", "messageId": "a"}, ResumeTurn(MessageId("a"))),
        ({"type": "resume", "messageId": "a", "after": 7}, ResumeTurn(MessageId("a"), 7)),
        ({"type": "ping"}, Ping()),
    ],
)
def test_commands_of_v2_are_understood(frame: dict[str, Any], command: Any) -> None:
    """Each names the answer it is about."""
    assert decode_command(json.dumps(frame), LIMITS) == command
