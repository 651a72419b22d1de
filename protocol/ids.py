"""Names of things, each with its own type, so that none is taken for another."""

from typing import NewType

ChatId = NewType("ChatId", str)
MessageId = NewType("MessageId", str)
TurnId = NewType("TurnId", str)
SessionId = NewType("SessionId", str)
