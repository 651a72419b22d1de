"""What of a conversation is taken along: its newest part."""

from collections.abc import Sequence

import msgspec

from protocol.settings import Limits
from protocol.values import Role, Utterance

# Both web UIs, and both ways in which they name the speakers (a chat loaded from the store has
# other names than one that was typed just now). Whoever is not the user is the assistant.
USER_ROLES = ("human", "user")


class Said(msgspec.Struct):
    """One thing said earlier, as an object; the web UI's have many more fields."""

    role: str
    content: str


History = Sequence[tuple[str, str] | Said]


def earlier(history: History, question: str, limits: Limits) -> tuple[Utterance, ...]:
    """The newest of what was said before the question, within the limits, oldest first.

    A last entry that repeats the question is left out.
    """
    newest = history[-limits.history_entries - 1 :]
    pairs = [(h.role, h.content) if isinstance(h, Said) else h for h in newest]
    said = [Utterance(_role(role), text) for role, text in pairs]
    if said and said[-1] == Utterance("user", question):
        said.pop()
    return tuple(latest(said[-limits.history_entries :], limits.history_chars))


def latest(history: Sequence[Utterance], most: int) -> list[Utterance]:
    """The latest utterances within ``most`` characters, oldest first; the very last may be cut."""
    kept: list[Utterance] = []
    room = most
    for said in reversed(history):
        if kept and len(said.text) > room:
            break
        kept.append(Utterance(said.role, said.text[:room]))
        room -= len(kept[-1].text)
    return kept[::-1]


def _role(name: str) -> Role:
    return "user" if name in USER_ROLES else "assistant"
