"""Kernel density estimates beside their theory: errors of the density, likelihood, moments, and clouds of points."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.family_panels import FamilyPanels, Maker
from fastcollapse.analysis.panels.kde_theory import (
    moments_of,
    nll_bounds_of,
    setting_of,
    squared_discrepancy_of,
    squared_error_of,
)
from fastcollapse.analysis.panels.medians import median_curve
from fastcollapse.analysis.panels.panel import QUARTILES, Axis, Curve, Line, Panel, is_wide
from fastcollapse.analysis.panels.schedules import is_replace_only, schedule_of
from fastcollapse.analysis.panels.scores import EVENTS, curve_of, replicates_rule, scaled, unscored_curve
from fastcollapse.analysis.panels.skewed_scores import MOST_SKEWED, skewness_rule
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.simulation.recorded_run import RecordedRun

_LABELS = {
    "ise": r"squared error $\int (f_t - f_0)^2$",
    "mmd": "squared discrepancy (kernel width 0.5)",
    "w1": "Wasserstein-1 distance",
}
# Metrics in words.
_WORDS = {
    "nll": "negative log density",
    "ise": "squared error",
    "mmd": "maximum mean discrepancy",
    "w1": "Wasserstein-1 distance",
}
# Generations whose points are shown, and the most points of a picture.
_CLOUDS, _MOST_POINTS = (1, 10, 100), 2000
_WIDTH = "standard deviation of the points of the first replicate, average over the two coordinates of the picture"
_PICTURE = Axis("generation", "generation", categorical=True)
# The first generations that a slope leaves out (arXiv:2602.16065), and the fewest that it needs.
_LEFT_OUT, _FEWEST = 10, 30
# Bounds are drawn within this many ranges of the simulated curve: far ones would flatten it.
_DRAWN_RANGES = 1.0


def nll_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the mean negative log density of held-out real points beside bounds of its expectation.

    In workflow replace it grows as the square of a random walk: its medians are shown.
    """
    at, values = _known(results, "nll", generations)
    if not len(at):
        return []
    lower, upper = (bound[at] for bound in nll_bounds_of(results))
    title, label = "Negative log density of held-out points", "negative log density (nat)"
    names = "theory: lower bound", "theory: upper bound"
    of_mean = " of the mean" if is_replace_only(results) else ""
    lines = tuple(Line(name + of_mean, bound, "bound") for name, bound in zip(names, (lower, upper), strict=True))
    unknown, positive = np.full(len(at), np.nan), bool((values > 0).all())
    if is_replace_only(results):
        curve = median_curve(at, values, unknown)
        return [
            Panel(
                title,
                label,
                "nll",
                curve,
                _drawn_near(lines, curve),
                digits=4,
                band=QUARTILES,
                median=True,
                positive=positive,
                note=_taken_note(results, "nll"),
            )
        ]
    is_scored = np.full(len(at), results.n_replicates >= EVENTS)
    rule = replicates_rule(EVENTS, results.n_replicates)
    known = np.isfinite(lower).any()
    curve = curve_of(at, values, lower if known else None, upper if known else None, unknown, is_scored, rule)
    pathwise, note = _pathwise_bound(results, at), _taken_note(results, "nll")
    if pathwise is not None:
        lines = (lines[0], Line("theory: bound of every run, on average", pathwise, "bound"))
    return [Panel(title, label, "nll", curve, _drawn_near(lines, curve), digits=4, positive=positive, note=note)]


def _pathwise_bound(results: RecordedRun, at: np.ndarray) -> np.ndarray | None:
    """Return NLL_1 + ln(N_t/N_1), averaged over replicates, for a growing pool that is fitted with one bandwidth."""
    schedule, arguments = schedule_of(results), setting_of(results).arguments
    grows = bool(schedule.keep[1:].all()) and not schedule.n_train.any() and schedule.n_generations > 1
    if arguments is None or not grows or np.ptp(arguments["bandwidth"]) or schedule.real == "fixed":
        return None
    sizes = schedule.pool_totals()
    first = float(results.metrics["nll"][:, 1].mean())
    return np.where(at >= 1, first + np.log(sizes[np.maximum(at, 1) - 1] / sizes[0]), np.nan)


def _drawn_near(lines: tuple[Line, ...], curve: Curve) -> tuple[Line, ...]:
    """Return the lines without values far from the curve."""
    low, high = (np.nanmin(curve.smallest), np.nanmax(curve.largest))
    reach = _DRAWN_RANGES * max(high - low, 1e-3)
    kept = []
    for line in lines:
        near = (line.values >= low - reach) & (line.values <= high + reach)
        kept.append(dataclasses.replace(line, values=np.where(near, line.values, np.nan)))
    return tuple(kept)


def ise_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the mean integrated squared error, which is exact for normal mixtures and shapes."""
    return _error_panel(results, generations, "ise", squared_error_of(results), "Integrated squared error")


def mmd_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the mean square of the maximum mean discrepancy, which is exact for normal mixtures."""
    title = "Squared maximum mean discrepancy"
    return _error_panel(results, generations, "mmd", squared_discrepancy_of(results), title, power=2)


def w1_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the mean Wasserstein-1 distance to the truth."""
    unknown = np.full(schedule_of(results).n_generations + 1, np.nan)
    return _error_panel(results, generations, "w1", unknown, "Wasserstein-1 distance to the truth")


def _error_panel(
    results: RecordedRun, generations: np.ndarray, name: str, exact: np.ndarray, title: str, power: int = 1
) -> list[Panel]:
    """Return the panel of a power of an error of the density; none for a truth without a known density."""
    at, values = _known(results, name, generations)
    if not len(at):
        return []
    curve = _scored_curve(at, values**power, exact[at])
    log = is_wide(curve.mean) or _is_shrinking(results)
    heading = f"{name}²" if power == 2 else name
    label = _LABELS[name]
    note = "; ".join(filter(None, (_taken_note(results, name), _slope_note(results, name))))
    return [Panel(title, label, heading, curve, digits=6, log=log, positive=True, note=note)]


def _taken_note(results: RecordedRun, name: str) -> str:
    """Return the number of generations at which a metric was evaluated if it is not all of them, else ""."""
    n = len(_known(results, name, np.arange(1, results.last + 1))[0])
    return "" if n == results.last else f"the {_WORDS[name]} is taken at {n:,} of {results.last:,} generations"


def _is_shrinking(results: RecordedRun) -> bool:
    """Whether a pool grows while the bandwidth gets smaller, so that errors follow power laws."""
    arguments = setting_of(results).arguments
    grows = bool(schedule_of(results).keep[1:].all()) and schedule_of(results).n_generations > _FEWEST
    return arguments is not None and grows and float(np.ptp(arguments["bandwidth"])) > 0


def _slope_note(results: RecordedRun, name: str) -> str:
    """Return the slope of the logarithm of a mean error against that of the pool, or ""."""
    if not _is_shrinking(results) or results.last < _FEWEST + _LEFT_OUT:
        return ""
    at, values = _known(results, name, np.arange(_LEFT_OUT + 1, results.last + 1))
    mean = values.mean(axis=0)
    if len(at) < _FEWEST // 3 or (mean <= 0).any():
        return ""
    slope = np.polyfit(np.log(schedule_of(results).pool_totals()[at - 1]), np.log(mean), 1)[0]
    return f"slope of ln({_WORDS[name]}) over ln(pool size) from generation {_LEFT_OUT + 1} on: {slope:.3f}"


def second_moment_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the second moment of the points about the mean of the truth."""
    title = "Second moment about the true mean" + _per_coordinate(results)
    return _moment_panel(results, generations, "second_moment", moments_of(results)[0], title, "second moment")


def within_variance_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the variance within the points."""
    title = "Variance within the points" + _per_coordinate(results)
    return _moment_panel(results, generations, "within_variance", moments_of(results)[1], title, "variance")


def centre_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the squared distance of the mean of the points from that of the truth."""
    second, within = moments_of(results)
    expected = setting_of(results).dimension * (second - within)
    title = "Squared error of the centre"
    return _moment_panel(results, generations, "centre", expected, title, "squared distance")


def _moment_panel(
    results: RecordedRun, generations: np.ndarray, name: str, exact: np.ndarray, title: str, label: str
) -> list[Panel]:
    """Return the panel of a moment of the points."""
    at, values = _known(results, name, generations)
    curve = _scored_curve(at, values, exact[at])
    return [Panel(title, label, label, curve, log=is_wide(curve.mean), positive=True)]


def points_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> list[Panel]:
    """Show the points of the first replicate at generations 1, 10 and 100, in two of their coordinates.

    Raises
    ------
    KeyError
        The points are not recorded, or are on a line.
    """
    if "points" not in results.sample_names:
        raise KeyError('"trajectory"')
    dimension = results.sample("points", 0, 1).shape[1] if results.last else 0
    if dimension == 1:
        raise KeyError("points in at least 2 dimensions")
    truth: Any = results.experiment.truth
    # The roll is seen along its axis, which is the second coordinate.
    axes = [0, 2] if truth.shape == "swiss_roll" else [0, 1]
    shown = [t for t in _CLOUDS if t <= results.last]
    if results.last not in shown and results.last < _CLOUDS[-1]:
        shown.append(results.last)
    shown = [t for t in shown if len(results.sample("points", 0, t))]  # not where they are not observed
    panels = list[Panel]()
    for t in shown:
        points = results.sample("points", 0, t)[:, axes]
        chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int))
        curve = unscored_curve(np.array([t]), np.array([[points.std(axis=0).mean()]]))
        note = f"a picture has at most {_MOST_POINTS:,} of the points" if len(points) > _MOST_POINTS else ""
        title, first = f"Points at generation {t:,}", panels[0].cloud if panels else None
        picture = points[chosen]
        panels.append(Panel(title, _WIDTH, "width", curve, axis=_PICTURE, note=note, cloud=picture, behind=first))
    return panels


def _known(results: RecordedRun, name: str, generations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the generations at which a metric was evaluated, and its values there, float64 (R, B)."""
    values = results.metrics[name][:, generations]
    known = np.isfinite(values).all(axis=0)
    return generations[known], values[:, known]


def _scored_curve(at: np.ndarray, values: np.ndarray, expected: np.ndarray) -> Curve:
    """Return a mean beside its expectation, with scores where the replicates are many enough for their skewness."""
    n = len(values)
    centred = scaled(values - values.mean(axis=0))[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = np.nan_to_num((centred**3).mean(axis=0) / (centred**2).mean(axis=0) ** 1.5)
    is_scored = (np.abs(skewness) <= MOST_SKEWED * np.sqrt(n)) & (n >= EVENTS)
    rule = replicates_rule(EVENTS, n) if n < EVENTS else skewness_rule(MOST_SKEWED, skewness, is_scored, n)
    return curve_of(at, values, None, None, expected, is_scored, rule)


def _per_coordinate(results: RecordedRun) -> str:
    """Return the end of the title of an average over coordinates."""
    return ", average over the coordinates" if setting_of(results).dimension != 1 else ""


class KdePanels(FamilyPanels):
    """The panels of kernel density estimates."""

    def describe_truth(self, results: RecordedRun) -> str:
        """Return the truth in words."""
        truth: Any = results.experiment.truth
        if truth.shape is None:
            return super().describe_truth(results)
        placement = "placed evenly" if setting_of(results).is_even else "i.i.d."
        centres = ", new centres in each replicate" if truth.shape == "blobs" else ""
        return f"{truth.shape.replace('_', ' ')}, real points {placement}{centres}"


_PANELS: dict[str, Maker] = {
    "nll": nll_panel,
    "ise": ise_panel,
    "second_moment": second_moment_panel,
    "within_variance": within_variance_panel,
    "centre": centre_panel,
    "points": points_panel,
    "mmd": mmd_panel,
    "w1": w1_panel,
}


def _is_shape(results: RecordedRun) -> bool:
    truth: Any = results.experiment.truth
    return truth.shape is not None


def _is_normal_mixture(results: RecordedRun) -> bool:
    truth: Any = results.experiment.truth
    return truth.normal_mixture is not None


PANELS = KdePanels(
    _PANELS,
    default=("nll", "ise", "points"),
    no_median="heavy tails, and no exact median is known",
    no_theory="there are only bounds of the likelihood, and no theory of weights, windows and scaled bandwidths",
    staged=_PANELS,
    sources=(
        Statement("shapes of points", ("kazdan2024",), ("nll", "ise"), _is_shape),
        Statement("maximum mean discrepancy of width 0.5", ("wang2026",), ("mmd",), _is_normal_mixture),
    ),
)
