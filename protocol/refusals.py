"""Why somebody is turned away; further members of the one tree of errors."""

from math import ceil

from protocol.errors import RequestError


class FieldRefused(RequestError):
    """A field has a value that cannot be used; the sentence says which and why, not the value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")


class Unauthorized(RequestError):
    """Nobody is known who asks so."""

    key = "UNAUTHORIZED"
    status = 401

    def __init__(self, sentence: str = "Please log in, or show a key.") -> None:
        super().__init__(sentence)


class Forbidden(RequestError):
    """Who asks may not do that."""

    key = "UNAUTHORIZED"
    status = 403

    def __init__(self, sentence: str = "Only an administrator may do that.") -> None:
        super().__init__(sentence)


class RateLimited(RequestError):
    """Somebody does something too often; the same will be done again after that time."""

    key = "RATE_LIMITED"
    status = 429
    temporary = True

    def __init__(self, what: str, *, again_after_s: float) -> None:
        super().__init__(f"Too many {what}. Please try again in {ceil(again_after_s)} s.")
        self.again_after_s = again_after_s
