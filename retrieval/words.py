"""Words of a text: split, stemmed, and told apart by how much they say."""

import re
import unicodedata
from functools import cache
from importlib.resources import files

WORD = re.compile(r"[^\W_]+")
SHORTEST = 3  # letters of a stem
ENDINGS = (
    ("sses", "ss"),
    ("ies", "y"),
    ("ing", ""),
    ("ed", ""),
    ("ly", ""),
    ("s", ""),
)
WHOLE = ("ss", "us", "is")


@cache
def word_list(name: str) -> frozenset[str]:
    """The words of ``<name>_words.txt`` beside this file."""
    return frozenset(files("retrieval").joinpath(f"{name}_words.txt").read_text("utf-8").split())


def words(text: str) -> list[str]:
    """Words in their order, in lower case, without accents and punctuation."""
    if text.isascii():
        return WORD.findall(text.lower())
    spread = unicodedata.normalize("NFKD", text.casefold())
    return WORD.findall("".join(sign for sign in spread if not unicodedata.combining(sign)))


def stem(word: str) -> str:
    """The word without a plain English ending, so that *actors* meets *actor*."""
    if word.endswith(WHOLE):
        return word
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            return word[: len(word) - len(ending)] + instead
    return word


def content_words(text: str) -> list[str]:
    """Distinct words that say what the text is about, in their order; stop words are left out."""
    stop = word_list("stop")
    return [word for word in dict.fromkeys(words(text)) if word not in stop]


@cache
def weak_stems() -> frozenset[str]:
    """Stems of words that belong to asking, hardly to what is asked about."""
    return frozenset(stem(word) for word in word_list("weak"))


def is_weak(word: str) -> bool:
    """Whether the word, in whatever form, belongs to asking (*explain*, *works*, *needed*)."""
    return stem(word) in weak_stems()


def stems(text: str) -> list[str]:
    """Stems of all words that are no stop words, in their order, with repeats."""
    stop = word_list("stop")
    return [stem(word) for word in words(text) if word not in stop]
