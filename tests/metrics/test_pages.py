"""The operator's page and the dashboard know the metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

from tests.metrics.places import ENDED, Clock, play, running, told

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `(perplexica_[a-z_]+)` \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:perplexica|process)_[a-z_]+")
GROUPED = re.compile(r"\bby \(([a-z_, ]+)\)")
LEGEND = re.compile(r"{{([a-z_]+)}}")
OF_PROMETHEUS = {"le", "job", "instance"}


async def metrics() -> dict[str, set[str]]:
    """All that is told, once there is something to tell of everything."""
    clock = Clock()
    with running(clock) as meter:
        play(meter, clock, *ENDED)
        return told(meter)


def targets() -> list[dict[str, Any]]:
    """What the panels of the dashboard ask."""
    dashboard = json.loads((DOCS / "grafana.json").read_text("utf-8"))
    return [target for panel in dashboard["panels"] for target in panel["targets"]]


def plain(name: str) -> str:
    """The metric that a series belongs to."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


async def test_page_tells_of_every_metric_and_of_no_other() -> None:
    """Names and labels are those of the code."""
    rows = ROW.findall((DOCS / "operating.md").read_text("utf-8"))
    page = {name: set(re.findall(r"`([^`]+)`", labels)) for name, labels in rows}
    code = await metrics()
    assert page == {name: code[name] for name in code if name.startswith("perplexica")}


async def test_dashboard_asks_for_metrics_and_labels_that_exist() -> None:
    """In each query, and in the words beside its lines."""
    code = await metrics()
    for target in targets():
        names = {plain(name) for name in NAME.findall(target["expr"])}
        assert names, target
        assert names <= code.keys(), target
        grouped = ", ".join(GROUPED.findall(target["expr"])).split(", ")
        labels = {*grouped, *LEGEND.findall(target["legendFormat"])} - {""}
        assert labels <= OF_PROMETHEUS.union(*(code[name] for name in names)), target


async def test_dashboard_shows_every_metric() -> None:
    """What nobody looks at need not be counted."""
    shown = {plain(name) for target in targets() for name in NAME.findall(target["expr"])}
    assert {name for name in await metrics() if name.startswith("perplexica")} <= shown
