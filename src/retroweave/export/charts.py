"""Bars and histograms as SVG that stands in a page as it is: no script, no style of its own, no outside address.

It is here because pygal brings a script, a style sheet, a random id and today's date with each chart. Those are taken
out; colours and type come from the page (`report.css`), so that one chart is legible on dark and on light ground, and
the same samples give the same bytes. What a chart shows stands beside it in a table, which is the page's part.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

from retroweave.export.excerpt import visible
from retroweave.export.survey import Bar

__all__ = ["bar_chart", "histogram", "stacked_histogram"]

# For its plugins pygal leaves a finder of an older kind in the import system, of which every later import would warn.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_WIDTH = 480
_LABEL_SIZE = 14
_LONGEST_LABEL = 26
_BAR_HEIGHT = 26
_SVG = "{http://www.w3.org/2000/svg}"
_COMMON = {
    "width": _WIDTH,
    "show_legend": False,
    "css": [],
    "js": [],
    "disable_xml_declaration": True,
    "margin": 0,
    "spacing": 8,
    "style": Style(label_font_size=_LABEL_SIZE, major_label_font_size=_LABEL_SIZE, value_font_size=_LABEL_SIZE),
}


def bar_chart(name: str, bars: Sequence[Bar]) -> Markup:
    """Horizontal bars, one for each label, the first on top, with the count at its end."""
    chart = pygal.HorizontalBar(
        height=_BAR_HEIGHT * len(bars) + 8,
        print_values=True,
        print_values_position="top",
        value_formatter=lambda count: f"{count:,}",
        show_x_labels=False,
        show_x_guides=False,
        show_y_guides=False,
        margin_right=12 + 9 * len(f"{max(bar.count for bar in bars):,}"),
        **_COMMON,
    )
    upwards = list(reversed(bars))
    chart.x_labels = [_label(bar.label) for bar in upwards]
    chart.add("", [bar.count for bar in upwards])
    return _plain(chart, name)


def histogram(name: str, bars: Sequence[Bar]) -> Markup:
    """Upright bars in the order given, with as many labels as fit; of a range the label is where it starts."""
    chart = _upright(pygal.Bar, [bar.label.partition("–")[0] for bar in bars], [bar.count for bar in bars])
    chart.add("", [bar.count for bar in bars])
    return _plain(chart, name)


def stacked_histogram(name: str, labels: Sequence[str], lower: Sequence[int], upper: Sequence[int]) -> Markup:
    """The same of two counts, the second of which stands on the first."""
    chart = _upright(pygal.StackedBar, labels, [one + other for one, other in zip(lower, upper, strict=True)])
    chart.add("", list(lower))
    chart.add("", list(upper))
    return _plain(chart, name)


def _upright(kind: Any, labels: Sequence[str], heights: Sequence[int]) -> Any:
    chart = kind(
        height=220,
        value_formatter=lambda count: f"{count:,.0f}",
        show_minor_x_labels=False,
        truncate_label=-1,
        show_x_guides=False,
        margin_right=24,
        **_COMMON,
    )
    chart._series_margin = 0.02
    starts = [_label(label) for label in labels]
    chart.x_labels = starts
    chart.x_labels_major_every = -(-len(labels) * (max(map(len, starts)) + 2) * 8 // (_WIDTH - 60))
    chart.y_labels = _ticks(max(heights))
    return chart


def _ticks(most: int) -> list[int]:
    """From 0 to no less than `most` in three to five round steps."""
    step = next(factor * 10**power for power in range(19) for factor in (1, 2, 5) if factor * 10**power * 5 >= most)
    return list(range(0, most + step, step))


def _label(text: str) -> str:
    shown = visible(" ".join(text.split())) or "(empty)"
    return shown if len(shown) <= _LONGEST_LABEL else shown[: _LONGEST_LABEL - 1] + "…"


def _plain(chart: Any, name: str) -> Markup:
    def strip(root: Any) -> Any:
        root.attrib.pop("id")
        root.set("role", "img")
        root.set("aria-label", visible(name))
        root.set("class", chart.__class__.__name__.lower())
        for parent in list(root.iter()):
            for child in list(parent):
                if _is_left_out(child):
                    parent.remove(child)
        return root

    chart.add_xml_filter(strip)
    return Markup(chart.render(is_unicode=True))


def _is_left_out(node: Any) -> bool:
    if not isinstance(node.tag, str):  # a comment, which holds today's date
        return True
    is_tooltip = "tooltip-overlay" in node.get("class", "")
    return is_tooltip or node.tag.removeprefix(_SVG) in ("defs", "title", "desc", "script", "style")
