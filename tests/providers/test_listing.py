"""Sorting the lists of services."""

from providers.calls import Listed
from providers.endpoint import Endpoint
from providers.fallbacks import GEMINI_MODELS, GROQ_MODELS, OPENAI_MODELS
from providers.listing import by_use, openai, to_talk_to

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


def test_other_kinds_of_models_are_left_out_and_titles_kept() -> None:
    """Of a service with all kinds of models only those to talk to are shown, known ones first."""
    names = [
        "whisper-large-v3", "canopylabs/orpheus-v1-english", "meta-llama/llama-guard-4-12b",
        "qwen/qwen3-32b", "openai/gpt-oss-120b", "mistral-ocr-latest", "voxtral-mini-latest",
        "llama-3.3-70b-versatile", "gpt-4o-mini-transcribe", "x-embed",
    ]  # fmt: skip
    listed = tuple(Listed(name, title=name.upper()) for name in names)
    offer = to_talk_to(Endpoint("groq", "https://host"), listed, GROQ_MODELS)
    assert offer.chat == {
        "llama-3.3-70b-versatile": "Llama 3.3 70B",
        "openai/gpt-oss-120b": "GPT-OSS 120B",
        "qwen/qwen3-32b": "QWEN/QWEN3-32B",
    }
    assert next(iter(offer.chat)) == "llama-3.3-70b-versatile"
    assert list(offer.embedding) == ["x-embed"]


def test_service_that_tells_the_use_of_its_models_is_believed() -> None:
    """Gemini names the calls that each model takes."""
    both = ("generateContent", "embedContent")
    listed = (
        Listed("gemini-9", title="Gemini 9", uses=("generateContent",)),
        Listed("gemini-9-image", uses=("generateContent",)),
        Listed("veo-3", uses=("predictLongRunning",)),
        Listed("old-bison"),
        Listed("gemini-flash-latest", title="theirs", uses=both),
    )
    offer = by_use(Endpoint("gemini", "https://host"), listed, GEMINI_MODELS)
    assert list(offer.chat.items()) == [
        ("gemini-flash-latest", "Gemini Flash"),
        ("gemini-9", "Gemini 9"),
    ]
    assert list(offer.embedding) == ["gemini-flash-latest"]
