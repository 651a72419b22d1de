"""What the chat model is asked: LlamaIndex templates, rendered into plain messages."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from llama_index.core.prompts import PromptTemplate

from protocol.history import latest
from protocol.values import Node, Prompt, PromptMessage, Utterance
from retrieval.modes import FocusMode

REPHRASE_HISTORY_CHARS = 8_000
QUESTION_CHARS = 8_000
SOURCE_CHARS = 4_000
SPEAKERS = {"user": "User", "assistant": "Assistant"}
# Tags of ours in text that is not ours: it must not be able to close what it stands in.
OUR_TAGS = re.compile(
    r"<(?=\s*(?:/\s*)?(?:sources?|conversation|question|links|page|query)\b)", re.IGNORECASE
)


def rephrase_prompt(mode: FocusMode, question: str, history: Sequence[Utterance]) -> Prompt:
    """One user message that asks for a query which stands without its conversation.

    Of a long history the latest part is told; a long question is cut.
    """
    return conversation_prompt(mode.rephrase_prompt, question, history)


def conversation_prompt(template: str, question: str, history: Sequence[Utterance]) -> Prompt:
    """One user message made of a template that names ``history``, and ``question`` if it wants."""
    lines = [
        f"{SPEAKERS[said.role]}: {without_our_tags(said.text)}"
        for said in latest(history, REPHRASE_HISTORY_CHARS)
    ]
    values = {
        "question": without_our_tags(question[:QUESTION_CHARS]),
        "history": "\n".join(lines),
    }
    return (PromptMessage("user", rendered(template, values)),)


def answer_prompt(
    mode: FocusMode,
    question: str,
    history: Sequence[Utterance],
    nodes: Sequence[Node],
    now: datetime,
) -> Prompt:
    """The mode's instructions with the sources numbered from 1, the history, the question."""
    values = {"context": numbered(nodes), "date": f"{now:%A, %d %B %Y}"}
    return (
        PromptMessage("system", rendered(mode.answer_prompt, values)),
        *(PromptMessage(utterance.role, utterance.text) for utterance in history),
        PromptMessage("user", question),
    )


def rendered(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; text in braces inside a value stays as it is.

    Raises:
        KeyError: The template names something that is not there (LlamaIndex would leave the name
            in the prompt without a word).

    """
    prompt = PromptTemplate(template.strip())
    missing = [name for name in prompt.template_vars if name not in values]
    if missing:
        raise KeyError(*missing)
    return prompt.format(None, None, **values)


def numbered(nodes: Sequence[Node]) -> str:
    """The sources as the model reads them, one block each."""
    return "\n\n".join(
        f'<source number="{number}">\n{without_our_tags(told(node))}\n</source>'
        for number, node in enumerate(nodes, start=1)
    )


def told(node: Node) -> str:
    """Title, address and text of a source; a long text is cut."""
    return f"{node.title}\n{node.url}\n{node.text[:SOURCE_CHARS]}"


def without_our_tags(text: str) -> str:
    """The text with the sign that opens a tag of ours written as an entity."""
    return OUR_TAGS.sub("&lt;", text)
