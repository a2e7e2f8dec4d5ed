"""Recipes run as a whole: their cases one after the other, a figure, and one line of what came out."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastcollapse.analysis.agreement import Verdict, agreement, verdicts
from fastcollapse.analysis.tables import counted
from fastcollapse.datasets.load import load_truth
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.results import Results
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.simulate import execute


@dataclass(frozen=True, eq=False)
class Reproduction:
    """What came out of a recipe.

    Parameters
    ----------
    name : of the recipe.
    cases : the results, one for each case.
    seconds : what the simulation of all cases took.
    found : the verdicts of all cases.
    """

    name: str
    cases: Sequence[Results]
    seconds: float
    found: Sequence[Verdict]

    @property
    def agrees(self) -> bool:
        """Does no score disagree with theory?"""
        return not any(one.far for one in self.found)

    def line(self) -> str:
        """Return one line: what, parameters, agreement, time."""
        results = self.cases[0]
        recipe = results.recipe
        run = f"{counted(results.last, 'generation')} x {counted(results.n_replicates, 'replicate')}"
        n_cases = f"{counted(len(self.cases), 'case')} x " if len(self.cases) > 1 else ""
        title = recipe.title if recipe is not None else ""
        return f"{self.name}: {title}; {n_cases}{run}; {agreement(self.found)}; {self.seconds:.2f} s"


def reproducible() -> dict[str, Path]:
    """Return the recipes that redo a published figure, by name.

    Examples
    --------
    >>> "sur-bern" in reproducible()
    True
    """
    found = {}
    for name, path in recipes().items():
        recipe = Experiment.from_toml(path).recipe
        if recipe is not None and recipe.source is not None:
            found[name] = path
    return found


def reproduce(names: Sequence[str], started: Callable[[str], None] | None = None) -> Iterator[Reproduction]:
    """Run recipes in memory and yield what came out of each.

    Parameters
    ----------
    names : of recipes; none for all that redo a published figure.
    started : called with the name before each.

    Raises
    ------
    InputError
        There is no such recipe.
    """
    known = recipes()
    for name in names:
        if name not in known:
            raise InputError(f"recipe must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}")
    for name in names or reproducible():
        if started is not None:
            started(name)
        experiment = Experiment.from_toml(known[name])
        cases, seconds = [], 0.0
        truth, truth_spec = None, None
        for case in experiment.cases():
            if truth_spec != case.truth:
                truth, truth_spec = load_truth(case.truth, case.base), case.truth
            start = time.perf_counter()
            cases.append(execute(plan_run(case, truth=truth)))
            seconds += time.perf_counter() - start
        yield Reproduction(name, cases, seconds, [one for results in cases for one in verdicts(results)])
