"""What accounts may be called."""

import re

from protocol.refusals import FieldRefused

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


def read_name(text: str) -> str:
    """The name in small letters; raises FieldRefused for one that cannot be had."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise FieldRefused("name", "must be letters, digits and . _ @ + -, at most 100")
    return name
