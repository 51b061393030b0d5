"""`labels`: what people said of a run's rows, told, written out, or handed to its card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retroweave.judges.calibration import Rate
    from retroweave.review.drawing import Drawing
    from retroweave.review.exports import Exported
    from retroweave.review.labels import Labels
    from retroweave.review.rows import Rows

__all__ = ["labels"]

FORMATS = ("calibration", "all", "classifier", "examples")


@click.command(short_help="Tell what people's labels say of a run, or write them out.")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="A file to write the labels to.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="calibration",
    show_default=True,
    help="calibration: as `calibrate` reads them; all: each of them; classifier: text and right; examples: best rows.",
)
@click.option("--field", default="", help="For classifier: the field whose text it is; the trained turns if left out.")
@click.option("--prompt", type=click.Path(path_type=Path), help="For examples: the prompt file that will show them.")
@click.option("--most", type=click.IntRange(min=1), default=8, show_default=True, help="For examples: so many at most.")
@click.option(
    "--judge",
    default="",
    help="The judge whose scores are meant; if left out, the last whose threshold a config key sets.",
)
@click.option("--publish", is_flag=True, help="Say in the run's card and report what was measured.")
def labels(
    run_dir: Path, to: Path | None, form: str, field: str, prompt: Path | None, most: int, judge: str, publish: bool
) -> None:
    """Tell what people's labels say of a run: its precision, the judge's rates, how far people agree.

    Rows are labelled with `retroweave review RUN_DIR`. Example: retroweave labels out --to labels.jsonl
    """
    from retroweave.pipeline.errors import UserError
    from retroweave.review.drawing import Drawing
    from retroweave.review.labels import FILE, Labels
    from retroweave.review.rows import Rows

    if form == "examples" and prompt is None:
        raise UserError("--format examples takes the prompt file that will show them: give --prompt FILE.prompt.")
    with Rows(run_dir) as rows:
        if not (run_dir / FILE).exists():
            raise UserError(f"Nobody has labelled a row of {run_dir} yet. Label some: retroweave review {run_dir}")
        rows.index()
        with Labels(run_dir) as found:
            drawing = Drawing(rows, found, judge=judge)
            if to is not None:
                _written(rows, found, drawing, to, form, field, prompt, most)
            if publish:
                _published(rows, found, drawing)
            if to is None and not publish:
                _told(rows, found, drawing)


def _written(
    rows: Rows, found: Labels, drawing: Drawing, to: Path, form: str, field: str, prompt: Path | None, most: int
) -> None:
    from retroweave.review import exports

    made: Exported
    if form == "examples":
        assert prompt is not None
        made = exports.write_examples(to, exports.example_rows(rows, found, prompt, most))
    elif form == "classifier":
        made = exports.write_jsonl(to, exports.classifier_rows(rows, found, field))
    elif form == "all":
        made = exports.write_jsonl(to, exports.label_rows(found))
    else:
        made = exports.write_jsonl(to, exports.calibration_rows(drawing))
    click.echo(f"{made.rows:,} of {len(found):,} labels in {to}." if form != "examples" else f"{made.rows} in {to}.")
    for note in made.notes:
        click.echo(note)


def _published(rows: Rows, found: Labels, drawing: Drawing) -> None:
    from retroweave.review.publishing import publish

    path = publish(rows, found, drawing)
    click.echo(f"What was measured stands in {path}, and in README.md and report.html beside it.")


def _told(rows: Rows, found: Labels, drawing: Drawing) -> None:
    from retroweave.review.agreement import agreement
    from retroweave.review.precision import figures

    said = figures(rows, found, drawing)
    people = ", ".join(f"{person} {count}" for person, count in found.people().items())
    click.echo(f"{len(found):,} labels ({people}); {said.labels:,} rows drawn at random and clear")
    if said.precision:
        click.echo(f"precision      {_shown(said.precision)} of {said.precision.count} samples labelled")
    click.echo(f"yield          {said.yield_:.1%} of all outcomes are samples")
    if said.accepts_right and said.accepts_wrong:
        click.echo(f"accepts-right  {_shown(said.accepts_right)} of {said.accepts_right.count}, by {said.judge}")
        click.echo(f"accepts-wrong  {_shown(said.accepts_wrong)} of {said.accepts_wrong.count}")
    agreed = agreement(drawing.standing.labels())
    if agreed.raw:
        alpha = f", Krippendorff's alpha {agreed.alpha.value:.2f}" if agreed.alpha else ""
        click.echo(f"agreement      {_shown(agreed.raw)} of {agreed.rows} rows that several labelled{alpha}")
    if said.precision:
        need = drawing.need(0.1)
        if not need.within_reach:
            click.echo("\nThere are fewer rows than it takes to tell the precision to within ± 5 points.")
        elif need.more:
            click.echo(f"\nAbout {need.more:,} labels more would narrow the precision to ± 5 points.")
    for note in said.notes:
        click.echo(f"note: {note}")


def _shown(rate: Rate) -> str:
    return f"{rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]"
