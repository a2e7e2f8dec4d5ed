"""Reproduction of published figures: recipes run in memory, with one line of agreement each."""

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastcollapse.analysis.agreement import Agreement, agreement_of, total_agreement
from fastcollapse.analysis.panels.text import counted
from fastcollapse.datasets.load import load_truth
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.sweeps.precompile import precompile


@dataclass(frozen=True, eq=False)
class Reproduction:
    """The results of a recipe.

    Parameters
    ----------
    name : of the recipe.
    cases : the results, one for each case.
    compile_seconds : duration of compiling the kernels of the recipe, or of loading them.
    seconds : duration of the simulation of all cases, without compiling.
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

    def line(self) -> str:
        """Return one line: title, parameters, agreement, time."""
        results = self.cases[0]
        recipe = results.recipe
        run = f"{counted(results.last, 'generation')} x {counted(results.n_replicates, 'replicate')}"
        n_cases = f"{counted(len(self.cases), 'case')} x " if len(self.cases) > 1 else ""
        title = recipe.title if recipe is not None else ""
        time = f"{self.seconds:.2f} s after {self.compile_seconds:.2f} s of compiling"
        return f"{self.name}: {title}; {n_cases}{run}; {total_agreement(self.agreements)}; {time}"


def reproducible() -> dict[str, Path]:
    """Return the recipes of published figures, by name.

    Examples
    --------
    >>> "sur-bern" in reproducible()
    True
    """
    published = {}
    for name, path in recipes().items():
        recipe = Experiment.from_toml(path).recipe
        if recipe is not None and recipe.source is not None:
            published[name] = path
    return published


def recipe_path(name: str) -> Path:
    """Return the file of a recipe.

    Raises
    ------
    InputError
        There is no recipe of this name.
    """
    known = recipes()
    if name not in known:
        raise InputError(f"recipe must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}")
    return known[name]


def reproduce(names: Sequence[str]) -> Iterator[Reproduction]:
    """Run recipes in memory and yield the results of each.

    Parameters
    ----------
    names : of recipes; none for all recipes of published figures.

    Raises
    ------
    InputError
        A name is not that of a recipe.
    """
    paths = {name: recipe_path(name) for name in names} or reproducible()
    for name, path in paths.items():
        experiment = Experiment.from_toml(path)
        cases, seconds, compile_seconds = [], 0.0, _compile(experiment)
        truth, truth_spec = None, None
        for case in experiment.cases():
            if truth_spec != case.truth:
                truth, truth_spec = load_truth(case.truth, case.base), case.truth
            start = time.perf_counter()
            cases.append(execute(plan_run(case, truth=truth)))
            seconds += time.perf_counter() - start
        agreements = [agreement for results in cases for agreement in agreement_of(results)]
        yield Reproduction(name, cases, compile_seconds, seconds, agreements)


def _compile(experiment: Experiment) -> float:
    """Compile or load the kernels of a recipe by short runs, and return the duration in seconds."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run itself warns
        precompile(experiment.cases())
    return time.perf_counter() - start
