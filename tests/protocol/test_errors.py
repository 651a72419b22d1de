"""One tree of errors; each knows its key, its status, and whether to try again."""

from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

import actors.errors
from protocol import connection, errors
from protocol.errors import ServiceError

KEYS = {
    "INVALID_FORMAT",
    "INVALID_FOCUS_MODE",
    "INVALID_MODEL_SELECTED",
    "CHAIN_ERROR",
    "INTERNAL_SERVER_ERROR",
    "PAGE_UNREADABLE",
    "BUSY",
    "RATE_LIMITED",
    "TOO_LARGE",
    "NOT_FOUND",
    "UNAUTHORIZED",
    "SERVER_DRAINING",
    "STOPPED",
    "UNKNOWN_TURN",
    "DEADLINE_EXCEEDED",
    "SEARCH_UNAVAILABLE",
    "MODEL_UNAVAILABLE",
    "STORAGE_UNAVAILABLE",
}


def tree(root: type[ServiceError]) -> Iterator[type[ServiceError]]:
    """The error and all below it."""
    yield root
    for below in root.__subclasses__():
        yield from tree(below)


def make(kind: type[ServiceError]) -> ServiceError:
    """An error of that kind, with something in each place."""
    hints = {name: hint for name, hint in get_type_hints(kind.__init__).items() if name != "return"}
    fill: dict[Any, Any] = {str: "something", int: 1, tuple[str, ...]: ("one",)}
    fill |= {float: 1.0, float | None: 1.0}
    return kind(**{name: fill.get(hint, "something") for name, hint in hints.items()})


@pytest.mark.parametrize("kind", list(tree(ServiceError)), ids=lambda kind: kind.__name__)
def test_error_says_what_a_client_may_know(kind: type[ServiceError]) -> None:
    """A known key, a status of an error, and a sentence of our own."""
    error = make(kind)
    assert error.key in KEYS
    assert 400 <= error.status < 600
    assert str(error).strip()


def test_errors_of_actors_and_connections_are_of_the_same_tree() -> None:
    """Whoever catches a ServiceError has caught them all."""
    for module, names in (
        (actors.errors, ["ActorDead", "ActorFailed", "AskTimeout", "MailboxFull"]),
        (connection, ["ConnectionGone"]),
        (errors, ["Busy", "ChatNotFound"]),
    ):
        for name in names:
            assert issubclass(getattr(module, name), ServiceError)
