"""What can go wrong with a reply of a stand-in, and who said so: the test, or the question itself.

A question may carry directives such as ``[[fake answer fault=reset at=5]]``; so many sessions at
once can each have their own fault. The words are ``[[fake KIND key=value ...]]`` with KIND one of
the server's kinds, or ``llm`` for all kinds of model calls; the keys are ``fault`` (a name of
``FaultName``, or a status such as ``500``), ``at``, ``seconds``, ``first``, ``times``, and what the
server itself reads (``tokens``, ``thick``, ``results``).
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Literal, get_args

FaultName = Literal["delay", "status", "reset", "garbage", "hang", "truncate", "hold", "pace"]
NAMES: tuple[FaultName, ...] = get_args(FaultName)
ALIASES = {"llm": ("rephrase", "divide", "summary", "answer")}
DIRECTIVE = re.compile(r"\[\[fake (\w+)((?: \w+=[^\s\]]+)*)\]\]")


class Gate:
    """A place in a reply where the server waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    def release(self) -> None:
        """Let the server go on; also ahead of time."""
        self.opened.set()


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong once ``at`` pieces of the reply have been sent."""

    name: FaultName
    at: int = 0
    seconds: float = 0
    first: float = 0
    code: int = 500
    gate: Gate | None = None

    @classmethod
    def delay(cls, seconds: float) -> "Fault":
        """Nothing is sent for a while, then all of it."""
        return cls("delay", seconds=seconds)

    @classmethod
    def pace(cls, seconds: float, *, first: float = 0) -> "Fault":
        """The first piece comes after ``first``, each further one is due so many seconds later."""
        return cls("pace", seconds=seconds, first=first)

    @classmethod
    def status(cls, code: int = 500) -> "Fault":
        """An error status with a body in the service's own shape."""
        return cls("status", code=code)

    @classmethod
    def reset(cls, at: int = 0) -> "Fault":
        """The connection is torn down (RST)."""
        return cls("reset", at=at)

    @classmethod
    def garbage(cls, at: int = 0) -> "Fault":
        """Bytes that no parser likes stand where the next piece should."""
        return cls("garbage", at=at)

    @classmethod
    def hang(cls, at: int = 0) -> "Fault":
        """Nothing more comes, and the connection stays open."""
        return cls("hang", at=at)

    @classmethod
    def truncate(cls, at: int = 0) -> "Fault":
        """The body ends there, politely, without its end mark."""
        return cls("truncate", at=at)


@dataclass(frozen=True)
class Directive:
    """What a question says about the reply of one kind of request."""

    source: str
    kinds: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)

    def fault(self) -> Fault | None:
        """The fault that is asked for, if one is."""
        name = self.options.get("fault", "")
        at = int(self.options.get("at", "0"))
        seconds = float(self.options.get("seconds", "0"))
        if name.isdigit():
            return Fault.status(int(name))
        if name not in NAMES:
            return None
        first = float(self.options.get("first", "0"))
        return Fault(name, at=at, seconds=seconds, first=first)


def directives(text: str) -> list[Directive]:
    """What ``text`` tells the stand-ins, in its order."""
    return [
        Directive(
            source=match[0],
            kinds=ALIASES.get(match[1], (match[1],)),
            options=dict(pair.split("=", 1) for pair in match[2].split()),
        )
        for match in DIRECTIVE.finditer(text)
    ]


def without_directives(text: str) -> str:
    """The text as a reader would have written it."""
    return DIRECTIVE.sub("", text).strip()


def option(text: str, kind: str, name: str, default: int) -> int:
    """A number that the text's directives of this kind name, else the default."""
    for directive in directives(text):
        if kind in directive.kinds and name in directive.options:
            return int(directive.options[name])
    return default


class FaultBook:
    """The faults that wait to strike: those of the test first, then those of the question."""

    def __init__(self) -> None:
        self._told: list[tuple[str, Fault, int | None]] = []
        self._struck: dict[tuple[str, str], int] = {}

    def tell(self, kind: str, fault: Fault, times: int | None = 1) -> None:
        """Let the fault strike the next requests of that kind; ``None`` means for ever."""
        self._told.append((kind, fault, times))

    def forget(self) -> None:
        """Take back all that the test has told and that has not struck yet."""
        self._told.clear()

    def draw(self, kind: str, text: str) -> Fault | None:
        """The fault for this request, and note that it has struck."""
        return self._draw_told(kind) or self._draw_asked(kind, text)

    def _draw_told(self, kind: str) -> Fault | None:
        for index, (wanted, fault, times) in enumerate(self._told):
            if kind in ALIASES.get(wanted, (wanted,)):
                self._told[index : index + 1] = _left(wanted, fault, times)
                return fault
        return None

    def _draw_asked(self, kind: str, text: str) -> Fault | None:
        for directive in directives(text):
            fault = directive.fault() if kind in directive.kinds else None
            if fault and self._may_strike(kind, text, directive):
                return fault
        return None

    def _may_strike(self, kind: str, text: str, directive: Directive) -> bool:
        """Whether the directive's ``times`` (for this very question) are not used up."""
        key = (kind, text)
        self._struck[key] = self._struck.get(key, 0) + 1
        return self._struck[key] <= int(directive.options.get("times", "1000000"))


def _left(kind: str, fault: Fault, times: int | None) -> list[tuple[str, Fault, int | None]]:
    if times is None:
        return [(kind, fault, None)]
    return [(kind, fault, times - 1)] if times > 1 else []
