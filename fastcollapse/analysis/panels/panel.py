"""Panels of tables and figures: a simulated curve over an axis, its theory, and labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.panels.published import Points

DEVIATION = "standard deviation over replicates"
QUARTILES = "middle half of the replicates"
# Ratios of the largest to the smallest value from which on an axis is logarithmic; growth over generations is easier to
# read on a linear axis.
_WIDE, _WIDE_OVER_GENERATIONS = 30, 300
# Curves of several runs whose middles differ by less than this have a linear axis.
_LEAST_DECADES = 10


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of a panel.

    Parameters
    ----------
    heading : of its column in a table.
    label : of the axis, with its unit.
    log : whether it is logarithmic; a recipe decides this for generations.
    categorical : whether its places are names, with no order or distance between them.
    """

    heading: str
    label: str
    log: bool = True
    categorical: bool = False


GENERATION = Axis("generation", "generation")


@dataclass(frozen=True, eq=False)
class Curve:
    """A simulated quantity over an axis, and its theory.

    Parameters
    ----------
    at : int64[B] or float64[B], the generations, or the points of another axis.
    mean, sd, smallest, largest : float64[B], over replicates; the standard deviation is the unbiased one, and
        NaN for a single replicate. In a panel of medians `mean` is the median, `smallest` and `largest` are quartiles.
    lower, upper : float64[B], bounds of the expectation, or None.
    expected : float64[B], the exact expectation, NaN where it is not known.
    z : float64[B], distance to the expectation in standard errors, as the normal score of equal tail probability. Where
        only bounds are known it is the distance to the nearer bound, 0 between them; NaN where there is no score.
    rule : what a point with exact theory needs for a score, in words.
    n_replicates : number of replicates of the mean; 0 where the standard error is not `sd` over its root.
    quantiles : float64[2, B], the tenth and the ninetieth percentile over replicates; None where they are not known.
    heavy_tailed : whether few replicates make the mean at some point.
    theory_error : float64[B], the standard error of the mean by theory; None where it is not known.
    """

    at: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    expected: np.ndarray
    z: np.ndarray
    rule: str = ""
    n_replicates: int = 0
    quantiles: np.ndarray | None = None
    heavy_tailed: bool = False
    theory_error: np.ndarray | None = None

    @property
    def error(self) -> np.ndarray:
        """The standard error of the mean, float64[B], NaN where it is not known.

        Replicates that lack the rare large values have too small a deviation: that of theory counts where it is larger.
        """
        if self.n_replicates < 2:
            return np.full(self.mean.shape, np.nan)
        error = self.sd / np.sqrt(self.n_replicates)
        return error if self.theory_error is None else np.fmax(error, self.theory_error)

    @property
    def has_bounds_only(self) -> np.ndarray:
        """Where the mean is compared with bounds that are too far apart to stand for the exact value, bool[B]."""
        return np.isnan(self.expected) & np.isfinite(self.z)

    @property
    def is_within_bounds(self) -> np.ndarray:
        """Where the mean is between such bounds, bool[B]."""
        return self.has_bounds_only & (self.z == 0)

    @property
    def is_unscored(self) -> np.ndarray:
        """Where the mean has an exact value or bounds beside it, and no score, bool[B]."""
        has_theory = np.isfinite(self.expected)
        if self.lower is not None and self.upper is not None:
            has_theory = has_theory | (np.isfinite(self.lower) & np.isfinite(self.upper))
        return has_theory & np.isfinite(self.mean) & np.isnan(self.z)

    @property
    def is_compared(self) -> np.ndarray:
        """Where the mean is scored against the exact value, bool[B]; not where all is exact, such as the truth."""
        is_given = (self.z == 0) & (self.smallest == self.largest)
        return np.isfinite(self.expected) & np.isfinite(self.z) & ~is_given


@dataclass(frozen=True, eq=False)
class Line:
    """A curve of theory.

    Parameters
    ----------
    label : its name in the legend.
    values : float64[B].
    kind : "exact"; "bound" (proven and sharp, or of this project); "published"; "asymptotic" (known up to an error that
        vanishes with size: drawn, and compared without a score); "limit" (a value that the curve tends to, or stays
        below); or "reference" (of another model: drawn, and not compared).
    """

    label: str
    values: np.ndarray
    kind: str


@dataclass(frozen=True, eq=False)
class Panel:
    """A quantity over an axis as tables and figures show it; panels of one title are one plot.

    Parameters
    ----------
    title : the quantity, in a few words.
    label : of the axis of values, with its unit.
    heading : of its columns in a table.
    curve : the simulated values beside the exact ones.
    lines : theory to draw beside it; the exact expectation of `curve` is drawn anyway.
    paths : float64[n, B], replicates to draw one by one instead of their mean; None for the mean.
    factor : numbers are shown times this, 100 for a percentage.
    log : whether the axis of values is logarithmic.
    digits : of the numbers in a table.
    limits : of the axis of values; None for those of the curves.
    band : the name of the band about the mean, which is `smallest` to `largest` of the curve unless it is DEVIATION.
    axis : the horizontal axis.
    group : the name of this curve among several of one plot, "" for a single one.
    median : whether the middle of the curve and its theory are medians instead of means.
    note : a remark that a reader of the numbers needs, or "".
    image : float64[h, w] of 0 to 1, an image to show with the values of the curve below it, or None.
    cloud, behind : float64[n, 2], points to show as a picture of this panel, and others behind them, or None.
    positive : whether several of these, overlaid, may need a logarithmic axis.
    is_metric : whether it is a recorded metric without a panel of its family.
    points : values read off the published figure, in the units of the curve.
    """

    title: str
    label: str
    heading: str
    curve: Curve
    lines: tuple[Line, ...] = ()
    paths: np.ndarray | None = None
    factor: float = 1.0
    log: bool = False
    digits: int = 5
    limits: tuple[float, float] | None = None
    band: str = DEVIATION
    axis: Axis = GENERATION
    group: str = ""
    median: bool = False
    note: str = ""
    image: np.ndarray | None = None
    cloud: np.ndarray | None = None
    behind: np.ndarray | None = None
    positive: bool = False
    is_metric: bool = False
    points: tuple[Points, ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture of points, which no theory is beside."""
        return self.cloud is not None

    @property
    def name(self) -> str:
        """Its name in a comparison: the heading over generations, or the title over another axis."""
        return self.heading if self.axis is GENERATION else self.title

    def asymptotic(self) -> np.ndarray:
        """Return the values of asymptotic theory, float64[B], NaN where there is none."""
        values = [line.values for line in self.lines if line.kind == "asymptotic"]
        return values[0] if values else np.full(len(self.curve.at), np.nan)

    def place(self, i: int) -> str:
        """Return a point of the curve in words."""
        at = f"{self.curve.at[i]:,}" if self.axis is GENERATION else f"{self.curve.at[i]:.4g}"
        where = f"{self.axis.heading} {at}" if self.axis is GENERATION else f"{self.axis.heading} = {at}"
        return f"{self.group}, {where}" if self.group else where


def is_wide(values: np.ndarray, axis: Axis = GENERATION) -> bool:
    """Whether positive values differ by so large a factor that a linear axis hides the small ones.

    Examples
    --------
    >>> is_wide(np.array([0.0, 1.0, 200.0])), is_wide(np.array([0.001, 1.0]))
    (False, True)
    """
    limit = _WIDE_OVER_GENERATIONS if axis is GENERATION else _WIDE
    positive = values[np.isfinite(values) & (values > 0)]
    return bool(positive.size) and float(positive.max() / positive.min()) > limit


def is_log(panels: Sequence[Panel]) -> bool:
    """Whether the axis of values of curves of several runs is logarithmic."""
    values = np.concatenate([panel.curve.mean for panel in panels])
    if any(panel.log for panel in panels):
        positive = values[np.isfinite(values) & (values > 0)]
        return not positive.size or bool(positive.max() > _LEAST_DECADES * positive.min())
    return len(panels) > 1 and all(panel.positive for panel in panels) and is_wide(values)


def plots_of(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Return panels by plot: those of one title together, in the order of the first."""
    plots: dict[str, list[Panel]] = {}
    for panel in panels:
        plots.setdefault(panel.title, []).append(panel)
    return list(plots.values())
