"""What stands in the reference's rows, mended where it can be: plain functions."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from protocol.ids import MessageId
from protocol.values import ChatFile, Role
from storage.metadata import question_metadata
from storage.text import as_json, mended

ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# JavaScript's Date.toString(); what it calls the zone in brackets at the end says nothing more.
_JAVASCRIPT = re.compile(
    r"\w{3} (\w{3}) (\d{1,2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT([+-])(\d\d)(\d\d)"
)
_ENCODED_AT_MOST = 3
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)


def read_time(value: Any) -> datetime | None:
    """The moment that JavaScript's Date would read; ``None`` for what is none.

    Args:
        value: What ``Date.toString()`` writes, ISO 8601 (without a zone: local time), or
            milliseconds since 1970.

    """
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000, UTC)
        found = _JAVASCRIPT.match(str(value).strip())
        return _moment(*found.groups()) if found else datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _moment(month: str, *rest: str) -> datetime:
    day, year, hour, minute, second, sign, zone_h, zone_min = rest
    away = timedelta(hours=int(zone_h), minutes=int(zone_min))
    local = datetime(
        int(year),
        MONTHS.index(month) + 1,
        int(day),
        int(hour),
        int(minute),
        int(second),
        tzinfo=UTC,
    )
    return local - away if sign == "+" else local + away


def read_metadata(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Metadata as JSON text and as what it says, however often it was encoded.

    ``None`` for what is no object, or could not be sent to a client.
    """
    text = value
    try:
        for _ in range(_ENCODED_AT_MOST):
            decoded = _decoded(text) if isinstance(text, str | bytes) else None
            if isinstance(decoded, dict):
                return as_json(decoded), decoded
            text = decoded
    except _UNREADABLE:
        return None
    return None


def _decoded(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        # JavaScript cuts text anywhere, and so writes halves of surrogate pairs.
        return mended(json.loads(text))


def new_metadata(at: datetime) -> str:
    """Metadata in place of some that cannot be read."""
    return question_metadata(at)


def read_files(value: Any) -> tuple[ChatFile, ...]:
    """The files that a chat names; none where that cannot be read."""
    try:
        return tuple(msgspec.json.decode(value, type=list[ChatFile]))
    except (*_UNREADABLE, TypeError):
        return ()


def read_text(value: Any) -> str:
    """The text; empty for nothing."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def read_message_id(value: Any, *, place: int) -> MessageId:
    """The id, or one made from the message's place in its chat."""
    return MessageId(read_text(value) or f"{place:014x}")
