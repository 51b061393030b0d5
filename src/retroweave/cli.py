"""The command line.

Each command says what it does in its help text, prints what a person would want to see, and ends with code 0; 1 where
a run could not be finished, 2 where the input is wrong, 130 after Ctrl-C. What is heavy is imported when it is used:
`--help` answers at once.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from retroweave.judges.calibration import Calibration
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.model import ModelSpec
    from retroweave.pipeline.odds import Forecast
    from retroweave.pipeline.recipe import Config, Recipe

    Models = dict[str, ModelSpec]

__all__ = ["main"]


def main() -> None:
    """The entry point: an error that we know is one paragraph, not a traceback."""
    from retroweave.pipeline.errors import RetroweaveError

    try:
        cli(standalone_mode=False, prog_name="retroweave")
    except RetroweaveError as error:
        from retroweave.export.excerpt import visible

        _hear_no_more()
        click.echo(f"Error: {visible(str(error))}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        _hear_no_more()
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename!r} cannot be used" if error.filename else "The system refused"
        click.echo(f"Error: {where}: {error.strerror or error}. See that the path is right and has room.", err=True)
        sys.exit(2)


def _hear_no_more() -> None:
    """It is over: who presses Ctrl-C again while the process ends shall not see a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="retroweave")
def cli() -> None:
    """Build synthetic text data that knows why each trained word is right.

    Begin with: retroweave run prose-repair --rows 100 --out out
    """


_OPTIONS = "retroweave.config_options"


class RecipeCommand(click.Command):
    """A command whose first argument is a recipe; it takes that recipe's config fields as options too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        reference = self._reference(args)
        if reference is not None:
            ctx.meta[_OPTIONS] = _config_options(reference, self._flags() | {"--help"})
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *ctx.meta.get(_OPTIONS, ())]

    def _flags(self) -> set[str]:
        return {flag for param in self.params for flag in param.opts}

    def _reference(self, args: list[str]) -> str | None:
        """The first argument that is neither an option nor an option's value, as those of every recipe have one."""
        alone = {
            flag for param in self.params if isinstance(param, click.Option) and param.is_flag for flag in param.opts
        }
        skip = False
        for arg in args:
            if skip:
                skip = False
            elif arg.startswith("-"):
                skip = "=" not in arg and arg not in alone
            else:
                return arg
        return None


def _config_options(reference: str, taken: set[str]) -> list[click.Parameter]:
    """An option for each config field whose flag is free; its values are checked by the config itself."""
    from retroweave.pipeline.recipe import find_recipe

    options: list[click.Parameter] = []
    for name, field in find_recipe(reference).config_type.model_fields.items():
        flag = "--" + name.replace("_", "-")
        if flag not in taken:
            default = "" if field.default is None else f"  [default: {field.default}]"
            text = (field.description or "") + default
            options.append(click.Option([flag, f"option_{name}"], help=text, metavar="VALUE"))
    return options


def recipe_options(command: Any) -> Any:
    """The options that choose a recipe's config."""
    for option in reversed(
        [
            click.argument("recipe"),
            click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a config key; repeatable."),
            click.option(
                "--config", "config_file", type=click.Path(path_type=Path), help="A YAML file of config keys."
            ),
            click.option("--preset", help="A named set of config values that the recipe brings."),
        ]
    ):
        command = option(command)
    return command


def _configured(
    reference: str, settings: tuple[str, ...], config_file: Path | None, preset: str | None, options: dict[str, Any]
) -> tuple[Recipe, Config, Models]:
    """The recipe with its config (the preset, then the file, then --set, then the recipe's own options) and models."""
    from retroweave.pipeline.errors import UserError, nearest
    from retroweave.pipeline.recipe import find_recipe, read_config

    recipe = find_recipe(reference)
    values: dict[str, Any] = {}
    models: Models = {}
    if preset is not None:
        if preset not in recipe.presets:
            known = nearest(preset, recipe.presets) or "It brings none."
            raise UserError(f"The recipe {recipe.name!r} has no preset {preset!r}. {known}")
        values |= recipe.presets[preset]
    if config_file is not None:
        in_file = read_config(config_file)
        if "models" in in_file:
            from retroweave.models.named import read_table

            models = read_table(in_file.pop("models"))
        values |= in_file
    given: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set takes key=value, not {setting!r}.")
        given[key] = value
    given |= {name.removeprefix("option_"): value for name, value in options.items() if value is not None}
    try:
        return recipe, recipe.configure(values | {key: _read(value) for key, value in given.items()}), models
    except UserError:
        with suppress(UserError):  # a name of digits or `on` is a number or a flag to YAML, and text to the config
            return recipe, recipe.configure(values | given), models
        raise


def _read(value: str) -> Any:
    """A value from the command line: YAML, or text where it is none."""
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


@cli.command(cls=RecipeCommand, short_help="Make a dataset.")
@recipe_options
@click.option("--rows", type=int, required=True, help="How many accepted samples to make: exactly so many.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The run directory.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same bytes.")
@click.option("--workers", type=int, help="Worker processes; as many as there are cores if left out.")
@click.option("--again", is_flag=True, help="Make the rows anew where something that they depend on changed.")
@click.option("--budget", metavar="DOLLARS", help="What models may cost at most, such as '$5'.")
@click.option("--max-calls", type=int, help="How many requests may be sent to models at most.")
@click.option("--max-tokens", type=int, help="How many tokens models may read and write at most.")
@click.option("--estimate", is_flag=True, help="Work on 20 rows only, and say what --rows would take.")
def run(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    rows: int,
    out: Path | None,
    seed: int,
    workers: int | None,
    again: bool,
    budget: str | None,
    max_calls: int | None,
    max_tokens: int | None,
    estimate: bool,
    **options: Any,
) -> None:
    """Make a dataset: RECIPE is a name (see `retroweave recipes`) or your own .py file.

    A run that was stopped goes on with the same command; a larger --rows goes on from a finished one.
    """
    found, config, models = _configured(recipe, settings, config_file, preset, options)
    from retroweave.making import make
    from retroweave.pipeline.budget import Budget, dollars
    from retroweave.terminal import Progress, console_for, show_summary

    limits = Budget(max_calls, max_tokens, None if budget is None else dollars(budget))
    if estimate:
        _estimate(found, config, models, rows, seed, limits)
        return
    if out is None:
        raise click.UsageError("Missing option '--out'. Name the folder that the dataset is made in.")
    before = _samples_in(out)
    with Progress(console_for(sys.stderr), rows).shown() as progress:
        made = make(
            found,
            config,
            rows,
            out,
            seed=seed,
            workers=workers,
            again=again,
            budget=limits,
            models=models,
            watch=progress.watch,
            meet=progress.meet,
        )
    show_summary(console_for(), made, str(out))
    if rows < before:
        click.echo(f"It held {before:,} samples before: their rows are kept, and --rows {before} brings them back.")
    if made["out_of_budget"]:
        from retroweave.pipeline.errors import RunStopped

        raise RunStopped(f"{made['counts']['samples']:,} of {rows:,} samples stand in {out}. {made['out_of_budget']}")
    if made["counts"]["samples"] < rows:
        from retroweave.pipeline.errors import RunStopped

        raise RunStopped(
            f"The source ran dry: {made['counts']['samples']:,} of {rows:,} samples. What there is stands in {out}; "
            "give the recipe more text, or loosen what rejects it (see rejects.parquet)."
        )


def _estimate(recipe: Recipe, config: Config, models: Models, rows: int, seed: int, budget: Budget) -> None:
    import asyncio

    from retroweave.estimating import estimate
    from retroweave.pipeline.rules import require_valid
    from retroweave.terminal import console_for, show_estimate

    pipeline = recipe.pipeline(config)
    require_valid(pipeline, recipe.name)
    show_estimate(console_for(), asyncio.run(estimate(pipeline, recipe.name, seed, rows, budget, models)))


def _samples_in(out: Path) -> int:
    """How many samples a finished run in this folder has; 0 where there is none."""
    from retroweave.export.dataset import read_run
    from retroweave.pipeline.errors import UserError

    try:
        return int(read_run(out)["counts"]["samples"])
    except (UserError, KeyError):
        return 0


@cli.command(short_help="List the installed recipes.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def recipes(as_json: bool) -> None:
    """List the recipes that are installed, ours and other people's."""
    from retroweave.pipeline.recipe import find_recipe, installed_recipes

    found = [(name, find_recipe(name).title) for name in installed_recipes()]
    if as_json:
        _print_json([{"name": name, "title": title} for name, title in found])
        return
    for name, title in found:
        click.echo(f"{name:20} {title}")


@cli.command(cls=RecipeCommand, short_help="Draw a recipe's pipeline.")
@recipe_options
@click.option("--mermaid", "as_mermaid", is_flag=True, help="The graph, as Mermaid text.")
def show(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    as_mermaid: bool,
    **options: Any,
) -> None:
    """Draw a recipe's pipeline: its steps, what each reads and writes, and what each trained field is worth."""
    from retroweave.pipeline.describe import describe
    from retroweave.pipeline.rules import require_valid
    from retroweave.terminal import console_for, mermaid, show_pipeline

    found, config, _ = _configured(recipe, settings, config_file, preset, options)
    pipeline = found.pipeline(config)
    if as_mermaid:
        click.echo(mermaid(describe(pipeline)))
        return
    require_valid(pipeline, found.name)
    console = console_for()
    console.print(found.name, style="bold")
    console.print(found.doc, markup=False)
    console.print()
    show_pipeline(console, pipeline)
    console.print("\nconfig (--set key=value, or as an option)", style="dim")
    for name, field in found.config_type.model_fields.items():
        console.print(f"  {name} = {getattr(config, name)!r}  {field.description or ''}", markup=False)
    for name, values in found.presets.items():
        console.print(f"  --preset {name}: {values}", markup=False)


@cli.command(cls=RecipeCommand, short_help="Hold a recipe to the rules of evidence.")
@recipe_options
def check(recipe: str, settings: tuple[str, ...], config_file: Path | None, preset: str | None, **options: Any) -> None:
    """Hold a recipe to the rules of evidence, without running it. Ends with 2 where a rule is broken."""
    from retroweave.pipeline.describe import trained_fields
    from retroweave.pipeline.rules import require_valid
    from retroweave.terminal import console_for, show_evidence

    found, config, _ = _configured(recipe, settings, config_file, preset, options)
    pipeline = found.pipeline(config)
    require_valid(pipeline, found.name)
    console = console_for()
    console.print(f"{found.name} is valid: rules 1 to 8 hold.", style="green")
    console.print("Rule 9 looks at the finished set: in each run, and by retroweave lint.", style="dim")
    show_evidence(console, trained_fields(pipeline))


@cli.command("try", cls=RecipeCommand, short_help="Work on a few rows in the open.")
@recipe_options
@click.option("--rows", type=int, default=3, show_default=True, help="How many source rows to work on.")
@click.option("--seed", type=int, default=0, show_default=True)
def try_(
    recipe: str,
    settings: tuple[str, ...],
    config_file: Path | None,
    preset: str | None,
    rows: int,
    seed: int,
    **options: Any,
) -> None:
    """Work on a few rows and print each step's output, backwards from the sample. Writes no file."""
    import asyncio
    import secrets

    from retroweave.models.desk import open_desk
    from retroweave.models.named import named
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.errors import UserError
    from retroweave.pipeline.rules import require_valid
    from retroweave.pipeline.trial import trial
    from retroweave.terminal import console_for, show_walk

    if rows < 1:
        raise UserError(f"--rows is how many source rows to work on, 1 or more, not {rows}.")
    found, config, models = _configured(recipe, settings, config_file, preset, options)
    pipeline = found.pipeline(config)
    require_valid(pipeline, found.name)
    console = console_for()

    async def shown() -> None:
        specs = {name: named(reference, models) for name, reference in pipeline.models.items()}
        async with open_desk(specs, f"try-{secrets.token_hex(6)}", Budget()) as desk:
            async for walk in trial(pipeline, found.name, seed, rows, desk):
                show_walk(console, walk)

    asyncio.run(shown())


@cli.group(short_help="Look at models, and get the embedded one.")
def models() -> None:
    """Models: what there is, what one can do, and the weights of those that run inside this process."""


@models.command("get")
@click.argument("name", default="smollm2")
def models_get(name: str) -> None:
    """Fetch the weights of an embedded model into the cache, and check them. Nothing else ever fetches anything."""
    from retroweave.models.weights import fetch

    path = fetch(name, click.echo)
    click.echo(f"{path} is ready. Use it with --model embedded:{name}.")


@models.command("probe")
@click.argument("model")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A YAML file with a table of models.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def models_probe(model: str, config_file: Path | None, as_json: bool) -> None:
    """Ask a model a handful of tiny questions, and say what it can do. MODEL is what --model takes."""
    import asyncio
    import secrets
    from dataclasses import asdict

    from retroweave.models.desk import open_desk
    from retroweave.models.licensing import terms_for
    from retroweave.models.named import named, read_table
    from retroweave.pipeline.budget import Budget
    from retroweave.pipeline.recipe import read_config

    table = read_table(read_config(config_file).get("models", {})) if config_file else {}
    spec = named(model, table)

    async def found() -> dict[str, Any]:
        async with open_desk({"model": spec}, f"probe-{secrets.token_hex(6)}", Budget()) as desk:
            client = desk.clients["model"]
            return {"form": client.form, **asdict(client.abilities), "calls": desk.ledger.spent.calls}

    abilities = asyncio.run(found())
    if as_json:
        _print_json({"use": spec.use, **abilities, "terms": asdict(terms_for(spec))})
        return
    click.echo(f"{spec.use}, asked in the form {abilities.pop('form')!r}")
    calls = abilities.pop("calls")
    for name, can in abilities.items():
        click.echo(f"  {name.replace('_', ' '):18} {can if not isinstance(can, bool) else 'yes' if can else 'no'}")
    click.echo(f"  terms              {terms_for(spec).name}: {terms_for(spec).meaning}")
    click.echo(f"{calls} calls were made to find out." if calls else "That was known before: no call was made.")


@cli.command("functions", short_help="Count the functions that stand alone, and why others do not.")
@click.argument("code", required=False, type=click.Path(path_type=Path))
@click.option("--stdlib", is_flag=True, help="The standard library; what is counted where nothing is named.")
@click.option("--installed", is_flag=True, help="Every installed distribution that is permissive by its metadata.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with what it was for each reason.")
def functions_(code: Path | None, stdlib: bool, installed: bool, as_json: bool) -> None:
    """Count the Python functions that stand alone, and say why the others were dropped. Nothing is run.

    CODE is a folder or a .py file. To count, no licence is needed; to make data of it, one is.
    """
    from retroweave.sources.functions import Corpus
    from retroweave.terminal import console_for, show_functions

    corpus = Corpus.of(
        code,
        license="LicenseRef-Unnamed" if code is not None else None,
        standard=True if stdlib else None,
        installed=installed,
        licenses=() if code is not None else None,
    )
    survey = corpus.survey()
    if as_json:
        _print_json(survey.as_json())
        return
    show_functions(console_for(), survey)


@cli.command(short_help="Say what holds where untrusted code runs.")
@click.option("--unsafe", is_flag=True, help="Go without what cannot be had here.")
def sandbox(unsafe: bool) -> None:
    """Say which layers hold here for code that nobody trusts, why others do not, and how many suites run a second."""
    from retroweave.verifiers.sandbox import describe_sandbox

    for line in describe_sandbox(unsafe):
        click.echo(line)


@cli.command(short_help="Reckon precision, yield and cost.")
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

    measured = _measured(labels, (*accepts_right, *accepts_wrong))
    if measured is not None:
        accepts_right, accepts_wrong = (measured.accepts_right.value,), (measured.accepts_wrong.value,)
    if len(accepts_right) != len(accepts_wrong):
        raise UserError(
            f"Each judge has both rates: --accepts-right was given {len(accepts_right)} times and --accepts-wrong "
            f"{len(accepts_wrong)} times."
        )
    if rows is not None and rows < 1:
        raise UserError(f"--rows is how many accepted rows you want, 1 or more, not {rows}.")
    if len(judge_cost) > len(accepts_right):
        raise UserError(
            "--judge-cost goes with a judge: give --accepts-right and --accepts-wrong for each, or --labels."
        )
    costs = (*judge_cost, *(0.0,) * (len(accepts_right) - len(judge_cost)))
    judges = [JudgeRates(*rates) for rates in zip(accepts_right, accepts_wrong, costs, strict=True)]
    ahead = forecast(generator, judges, cost)
    worst = None if measured is None else forecast(generator, [measured.worst_rates(costs[0])], cost)
    need = None if target is None else needed(generator, target, judges[0] if judges else JudgeRates(1.0, 1.0))
    if as_json:
        found: dict[str, Any] = {
            "precision": ahead.precision,
            "yield": ahead.yield_,
            "recall": ahead.recall,
            "generated_per_accepted": ahead.generated_per_accepted,
            "cost_per_accepted": ahead.cost_per_accepted,
        }
        if measured is not None and worst is not None:
            found |= {"measured": measured.as_json(), "precision_at_worst": worst.precision}
        if rows is not None:
            found |= {"rows": rows, "generated": rows / ahead.yield_, "cost": rows * ahead.cost_per_accepted}
        if need is not None:
            found["need"] = {
                "target": target,
                "likelihood_ratio": need.likelihood_ratio,
                "accepts_wrong_at_most": need.accepts_wrong,
                "judges_in_a_chain": need.chain,
            }
        _print_json(found)
        return
    if measured is not None and worst is not None:
        _show_measured(measured, worst)
    click.echo(f"precision  {ahead.precision:.2%} of the accepted rows are right")
    click.echo(f"yield      {ahead.yield_:.2%} of the generated rows are accepted")
    click.echo(f"recall     {ahead.recall:.2%} of the right rows are accepted")
    click.echo(f"work       {ahead.generated_per_accepted:.2f} generated rows for each accepted one")
    if cost or judge_cost:
        click.echo(f"cost       {ahead.cost_per_accepted:.6g} for each accepted row")
    if rows is not None:
        total = f", {rows * ahead.cost_per_accepted:.6g} in all" if cost or judge_cost else ""
        click.echo(f"{rows:,} rows   {rows / ahead.yield_:,.0f} generated{total}")
    if need is not None:
        click.echo(f"\nTo reach {target:.2%}:")
        if need.likelihood_ratio <= 1:
            click.echo("  no judge is needed: the generator is as good as that by itself.")
        elif not judges:
            click.echo(f"  a judge must accept right rows {need.likelihood_ratio:.4g} times as often as wrong ones.")
        else:
            click.echo(f"  accepts-right must be at least {need.likelihood_ratio:.4g} times accepts-wrong;")
            right = judges[0].accepts_right
            click.echo(f"  with accepts-right {right:g}, accepts-wrong at most {need.accepts_wrong:.4g};")
            click.echo(f"  of judges like the first, {_in_a_chain(need.chain)}.")


def _measured(labels: Path | None, given: tuple[float, ...]) -> Calibration | None:
    """The judge whose labels these are; its rates are measured or given, and not both."""
    if labels is None:
        return None
    from retroweave.judges.calibration import calibrate, read_labels
    from retroweave.pipeline.errors import UserError

    if given:
        raise UserError("--labels measures the judge's rates: leave out --accepts-right and --accepts-wrong.")
    return calibrate(read_labels(labels))


def _show_measured(measured: Calibration, worst: Forecast) -> None:
    """Where the rates come from, what the labels leave open, and what is to be known of them."""
    for name, rate in (("accepts-right", measured.accepts_right), ("accepts-wrong", measured.accepts_wrong)):
        click.echo(f"{name} {rate.value:.1%} of {rate.count} labels, {rate.low:.1%} to {rate.high:.1%}")
    for note in measured.notes:
        click.echo(f"note       {note}")
    click.echo(
        f"at worst   {worst.precision:.2%} of the accepted rows are right, if both rates are as bad as they may be"
    )


def _in_a_chain(count: int | None) -> str:
    return "no number will do" if count is None else f"{count} in a row, if their mistakes are independent"


@cli.command(short_help="Tell from labels how often a judge errs.")
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
        _print_json(found.as_json())
        return
    for line in calibration.describe_calibration(found):
        click.echo(line)
    if plot is not None:
        click.echo(f"\nThe reliability curve is drawn in {plot}.")


@cli.command(short_help="Write a run's samples in another format.")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["messages", "prompt-completion", "sharegpt", "alpaca", "text", "preference", "labelled"]),
    default="messages",
    show_default=True,
)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A .jsonl or .parquet file.")
@click.option("--split", type=click.Choice(["train", "validation"]), help="One side only; both if left out.")
@click.option("--separator", default="<|end|>", show_default=True, help="What ends each turn in the text format.")
def export(run_dir: Path, form: str, to: Path, split: str | None, separator: str) -> None:
    """Write a finished run's samples in another format.

    preference and labelled hold what models answered and judges accepted and rejected, as preference trainers read it.
    """
    from retroweave.export.formats import export_samples

    made = export_samples(run_dir, form, to, split=split, separator=separator)
    click.echo(f"{made.rows:,} rows of {form} in {to}.")
    for note in made.notes:
        click.echo(note)


@cli.command("lint", short_help="Look for what a set teaches besides its task.")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def lint_(run_dir: Path, as_json: bool) -> None:
    """Look for what a finished set would teach besides its task. Ends with 1 where there is a warning."""
    from dataclasses import asdict

    from retroweave.export.dataset import read_samples
    from retroweave.quality.lint import lint

    findings = lint(read_samples(run_dir))
    if as_json:
        _print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.severity}: {finding.lint}: {finding.message}")
        if not findings:
            click.echo("No bad habit found.")
    if any(finding.severity == "warning" for finding in findings):
        sys.exit(1)


@cli.command(short_help="Write a recipe file to begin from.")
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(), help="Where to write it.")
def new(name: str, folder: Path) -> None:
    """Write a recipe file of your own that runs as it is, to be changed."""
    from retroweave.starter import write_starter

    path = write_starter(name, folder)
    click.echo(f"Wrote {path}. Look at it with:")
    click.echo(f"  retroweave check {path}")
    click.echo(f"  retroweave try {path} --rows 3")
    click.echo(f"  retroweave run {path} --rows 20 --out out-{path.stem}")


def _print_json(value: Any) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
