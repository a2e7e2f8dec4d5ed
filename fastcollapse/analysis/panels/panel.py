"""What a panel of a table or a figure is: a curve of simulation over an axis, theory beside it, and words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DEVIATION = "standard deviation over replicates"
QUARTILES = "middle half of the replicates"
# Values this far apart are shown on a logarithmic axis; over generations growth is to be seen as what it is.
_WIDE, _WIDE_OVER_GENERATIONS = 30, 300


@dataclass(frozen=True)
class Axis:
    """What a panel is over.

    Parameters
    ----------
    heading : of its column in a table.
    label : of the axis, with its unit.
    log : is it logarithmic? Generations follow the recipe.
    words : are its places words, with nothing between them?
    """

    heading: str
    label: str
    log: bool = True
    words: bool = False


GENERATION = Axis("generation", "generation")


@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity over an axis, simulated and in theory.

    Parameters
    ----------
    at : int64[B] or float64[B], the generations, or where else along the axis.
    mean, sd, smallest, largest : float64[B], over replicates; the standard deviation is the unbiased one, and
        NaN for a single replicate. Of a panel of medians `mean` is the median, `smallest` and `largest` are quartiles.
    lower, upper : float64[B], bounds of the expectation, or None.
    expected : float64[B], the exact expectation, NaN where it is not known.
    z : float64[B], distance to the expectation, or else to the nearer bound if outside of them (0 inside), in
        standard errors, brought from Student's law to the normal one; NaN where it cannot be told.
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


@dataclass(frozen=True, eq=False)
class Line:
    """A curve of theory: `kind` is "exact", "bound" (proven and sharp, or this project's), "published",
    "asymptotic" (known up to an error that vanishes with size: drawn, and compared without a score) or "limit" (what
    the curve tends to, or stays below).
    """

    label: str
    values: np.ndarray
    kind: str


@dataclass(frozen=True, eq=False)
class Panel:
    """A quantity over an axis as a table or a figure shows it; panels of one title are one plot.

    Parameters
    ----------
    title : what it is, in a few words.
    label : of the axis of values, with its unit.
    heading : of its columns in a table.
    curve : simulated beside exact.
    lines : theory to draw beside it; the exact expectation is drawn where `curve` has it.
    paths : float64[n, B], replicates to draw one by one instead of their mean; None for the mean.
    factor : numbers are shown times this, 100 for a percentage.
    log : is the axis of values logarithmic?
    digits : of the numbers in a table.
    limits : of the axis of values; None for those of the curves.
    band : what the band about the mean is, `smallest` to `largest` of the curve unless it is the standard deviation.
    axis : what the curve is over.
    group : which of several curves of one plot this is, "" where it is the only one.
    median : are the middle of the curve and its theory medians instead of means?
    note : what has to be known to read the numbers, or "".
    image : float64[h, w] of 0 to 1, a picture to show with the values of the curve written below it, or None.
    positive : may several of its kind, overlaid, be so far apart that only a logarithmic axis shows all?
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
    positive: bool = False

    @property
    def name(self) -> str:
        """What a verdict is of: the column of a table over generations, or a plot over another axis."""
        return self.heading if self.axis is GENERATION else self.title

    def asymptotic(self) -> np.ndarray:
        """Return the values of asymptotic theory, float64[B], NaN where there is none."""
        found = [line.values for line in self.lines if line.kind == "asymptotic"]
        return found[0] if found else np.full(len(self.curve.at), np.nan)

    def place(self, i: int) -> str:
        """Return where a point of the curve is, in words."""
        at = f"{self.curve.at[i]:,}" if self.axis is GENERATION else f"{self.curve.at[i]:.4g}"
        where = f"{self.axis.heading} {at}" if self.axis is GENERATION else f"{self.axis.heading} = {at}"
        return f"{self.group}, {where}" if self.group else where


def is_wide(values: np.ndarray, axis: Axis = GENERATION) -> bool:
    """Are positive values so far apart that a linear axis hides the small ones?

    Examples
    --------
    >>> is_wide(np.array([0.0, 1.0, 200.0])), is_wide(np.array([0.001, 1.0]))
    (False, True)
    """
    limit = _WIDE_OVER_GENERATIONS if axis is GENERATION else _WIDE
    positive = values[np.isfinite(values) & (values > 0)]
    return bool(positive.size) and float(positive.max() / positive.min()) > limit


def plots_of(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Return panels by plot: those of one title together, in the order of the first."""
    plots: dict[str, list[Panel]] = {}
    for panel in panels:
        plots.setdefault(panel.title, []).append(panel)
    return list(plots.values())
