"""Turns as spans, as whatever receives them has them."""

from collections.abc import Sequence
from threading import Event as Flag

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actors.context import bound
from actors.journal import Journal
from metrics.otel import SpanTeller
from protocol.events import Accepted, Event, Failed, Finished, SourcesFound, Stopped
from protocol.traces import Span
from tests.actors.parts import turn_info

MS = 1_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
STORY = (
    Span("searching", 10, 300, {"detail": "what was asked"}),
    Span("search", 20, 250, {"backend": "searxng", "query": "what was asked", "results": 7}),
    Span("writing", 320, 1000),
    Span(
        "model",
        330,
        900,
        {
            "provider": "openai",
            "model": "gpt-x",
            "first_ms": 400,
            "tokens_in_estimated": 50,
            "tokens_out_estimated": 20,
        },
    ),
    Span("retried", 340, None, {"upstream": "openai chat", "pause_ms": 71}),
)
STAGES = {"searching": 300, "writing": 1000}


def sent(end: Event, *, trace_id: str = "") -> dict[str, ReadableSpan]:
    """The spans of a turn that began at one second and ended at three, by name."""
    exporter, times = InMemorySpanExporter(), iter((1000 * MS, 3000 * MS))
    teller = SpanTeller(lambda: next(times), exporter)
    journal = Journal(turn_info())
    with bound(**({"trace_id": trace_id} if trace_id else {})):
        teller.watch(journal)
    for event in (Accepted(), SourcesFound(()), end):
        journal.write(event)
    teller.close()
    return {span.name: span for span in exporter.get_finished_spans()}


class Patient(SpanExporter):
    """Tries to send until it is shut down, as where no collector is there."""

    def __init__(self) -> None:
        self.ended = Flag()
        self.was_told = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Try."""
        del spans
        self.was_told = self.ended.wait(5)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Give up."""
        self.ended.set()


async def test_stop_waits_for_a_collector_no_longer_than_it_may() -> None:
    """What has not been sent then is lost."""
    exporter = Patient()
    teller = SpanTeller(lambda: 0, exporter, flush_s=0.01)
    journal = Journal(turn_info())
    teller.watch(journal)
    for event in (Accepted(), SourcesFound(()), Stopped()):
        journal.write(event)
    teller.close()
    assert exporter.was_told


def under(spans: dict[str, ReadableSpan], name: str) -> str:
    """The name of the span that it lies in."""
    parent = spans[name].parent
    return next((n for n, s in spans.items() if parent and s.context == parent), "")


async def test_turn_is_a_span_and_its_story_lies_below_it() -> None:
    """Stages in the turn, what was done in them in the stages."""
    spans = sent(Finished(STAGES, STORY))
    lies = {name: under(spans, name) for name in spans}
    assert lies == {
        "turn": "",
        "searching": "turn",
        "search": "searching",
        "writing": "turn",
        "chat gpt-x": "writing",
        "retried": "writing",
    }
    assert {s.context.trace_id for s in spans.values()} == {spans["turn"].context.trace_id}


async def test_times_are_those_of_the_story() -> None:
    """From when the question came."""
    spans = sent(Finished(STAGES, STORY))
    times = {name: (s.start_time, s.end_time) for name, s in spans.items()}
    assert times["turn"] == (1000 * MS, 3000 * MS)
    assert times["search"] == (1020 * MS, 1270 * MS)
    assert times["retried"] == (1340 * MS, 1340 * MS)


async def test_model_calls_have_the_names_of_the_conventions() -> None:
    """Operation, provider, model, tokens, and the time to the first piece in seconds."""
    call = sent(Finished(STAGES, STORY))["chat gpt-x"]
    assert dict(call.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.usage.input_tokens": 50,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.response.time_to_first_chunk": 0.4,
    }


async def test_no_text_of_questions_is_sent() -> None:
    """Neither the query nor what the client was told of a stage."""
    told = str([dict(s.attributes or {}) for s in sent(Finished(STAGES, STORY)).values()])
    assert "what was asked" not in told
    assert "searxng" in told


@pytest.mark.parametrize(
    ("end", "outcome", "is_ok"),
    [
        (Finished(), "finished", True),
        (Stopped(), "stopped", True),
        (Failed("BUSY", "Busy."), "failed", False),
    ],
)
async def test_span_of_a_turn_says_how_it_ended(
    end: Event,
    outcome: str,
    is_ok: bool,
) -> None:
    """A failure with its key."""
    turn = sent(end)["turn"]
    assert (turn.attributes or {})["perplexica.outcome"] == outcome
    assert turn.status.is_ok or not is_ok
    assert turn.status.description == (None if is_ok else "BUSY")


async def test_turn_belongs_to_the_trace_of_its_request() -> None:
    """So that the proxy's spans and ours are one picture; without one it has its own."""
    spans = sent(Finished(STAGES, STORY), trace_id=TRACE)
    assert {s.context.trace_id for s in spans.values()} == {int(TRACE, 16)}
    assert sent(Finished())["turn"].context.trace_id != int(TRACE, 16)
