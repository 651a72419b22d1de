"""What a client may send: frames in, typed commands out."""

import re
from typing import Annotated, Any, NoReturn, cast

import msgspec
from msgspec import Meta

from protocol.base import Value
from protocol.errors import InvalidFormat, TooLarge
from protocol.history import Said, earlier
from protocol.ids import ChatId, MessageId
from protocol.settings import Limits
from protocol.values import OptimizationMode, Utterance

Id = Annotated[str, Meta(min_length=1, max_length=200)]


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


def decode_command(frame: str | bytes, limits: Limits, *, is_v2: bool = True) -> Command | None:
    """The command in a frame; ``None`` for one that is to be passed over.

    Args:
        frame: JSON as the client sent it, as text or bytes.
        limits: How long a question may be, and what of its history is kept.
        is_v2: Whether the client speaks ``perplexica.v2``. Any other only asks questions, and what
            else it sends it does not expect an answer to: an error would end its page.

    Raises:
        InvalidFormat: It is not JSON, or a field is missing or has the wrong shape; ``detail``
            names the field.
        TooLarge: The question is longer than may be.

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
    _check_text(sent.message.content, limits.question_chars)
    return _question(sent, limits)


def _question(sent: _MessageFrame, limits: Limits) -> AskQuestion:
    return AskQuestion(
        ChatId(sent.message.chat_id),
        MessageId(sent.message.message_id) if sent.message.message_id else None,
        sent.message.content,
        sent.focus_mode,
        sent.optimization_mode,
        earlier(sent.history, sent.message.content, limits),
        tuple(sent.files or ()),
    )


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
