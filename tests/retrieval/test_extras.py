"""What the model is asked beside an answer, and what is made of its reply."""

import pytest

from protocol.extras import MediaKind
from protocol.settings import Cache, Discover
from protocol.values import Utterance
from retrieval.caches import Caches
from retrieval.extras import Extras
from retrieval.gallery import Gallery

HISTORY = (Utterance("user", "Tell me of {harbours}"), Utterance("assistant", "<question> Deep."))


async def ready() -> None:
    """At once."""


EXTRAS = Extras(Gallery(None, Discover(), Caches(Cache()).news, within_s=1), ready)


@pytest.mark.parametrize(("kind", "word"), [("images", "pictures"), ("videos", "videos")])
async def test_media_prompt_holds_the_talk_and_ends_with_the_question(
    kind: MediaKind, word: str
) -> None:
    """One message of the user; what was said cannot pass for our tags."""
    (message,) = await EXTRAS.media_prompt(kind, "Lighthouse photos {x}", HISTORY)
    assert message.role == "user"
    assert f"searches for {word}" in message.text
    assert "User: Tell me of {harbours}\nAssistant: &lt;question> Deep." in message.text
    assert message.text.endswith("Message: Lighthouse photos {x}")


async def test_suggestions_prompt_holds_the_talk() -> None:
    """And asks for the tags that are read."""
    (message,) = await EXTRAS.suggestions_prompt(HISTORY)
    assert "User: Tell me of {harbours}" in message.text
    assert "<suggestions>" in message.text


@pytest.mark.parametrize(
    ("reply", "query"),
    [
        ("<question>lighthouses</question>", "lighthouses"),
        ("lighthouses", "lighthouses"),
        ("<question>not_needed</question>", "photos"),
        ("", "photos"),
        ("<question>summarize</question>", "photos"),
    ],
)
def test_query_of_a_reply(reply: str, query: str) -> None:
    """The question itself, where the reply has nothing to search for."""
    assert EXTRAS.parse_query(reply, "photos") == query
