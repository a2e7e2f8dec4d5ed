"""The grid of sample sizes and ridges of the downstream fit, and the plots over its axes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import GENERATION, Axis, Panel
from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun

SAMPLES = Axis("T", "samples $T$ of the downstream fit")
RIDGE = Axis("lambda", r"ridge $\lambda$ of the downstream fit")
EXPONENT = Axis("l", r"exponent $\ell$ of the ridge $\lambda = T^{-\ell}$", log=False)
# The most plots side by side.
MOST_PLOTS = 3


@dataclass(frozen=True, eq=False)
class Grid:
    """The axes of the metrics of the downstream fit.

    Parameters
    ----------
    generations : int64 [n], those that were evaluated.
    samples : int64 [M], numbers of rows.
    values : float64 [L], ridges, or exponents l of ridges T^-l.
    ridge : float64 (M, L), the ridges themselves.
    exponents : whether the values are exponents.
    shares : float64 [P], shares of synthetic samples, or None for a run without them.
    """

    generations: np.ndarray
    samples: np.ndarray
    values: np.ndarray
    ridge: np.ndarray
    exponents: bool
    shares: np.ndarray | None = None

    @property
    def ridge_axis(self) -> Axis:
        """The axis of the values."""
        return EXPONENT if self.exponents else RIDGE

    def ridge_name(self, i: int) -> str:
        """Return a ridge of the grid in words."""
        value = f"{self.values[i]:.3g}"
        return rf"$\lambda = T^{{-{value}}}$" if self.exponents else rf"$\lambda$ = {value}"

    def place(self, t: Any, m: Any, i: Any, share: int = -1) -> tuple[Any, ...]:
        """Return a place in the metrics: generation, samples, share of synthetic ones if the run has it, ridge."""
        return (t, m, i) if self.shares is None else (t, m, share, i)

    def share_places(self, most: int = 6) -> list[int]:
        """Return the places of the shares to show; one for a run without them."""
        return [-1] if self.shares is None else thin(np.arange(len(self.shares)), most).tolist()

    def share_name(self, share: int) -> str:
        """Return a share of the grid in words; "" for a run without them."""
        return "" if self.shares is None else f"synthetic share {self.shares[share]:.3g}"

    def curves(self, m: Any, i: Any) -> list["GridCurve"]:
        """Return a curve for each generation, or of the last one for each share of synthetic samples."""
        if self.shares is None:
            return [GridCurve(f"$t$ = {t:,}", (t, m, i)) for t in thin(self.generations)]
        t = int(self.generations[-1])
        return [GridCurve(self.share_name(share), self.place(t, m, i, share)) for share in self.share_places()]

    def words(self) -> str:
        """Return the generation that labels the synthetic samples of all curves, in words; "" without a choice."""
        return f", $t$ = {self.generations[-1]:,}" if self.shares is not None and len(self.generations) > 1 else ""


@cached_by_results
def grid_of(results: RecordedRun) -> Grid:
    """Return the grid of a run.

    Raises
    ------
    KeyError
        The run has no test error.
    """
    error = results.metrics["test_error"]
    rows_name, *share_name, ridge_name = results.variables["test_error"].dims
    samples, values = (np.asarray(results.coordinates[name].values) for name in (rows_name, ridge_name))
    exponents = ridge_name == "exponent"
    ridge = (
        samples[:, None].astype(float) ** -values if exponents else np.broadcast_to(values, (len(samples), len(values)))
    )
    generations = np.flatnonzero(~np.isnan(error[0]).all(axis=tuple(range(1, error.ndim - 1))))
    shares = np.asarray(results.coordinates[share_name[0]].values) if share_name else None
    return Grid(generations, samples, values, ridge, exponents, shares)


def thin(values: np.ndarray, most: int = 6) -> np.ndarray:
    """Return at most `most` of the values, evenly spread from the first to the last.

    Examples
    --------
    >>> thin(np.arange(100), 4)
    array([ 0, 33, 66, 99])
    """
    return values[np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).astype(int))]


def chosen(values: np.ndarray, options: Mapping[str, Any], key: str, most: int) -> list[int]:
    """Return the places in `values` that a recipe gives under `key`, by default at most `most`: the middle one of one.

    Raises
    ------
    InputError
        A value of the recipe is not in the grid.

    Examples
    --------
    >>> grid = np.array([0.1, 1.0, 10.0])
    >>> chosen(grid, {}, "ridge", 1), chosen(grid, {"ridge": [10.0]}, "ridge", 1)
    ([1], [2])
    """
    if options.get(key) is None:
        return [len(values) // 2] if most == 1 else thin(np.arange(len(values)), most).tolist()
    places = []
    for value in options[key]:
        near = np.flatnonzero(np.isclose(values, value, rtol=1e-6, atol=0))
        if not near.size:
            raise InputError(f"recipe.{key} must be in the grid of the run, got {value:g}")
        places.append(int(near[0]))
    return places


class GridCurve(NamedTuple):
    """A curve of a plot: its name, its place in the metrics, see `Grid.place`, and its part of the error."""

    group: str
    where: tuple[Any, ...]
    part: str = "error"


# (results, title, axis, curves) -> the panels of one plot.
Plotter = Callable[[RecordedRun, str, Axis, Sequence[GridCurve]], list[Panel]]


def points_of(grid: Grid, curve: GridCurve, axis: Axis) -> np.ndarray:
    """Return the points of a curve along an axis."""
    return {SAMPLES: grid.samples, GENERATION: np.asarray(curve.where[0])}.get(axis, grid.values)


def plots_over_ridge(results: RecordedRun, options: Mapping[str, Any], name: str, plot: Plotter) -> list[Panel]:
    """Return panels over the ridge: curves of generations or shares, a plot for each number of samples."""
    grid, panels = grid_of(results), list[Panel]()
    for m in chosen(grid.samples, options, "samples", MOST_PLOTS):
        title = f"{name}, $T$ = {grid.samples[m]:,}{grid.words()}"
        panels += plot(results, title, grid.ridge_axis, grid.curves(m, slice(None)))
    return panels


def plots_over_samples(results: RecordedRun, options: Mapping[str, Any], name: str, plot: Plotter) -> list[Panel]:
    """Return panels over the number of samples: curves of generations or shares, a plot for each ridge."""
    grid, panels = grid_of(results), list[Panel]()
    for i in chosen(grid.values, options, "ridge", MOST_PLOTS):
        title = f"{name}, {grid.ridge_name(i)}{grid.words()}"
        panels += plot(results, title, SAMPLES, grid.curves(slice(None), i))
    return panels
