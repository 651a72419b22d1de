"""What a client may send: frames in, typed commands out."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, cast

import msgspec
from msgspec import Meta

from protocol.base import Value
from protocol.errors import InvalidFormat, TooLarge
from protocol.ids import ChatId, MessageId
from protocol.values import OptimizationMode, Role, Utterance

Id = Annotated[str, Meta(min_length=1, max_length=200)]

# Both web UIs, and both ways in which they name the speakers (a chat loaded from the store has
# other names than one that was typed just now). Whoever is not the user is the assistant.
USER_ROLES = ("human", "user")


class AskQuestion(Value, frozen=True):
    """Answer this; without a ``message_id`` the server makes one."""

    chat_id: ChatId
    message_id: MessageId | None
    text: str
    focus_mode: str
    optimization_mode: OptimizationMode
    history: tuple[Utterance, ...]
    files: tuple[str, ...]


class StopTurn(Value, frozen=True, rename="camel"):
    """End the turn of this answer now; what was written is kept."""

    message_id: Annotated[MessageId, Meta(min_length=1, max_length=200)]


class ResumeTurn(Value, frozen=True, rename="camel"):
    """Tell the turn of this answer again, from behind event ``after``."""

    message_id: Annotated[MessageId, Meta(min_length=1, max_length=200)]
    after: Annotated[int, Meta(ge=0)] = 0


class Ping(Value, frozen=True):
    """Say that you are there."""


Command = AskQuestion | StopTurn | ResumeTurn | Ping


class _Kind(msgspec.Struct):
    type: str


class Said(msgspec.Struct):
    """One thing said earlier, as an object; the web UI's have many more fields."""

    role: str
    content: str


class _WireMessage(msgspec.Struct, rename="camel"):
    content: Annotated[str, Meta(min_length=1)]
    chat_id: Id
    message_id: Id | None = None


class _MessageFrame(msgspec.Struct, rename="camel"):
    message: _WireMessage
    history: list[tuple[str, str] | Said]
    focus_mode: str = ""
    optimization_mode: OptimizationMode = "speed"
    files: list[Id] | None = None


_kinds = msgspec.json.Decoder(_Kind)
_SHAPES: dict[str, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(shape)
    for kind, shape in (
        ("message", _MessageFrame),
        ("stop", StopTurn),
        ("resume", ResumeTurn),
        ("ping", Ping),
    )
}


def decode_command(
    frame: str | bytes, *, question_chars: int, is_v2: bool = True
) -> Command | None:
    """The command in a frame; ``None`` for one that is to be passed over.

    Args:
        frame: JSON as the client sent it, as text or bytes.
        question_chars: The longest question that is taken.
        is_v2: Whether the client speaks ``perplexica.v2``. Any other only asks questions, and what
            else it sends it does not expect an answer to: an error would end its page.

    Raises:
        InvalidFormat: It is not JSON, or a field is missing or has the wrong shape; ``detail``
            names the field.
        TooLarge: The question is longer than ``question_chars``.

    """
    try:
        kind = _kinds.decode(frame)
        if not is_v2 and kind.type != "message":
            return None
        if kind.type not in _SHAPES:
            raise InvalidFormat(f"type: {kind.type[:60]!r} is not a known type of frame")
        sent = _SHAPES[kind.type].decode(frame)
    except msgspec.ValidationError as error:
        _refuse_field(error)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidFormat("the frame is not JSON") from error
    if not isinstance(sent, _MessageFrame):
        return cast("Command", sent)
    _check_text(sent.message.content, question_chars)
    return _question(sent)


def _question(sent: _MessageFrame) -> AskQuestion:
    return AskQuestion(
        ChatId(sent.message.chat_id),
        MessageId(sent.message.message_id) if sent.message.message_id else None,
        sent.message.content,
        sent.focus_mode,
        sent.optimization_mode,
        earlier(sent.history, sent.message.content),
        tuple(sent.files or ()),
    )


def earlier(history: Sequence[tuple[str, str] | Said], question: str) -> tuple[Utterance, ...]:
    """What was said before the question; a last entry that repeats the question is left out."""
    pairs = [(h.role, h.content) if isinstance(h, Said) else h for h in history]
    said = [Utterance(_role(role), text) for role, text in pairs]
    if said and said[-1] == Utterance("user", question):
        said.pop()
    return tuple(said)


def _role(name: str) -> Role:
    return "user" if name in USER_ROLES else "assistant"


def _check_text(text: str, most: int) -> None:
    if not text.strip():
        raise InvalidFormat("message.content: is empty")
    if len(text) > most:
        raise TooLarge("The question", limit=most, unit="characters")


def _refuse_field(error: msgspec.ValidationError) -> NoReturn:
    """Name the field that msgspec's error speaks of, in words of ours."""
    said = str(error)
    path = re.search(r"`\$\.?([^`]*)`$", said)
    missing = re.search(r"missing required field `([^`]*)`", said)
    field = ".".join(part for part in (path and path[1], missing and missing[1]) if part)
    problem = "is missing" if missing else "has the wrong shape"
    raise InvalidFormat(f"{field or 'the frame'}: {problem}") from error
