"""Quantities of a run beside their theory: curves with z-scores, and the panels that tables and figures show."""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from scipy.special import ndtri, stdtr

from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.results import Results

# Bounds closer than this many standard errors are taken for the exact value.
_CLOSE = 0.1
# A sample standard deviation says little about a mean that rests on fewer rare events than this.
EVENTS = 20

Value = TypeVar("Value")


Maker = Callable[[Results, np.ndarray, Mapping[str, Any]], Panel | Sequence[Panel]]


class View(Protocol):
    """What a module of this folder offers for the family of its name.

    PANELS: name -> function of (results, int64[B] generations, options of the recipe): a panel, or the curves of plots.
    DEFAULT: the names that are shown without a recipe.
    """

    PANELS: Mapping[str, Maker]
    DEFAULT: tuple[str, ...]


def panels_of(results: Results, generations: np.ndarray, names: Sequence[str] = ()) -> list[Panel]:
    """Return the panels of a run, by default those of its recipe, or else those of its family.

    Raises
    ------
    InputError
        There is no such panel, or it cannot be shown of this run.
    """
    view, recipe = view_of(results), results.recipe
    wanted = names or (recipe.panels if recipe is not None and recipe.panels else view.DEFAULT)
    options = {} if recipe is None else recipe.to_mapping()
    panels: list[Panel] = []
    asked = bool(names) or (recipe is not None and bool(recipe.panels))
    check_panels(view, wanted)
    for name in wanted:
        try:
            made = view.PANELS[name](results, generations, options)
        except KeyError as error:
            if asked:
                raise InputError(f"run.record must have {error.args[0]} for the panel {name}") from None
        else:
            panels += [made] if isinstance(made, Panel) else made
    # What is shown by default may not be recorded; then the metrics that are.
    return panels or [_metric_panel(metric, results, generations, options) for metric in list(results.metrics)[:2]]


def case_names(cases: Sequence[Results]) -> list[str]:
    """Return the cases of a recipe in words, "" for a run without cases."""
    recipe = cases[0].recipe
    if recipe is None or recipe.cases is None or len(recipe.cases) != len(cases):
        return [""] * len(cases)
    return [", ".join(f"{key.rpartition('.')[2]} = {value}" for key, value in case.items()) for case in recipe.cases]


def check_panels(view: Any, names: Sequence[str]) -> None:
    """Refuse panels that a view does not have.

    Raises
    ------
    InputError
        With the panels that it has.
    """
    for name in names:
        if name not in view.PANELS:
            known = ", ".join(view.PANELS)
            raise InputError(f"recipe.panels must be of {known}, got {name!r}{nearest(name, view.PANELS)}")


def view_named(family: str) -> Any:
    """Return the view of a family, or None where there is none."""
    if importlib.util.find_spec(f"fastcollapse.analysis.panels.{family}") is None:
        return None
    return importlib.import_module(f"fastcollapse.analysis.panels.{family}")


def view_of(results: Results) -> Any:
    """Return the view of the family of a run; of a family that has none its metrics are shown, without theory."""
    view = view_named(results.experiment.family)
    if view is not None:
        return view
    panels = {metric: functools.partial(_metric_panel, metric) for metric in results.metrics}
    return SimpleNamespace(PANELS=panels, DEFAULT=tuple(panels)[:2])


def _metric_panel(metric: str, results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    told = results.variables[metric]
    unknown = np.full(len(generations), np.nan)
    values = results.metrics[metric][:, generations]
    # Of further dimensions the first entry, which the title names.
    known = results.coordinates
    first = ", ".join(f"{dim} = {known[dim].values[0]:g}" for dim in told.dims if dim in known)
    values = values.reshape(*values.shape[:2], -1)[..., 0]
    curve = curve_of(generations, values, None, None, unknown, np.isfinite(unknown))
    title = told.long_name + (f" at {first}" if first else "")
    return Panel(title, f"{told.long_name} ({told.units})", metric, curve)


def marks(n_generations: int) -> np.ndarray:
    """Return the generations a short table shows: all of up to 10, else 1, 2, 5, 10, ... and the last.

    Examples
    --------
    >>> marks(120)
    array([  1,   2,   5,  10,  20,  50, 100, 120])
    """
    if n_generations <= 10:
        return np.arange(1, n_generations + 1)
    series = [m * 10**e for e in range(8) for m in (1, 2, 5) if m * 10**e <= n_generations]
    return np.unique([*series, n_generations])


def spread(n_generations: int, most: int) -> np.ndarray:
    """Return at most `most` generations from 1 to the last, evenly spread by their logarithm.

    Examples
    --------
    >>> spread(1000, 4)
    array([   1,   10,  100, 1000])
    """
    if n_generations < 1:
        return np.empty(0, np.int64)
    return np.unique(np.rint(np.geomspace(1, n_generations, most)).astype(np.int64))


def once(function: Callable[[Results], Value]) -> Callable[[Results], Value]:
    """Keep what `function` says of results for as long as these are in use, and no longer."""
    known: WeakKeyDictionary[Results, Value] = WeakKeyDictionary()

    @functools.wraps(function)
    def kept(results: Results) -> Value:
        if results not in known:
            known[results] = function(results)
        return known[results]

    return kept


@once
def schedule_of(results: Results) -> Schedule:
    """Return the schedule that the run followed."""
    experiment = results.experiment
    total = results.truth.total if experiment.family == "discrete" else None
    return experiment.workflow.schedule(experiment.run.n_generations, total)


def is_plain(results: Results) -> bool:
    """Is every generation tokens of the one before and nothing else?"""
    schedule = schedule_of(results)
    other = schedule.n_real.any() or schedule.n_train.any() or schedule.keep[1:].any()
    return not other and not schedule.start_with_data


def plain_size(results: Results) -> int | None:
    """Return n if every generation is n tokens of the one before and nothing else, otherwise None."""
    sizes = schedule_of(results).n_synthetic
    return int(sizes[0]) if is_plain(results) and not np.ptp(sizes) else None


def curve_of(
    generations: np.ndarray,
    values: np.ndarray,
    lower: np.ndarray | None,
    upper: np.ndarray | None,
    expected: np.ndarray,
    told: np.ndarray,
) -> Curve:
    n_replicates = values.shape[0]
    mean = values.mean(axis=0)
    sd = values.std(axis=0, ddof=1) if n_replicates > 1 else np.full(mean.shape, np.nan)
    error = sd / np.sqrt(n_replicates)
    distance = mean - expected
    if lower is not None and upper is not None:
        close = np.isnan(expected) & (upper - lower <= _CLOSE * error)
        expected = np.where(close, (lower + upper) / 2, expected)
        outside = np.where(mean < lower, mean - lower, np.where(mean > upper, mean - upper, 0.0))
        distance = np.where(np.isnan(expected), outside, mean - expected)
        distance[np.isnan(lower)] = np.nan
    z = _normal_score(distance, error, n_replicates)
    z[~told | (sd <= 1e-12 * np.abs(mean))] = np.nan
    # Values that cannot vary, such as the truth itself: rounding is all that may differ.
    z[np.abs(distance) <= 1e-12 * np.abs(mean)] = 0.0
    return Curve(generations, mean, sd, values.min(axis=0), values.max(axis=0), lower, upper, expected, z)


def share_of(
    generations: np.ndarray,
    happened: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray] | None,
    exact: np.ndarray | None,
) -> Curve:
    """Return the share of replicates in which something happened, bool (R, B), beside its probability or bounds of it.

    The score is binomial: its standard error is that of the exact probability, or of the nearer bound.
    """
    n = happened.shape[0]
    mean = happened.mean(axis=0)
    unknown = np.full(len(generations), np.nan)
    lower, upper = bounds if bounds is not None else (unknown, unknown)
    nearest = np.clip(mean, lower, upper)
    expected = unknown if exact is None else exact
    reference = nearest if exact is None else exact
    spread = np.sqrt(np.clip(reference * (1 - reference), 0, None))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(mean == reference, 0.0, (mean - reference) / (spread / np.sqrt(n)))
    # So few events that the normal law says nothing about them.
    z[(n * spread**2 < EVENTS / 2) & (np.abs(mean - reference) > 1e-12)] = np.nan
    sd = np.sqrt(mean * (1 - mean) * n / max(n - 1, 1))
    low, high = (np.clip(mean + side * sd / np.sqrt(n), 0.0, 1.0) for side in (-2, 2))
    if bounds is None:
        return Curve(generations, mean, sd, low, high, None, None, expected, z)
    return Curve(generations, mean, sd, low, high, lower, upper, expected, z)


def chance(title: str, label: str, heading: str, curve: Curve, lines: tuple[Line, ...] = ()) -> Panel:
    """Return the panel of a probability, whose band is two standard errors."""
    band = "two standard errors"
    return Panel(title, label, heading, curve, lines, digits=4, band=band, limits=(-0.02, 1.05))


def bound_lines(curve: Curve) -> tuple[Line, ...]:
    """Return the bounds of a curve as lines."""
    if curve.lower is None or curve.upper is None:
        return ()
    return Line("theory: lower bound", curve.lower, "bound"), Line("theory: upper bound", curve.upper, "bound")


def published_lines(name: str, pair: tuple[np.ndarray, np.ndarray], scale: float = 1.0) -> tuple[Line, ...]:
    """Return published bounds as lines."""
    return tuple(
        Line(f"{name}, {side} bound as published", scale * np.asarray(values), "published")
        for side, values in zip(("lower", "upper"), pair, strict=True)
    )


def _normal_score(distance: np.ndarray, error: np.ndarray, n: int) -> np.ndarray:
    """Return the normal score whose tail is that of distance/error under Student's law of n - 1 degrees."""
    if n < 2:
        return np.full(distance.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = distance / error
        score = -ndtri(stdtr(n - 1, -np.abs(ratio)))
    # Far out the tail underflows; there any large number says the same.
    return np.sign(ratio) * np.where(np.isinf(score), np.abs(ratio), score)
