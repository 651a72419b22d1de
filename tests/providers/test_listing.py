"""Sorting the list of the official service."""

from providers.calls import Listed
from providers.endpoint import Endpoint
from providers.fallbacks import OPENAI_MODELS
from providers.listing import openai

OFFICIAL = Endpoint("openai", "https://api.openai.com/v1", "sk")


def test_only_models_to_talk_to_are_shown_well_known_ones_first() -> None:
    """Sound, pictures, completion and dated versions are left out; then the newest leads."""
    names = [
        "whisper-1", "gpt-4o-realtime-preview", "gpt-4o-2024-08-06", "gpt-3.5-turbo-instruct",
        "gpt-3.5-turbo-0125", "dall-e-3", "o1", "gpt-5", "gpt-4o", "gpt-3.5-turbo", "babbage-002",
        "text-embedding-ada-002", "text-embedding-3-large", "omni-moderation-latest",
        "chatgpt-4o-latest",
    ]  # fmt: skip
    listed = tuple(Listed(name, created) for created, name in enumerate(names))
    offer = openai(OFFICIAL, listed, OPENAI_MODELS)
    assert list(offer.chat) == ["gpt-3.5-turbo", "gpt-4o", "chatgpt-4o-latest", "gpt-5", "o1"]
    assert list(offer.embedding) == ["text-embedding-3-large", "text-embedding-ada-002"]
    assert offer.chat["gpt-4o"] == "GPT-4 omni"
    assert offer.embedding["text-embedding-3-large"] == "Text Embedding 3 Large"
