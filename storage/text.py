"""Text as a database can keep it."""

import re
from typing import Any

import msgspec

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_encoder = msgspec.json.Encoder()


def mended(value: Any) -> Any:
    """The value with each lone half of a surrogate pair, which no UTF-8 has, as U+FFFD.

    Args:
        value: Text, or lists and dictionaries that may hold text; all else stays as it is.

    """
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {key: mended(item) for key, item in value.items()}
    return value


def as_json(value: Any) -> str:
    """The value as JSON text; whatever broken text a service has sent, this is readable again."""
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:
        return _encoder.encode(mended(msgspec.to_builtins(value))).decode()
