"""Reads the further questions that a model thought of; leniently, for models keep no format."""

import re

from retrieval.rephrased import FENCE, LIST_MARK, THOUGHT, THOUGHT_END

MOST_SUGGESTIONS = 10
SUGGESTION_CHARS = 300
BLOCK = re.compile(r"<suggestions?>(.*?)(?:</suggestions?>|\Z)", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"</?suggestions?>", re.IGNORECASE)
AROUND = " \t\"'`*\u201c\u201d"


def parse_suggestions(reply: str) -> tuple[str, ...]:
    """The lines between the tags, without marks of lists, each once; none without tags.

    A reply without tags is none of ours: it may be an excuse, or the answer to the last question.
    A block that is not closed counts, since the reply may have been cut off.
    """
    said = FENCE.sub("", THOUGHT_END.sub("", THOUGHT.sub("", reply)))
    lines = [line for block in BLOCK.findall(said) for line in block.split("\n")]
    bare = [LIST_MARK.sub("", TAG.sub("", line)).strip(AROUND) for line in lines]
    kept = [line for line in bare if line and len(line) <= SUGGESTION_CHARS]
    return tuple(dict.fromkeys(kept))[:MOST_SUGGESTIONS]
