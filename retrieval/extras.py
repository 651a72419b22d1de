"""Media, news and further questions, as the actors see them; importing this loads nothing heavy."""

from collections.abc import Awaitable, Callable, Sequence

from protocol.extras import Media, MediaKind, NewsItem
from protocol.values import Prompt, Utterance
from retrieval import lazy
from retrieval.extras_prompts import MEDIA_PROMPTS, SUGGESTIONS_PROMPT
from retrieval.gallery import Gallery
from retrieval.pages.links import SUMMARIZE
from retrieval.rephrased import parse_rephrased
from retrieval.suggestions import parse_suggestions


class Extras:
    """Says what the model is asked, and searches with what it said."""

    def __init__(self, gallery: Gallery, ready: Callable[[], Awaitable[None]]) -> None:
        self._gallery = gallery
        self._ready = ready

    def use(self, gallery: Gallery) -> None:
        """Search in this gallery from now on."""
        self._gallery = gallery

    async def media(self, kind: MediaKind, query: str) -> tuple[Media, ...]:
        """At most ten pictures or videos; raises SearchUnavailable."""
        return await self._gallery.media(kind, query)

    async def news(self) -> tuple[NewsItem, ...]:
        """The news of the topics and sites; raises SearchUnavailable."""
        return await self._gallery.news()

    async def media_prompt(
        self, kind: MediaKind, query: str, history: Sequence[Utterance]
    ) -> Prompt:
        """What to ask the model for the query of a search for media."""
        await self._ready()
        return lazy.conversation_prompt(MEDIA_PROMPTS[kind], query, history)

    async def suggestions_prompt(self, history: Sequence[Utterance]) -> Prompt:
        """What to ask the model for further questions."""
        await self._ready()
        return lazy.conversation_prompt(SUGGESTIONS_PROMPT, "", history)

    def parse_query(self, reply: str, question: str) -> str:
        """The query in a reply to ``media_prompt``; the question where there is none."""
        query = parse_rephrased(reply, question).query
        return question if query in {"", SUMMARIZE} else query

    def parse_suggestions(self, reply: str) -> tuple[str, ...]:
        """The questions in a reply to ``suggestions_prompt``."""
        return parse_suggestions(reply)
