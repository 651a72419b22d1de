"""What stands beside an answer: pictures and videos, further questions, news."""

from typing import Literal

from protocol.base import Message, Request, Value
from protocol.values import ModelChoice, Utterance

MediaKind = Literal["images", "videos"]


class Media(Value, frozen=True):
    """A picture or a video: what is shown of it, the page it is on, and where it plays."""

    img_src: str
    url: str
    title: str
    iframe_src: str = ""


class NewsItem(Value, frozen=True):
    """A piece of news; all four are text, ``url`` and ``thumbnail`` whole addresses."""

    title: str
    content: str
    url: str
    thumbnail: str


class FindMedia(Request["MediaFound"], frozen=True):
    """Find pictures or videos for what was asked last."""

    kind: MediaKind
    query: str
    history: tuple[Utterance, ...]
    model: ModelChoice


class MediaFound(Message, frozen=True):
    """At most ten, best first; may be empty."""

    items: tuple[Media, ...]


class Suggest(Request["Suggested"], frozen=True):
    """Think of questions that could follow the conversation."""

    history: tuple[Utterance, ...]
    model: ModelChoice


class Suggested(Message, frozen=True):
    """Questions; may be empty."""

    suggestions: tuple[str, ...]


class Discover(Request["Discovered"], frozen=True):
    """Gather news of the topics and sites in the settings."""


class Discovered(Message, frozen=True):
    """What there is to read, mixed; may be empty."""

    items: tuple[NewsItem, ...]
