"""The one tree of errors: each knows its wire key, its status and whether to try again.

The text of an error is a sentence of ours, fit for any client: it never repeats a
library's own words. Errors of a field say which field in ``detail``.
"""

from math import ceil
from typing import ClassVar, Self


class ServiceError(Exception):
    """Something went wrong that an asker can be told; anything else raised is a bug."""

    key: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500
    temporary: ClassVar[bool] = False

    def __init__(self, sentence: str = "Internal server error.", *, detail: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail
        self.problem = sentence  # the same, or in fewer words where what failed is known
        # Seconds after which the same call may succeed; None where that is not to be hoped.
        self.again_after_s: float | None = None
        self.code: int | None = None  # with which a service has refused it

    @classmethod
    def told(cls, sentence: str) -> Self:
        """The error again, from what was said of it."""
        error = cls.__new__(cls)
        ServiceError.__init__(error, sentence)
        return error


class RequestError(ServiceError):
    """What the client sent cannot be answered."""

    key = "INVALID_FORMAT"
    status = 400


class InvalidFormat(RequestError):
    """A frame or a body has the wrong shape; ``detail`` names the field."""

    def __init__(self, detail: str) -> None:
        super().__init__("Invalid message format", detail=detail)


class InvalidFocusMode(RequestError):
    """There is no focus mode of that name."""

    key = "INVALID_FOCUS_MODE"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            "Invalid focus mode", detail=f"focusMode: {name[:60]!r} is none of {', '.join(known)}"
        )


class InvalidModelSelected(RequestError):
    """The chosen provider or model is not on offer."""

    key = "INVALID_MODEL_SELECTED"

    def __init__(self, detail: str) -> None:
        super().__init__(
            "Invalid LLM or embeddings model selected, please refresh the page and try again.",
            detail=detail,
        )


class SettingRefused(RequestError):
    """A setting that a client wants to change cannot have this value; the value is not told."""

    def __init__(self, name: str, allowed: str) -> None:
        super().__init__(f"{name} cannot be changed so: it must be {allowed}.")


class TooLarge(RequestError):
    """A question, frame or body is over its limit."""

    key = "TOO_LARGE"
    status = 413

    def __init__(self, what: str, *, limit: int, unit: str) -> None:
        super().__init__(f"{what} is over its limit of {limit} {unit}.", detail=what)


class FileRefused(RequestError):
    """An uploaded file is of a kind that is not read, or not of the kind that its name says."""

    status = 415

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name!r} cannot be taken: {problem}.")
        self.problem = problem


class FileUnreadable(RequestError):
    """An uploaded file is damaged, or has no text."""

    status = 422

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name!r} cannot be read: {problem}.")
        self.problem = problem


class NotFound(RequestError):
    """No such path, chat or turn."""

    key = "NOT_FOUND"
    status = 404

    def __init__(self, what: str = "Not found") -> None:
        super().__init__(what)


class ChatNotFound(NotFound):
    """No chat has this id."""

    def __init__(self) -> None:
        super().__init__("Chat not found")


class UnknownTurn(NotFound):
    """No turn of that answer is known, or it is somebody else's: the same to who asks."""

    key = "UNKNOWN_TURN"

    def __init__(self) -> None:
        super().__init__("No such answer is known.")


class Busy(ServiceError):
    """All places are taken and the waiting line is full."""

    key = "BUSY"
    status = 503
    temporary = True

    def __init__(self, what: str, *, again_after_s: float | None = None) -> None:
        when = "shortly" if again_after_s is None else f"in {ceil(again_after_s)} s"
        super().__init__(f"Too much is going on at the moment ({what}). Please try again {when}.")
        self.again_after_s = again_after_s


class ServerDraining(ServiceError):
    """The server is being stopped and takes no new questions."""

    key = "SERVER_DRAINING"
    status = 503
    temporary = True

    def __init__(self) -> None:
        super().__init__("The server is being restarted. Please try again shortly.")


class TurnError(ServiceError):
    """A turn could not be brought to its answer."""

    key = "CHAIN_ERROR"


class TurnFailed(TurnError):
    """A part of the program broke while it worked on the turn."""

    def __init__(self) -> None:
        super().__init__("Something went wrong while this question was answered. Please try again.")


class DeadlineExceeded(TurnError):
    """A stage, or the whole turn, took longer than it may."""

    key = "DEADLINE_EXCEEDED"
    status = 504
    temporary = True

    def __init__(self, what: str, *, after_s: float) -> None:
        super().__init__(f"{what} took longer than {after_s:g} s.")


class TurnStopped(TurnError):
    """The user stopped the turn."""

    key = "STOPPED"
    status = 409

    def __init__(self) -> None:
        super().__init__("The answer was stopped.")


class RetrievalError(ServiceError):
    """Nothing could be searched, read or ranked."""


class SearchUnavailable(RetrievalError):
    """No search backend answered properly in time."""

    key = "SEARCH_UNAVAILABLE"
    status = 503
    temporary = True

    def __init__(self, backend: str, problem: str, *, again_after_s: float | None = None) -> None:
        super().__init__(f"Search through {backend} failed: {problem}.")
        self.problem = problem
        self.again_after_s = again_after_s


class PageUnreadable(RetrievalError):
    """A page cannot be fetched or read, as ``detail`` says; it ends no turn, but is told in it."""

    key = "PAGE_UNREADABLE"

    def __init__(self, problem: str, *, again_after_s: float | None = None) -> None:
        super().__init__(f"The page could not be read: {problem}.", detail=problem)
        self.problem = problem
        self.again_after_s = again_after_s


class ProviderError(ServiceError):
    """A model could not be used."""


class ModelUnavailable(ProviderError):
    """The model's service did not answer, refused, or broke off.

    ``is_down`` where that says that the service as a whole does not work at the moment.
    """

    key = "MODEL_UNAVAILABLE"
    status = 503
    temporary = True

    def __init__(
        self,
        provider: str,
        problem: str,
        *,
        is_down: bool = False,
        again_after_s: float | None = None,
    ) -> None:
        super().__init__(f"The model service {provider} failed: {problem}.")
        self.again_after_s = again_after_s
        self.problem = problem
        self.is_down = is_down


class StorageError(ServiceError):
    """The store could not read or write."""

    key = "STORAGE_UNAVAILABLE"
    status = 503
    temporary = True


class StorageUnavailable(StorageError):
    """The store cannot be opened, written or read at the moment."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The conversation store is unavailable: {problem}.")


class NotImportable(StorageError):
    """A file is no database that chats can be taken from."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"Nothing can be imported from {path}: {problem}.")


class SettingsNotSaved(StorageError):
    """The settings file cannot be read or written; what was in force stays in force."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The settings could not be saved: {problem}.")


class SettingsError(ServiceError):
    """A setting has a value that cannot be used; known at start."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"setting {name} = {value!r} cannot be used: {allowed}")


# What a turn may end with; the first of a key stands for all that have it.
TURN_ERRORS: tuple[type[ServiceError], ...] = (
    TurnError,
    DeadlineExceeded,
    TurnStopped,
    SearchUnavailable,
    ModelUnavailable,
    StorageError,
    Busy,
    ServerDraining,
)


def known_error(key: str, sentence: str) -> ServiceError:
    """The error that a turn ended with, from what its last event says of it."""
    kinds = (kind for kind in TURN_ERRORS if kind.key == key)
    return next(kinds, ServiceError).told(sentence)
