"""What actors say to each other. Imperative: asks for work; past tense: tells what happened."""

from collections.abc import Callable

from protocol.access import Reach
from protocol.base import Message, Request
from protocol.values import ModelChoice, Models, Node, OptimizationMode, Question, Utterance


class Rephrase(Request["Rephrased"], frozen=True):
    """Turn the question into one query that stands without its conversation."""

    question: str
    history: tuple[Utterance, ...]
    focus_mode: str
    model: ModelChoice


class Rephrased(Message, frozen=True):
    """The query for the search backends, and the links the question names.

    ``query`` is empty when the question needs no search.
    """

    query: str
    links: tuple[str, ...] = ()


class Search(Request["SearchFinished"], frozen=True):
    """Find nodes for a query."""

    query: str
    focus_mode: str


class SearchFinished(Message, frozen=True):
    """What the first backend that answered found, in its order; may be empty.

    ``note`` is a sentence for the reader where they are not what was hoped for: nothing
    answered, or only the documents that come with the program.
    """

    nodes: tuple[Node, ...]
    backend: str
    note: str = ""


class Divide(Request["Divided"], frozen=True):
    """Break the query into queries that together cover it."""

    query: str
    model: ModelChoice


class Divided(Message, frozen=True):
    """At least one query, and no more than the settings allow."""

    queries: tuple[str, ...]


class Read(Request["PagesRead"], frozen=True):
    """Read the pages that the question names, and sum each up towards the query."""

    query: str
    links: tuple[str, ...]
    model: ModelChoice


class PagesRead(Message, frozen=True):
    """What the pages say, page by page; ``note`` tells the reader which could not be read."""

    nodes: tuple[Node, ...]
    note: str = ""


class Deepen(Request["Deepened"], frozen=True):
    """Read the best of the pages that were found, not only what the search says of them."""

    query: str
    nodes: tuple[Node, ...]


class Deepened(Message, frozen=True):
    """Passages of the pages that could be read, then the other nodes as they were found."""

    nodes: tuple[Node, ...]
    pages: int


class SearchFiles(Request["FilesSearched"], frozen=True):
    """Find passages in uploaded files within reach, named by their ids."""

    query: str
    files: tuple[str, ...]
    reach: Reach


class FilesSearched(Message, frozen=True):
    """The best passages of the files, best first; ``note`` tells the reader what is missing."""

    nodes: tuple[Node, ...]
    note: str = ""


class Rerank(Request["Reranked"], frozen=True):
    """Order the nodes by closeness to the query, and keep the best."""

    query: str
    nodes: tuple[Node, ...]
    focus_mode: str
    optimization_mode: OptimizationMode
    model: ModelChoice


class Reranked(Message, frozen=True):
    """The best nodes, closest first; may be empty."""

    nodes: tuple[Node, ...]


class Write(Request["Written"], frozen=True):
    """Answer the question from the nodes; each piece goes to ``write_delta`` as it comes."""

    question: Question
    nodes: tuple[Node, ...]
    models: Models
    write_delta: Callable[[str], None]


class Written(Message, frozen=True):
    """The answer is complete; ``writer`` says who wrote it (``provider/model``)."""

    writer: str
    pieces: int
