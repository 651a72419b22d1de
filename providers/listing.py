"""What a provider offers, and what is made of the list that its service gives."""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from protocol.base import Value
from providers.calls import Listed
from providers.endpoint import Endpoint

NOTHING: Mapping[str, str] = MappingProxyType({})


class Offer(Value, frozen=True):
    """Models on offer, in the order in which they are shown: name and display name."""

    chat: Mapping[str, str] = NOTHING
    embedding: Mapping[str, str] = NOTHING

    def named(self, name: str, title: str = "") -> str:
        """The display name of a model; ``title`` or its name where it has no other."""
        return self.chat.get(name) or self.embedding.get(name) or title or name


Models = tuple[Listed, ...]
Arrange = Callable[[Endpoint, Models, Offer], Offer]


class Listing(Value, frozen=True):
    """How a live list is sorted into an offer, and for how many seconds it counts as fresh."""

    arrange: Arrange
    fresh_s: float


def all_for_both(_endpoint: Endpoint, listed: Models, _built_in: Offer) -> Offer:
    """Each model for chat and for embeddings: the service does not tell which is for what."""
    names = {model.name: model.name for model in listed}
    return Offer(chat=names, embedding=names)


def by_name(_endpoint: Endpoint, listed: Models, built_in: Offer) -> Offer:
    """Models with ``embed`` in their names for embeddings, all others for chat."""
    return Offer(
        chat=_titled((m for m in listed if "embed" not in m.name.lower()), built_in),
        embedding=_titled((m for m in listed if "embed" in m.name.lower()), built_in),
    )


# What the services of many kinds of models list beside those to talk to.
OTHER_KINDS = re.compile(
    r"whisper|tts|transcri|orpheus|audio|speech|voxtral|guard|moderation|ocr|rerank"
    r"|imag|video|lyria|veo|\blive\b|robotics|computer-use|aqa",
    re.IGNORECASE,
)


def to_talk_to(endpoint: Endpoint, listed: Models, built_in: Offer) -> Offer:
    """By name, well-known ones first; not those for sound, pictures or for watching others."""
    kept = tuple(model for model in listed if not OTHER_KINDS.search(model.name))
    return by_name(endpoint, known_first(kept, built_in), built_in)


CHAT_USE, EMBEDDING_USE = "generateContent", "embedContent"


def by_use(_endpoint: Endpoint, listed: Models, built_in: Offer) -> Offer:
    """As ``to_talk_to``, where the service itself tells which model is for what."""
    models = known_first(listed, built_in)
    return Offer(
        chat=_titled(
            (m for m in models if CHAT_USE in m.uses and not OTHER_KINDS.search(m.name)), built_in
        ),
        embedding=_titled((m for m in models if EMBEDDING_USE in m.uses), built_in),
    )


def known_first(listed: Models, built_in: Offer) -> Models:
    """The models in their order, those of the built-in list ahead and in its order."""
    places = {name: place for place, name in enumerate([*built_in.chat, *built_in.embedding])}
    return tuple(sorted(listed, key=lambda model: places.get(model.name, len(places))))


def _titled(models: Iterable[Listed], built_in: Offer) -> dict[str, str]:
    return {m.name: built_in.named(m.name, m.title) for m in models}


OFFICIAL_OPENAI = "api.openai.com"
OPENAI_CHAT = re.compile(r"(gpt-|chatgpt-|o\d)")
# Models for sound, pictures or completion, and dated versions of models that are there as well.
OPENAI_OTHER = re.compile(
    r"audio|realtime|image|tts|transcribe|instruct|search|moderation|codex|-\d{4}(-\d\d-\d\d)?$"
)


def openai(endpoint: Endpoint, listed: Models, built_in: Offer) -> Offer:
    """By name; of the official service's long list only models to talk to, well-known ones first.

    The others follow, newest first.
    """
    if endpoint.host != OFFICIAL_OPENAI:
        return by_name(endpoint, listed, built_in)
    newest_first = sorted(listed, key=lambda model: -model.created)
    of_use = tuple(model for model in newest_first if _is_of_use(model.name))
    return by_name(endpoint, known_first(of_use, built_in), built_in)


def _is_of_use(name: str) -> bool:
    is_chat = OPENAI_CHAT.match(name) and not OPENAI_OTHER.search(name)
    return bool(is_chat) or name.startswith("text-embedding-")
