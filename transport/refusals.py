"""Why a request is turned away before, or instead of, any route."""

from protocol.errors import RequestError, ServiceError

VERSION = "13"  # of the WebSocket protocol; there is no other


class BadRequest(RequestError):
    """The bytes that came are no request that can be read in only one way."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Bad request: {problem}.")


class HeadTooLarge(RequestError):
    """The head of a request has too many bytes or fields, or too long a line."""

    key = "TOO_LARGE"
    status = 431

    def __init__(self, what: str, *, limit: int, unit: str) -> None:
        super().__init__(f"The head of the request is over its limit of {limit} {unit} {what}.")


class RequestTooSlow(RequestError):
    """The request began and did not end in time."""

    key = "DEADLINE_EXCEEDED"
    status = 408

    def __init__(self, *, after_s: float) -> None:
        super().__init__(f"The request was not complete after {after_s:.3g} s.")


class HostRefused(RequestError):
    """The server is asked under a name that is not its own."""

    key = "UNAUTHORIZED"
    status = 421

    def __init__(self) -> None:
        super().__init__(
            "This server does not go by that name; PERPLEXICA_ACCESS_HOSTS can list it."
        )


class OriginRefused(RequestError):
    """A page of this origin may change nothing, and open no WebSocket."""

    key = "UNAUTHORIZED"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "Pages of this origin may not do that; PERPLEXICA_ACCESS_ORIGINS can list it."
        )


class UpgradeRequired(RequestError):
    """An upgrade was asked for in a way that cannot be followed."""

    status = 426

    def __init__(self) -> None:
        super().__init__(f"Only WebSocket connections of version {VERSION} can be opened.")


class MethodNotAllowed(RequestError):
    """The path is known, with other methods."""

    status = 405

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__("Method not allowed")
        self.allowed = allowed


class UnsupportedMediaType(RequestError):
    """The body is announced as something other than what the route reads."""

    status = 415

    def __init__(self, wanted: str) -> None:
        super().__init__(f"The body must be {wanted}.")


class ExpectationFailed(RequestError):
    """The client expects something other than 100-continue."""

    status = 417

    def __init__(self) -> None:
        super().__init__("Only 100-continue can be expected.")


class NotImplementedHere(ServiceError):
    """A method or a transfer coding that no route could ever take."""

    status = 501

    def __init__(self, what: str) -> None:
        super().__init__(f"This {what} is not known here.")


class UnknownVersion(ServiceError):
    """A version of HTTP other than 1.0 and 1.1."""

    status = 505

    def __init__(self) -> None:
        super().__init__("Only HTTP/1.0 and HTTP/1.1 are spoken here.")
