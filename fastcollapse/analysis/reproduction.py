"""Reproduction of figures: recipes run in memory or into a folder, with one line of agreement each."""

import copy
import dataclasses
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcollapse.analysis.agreement import Agreement, agreement_of, total_agreement
from fastcollapse.analysis.panels.published import recipe_words
from fastcollapse.analysis.panels.text import counted
from fastcollapse.config.output_paths import RESULTS, make_output_folder
from fastcollapse.datasets.load import load_truth
from fastcollapse.datasets.recipe_files import find_shipped
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.recipe_plan import plan_recipe
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.sweeps.precompile import precompile

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Reproduction:
    """The results of a recipe.

    Parameters
    ----------
    name : of the recipe.
    cases : the results, one for each case.
    compile_seconds : duration of compiling the kernels of the recipe, or of loading them.
    seconds : duration of the simulation of all cases, without compiling; that of earlier results is
        read off their files.
    agreements : the agreement of each panel of all cases.
    """

    name: str
    cases: Sequence[RecordedRun]
    compile_seconds: float
    seconds: float
    agreements: Sequence[Agreement]

    @property
    def agrees(self) -> bool | None:
        """Whether all scores agree with theory: False if one does not, None if no point has a score."""
        if any(agreement.disagrees for agreement in self.agreements):
            return False
        return True if any(agreement.n_scores for agreement in self.agreements) else None

    def plot(self, *, width: str | float | None = None, style: str = "screen", title: str | None = None) -> "Figure":
        """Return the figure; parameters as in `Results.plot`."""
        from fastcollapse.analysis.figures import Look, draw  # imports Matplotlib

        return draw(self.cases, look=Look(style, width, title))

    def caption(self) -> str:
        """Return the caption of the figure."""
        from fastcollapse.analysis.captions import caption_of  # imports Matplotlib
        from fastcollapse.analysis.figure_plots import plots_of_figure

        return caption_of(plots_of_figure(self.cases))

    def __str__(self) -> str:
        return self.line()

    def __repr__(self) -> str:
        return f"<Reproduction of {self.name}: {self.line()}>"

    def line(self) -> str:
        """Return one line: title, parameters, agreement, time."""
        results = self.cases[0]
        words = recipe_words(self.cases)
        run = f"{counted(results.last, 'generation')} x {counted(results.n_replicates, 'replicate')}"
        n_cases = f"{counted(len(self.cases), 'case')} x " if len(self.cases) > 1 else ""
        title = words.changed_title if words is not None else ""
        time = f"{self.seconds:.2f} s after {self.compile_seconds:.2f} s of compiling"
        return f"{self.name}: {title}; {n_cases}{run}; {total_agreement(self.agreements)}; {time}"


def reproduce(
    names: Sequence[str], values: Mapping[str, Any] | None = None, keep: str | Path | None = None
) -> Iterator[Reproduction]:
    """Run recipes and yield the results of each.

    Parameters
    ----------
    names : of recipes; none for all recipes.
    values : values of the experiments by dotted key, in place of those of the recipes, whose cases must not set them.
    keep : folder of the results files, NAME.h5 or NAME-case1.h5, ..., of which those that are finished are not run
        again; by default results are kept in memory.

    Raises
    ------
    InputError
        A name is not that of a recipe, or a recipe refuses a value; before anything runs. Or a file in the folder is
        that of another experiment.
    """
    experiments = recipe_experiments(names or list(recipes()), values)
    folder = None if keep is None else Path(keep)
    if folder is not None:
        make_output_folder(folder)
    return (_reproduction(name, experiment, folder) for name, experiment in experiments.items())


def recipe_experiments(names: Sequence[str], values: Mapping[str, Any] | None = None) -> dict[str, Experiment]:
    """Return the experiments of recipes by name; see `reproduce`."""
    experiments = {}
    for name in names:
        find_shipped(name, "recipe")
        try:
            experiments[name] = load_experiment(name, values)
        except InputError as error:
            raise InputError(f"{name}: {error}" if len(names) > 1 else str(error)) from error
    return experiments


def _reproduction(name: str, experiment: Experiment, keep: Path | None) -> Reproduction:
    plans: Iterable[RunPlan] = _plans(experiment)
    if keep is not None:
        plans = plan_recipe(experiment, keep / f"{name}{RESULTS[0]}", "resume")[1]
    is_finished = keep is not None and all(plan.is_finished for plan in plans)
    cases, seconds, compile_seconds = [], 0.0, 0.0 if is_finished else _compile(experiment)
    for plan in plans:
        start = time.perf_counter()
        results = execute(plan)
        seconds += _recorded_seconds(results) if plan.is_finished else time.perf_counter() - start
        cases.append(with_text(results, experiment.text))
    agreements = [agreement for results in cases for agreement in agreement_of(results)]
    return Reproduction(name, cases, compile_seconds, seconds, agreements)


def _plans(experiment: Experiment) -> Iterator[RunPlan]:
    """Yield the plan of each case in memory. Cases with the same truth load it once."""
    truth, truth_spec = None, None
    for case in experiment.cases():
        if truth_spec != case.truth:
            truth, truth_spec = load_truth(case.truth, case.base), case.truth
        yield plan_run(case, truth=truth)


def _recorded_seconds(results: RecordedRun) -> float:
    """Return the time between the start of a finished run and its last commit, to a second."""
    assert results.path is not None
    created = datetime.fromisoformat(results.provenance["created"])
    return max(results.path.stat().st_mtime - created.timestamp(), 0.0)


def with_text(results: RecordedRun, text: str) -> RecordedRun:
    """Return results with the present text of their recipe: title and note may have changed since they were written."""
    reader = copy.copy(results.reader)
    reader.header = dataclasses.replace(reader.header, experiment_text=text)
    return RecordedRun(reader)


def _compile(experiment: Experiment) -> float:
    """Compile or load the kernels of a recipe by short runs, and return the duration in seconds."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run itself warns
        precompile(experiment.cases())
    return time.perf_counter() - start
