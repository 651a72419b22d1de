"""The kinds of values that everything else is said in."""

from typing import Generic, TypeVar

import msgspec

R = TypeVar("R")


class Value(msgspec.Struct, frozen=True):
    """A fact that never changes once made; compared by its fields."""


class Message(Value, frozen=True):
    """What one actor says to another; a tuple stands wherever a list would."""


class Signal(Message, frozen=True):
    """A message that goes ahead of all that waits in the mailbox."""


class Request(Message, Generic[R], frozen=True):
    """A message that is answered with an ``R``."""
