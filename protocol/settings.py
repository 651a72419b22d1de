"""Every setting: one typed field each, with its default and its line for the README.

A field ``name`` of section ``SECTION`` is ``[SECTION] NAME`` in ``config.toml`` and
``PERPLEXICA_SECTION_NAME`` in the environment (``PERPLEXICA_NAME`` for GENERAL); names that people
already have stand in ``env``, what newer files of the reference (1.10) call it in ``also``. A
``secret`` is never shown, and its value may also come from the file that
``<environment name>_FILE`` names.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from protocol.access_settings import Access
from protocol.base import Value
from protocol.service_settings import ApiEndpoints, ApiKeys, CustomOpenai, Local
from protocol.setting import Bytes, Count, KeptSeconds, Port, Quota, Seconds, described


class General(Value, frozen=True):
    """Where the server listens, keeps its data and how it logs."""

    host: Annotated[str, described("address to listen on")] = "127.0.0.1"
    port: Annotated[Port, described("port for WebSocket and HTTP; 0 takes a free one")] = 3001
    data_dir: Annotated[str, described("folder of the database; made when missing")] = "data"
    library: Annotated[str, described("folder of your own documents to search")] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], described("least level that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "text"], described("auto: text on a terminal, else JSON lines")
    ] = "auto"
    ui_gap_ms: Annotated[
        Annotated[int, Meta(ge=0, le=10_000)],
        described("least milliseconds from sources to messageEnd, for the web UI"),
    ] = 100
    merge_ms: Annotated[
        Annotated[int, Meta(ge=0, le=5000)],
        described("milliseconds in which pieces of an answer are put into one frame; 0: none"),
    ] = 30
    similarity_measure: Annotated[
        Literal["cosine", "dot"], described("how vectors are compared in ranking")
    ] = "cosine"


class Search(Value, frozen=True):
    """Where to look things up."""

    backends: Annotated[
        tuple[str, ...],
        described("search backends in their order; `documents`, the program's own, come last"),
    ] = ("searxng", "library", "keyless")
    language: Annotated[str, described("language that search engines are asked for")] = "en"
    early: Annotated[
        bool,
        described("search the question itself while it is rephrased; doubles what engines get"),
    ] = False


class Uploads(Value, frozen=True):
    """What users may give to be read."""

    file_bytes: Annotated[Count, described("bytes of one uploaded file")] = 50 * 1024 * 1024
    files: Annotated[Count, described("files of one upload")] = 20
    read_s: Annotated[Seconds, described("seconds to read the files of one upload")] = 120
    workers: Annotated[Count, described("uploads that are read at once")] = 2


class Pages(Value, frozen=True):
    """How pages are read: those that a question names, and those that a search found."""

    page_bytes: Annotated[Count, described("bytes of one page, unpacked")] = 10_000_000
    page_s: Annotated[Seconds, described("seconds to fetch one page")] = 8
    redirects: Annotated[
        Annotated[int, Meta(ge=0, le=20)], described("redirects that are followed")
    ] = 5
    types: Annotated[tuple[str, ...], described("types of content that are read")] = (
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/markdown",
        "application/pdf",
    )
    at_once: Annotated[Count, described("pages fetched at once, all turns together")] = 32
    links: Annotated[Count, described("pages read of those that a question names")] = 5
    summaries: Annotated[Count, described("summaries of one page; ten passages go into each")] = 4


class Fetch(Value, frozen=True):
    """Where what others name may be fetched from: pages, and model services of clients."""

    allow: Annotated[
        tuple[str, ...],
        described("inner networks and host:port places that may be fetched from all the same"),
    ] = ()
    ports: Annotated[tuple[Port, ...], described("ports that pages are fetched from")] = (
        *(80, 443, 8080, 8443),
    )


class Quality(Value, frozen=True):
    """How far the optimisation mode ``quality`` goes."""

    queries: Annotated[
        Annotated[int, Meta(ge=1, le=10)], described("queries that a question is broken into")
    ] = 3
    pages: Annotated[Count, described("pages read of those that were found")] = 6
    domain_passages: Annotated[Count, described("passages of one site in the sources")] = 3
    tokens: Annotated[Count, described("tokens of all sources together, estimated")] = 6_000


class Discover(Value, frozen=True):
    """What the page of news is made of."""

    topics: Annotated[tuple[str, ...], described("topics of the news page")] = ("AI", "tech")
    sites: Annotated[tuple[str, ...], described("sites that its news come from")] = (
        "businessinsider.com",
        "www.exchangewire.com",
        "yahoo.com",
    )


class Cache(Value, frozen=True):
    """How much is remembered of what others were asked, and for how long."""

    search_s: Annotated[
        KeptSeconds, described("seconds that search results are kept; 0 keeps none")
    ] = 60
    discover_s: Annotated[KeptSeconds, described("seconds that the news are kept; 0: none")] = 600
    page_s: Annotated[
        KeptSeconds, described("seconds that pages that were read are kept; 0: none")
    ] = 600
    embedding_s: Annotated[
        KeptSeconds, described("seconds that vectors of a model service are kept; 0: none")
    ] = 3600
    entries: Annotated[Count, described("entries of each cache")] = 10_000
    size_bytes: Annotated[Count, described("bytes of each cache")] = 32 * 1024 * 1024


class Resilience(Value, frozen=True):
    """What is done about services that do not answer."""

    failures: Annotated[
        Annotated[int, Meta(ge=0, le=1000)],
        described("failures in a row, or one time-out, after which one is left alone; 0: never"),
    ] = 3
    pause_s: Annotated[Seconds, described("seconds until it is tried again; doubles")] = 5
    most_pause_s: Annotated[Seconds, described("seconds of the longest such pause")] = 60
    retries: Annotated[
        Annotated[int, Meta(ge=0, le=5)],
        described("times that a call is made again whose failure may pass; 0: never"),
    ] = 1
    hedge: Annotated[
        bool, described("ask the next search backend too when one is slower than usual")
    ] = True


class Journal(Value, frozen=True):
    """How long the events of an answer are kept beside it, to resume it by and to look into it."""

    days: Annotated[
        Annotated[int, Meta(ge=1, le=3650)], described("days that journals of answers are kept")
    ] = 30
    turns: Annotated[Count, described("answers, the newest, whose journals are kept")] = 20_000
    recordings: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)],
        described("answers, the newest, that can be replayed: what they were made of is kept"),
    ] = 500


class Metrics(Value, frozen=True):
    """What is counted for those who watch over many programs."""

    on: Annotated[bool, described("counts for Prometheus at GET /metrics, for administrators")] = (
        False
    )
    token: Annotated[
        str,
        described("a secret that opens GET /metrics and nothing else, 16 characters", secret=True),
    ] = ""
    spans: Annotated[bool, described("spans of turns for OpenTelemetry (extra otel)")] = False

    def __repr__(self) -> str:
        """Name what is on, never the secret."""
        return f"Metrics(on={self.on}, spans={self.spans})"


class Limits(Value, frozen=True):
    """How long and how large things may get."""

    rephrase_s: Annotated[Seconds, described("seconds to rephrase a question")] = 15
    suggest_s: Annotated[Seconds, described("seconds to think of further questions")] = 30
    search_s: Annotated[
        Seconds,
        described("seconds for one search, all backends together; each has 3/4 of what is left"),
    ] = 5
    read_s: Annotated[Seconds, described("seconds to read pages and to sum them up")] = 40
    rerank_s: Annotated[Seconds, described("seconds to rank what was found")] = 10
    first_token_s: Annotated[Seconds, described("seconds until a model's first piece")] = 30
    token_gap_s: Annotated[Seconds, described("seconds between two pieces")] = 20
    turn_s: Annotated[Seconds, described("seconds for a whole turn")] = 180
    store_s: Annotated[Seconds, described("seconds for one write to the store")] = 10
    send_s: Annotated[Seconds, described("seconds a client may take to accept a frame")] = 30
    model_list_s: Annotated[Seconds, described("seconds for a provider's list of models")] = 2
    drain_s: Annotated[Seconds, described("seconds that a stop waits for running turns")] = 25
    turns: Annotated[Count, described("turns at once, all sessions together")] = 500
    session_turns: Annotated[Count, described("turns at once in one session")] = 16
    queue: Annotated[Quota, described("questions that wait while as many turns run; 0: none")] = 500
    queue_s: Annotated[Seconds, described("seconds that a question may wait for its turn")] = 60
    asker_turns: Annotated[
        Quota, described("questions at once of one address, and of one person; 0: any number")
    ] = 100
    asker_questions: Annotated[Quota, described("questions a minute, likewise")] = 120
    asker_extras: Annotated[
        Quota, described("pictures, videos, suggestions and news a minute, likewise")
    ] = 300
    asker_connections: Annotated[
        Quota, described("HTTP connections at once of one address; 0: any number")
    ] = 500
    asker_sockets: Annotated[Quota, described("WebSockets at once, likewise")] = 200
    asker_handshakes: Annotated[Quota, described("new WebSockets a minute, likewise")] = 300
    asker_upload_bytes: Annotated[Quota, described("bytes of uploads in an hour, likewise")] = (
        4 * 1024**3
    )
    asker_logins: Annotated[
        Quota, described("logins and other uses of a password a minute, likewise")
    ] = 30
    name_logins: Annotated[
        Quota, described("logins that fail in an hour for one account name; 0: any number")
    ] = 60
    passwords: Annotated[Count, described("passwords that wait to be checked")] = 20
    workers: Annotated[Count, described("searches, rankings and answers at once, each")] = 256
    question_chars: Annotated[Count, described("characters of one question")] = 100_000
    history_chars: Annotated[
        Count, described("characters of the conversation before it that are told to the model")
    ] = 40_000
    history_entries: Annotated[Count, described("entries of that conversation")] = 200
    answer_chars: Annotated[Count, described("characters of one answer")] = 200_000
    frame_bytes: Annotated[Bytes, described("bytes of one WebSocket frame")] = 4 * 1024 * 1024
    small_frames: Annotated[
        Count, described("frames under 1 kB a second from one client; ten times as many at once")
    ] = 20
    unread_bytes: Annotated[
        Bytes, described("bytes of frames that nobody has dealt with, all clients together")
    ] = 64 * 1024 * 1024
    body_bytes: Annotated[Bytes, described("bytes of one HTTP body")] = 8 * 1024 * 1024
    head_bytes: Annotated[Bytes, described("bytes of one HTTP head")] = 16 * 1024
    request_s: Annotated[Seconds, described("seconds in which a request must have come")] = 30
    body_rate: Annotated[
        Count, described("bytes a second at which an upload must come, once it has taken so long")
    ] = 1024


class Settings(Value, frozen=True):
    """All settings, by section."""

    general: General = field(default_factory=General)
    api_keys: ApiKeys = field(default_factory=ApiKeys)
    api_endpoints: ApiEndpoints = field(default_factory=ApiEndpoints)
    custom_openai: CustomOpenai = field(default_factory=CustomOpenai)
    access: Access = field(default_factory=Access)
    local: Local = field(default_factory=Local)
    search: Search = field(default_factory=Search)
    uploads: Uploads = field(default_factory=Uploads)
    pages: Pages = field(default_factory=Pages)
    fetch: Fetch = field(default_factory=Fetch)
    quality: Quality = field(default_factory=Quality)
    discover: Discover = field(default_factory=Discover)
    cache: Cache = field(default_factory=Cache)
    resilience: Resilience = field(default_factory=Resilience)
    journal: Journal = field(default_factory=Journal)
    metrics: Metrics = field(default_factory=Metrics)
    limits: Limits = field(default_factory=Limits)
