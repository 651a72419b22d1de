"""What a prompt asks of a model, and what a model that always says the same says to it."""

import re
from typing import Any

from tests.standins.faults import without_directives
from tests.standins.words import WORDS, dice

GREETINGS = {"hi", "hello", "hey", "good morning", "thanks", "thank you", "how are you"}
TAGS = {
    "<question>": "rephrase",
    "<query>": "divide",
    '<page title="': "summary",
    "<suggestions>": "suggestions",
}
ASKED = re.compile(r"^What is asked: (.*)$", re.MULTILINE)
PAGE = re.compile(r'<page title="[^"]*">\n(.*)\n</page>', re.DOTALL)
LINK = re.compile(r"https?://\S+")
LABEL = re.compile(r"^[^\n:]*(?:question|message)\s*:", re.IGNORECASE | re.MULTILINE)
# A prompt may end with the label of the place where the model is to go on.
PLACE_OF_REPLY = re.compile(r"\n[^\n]+:\s*\Z")


def kind_of(messages: list[dict[str, Any]]) -> str:
    """``answer``, but for a lone prompt whose tags say what it wants."""
    prompt = "\n".join(content(message) for message in messages)
    return next((kind for tag, kind in TAGS.items() if tag in prompt), "answer")


def content(message: dict[str, Any]) -> str:
    """A message's text, whether it came as text or as parts."""
    given = message.get("content") or ""
    return given if isinstance(given, str) else "".join(part.get("text", "") for part in given)


def question_of(messages: list[dict[str, Any]]) -> str:
    """The last message; of a prompt to rephrase, what its last label names."""
    last = content(messages[-1]) if messages else ""
    kind = kind_of(messages)
    if kind in {"answer", "suggestions"}:
        return last.strip()
    if kind in {"divide", "summary"}:
        asked = ASKED.search(last)
        return asked[1] if asked else ""
    return LABEL.split(PLACE_OF_REPLY.sub("", last))[-1].strip()


def rephrased(question: str) -> str:
    """What a model says when it is asked for a search query."""
    bare = without_directives(question).lower().strip(" !.?")
    if links := LINK.findall(question):
        asked = LINK.sub("", question)
        return f"<question>{asked}</question>\n<links>\n{chr(10).join(links)}\n</links>"
    return f"<question>\n{'not_needed' if bare in GREETINGS else question}\n</question>"


def divided(question: str) -> str:
    """What a model says when it is asked for several queries: three, each with the directives."""
    return "\n".join(f"<query>{part} {question}</query>" for part in ("First", "Second", "Third"))


def summed_up(prompt: str) -> str:
    """The beginning of the page in the prompt."""
    page = PAGE.search(prompt)
    return f"Summary: {' '.join(page[1].split()[:40])}" if page else ""


def suggested(conversation: str) -> str:
    """What a model says when it is asked for further questions."""
    words = dice(conversation).sample(WORDS, k=4)
    lines = [f"{place}. What about the {word}?" for place, word in enumerate(words, 1)]
    return "\n".join(["<suggestions>", *lines, "</suggestions>"])


def pieces_of(text: str) -> tuple[str, ...]:
    """A text as tokens: each word, or directive, with the white space ahead of it."""
    return tuple(re.findall(r"\s*(?:\[\[fake [^\]]*\]\]|\S+)|\s+\Z", text))
