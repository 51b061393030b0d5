"""The reliability chart is one SVG with the points, their intervals and the diagonal, and nothing from elsewhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from retroweave.export.reliability import Point, reliability_chart, standalone

POINTS = [Point(0.25, 0.0, 0.0, 0.4), Point(0.5, 0.4, 0.3, 0.6), Point(0.9, 1.0, 0.7, 1.0)]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str, number: int, tag: str) -> list[ElementTree.Element]:
    """What is drawn of a series, wherever in the picture."""
    root = ElementTree.fromstring(svg)  # our own words
    groups = [one for one in root.iter(f"{SVG}g") if f"serie-{number}" in one.get("class", "")]
    return [one for group in groups for one in group.iter(f"{SVG}{tag}")]


def height(share: float) -> float:
    """Where a share stands, told by the diagonal."""
    (diagonal,) = drawn(reliability_chart("Judge", POINTS), 0, "path")
    (_, bottom), (_, top) = re.findall(r"([\d.]+) ([\d.]+)", diagonal.get("d", ""))
    return float(bottom) + share * (float(top) - float(bottom))


def test_each_bin_is_a_point_at_its_share() -> None:
    circles = drawn(reliability_chart("Judge", POINTS), 2, "circle")
    assert [round(float(circle.get("cy", 0)), 3) for circle in circles] == [
        round(height(point.right), 3) for point in POINTS
    ]


def test_each_interval_is_an_upright_line_of_its_own() -> None:
    paths = "".join(path.get("d", "") for path in drawn(reliability_chart("Judge", POINTS), 1, "path"))
    lines = re.findall(r"M([\d.]+) ([\d.]+) L([\d.]+) ([\d.]+)", paths)
    assert len(lines) == 3
    for (left, low, right, high), point in zip(lines, POINTS, strict=True):
        assert left == right
        assert (round(float(low), 3), round(float(high), 3)) == (
            round(height(point.low), 3),
            round(height(point.high), 3),
        )


def test_the_same_points_give_the_same_bytes_and_a_name() -> None:
    assert reliability_chart("A <judge>", POINTS) == reliability_chart("A <judge>", POINTS)
    assert 'aria-label="A &lt;judge&gt;"' in reliability_chart("A <judge>", POINTS)


def test_a_file_of_its_own_has_its_colours_and_asks_for_nothing() -> None:
    made = standalone(reliability_chart("Judge", POINTS))
    assert ElementTree.fromstring(made)[0].tag == f"{SVG}style"
    assert "http" not in made.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in made
