"""The contract of the panels of a model family."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# (results, int64[B] generations, options of the recipe) -> one panel, or the curves of one or more plots.
Maker = Callable[[RecordedRun, np.ndarray, Mapping[str, Any]], Panel | Sequence[Panel]]


class Scatter(NamedTuple):
    """Two estimates of each replicate, drawn against each other.

    Parameters
    ----------
    x, y : float64[R].
    x_label, y_label : names of the estimates.
    truth : the true values of x and y.
    """

    x: np.ndarray
    y: np.ndarray
    x_label: str
    y_label: str
    truth: tuple[float, float]


class FamilyPanels:
    """The panels of a model family, and the hooks that reports and figures call.

    A module of this folder that is named after a family offers an instance as `PANELS`. A family with further hooks
    extends this class.

    Parameters
    ----------
    panels : name -> function that makes the panel.
    default : names of the panels that are shown without a recipe.
    no_theory : why a panel without theory has none.
    no_median : why medians are shown, which have no theory.
    staged : as `panels`, for runs whose schedule is not plain: with weights, windows, shares or maps. The theory of
        `panels` does not hold for them, so that no other function sees such a run.
    sampled : in place of `staged` for runs with maps; by default the same.
    sources : statements of papers that the panels draw upon.
    """

    def __init__(
        self,
        panels: Mapping[str, Maker],
        default: tuple[str, ...],
        no_theory: str = "no theory of it is available",
        no_median: str = "infinite moments, and no exact median is known",
        staged: Mapping[str, Maker] | None = None,
        sampled: Mapping[str, Maker] | None = None,
        sources: Sequence[Statement] = (),
    ) -> None:
        self.panels = panels
        self.default = default
        self.no_theory = no_theory
        self.no_median = no_median
        self.staged = staged or {}
        self.sampled = self.staged if sampled is None else sampled
        self.sources = sources

    def makers(self, results: RecordedRun) -> Mapping[str, Maker]:
        """Return the functions that make the panels of a run, by name."""
        schedule = schedule_of(results)
        if schedule.is_plain:
            return self.panels
        return self.staged if schedule.sampling is None else self.sampled

    def default_names(self, results: RecordedRun) -> tuple[str, ...]:
        """Return the names of the panels of a run without a recipe.

        Of a staged run they are the default ones of plain runs, and those that plain runs do not have; of a run with
        maps of its own they are all.
        """
        makers = self.makers(results)
        if makers is self.panels:
            return self.default
        if makers is not self.staged:
            return tuple(makers)
        return tuple(name for name in makers if name in self.default or name not in self.panels)

    def statements(self, results: RecordedRun) -> list[Statement]:
        """Return the statements that the panels of a run draw upon: those of its recipe, or the default ones."""
        recipe = results.recipe
        shown = recipe.panels if recipe is not None and recipe.panels else self.default_names(results)
        return [one for one in self.sources if set(one.panels) & set(shown) and one.holds(results)]

    def check_names(self, names: Sequence[str]) -> None:
        """Refuse names of panels that the family does not have.

        Raises
        ------
        InputError
            With the panels that it has.
        """
        every = {**self.panels, **self.staged, **self.sampled}
        for name in names:
            if name not in every:
                known = ", ".join(every)
                raise InputError(f"recipe.panels must be of {known}, got {name!r}{nearest(name, every)}")

    def why_no_bounds(self, results: RecordedRun) -> str:
        """Return why a panel of a run has neither bounds nor an exact expectation."""
        return self.no_theory

    def throughput(self, results: RecordedRun) -> tuple[float, str] | None:
        """Return how many units a run has processed, and the name of the unit; None without such a unit."""
        return None

    def describe_truth(self, results: RecordedRun) -> str:
        """Return the truth of a run in words, for the summary and the title of a figure."""
        return results.experiment.truth.source

    def summary_tables(self, results: RecordedRun) -> list[str]:
        """Return further tables of the summary of a run without a recipe, of a plain schedule."""
        return []

    def draw_second_plot(self, axes: "Axes", results: RecordedRun) -> bool:
        """Draw a plot in place of the second panel of a run without a recipe, of a plain schedule.

        Returns whether it was drawn.
        """
        return False

    def scatter(self, results: RecordedRun) -> Scatter | None:
        """Return the points of the figure of a recipe whose only panel is `scatter`."""
        return None
