"""Agreement of a run with theory, panel by panel, from the z-scores."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastcollapse.analysis.first_passage import TITLE, mean_time
from fastcollapse.analysis.generations import log_spaced_generations
from fastcollapse.analysis.panels.panel import GENERATION, Panel
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.schedules import cached_by_results
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.tables import table_panels, why_not_compared
from fastcollapse.analysis.words import plain
from fastcollapse.simulation.recorded_run import RecordedRun

# Limit of |z| for agreement. The generations of a run depend on each other and heterozygosity is skewed, so its rate of
# false alarms is measured: 2 of 60,000 correct runs of 2 to 60 symbols and 5 to 400 replicates were beyond it in the
# heterozygosity of any compared generation (about 1 of 400 were beyond 4).
Z_LIMIT = 5.0
_N_COMPARED = 10
_BOUNDS_ALONE = "compared with bounds alone, which are too far apart for a score"
_GIVEN = "every replicate has the value of theory"


@dataclass(frozen=True)
class ComparedPoint:
    """One point of a panel beside theory, in the units of the panel.

    It has a score if `z` and `theory` are numbers. With `z` alone it is compared with bounds that are too far apart to
    stand for the exact value: `z` is 0 between them, otherwise the distance to the nearer one.

    Parameters
    ----------
    case : the case of a recipe in words, "" for a single run.
    panel : title of the panel.
    metric : its name: the heading over generations, or the title over another axis.
    curve : name of the curve among several of one panel, "" for a single one.
    axis : "generation", or the name of another axis.
    place : the generation, or the point of the other axis; for a mean first-passage time the number of replicates.
    mean : over replicates; in a panel of medians the median.
    standard_error : of the mean over replicates; NaN for medians and for a single replicate.
    theory : the exact value, NaN where it is not known.
    lower, upper : bounds of the exact value, NaN where there are none.
    z : distance to theory in standard errors, NaN where there is no score.
    reason : why the point has no score, "" if it has one.
    where : the place and the curve in words.
    """

    case: str
    panel: str
    metric: str
    curve: str
    axis: str
    place: int | float
    mean: float
    standard_error: float
    theory: float
    lower: float
    upper: float
    z: float
    reason: str
    where: str

    @property
    def is_scored(self) -> bool:
        """Whether it is scored against the exact value."""
        return math.isfinite(self.z) and math.isfinite(self.theory)

    @property
    def is_bounded(self) -> bool:
        """Whether it is compared with bounds alone."""
        return math.isfinite(self.z) and not math.isfinite(self.theory)

    @property
    def disagrees(self) -> bool:
        """Whether its score, or its distance to a bound, is beyond Z_LIMIT."""
        return abs(self.z) > Z_LIMIT


@dataclass(frozen=True)
class Agreement:
    """Agreement of one panel with theory, or of the curves of one plot together.

    Parameters
    ----------
    name : of the panel, or of the plot.
    n_scores : number of points that are compared with an exact value.
    largest : the largest |z| among them, and its place in words.
    disagrees : the places of scores beyond Z_LIMIT, from exact values or from bounds.
    reasons : why the other points are not compared, each with their number.
    n_bounded, n_within : number of points that are compared with bounds alone, which are too far apart to stand for the
        exact value, and number of these that are within them.
    farthest : the largest |z| among the points outside their bounds, 0 if there are none.
    noun : the name of a point.
    """

    name: str
    n_scores: int
    largest: tuple[float, str]
    disagrees: tuple[str, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)
    n_bounded: int = 0
    n_within: int = 0
    farthest: float = 0.0
    noun: str = "generation"

    @property
    def n_unscored(self) -> int:
        """Number of points that are compared neither with an exact value nor with bounds."""
        return sum(self.reasons.values())

    @property
    def reason(self) -> str:
        """Why some points are not compared; "" if all are."""
        return "; ".join(self.reasons)

    @property
    def n_points(self) -> int:
        """Number of points, compared or not."""
        return self.n_scores + self.n_bounded + self.n_unscored

    def line(self) -> str:
        """Return the agreement as a line of text."""
        score, place = self.largest
        parts = [f"{counted(self.n_scores, self.noun)} compared, largest |z| {score:.1f} at {place}"]
        if self.n_scores == 0:
            parts = ["not compared with an exact value"] if self.n_bounded else []
        if parts:
            parts += [f"{counted(n, self.noun)} not compared ({reason})" for reason, n in self.reasons.items()]
        else:
            parts = [f"not compared ({self.reason})"]
        if self.n_bounded:
            # Means stray from expectations near a bound.
            outside = f" and the others at most {self.farthest:.1f} standard errors outside" if self.farthest else ""
            within = f"{self.n_within:,} within them{outside}"
            parts.append(f"{counted(self.n_bounded, self.noun)} compared with bounds alone, {within}")
        if self.disagrees:
            parts.append(f"DISAGREES with theory (|z| > {Z_LIMIT:g}) at {'; '.join(self.disagrees)}")
        return f"{self.name}: {'; '.join(parts)}"


def agreement_of(results: RecordedRun) -> list[Agreement]:
    """Return the agreement of each panel of a run with theory, from its `compared_points`."""
    return [plot_agreement(points) for points in compared_points(results)]


@cached_by_results
def compared_points(results: RecordedRun) -> tuple[tuple[ComparedPoint, ...], ...]:
    """Return the points of each plot of a run beside theory, also those that are not compared.

    Compared are the generations of the recipe, or up to 10 spaced by their logarithm, and all points of another axis;
    and the mean first-passage time of a run with a stop condition, where theory knows it.
    """
    has_generations = results.recipe is not None and results.recipe.generations is not None
    spaced = log_spaced_generations(results.last, _N_COMPARED)
    plots: dict[tuple[str, str], list[Panel]] = {}
    for panel in table_panels(results) if has_generations else panels_of(results, spaced):
        if panel.is_picture:
            continue
        plots.setdefault((panel.title, panel.heading), []).append(panel)
    found = []
    for panels in plots.values():
        no_theory = why_not_compared(results, panels)
        found.append(tuple(point for panel in panels for point in _points(results, panel, no_theory)))
    return tuple(points for points in (*found, _first_passage(results)) if points)


def _first_passage(results: RecordedRun) -> tuple[ComparedPoint, ...]:
    """Return the mean first-passage time beside theory; empty where none is known."""
    time, unknown = mean_time(results), math.nan
    if time is None or time.expected is None:
        return ()
    theory = time.expected.mean if time.expected.is_exact else unknown
    return (
        ComparedPoint(
            "", f"{TITLE} {results.experiment.run.stop}", "first passage", "", "replicates", results.n_replicates,
            time.mean, time.error, theory, unknown, unknown, time.z, time.reason, "the mean over replicates",
        ),
    )  # fmt: skip


def _points(results: RecordedRun, panel: Panel, no_theory: str) -> Iterator[ComparedPoint]:
    """Yield the points of a panel.

    Parameters
    ----------
    no_theory : why the plot of the panel has no theory, "" if it has.
    """
    curve, unknown = panel.curve, np.full(len(panel.curve.at), np.nan)
    error = unknown if panel.median else curve.sd / math.sqrt(results.n_replicates)
    lower = unknown if curve.lower is None else curve.lower
    upper = unknown if curve.upper is None else curve.upper
    scored, bounded, unscored = curve.is_compared, curve.has_bounds_only, curve.is_unscored
    for i, at in enumerate(curve.at.tolist()):
        has_z = scored[i] or bounded[i]
        if scored[i]:
            reason = ""
        elif bounded[i]:
            reason = _BOUNDS_ALONE
        elif np.isfinite(curve.z[i]):
            reason = _GIVEN
        elif not np.isfinite(curve.mean[i]):
            reason = "no finite value"
        elif unscored[i]:
            reason = curve.rule or "no score"
        else:
            reason = no_theory or f"no theory at this {panel.axis.heading}"
        shown = (values[i] * panel.factor for values in (curve.mean, error, curve.expected, lower, upper))
        mean, standard_error, theory, low, high = map(float, shown)
        yield ComparedPoint(
            "", plain(panel.title), plain(panel.name), plain(panel.group), panel.axis.heading, at,
            mean, standard_error, theory, low, high,
            float(curve.z[i]) if has_z else math.nan, reason, plain(panel.place(i)),
        )  # fmt: skip


def plot_agreement(points: Sequence[ComparedPoint]) -> Agreement:
    """Return the agreement of the points of one plot, at least one."""
    scored = [point for point in points if point.is_scored]
    bounded = [point for point in points if point.is_bounded]
    worst = max(scored, key=lambda point: abs(point.z), default=None)
    return Agreement(
        points[0].metric,
        len(scored),
        (0.0, "") if worst is None else (abs(worst.z), worst.where),
        tuple(point.where for point in points if point.disagrees),
        reasons=Counter(point.reason for point in points if not (point.is_scored or point.is_bounded)),
        n_bounded=len(bounded),
        n_within=sum(point.z == 0 for point in bounded),
        farthest=max((abs(point.z) for point in bounded), default=0.0),
        noun="generation" if points[0].axis == GENERATION.heading else "value",
    )


def verdict(agreements: Sequence[Agreement]) -> str:
    """Return which metrics of one run, or of several cases, were compared with exact theory, and whether they agree.

    A metric that is within bounds is not called compared: wide bounds hold for wrong numbers too.
    """
    by_name: dict[str, list[Agreement]] = {}
    for agreement in agreements:
        by_name.setdefault(agreement.name, []).append(agreement)
    compared, bounded, others, wrong = list[str](), list[str](), list[str](), list[str]()
    for name, group in by_name.items():
        any_bounded = any(agreement.n_bounded for agreement in group)
        extent = _extent(group)
        kind = compared if extent is not None else bounded if any_bounded else others
        kind.append(name + (extent or ""))
        wrong += [name] if any(agreement.disagrees for agreement in group) else []
    of_all = f"{len(compared)} of {counted(len(by_name), 'metric')}"
    head = f"the simulation agrees with exact theory in {of_all} ({_listed(compared)})"
    if wrong:
        head = f"the simulation disagrees with theory in {_listed(wrong)}; {of_all} compared with exact theory"
    elif not compared:
        head = f"{of_all} compared with exact theory" if by_name else "pictures are not compared with theory"
    parts = [head]
    parts += [f"compared with bounds alone: {_listed(bounded)}"] if bounded else []
    parts += [f"not compared: {_listed(others)}"] if others else []
    return "; ".join(parts)


def _listed(names: Sequence[str]) -> str:
    """Return names as a list; names with a comma are parted by semicolons.

    Examples
    --------
    >>> _listed(["mean", "variance"]), _listed(["error, T = 60", "best ridge"])
    ('mean, variance', 'error, T = 60; best ridge')
    """
    return ("; " if any("," in name for name in names) else ", ").join(names)


def _extent(group: Sequence[Agreement]) -> str | None:
    """Return at how many cases or points of a metric there are scores, "" for all of them, None for none."""
    n_cases = sum(agreement.n_scores > 0 for agreement in group)
    n_scores, n_points = sum(agreement.n_scores for agreement in group), sum(one.n_points for one in group)
    if n_cases == 0:
        return None
    if n_cases < len(group):
        return f" in {n_cases} of {counted(len(group), 'case')}"
    return f" at {n_scores:,} of {counted(n_points, group[0].noun)}" if n_scores < n_points else ""


def total_agreement(agreements: Sequence[Agreement]) -> str:
    """Return several agreements in a few words."""
    n_scores = sum(agreement.n_scores for agreement in agreements)
    largest = max((agreement.largest[0] for agreement in agreements), default=0.0)
    scores = [f"{counted(n_scores, 'score')}, largest |z| {largest:.1f}"] if n_scores else []
    return "; ".join([*scores, verdict(agreements)])
