"""`odds` and `calibrate`: what a generator and its judges come to, reckoned or measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retroweave.cli.output import print_json

if TYPE_CHECKING:
    from retroweave.judges.calibration import Calibration
    from retroweave.pipeline.odds import Forecast, JudgeRates, Need

__all__ = ["calibrate", "odds"]


@click.command(short_help="Reckon precision, yield and cost.")
@click.option("--generator", type=float, required=True, help="The probability that a generated row is right.")
@click.option("--accepts-right", type=float, multiple=True, help="A judge's rate for right rows; repeat for a chain.")
@click.option("--accepts-wrong", type=float, multiple=True, help="The same judge's rate for wrong rows.")
@click.option("--labels", type=click.Path(path_type=Path), help="Labels of a judge's rows: its rates are measured.")
@click.option("--judge-cost", type=float, multiple=True, help="What one verdict of that judge costs.")
@click.option("--cost", type=float, default=0.0, help="What one generated row costs.")
@click.option("--target", type=float, help="A precision to reach: which judge does it take?")
@click.option("--rows", type=int, help="How many accepted rows you want: what will they take?")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def odds(
    generator: float,
    accepts_right: tuple[float, ...],
    accepts_wrong: tuple[float, ...],
    labels: Path | None,
    judge_cost: tuple[float, ...],
    cost: float,
    target: float | None,
    rows: int | None,
    as_json: bool,
) -> None:
    """Work out precision, yield and cost of a generator and its judges; or, with --target, the judge you need.

    Example: retroweave odds --generator 0.8 --accepts-right 0.8 --accepts-wrong 0.2
    """
    from retroweave.pipeline.errors import UserError
    from retroweave.pipeline.odds import JudgeRates, forecast, needed

    if rows is not None and rows < 1:
        raise UserError(f"--rows is how many accepted rows you want, 1 or more, not {rows}.")
    measured = _measured(labels, (*accepts_right, *accepts_wrong))
    if measured is not None:
        accepts_right, accepts_wrong = (measured.accepts_right.value,), (measured.accepts_wrong.value,)
    judges = _judges(accepts_right, accepts_wrong, judge_cost)
    found = _Reckoned(
        ahead=forecast(generator, judges, cost),
        priced=bool(cost or judge_cost),
        rows=rows,
        measured=measured,
        worst=None if measured is None else forecast(generator, [measured.worst_rates(judges[0].cost)], cost),
        target=target,
        need=None if target is None else needed(generator, target, judges[0] if judges else JudgeRates(1.0, 1.0)),
        first=judges[0] if judges else None,
    )
    if as_json:
        print_json(_as_json(found))
        return
    for line in _told(found):
        click.echo(line)


def _judges(right: Sequence[float], wrong: Sequence[float], costs: Sequence[float]) -> list[JudgeRates]:
    """One for each pair of rates; a judge of which no cost is named costs nothing."""
    from retroweave.pipeline.errors import UserError
    from retroweave.pipeline.odds import JudgeRates

    if len(right) != len(wrong):
        raise UserError(
            f"Each judge has both rates: --accepts-right was given {len(right)} times and --accepts-wrong "
            f"{len(wrong)} times."
        )
    if len(costs) > len(right):
        raise UserError(
            "--judge-cost goes with a judge: give --accepts-right and --accepts-wrong for each, or --labels."
        )
    return [JudgeRates(*rates) for rates in zip_longest(right, wrong, costs, fillvalue=0.0)]


@dataclass(frozen=True)
class _Reckoned:
    """All that was asked for and found."""

    ahead: Forecast
    priced: bool
    """Whether a cost was named."""
    rows: int | None
    measured: Calibration | None
    worst: Forecast | None
    """Where the judge's rates were measured: if both are as bad as they may be."""
    target: float | None
    need: Need | None
    first: JudgeRates | None


def _as_json(found: _Reckoned) -> dict[str, Any]:
    ahead = found.ahead
    told: dict[str, Any] = {
        "precision": ahead.precision,
        "yield": ahead.yield_,
        "recall": ahead.recall,
        "generated_per_accepted": ahead.generated_per_accepted,
        "cost_per_accepted": ahead.cost_per_accepted,
    }
    if found.measured is not None and found.worst is not None:
        told |= {"measured": found.measured.as_json(), "precision_at_worst": found.worst.precision}
    if (rows := found.rows) is not None:
        told |= {"rows": rows, "generated": rows / ahead.yield_, "cost": rows * ahead.cost_per_accepted}
    if found.need is not None:
        told["need"] = {
            "target": found.target,
            "likelihood_ratio": found.need.likelihood_ratio,
            "accepts_wrong_at_most": found.need.accepts_wrong,
            "judges_in_a_chain": found.need.chain,
        }
    return told


def _told(found: _Reckoned) -> Iterator[str]:
    ahead = found.ahead
    if found.measured is not None and found.worst is not None:
        yield from _measured_told(found.measured, found.worst)
    yield f"precision  {ahead.precision:.2%} of the accepted rows are right"
    yield f"yield      {ahead.yield_:.2%} of the generated rows are accepted"
    yield f"recall     {ahead.recall:.2%} of the right rows are accepted"
    yield f"work       {ahead.generated_per_accepted:.2f} generated rows for each accepted one"
    if found.priced:
        yield f"cost       {ahead.cost_per_accepted:.6g} for each accepted row"
    if (rows := found.rows) is not None:
        total = f", {rows * ahead.cost_per_accepted:.6g} in all" if found.priced else ""
        yield f"{rows:,} rows   {rows / ahead.yield_:,.0f} generated{total}"
    if found.need is not None:
        yield f"\nTo reach {found.target:.2%}:"
        yield from _need_told(found.need, found.first)


def _need_told(need: Need, first: JudgeRates | None) -> Iterator[str]:
    if need.likelihood_ratio <= 1:
        yield "  no judge is needed: the generator is as good as that by itself."
    elif first is None:
        yield f"  a judge must accept right rows {need.likelihood_ratio:.4g} times as often as wrong ones."
    else:
        yield f"  accepts-right must be at least {need.likelihood_ratio:.4g} times accepts-wrong;"
        yield f"  with accepts-right {first.accepts_right:g}, accepts-wrong at most {need.accepts_wrong:.4g};"
        yield f"  of judges like the first, {_in_a_chain(need.chain)}."


def _measured(labels: Path | None, given: tuple[float, ...]) -> Calibration | None:
    """The judge whose labels these are; its rates are measured or given, and not both."""
    if labels is None:
        return None
    from retroweave.judges.calibration import calibrate, read_labels
    from retroweave.pipeline.errors import UserError

    if given:
        raise UserError("--labels measures the judge's rates: leave out --accepts-right and --accepts-wrong.")
    return calibrate(read_labels(labels))


def _measured_told(measured: Calibration, worst: Forecast) -> Iterator[str]:
    """Where the rates come from, what the labels leave open, and what is to be known of them."""
    for name, rate in (("accepts-right", measured.accepts_right), ("accepts-wrong", measured.accepts_wrong)):
        yield f"{name} {rate.value:.1%} of {rate.count} labels, {rate.low:.1%} to {rate.high:.1%}"
    yield from (f"note       {note}" for note in measured.notes)
    yield f"at worst   {worst.precision:.2%} of the accepted rows are right, if both rates are as bad as they may be"


def _in_a_chain(count: int | None) -> str:
    return "no number will do" if count is None else f"{count} in a row, if their mistakes are independent"


@click.command(short_help="Tell from labels how often a judge errs.")
@click.argument("labels", type=click.Path(path_type=Path))
@click.option("--target", type=float, help="A precision to reach: where should the threshold be?")
@click.option("--threshold", type=float, help="The judge's threshold; as the labels say, or 0.5, if left out.")
@click.option(
    "--method",
    type=click.Choice(["isotonic", "platt"]),
    default="isotonic",
    show_default=True,
    help="How probabilities are made of scores.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the reliability curve as SVG.")
def calibrate(
    labels: Path, target: float | None, threshold: float | None, method: str, as_json: bool, plot: Path | None
) -> None:
    """Hold a judge's scores against labels: its two rates, its reliability curve, and with --target a threshold.

    LABELS is a JSONL file, a line for each row that a person has looked at: {"score": 0.83, "right": true}. It should
    hold rejects as well as samples.
    """
    from retroweave.judges import calibration
    from retroweave.pipeline.errors import UserError

    if plot is not None and plot.suffix != ".svg":
        raise UserError(f"--plot draws SVG: let {str(plot)!r} end in .svg.")
    found = calibration.calibrate(
        calibration.read_labels(labels),
        target=target,
        threshold=threshold,
        method="platt" if method == "platt" else "isotonic",
    )
    if plot is not None:
        from retroweave.export.reliability import Point, reliability_chart, standalone

        points = [Point(one.score, one.right.value, one.right.low, one.right.high) for one in found.bins]
        plot.write_text(standalone(reliability_chart(f"Reliability by {labels.name}", points)), "utf-8")
    if as_json:
        print_json(found.as_json())
        return
    for line in calibration.describe_calibration(found):
        click.echo(line)
    if plot is not None:
        click.echo(f"\nThe reliability curve is drawn in {plot}.")
