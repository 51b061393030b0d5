"""Curves as positions on a small drawing: the page's template makes SVG of them, and the slider moves their marks.

It is here because four small charts share one scale of thresholds and one mark, which must move together; the bars and
the reliability chart of the report stay where they are. It knows nothing of judges: numbers come in, positions go out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["Frame", "Plot", "curve", "scatter", "ticks"]

Point = tuple[float, float]
Span = tuple[float, float]
Words = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a value lies on a drawing of this size, whose margins hold the labels."""

    xs: Span = (0, 1)
    ys: Span = (0, 1)
    width: int = 340
    height: int = 210
    left: int = 46
    right: int = 18
    top: int = 10
    bottom: int = 26

    def x(self, value: float) -> float:
        return round(self.left + _share(value, self.xs) * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        return round(self.height - self.bottom - _share(value, self.ys) * (self.height - self.top - self.bottom), 1)

    def at(self, point: Point) -> str:
        """As a mark's position in the page."""
        return f"{self.x(point[0])} {self.y(point[1])}"

    def path(self, points: Sequence[Point]) -> str:
        return " ".join(f"{'L' if place else 'M'}{self.x(x)} {self.y(y)}" for place, (x, y) in enumerate(points))


@dataclass(frozen=True, slots=True)
class Plot:
    """What a template draws."""

    name: str
    caption: str
    frame: Frame
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    line: str = ""
    band: str = ""
    points: Sequence[tuple[float, float, float, float]] = field(default=())
    """Of each its place, and the ends of its interval."""
    diagonal: bool = False
    mark: str = ""
    """What the slider calls the mark on it."""
    x_name: str = ""


def curve(
    name: str,
    caption: str,
    points: Sequence[Point],
    *,
    frame: Frame | None = None,
    band: Sequence[tuple[float, float, float]] = (),
    shown: Words = lambda value: f"{value:.0%}",
    x_shown: Words = lambda value: f"{value:g}",
    mark: str = "",
    diagonal: bool = False,
    x_name: str = "",
) -> Plot:
    """A line through `points`, and the band between the low and the high of each x in `band`."""
    frame = frame or Frame()
    around = [*((x, high) for x, _, high in band), *((x, low) for x, low, _ in reversed(band))]
    return Plot(
        name,
        caption,
        frame,
        [(frame.x(value), x_shown(value)) for value in ticks(*frame.xs)],
        [(frame.y(value), shown(value)) for value in ticks(*frame.ys)],
        frame.path(points),
        frame.path(around) + " Z" if around else "",
        mark=mark,
        diagonal=diagonal,
        x_name=x_name,
    )


def scatter(name: str, caption: str, points: Sequence[tuple[float, float, float, float]], x_name: str = "") -> Plot:
    """Points with upright intervals (x, y, low, high) over the diagonal of the unit square."""
    frame = Frame()
    plain = curve(name, caption, [], frame=frame, diagonal=True, x_name=x_name)
    drawn = [(frame.x(x), frame.y(y), frame.y(low), frame.y(high)) for x, y, low, high in points]
    return Plot(name, caption, frame, plain.x_ticks, plain.y_ticks, points=drawn, diagonal=True, x_name=x_name)


def ticks(low: float, high: float) -> list[float]:
    """Four to seven round values between the two ends."""
    step = next(
        factor * 10.0**power
        for power in range(-6, 10)
        for factor in (1, 2, 5)
        if factor * 10.0**power * 6 >= high - low
    )
    first = -(-low // step)
    return [round((first + place) * step, 9) for place in range(int((high - first * step) / step + 1e-9) + 1)]


def _share(value: float, span: Span) -> float:
    low, high = span
    return 0.0 if high == low else min(max((value - low) / (high - low), 0.0), 1.0)
