"""What can go wrong between actors; askers meet these as errors of the one tree."""

import pykka

from protocol.errors import Busy, DeadlineExceeded, ServiceError, TurnFailed


class ActorDead(ServiceError, pykka.ActorDeadError):
    """The actor stopped before it handled the message, or had stopped already."""

    temporary = True

    def __init__(self, name: str) -> None:
        super().__init__("A part of the program is not running.", detail=name)


class ActorFailed(TurnFailed):
    """The actor broke while it handled the message; its supervisor has been told."""


class AskTimeout(DeadlineExceeded, pykka.Timeout):
    """No reply came in time; the work has been told to stop."""


class MailboxFull(Busy):
    """The actor's waiting line is full; nothing was put into it."""


class ForeignCancellation(RuntimeError):
    """Somebody cancelled an actor's task who is neither its asker nor its supervisor."""


class Escalated(RuntimeError):
    """A child failed more often than its policy allows."""


class Killed(RuntimeError):
    """The actor did not stop by its deadline, or its parent failed."""
