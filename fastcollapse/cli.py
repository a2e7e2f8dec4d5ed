"""The commands; what needs NumPy or Numba is imported inside them, so that `--help` answers at once."""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastcollapse import __version__
from fastcollapse.errors import FastcollapseError, InputError, nearest

if TYPE_CHECKING:
    from fastcollapse.experiment import Experiment
    from fastcollapse.results import Results

MAIN_RECIPE = "wikitext2-unigram"
_FIGURE_SUFFIX = ".png"
_FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


class _Commands(click.Group):
    """Report every expected failure in one line: 2 bad input, 1 anything else, 130 Ctrl-C, 143 SIGTERM."""

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        warnings.showwarning = _warn
        try:
            status: Any = super().main(*args, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            status = 0
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "fastcollapse"
            status = _fail(f"{error.format_message()} ({path} --help explains)", 2)
        except InputError as error:
            status = _fail(str(error), 2)
        except (FastcollapseError, click.ClickException) as error:
            status = _fail(str(error), 1)
        except MemoryError as error:
            status = _fail(f"not enough memory: {error}", 1)
        except _Interrupted as error:
            status = _fail(str(error), error.status)
        except (click.Abort, KeyboardInterrupt):
            status = _fail("interrupted", 130)
        sys.exit(status if isinstance(status, int) else 0)


class _Interrupted(Exception):
    """Ctrl-C or SIGTERM, with what is left of the work."""

    def __init__(self, message: str, stopped: BaseException) -> None:
        super().__init__(message)
        self.status = getattr(stopped, "status", 130)


class _AfterRun(FastcollapseError):
    """The run is finished and kept, but what comes after it failed."""


class _WithParameters(click.Command):
    """Print the keys of an experiment at the end of the help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from fastcollapse.experiment import parameters  # start-up time

        with formatter.section("Keys of FILE.toml and --set"):
            formatter.write_dl([(p.key, f"{p.help}; {p.kind} [{p.default}]") for p in parameters()], col_max=28)


def _warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    click.echo(f"warning: {message}", err=True)


def _fail(message: str, status: int) -> int:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    return status


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 failed or not as theory says, 2 bad input, 130 Ctrl-C, 143 SIGTERM.",
)
@click.version_option(__version__, prog_name="fastcollapse")
def main() -> None:
    """Simulate recursive training: a model is fitted, writes the next data set, and is fitted again."""


_threads = click.option(
    "--threads", type=int, metavar="N", help="Threads; all cores by default. Never changes a number."
)


@main.command(cls=_WithParameters)
@click.argument("what", metavar="[RECIPE|FILE.toml]", default=MAIN_RECIPE)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value, as run.n_generations=200.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file; by default results/NAME.h5, or the next free name.",
)
@_threads
@click.option("--seed", metavar="N", help="Seed, 0 to 2^64-1; the same as --set run.seed=N.")
def run(what: str, settings: Sequence[str], output: Path | None, threads: int | None, seed: str | None) -> None:
    """Run an experiment, print a summary and write results and a figure.

    Without an argument this is the main job: the recipe wikitext2-unigram.

    \b
    fastcollapse run
    fastcollapse run my.toml --set run.n_replicates=10 -o results/mine.h5
    """
    cases = _load(what, settings, seed).cases()
    wanted = output or Path("results") / f"{Path(what).stem}.h5"
    chosen = wanted if output else _free(wanted, len(cases))
    outputs = [_new_output(path) for path in _outputs(chosen, len(cases))]
    figure = _free(chosen.with_suffix(_FIGURE_SUFFIX))
    from fastcollapse.datasets import load_truth

    truths = [load_truth(case.truth, case.base) for case in cases]
    for case, truth in zip(cases, truths, strict=True):
        case.workflow.schedule(case.run.n_generations, truth.total)
    from fastcollapse.interrupts import Interrupts
    from fastcollapse.simulation import simulate, use_threads

    use_threads(threads)
    if chosen != wanted:
        click.echo(f"{wanted} exists already; writing {chosen}", err=True)
    clock = _Clock()
    done: list[Results] = []
    held = f"{chosen} holds" if len(cases) == 1 else f"{outputs[0]} to {outputs[-1]} hold"

    def left() -> str:
        if len(done) == len(cases):
            return f"interrupted, {held} the finished run"
        return _kept(outputs[len(done)])

    try:
        with Interrupts((signal.SIGINT, signal.SIGTERM), left, lambda: f"interrupted, see {outputs[-1]}") as interrupts:
            with _progress(sum(case.run.n_generations for case in cases)) as progress:
                clock.progress = progress
                for case, truth, path in zip(cases, truths, outputs, strict=True):
                    run_one = simulate(case, path, truth=truth, threads=threads, progress=clock, interrupts=interrupts)
                    done.append(run_one)
            text = _figure_and_summary(done, clock.elapsed(), outputs, figure, held)
    except KeyboardInterrupt as stopped:
        raise _Interrupted(left(), stopped) from None
    click.echo(f"{text}\n\n{clock.first_block()}")


def _figure_and_summary(
    done: Sequence["Results"], elapsed: float, outputs: Sequence[Path], figure: Path, held: str
) -> str:
    """Draw the figure of finished runs and return their summary."""
    try:
        from fastcollapse.plots import save_figure
        from fastcollapse.report import summary

        save_figure(done, figure)
        return summary(done, elapsed, [*outputs, figure])
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        message = f"{held} the finished run, but its figure or summary failed: {reason}"
        raise _AfterRun(message) from error


class _Clock:
    """Time a run, and its first block apart: that one may have compiled the kernels.

    It takes the place of the progress, which it passes on.
    """

    def __init__(self) -> None:
        self.progress: Callable[[int], None] | None = None
        self._start = time.perf_counter()
        self._first = self._n_first = self._n_done = 0.0

    def __call__(self, n: int) -> None:
        if not self._n_done:
            self._first, self._n_first = self.elapsed(), n
        self._n_done += n
        if self.progress is not None:
            self.progress(n)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._start

    def first_block(self) -> str:
        """Return what the first block took, as a sentence."""
        return (
            f"The time includes compiling, where it was needed: the first {self._n_first:.0f} of "
            f"{self._n_done:,.0f} generations took {self._first:.2f} s"
        )


def _kept(output: Path) -> str:
    from fastcollapse.results import open_results
    from fastcollapse.storage.workplace import parts_folder

    parts = parts_folder(output)
    if not parts.exists():
        return "interrupted, nothing was written"
    return (
        f"interrupted, {parts} keeps generations 0 to {open_results(output).last:,}: "
        f"fastcollapse info {output} shows them"
    )


def _load(what: str, settings: Sequence[str], seed: str | None) -> "Experiment":
    from fastcollapse.datasets import recipes
    from fastcollapse.experiment import Experiment, parse_setting

    known = recipes()
    if what in known:
        path = known[what]
    elif what.endswith(".toml") or "/" in what or Path(what).is_file():
        path = Path(what)
    else:
        raise InputError(
            f"recipe must be one of {', '.join(known)}, or a .toml file, got {what!r}{nearest(what, known)}"
        )
    values = dict(parse_setting(setting) for setting in settings)
    if seed is not None:
        values["run.seed"] = parse_setting(f"run.seed={seed}")[1] if seed else seed
    experiment = Experiment.from_toml(path)
    recipe = experiment.recipe
    for key in values:
        if key.partition(".")[0] == "recipe":
            raise InputError(f"{key} must be changed in the file: a copy of {path} is an experiment file too")
        for case in recipe.cases or () if recipe is not None else ():
            if any(key == named or key.startswith(f"{named}.") or named.startswith(f"{key}.") for named in case):
                raise InputError(f"{key} must be left to the cases of the recipe; copy {path} to change them")
    experiment = experiment.with_values(values) if values else experiment
    _check_panels(experiment)
    return experiment


def _check_panels(experiment: "Experiment") -> None:
    """Refuse panels that the family does not have before anything runs."""
    if experiment.recipe is None or experiment.recipe.panels is None:
        return
    from fastcollapse.views.base import check_panels, view_named

    view = view_named(experiment.family)
    if view is not None:
        check_panels(view, experiment.recipe.panels)


def _new_output(output: Path) -> Path:
    """Return the path of the results, refused unless it is new and its folder can be written."""
    if output.name in ("", ".."):
        raise InputError(f"output must be the name of a new file, got {str(output)!r}")
    if output.suffix.lower() in _FIGURE_SUFFIXES:
        raise InputError(
            f"output must not end in {', '.join(_FIGURE_SUFFIXES)}, got {output}: "
            "the figure is written beside the results"
        )
    for taken in (output, output.with_name(output.name + ".parts")):
        if os.path.lexists(taken):
            raise InputError(
                f"output must be a new file, got {output}: {taken} exists, choose another name or remove it"
            )
    folder = next(parent for parent in output.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"output must be in a folder that can be written, got {output}: {folder} is not one")
    return output


def _outputs(path: Path, n_cases: int) -> list[Path]:
    """Return the results files of a run: the path, or one for each case, -case1, -case2, ... before its ending."""
    if n_cases == 1:
        return [path]
    return [path.with_name(f"{path.stem}-case{k}{path.suffix}") for k in range(1, n_cases + 1)]


def _free(path: Path, n_cases: int = 0) -> Path:
    """Return the path, or with -2, -3, ... before its ending the first that does not exist.

    With a number of cases: nor do their files, the figure and the parts that belong to them.
    """

    def taken(candidate: Path) -> bool:
        files = _outputs(candidate, n_cases) if n_cases else [candidate]
        others = [candidate.with_suffix(_FIGURE_SUFFIX), *(one.with_name(one.name + ".parts") for one in files)]
        return any(os.path.lexists(one) for one in (*files, *(others if n_cases else ())))

    candidate, number = path, 1
    while taken(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


@contextmanager
def _progress(n_generations: int) -> Iterator[Callable[[int], None] | None]:
    """Yield what counts generations on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=n_generations, unit=" generations", leave=False, dynamic_ncols=True) as bar:
        bar.set_description("starting (a first run compiles for half a minute)")

        def advance(n: int) -> None:
            bar.set_description("simulating")
            bar.update(n)

        yield advance


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def info(file: Path) -> None:
    """Show what a results FILE holds, finished or not."""
    from fastcollapse.report import contents
    from fastcollapse.results import open_results

    click.echo(contents(open_results(file)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FIGURE",
    help="A new .png, .pdf or .svg; by default beside FILE, or the next free name.",
)
def plot(file: Path, output: Path | None) -> None:
    """Draw the figure of a results FILE: survival, and forgetting times or heterozygosity, with theory."""
    from fastcollapse.plots import save_figure
    from fastcollapse.results import open_results

    results = open_results(file)
    if results.last < 1:
        raise InputError(f"a figure must have at least one finished generation, got none in {file}")
    figure = output or _free(file.with_suffix(_FIGURE_SUFFIX))
    save_figure(results, figure)
    click.echo(figure)


@main.command()
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENT=VALUE]...")
def theory(name: str | None, arguments: Sequence[str]) -> None:
    """Evaluate a closed form, a bound or an exact law.

    Without NAME all functions are listed, without arguments NAME is explained. A value is a number, a list
    (1,10,100) or a range of whole numbers (1..10).

    \b
    fastcollapse theory survival_bounds p0=0.01 n=100 k=1..5
    fastcollapse theory forgetting_quantile c=1,10,100 q=0.5
    """
    from fastcollapse.formulas import catalogue, evaluate, explain

    click.echo(evaluate(name, arguments) if name and arguments else explain(name) if name else catalogue())


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def compare(file: Path) -> int:
    """Compare a results FILE with its theory as z-scores.

    Heterozygosity has an exact expectation in every workflow; the surviving share has sharp bounds, or exact
    values, under plain resampling. Up to 10 generations are compared. Exit status 1 if any |z| is above 5.
    """
    from fastcollapse.report import comparison
    from fastcollapse.results import open_results

    results = open_results(file)
    if results.n_replicates < 2:
        raise InputError(f"run.n_replicates must be at least 2 to compare, got {results.n_replicates} in {file}")
    if results.last < 1:
        raise InputError(f"a comparison must have at least one finished generation, got none in {file}")
    text, agree = comparison(results)
    click.echo(text)
    return 0 if agree else 1


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@_threads
def replay(file: Path, threads: int | None) -> int:
    """Run the experiment recorded in FILE again, in memory, and check every number bit for bit.

    Exit status 1 if any number differs.
    """
    from fastcollapse.results import open_results

    results = open_results(file)
    from fastcollapse.replay import replay as run_again

    with _progress(results.experiment.run.n_generations) as progress:
        found = run_again(results, threads, progress)
    if found.same:
        click.echo(f"identical, bit for bit: {', '.join(found.same)}")
    for line in found.different:
        click.echo(f"different: {line}")
    for line in found.versions:
        click.echo(f"not as recorded: {line}")
    return 1 if found.different else 0


@main.command()
@click.argument("names", nargs=-1, metavar="[RECIPE]...")
@click.option("--all", "everything", is_flag=True, help="Every recipe that redoes a published figure.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw the figures into this folder, new ones only.",
)
def reproduce(names: Sequence[str], everything: bool, output: Path | None) -> int:
    """Run recipes and say in one line each: what, parameters, agreement with exact theory, time.

    Exit status 1 if any |z| is above 5.

    \b
    fastcollapse reproduce --all
    fastcollapse reproduce sur-bern sur-gau -o figures
    """
    if bool(names) == everything:
        raise InputError("reproduce must be given names of recipes or --all, and not both")
    from fastcollapse.catalogue import reproduce as run_all
    from fastcollapse.catalogue import reproducible

    wanted = list(names) or list(reproducible())
    for name in wanted if output is not None else []:
        if os.path.lexists(output / f"{name}{_FIGURE_SUFFIX}"):  # type: ignore[operator]
            raise InputError(f"output must be a folder without {name}{_FIGURE_SUFFIX}, got {output}")
    all_agree, seconds = True, 0.0
    for one in run_all(wanted):
        click.echo(one.line())
        all_agree, seconds = all_agree and one.agrees, seconds + one.seconds
        if output is not None:
            from fastcollapse.plots import save_figure

            save_figure(one.cases, output / f"{one.name}{_FIGURE_SUFFIX}")
    click.echo(
        f"{len(wanted)} recipes, {seconds:.2f} s of simulation" + ("" if output is None else f", figures in {output}")
    )
    return 0 if all_agree else 1


@main.command()
def recipes() -> None:
    """List the experiments that come with the project."""
    from fastcollapse.datasets import describe_recipe
    from fastcollapse.datasets import recipes as known

    names = known()
    width = max(map(len, names))
    for name, path in names.items():
        click.echo(f"{name.ljust(width)}  {describe_recipe(path)}")
