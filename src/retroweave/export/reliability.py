"""The reliability chart: a judge's mean score in each bin against the share of its rows that are right.

A judge that is well calibrated keeps to the diagonal. Each point has its interval as an upright line, for a bin of five
rows may lie anywhere. What the points are reckoned from is not known here: they are handed in as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pygal
from markupsafe import Markup

from retroweave.export.charts import _COMMON, _plain

__all__ = ["Point", "reliability_chart", "standalone"]

_SIZE = 440
_TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]

_STYLE = """
svg { background: #fcfbf8; }
svg text { font: 14px system-ui, "DejaVu Sans", sans-serif; fill: #68645a; }
.background { fill: none; }
.axis .line { fill: none; stroke: #e3dfd5; stroke-width: 1; }
.axis.x text { text-anchor: middle; }
.axis.y text { text-anchor: end; }
.axis text.title, text.title { fill: #24221e; text-anchor: middle; }
.serie-0 .line { fill: none; stroke: #a19c90; stroke-width: 1.5; stroke-dasharray: 5 5; }
.serie-1 .line { fill: none; stroke: #3b5a9c; stroke-width: 2; }
.serie-2 .line { fill: none; stroke: #3b5a9c; stroke-width: 1; opacity: 0.5; }
.serie-2 .dot { fill: #3b5a9c; }
"""


@dataclass(frozen=True, slots=True)
class Point:
    """One bin."""

    score: float
    """The mean score."""
    right: float
    """The share that is right, and its interval."""
    low: float
    high: float


def reliability_chart(name: str, points: Sequence[Point]) -> Markup:
    """The chart as SVG for a page whose style sheet colours it."""
    chart = pygal.XY(
        **{**_COMMON, "width": _SIZE, "margin_right": 16, "margin_top": 8, "margin_bottom": 10},
        height=_SIZE,
        range=(0, 1),
        xrange=(0, 1),
        x_title="mean score",
        y_title="share that is right",
        value_formatter=lambda share: f"{share:g}",
        x_value_formatter=lambda share: f"{share:g}",
        show_x_guides=True,
        dots_size=5,
        allow_interruptions=True,
    )
    chart.x_labels = _TICKS
    chart.y_labels = _TICKS
    chart.add("", [(0, 0), (1, 1)], show_dots=False)
    chart.add("", [end for point in points for end in _upright(point)], show_dots=False)
    chart.add("", [(point.score, point.right) for point in points])
    return _plain(chart, name)


def _upright(point: Point) -> list[tuple[float, float] | None]:
    return [(point.score, point.low), (point.score, point.high), None]


def standalone(chart: Markup) -> str:
    """The same with colours of its own, to be a file."""
    head, bracket, rest = str(chart).partition(">")
    return f"{head}{bracket}<style>{_STYLE}</style>{rest}"
