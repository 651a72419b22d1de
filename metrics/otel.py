"""Turns as spans of OpenTelemetry, made of their stories when they end. Needs the extra ``otel``.

Names and attributes of model calls are those of the semantic conventions for generative AI. No
text of questions, queries or answers is in them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from threading import Timer

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import StatusCode, set_span_in_context

from actors.context import current
from actors.journal import Journal
from protocol.events import Failed, Finished, Stopped
from protocol.traces import Fact, Span

NS = 1_000_000  # of a millisecond
FLUSH_S = 2.0  # that a stop waits for what has not been sent
OUTCOMES: dict[type, str] = {Finished: "finished", Failed: "failed", Stopped: "stopped"}

# What facts of model calls are called there; the numbers of tokens are estimates of ours.
CHAT = {
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "tokens_in_estimated": "gen_ai.usage.input_tokens",
    "tokens_out_estimated": "gen_ai.usage.output_tokens",
    "failed": "error.type",
}
VECTORS = {name: CHAT[name] for name in ("provider", "model", "failed")}
OPERATIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "model": ("chat", CHAT),
    "vectors": ("embeddings", VECTORS),
}
SAFE = frozenset(
    {"backend", "results", "kept", "host", "pieces", "bytes", "upstream", "key", "frames", "failed"}
)


End = Finished | Failed | Stopped


class Watched:
    """One turn that is followed to its end."""

    __slots__ = ("_journal", "_tell")

    def __init__(self, journal: Journal, tell: Callable[[End], None]) -> None:
        self._journal = journal
        self._tell = tell

    def grew(self) -> None:
        """The journal has one more event."""
        event = self._journal.entries[-1].event
        if isinstance(event, Finished | Failed | Stopped):
            self._journal.unfollow(self.grew)
            self._tell(event)


class TraceIds(RandomIdGenerator):
    """Ids of traces: that of the request which a turn belongs to, if its proxy named one."""

    wanted = ""

    def generate_trace_id(self) -> int:
        """The one that is wanted, else any."""
        return int(self.wanted, 16) if self.wanted else super().generate_trace_id()


class SpanTeller:
    """Sends the spans of each turn that ends."""

    def __init__(
        self,
        now_ns: Callable[[], int],
        exporter: SpanExporter | None = None,
        *,
        flush_s: float = FLUSH_S,
    ) -> None:
        """Send to where the environment's ``OTEL_EXPORTER_OTLP_ENDPOINT`` says, unless told."""
        resource = Resource.create({SERVICE_NAME: "perplexica"}, None)
        named = OTELResourceDetector().detect()  # OTEL_SERVICE_NAME comes first
        self._now_ns = now_ns
        self._ids = TraceIds()
        self._provider = TracerProvider(
            resource=resource.merge(named), id_generator=self._ids, shutdown_on_exit=False
        )
        self._flush_s = flush_s
        self._exporter = exporter or OTLPSpanExporter()
        self._processor = BatchSpanProcessor(self._exporter)
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("perplexica")

    def watch(self, journal: Journal) -> None:
        """Follow this journal to its end; the question has come now."""
        trace_id = current().facts.get("trace_id", "")
        journal.follow(Watched(journal, partial(self.tell, journal, trace_id, self._now_ns())).grew)

    def close(self) -> None:
        """Send what is left, within a bounded time."""
        # The processor takes a bound and does not keep it (opentelemetry-python's issue 4568).
        late = Timer(self._flush_s, self._exporter.shutdown)
        late.start()
        self._processor.force_flush()
        late.cancel()
        self._provider.shutdown()

    def tell(self, journal: Journal, trace_id: str, began_ns: int, end: End) -> None:
        """Send the spans of a turn that has ended, and began at that time."""
        self._ids.wanted = trace_id
        root = self._tracer.start_span("turn", start_time=began_ns)
        self._ids.wanted = ""
        root.set_attributes(facts_of_turn(journal, OUTCOMES[type(end)]))
        if isinstance(end, Failed):
            root.set_status(StatusCode.ERROR, end.key)
        stages = {span.name: span for span in end.story if span.name in end.stages}
        told: dict[str, OtelSpan] = {}
        for span in end.story:
            stage = stage_of(span, stages)
            parent = told.get(stage, root)
            each = self._start(span, parent, began_ns)
            if span.name in stages:
                told[span.name] = each
            each.end(began_ns + (span.at_ms + (span.took_ms or 0)) * NS)
        root.end(self._now_ns())

    def _start(self, span: Span, parent: OtelSpan, began_ns: int) -> OtelSpan:
        name, attributes = named(span)
        each = self._tracer.start_span(
            name,
            set_span_in_context(parent),
            start_time=began_ns + span.at_ms * NS,
            attributes=attributes,
        )
        if "failed" in span.facts:
            each.set_status(StatusCode.ERROR)
        return each


def facts_of_turn(journal: Journal, outcome: str) -> dict[str, Fact]:
    """What is told of a whole turn."""
    turn = journal.turn
    return {
        "gen_ai.conversation.id": turn.question.chat_id,
        "perplexica.turn.id": turn.turn_id,
        "perplexica.focus_mode": turn.question.focus_mode,
        "perplexica.optimization_mode": turn.question.optimization_mode,
        "perplexica.outcome": outcome,
    }


def stage_of(span: Span, stages: Mapping[str, Span]) -> str:
    """The stage in which it began; empty for a stage, and for what lies beside all."""
    within = (
        stage.name
        for stage in stages.values()
        if stage is not span and stage.at_ms <= span.at_ms <= stage.at_ms + (stage.took_ms or 0)
    )
    return "" if span.name in stages else next(within, "")


def named(span: Span) -> tuple[str, dict[str, Fact]]:
    """Name and attributes of a span, by the conventions where there are any."""
    if span.name not in OPERATIONS:
        facts = {key: value for key, value in span.facts.items() if key in SAFE}
        return span.name, {f"perplexica.{key}": value for key, value in facts.items()}
    operation, names = OPERATIONS[span.name]
    attributes: dict[str, Fact] = {"gen_ai.operation.name": operation}
    attributes |= {names[key]: span.facts[key] for key in names if key in span.facts}
    if "first_ms" in span.facts:
        attributes["gen_ai.response.time_to_first_chunk"] = float(span.facts["first_ms"]) / 1000
    return f"{operation} {span.facts.get('model', '')}".strip(), attributes
