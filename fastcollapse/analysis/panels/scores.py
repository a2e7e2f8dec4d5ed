"""Curves of simulated quantities with their z-scores against theory, and panels of probabilities."""

import numpy as np
from scipy.special import bdtr, bdtrc, ndtri, stdtr

from fastcollapse.analysis.panels.panel import Curve, Line, Panel

# Bounds closer than this number of standard errors stand for the exact value.
_CLOSE = 0.1
# The fewest rare events that a standard error can rest on.
EVENTS = 20
# Share of equal replicates below which few replicates make a mean; that of squares of normal variates is 1/3.
_FEW_EFFECTIVE = 0.2
# Fewer events have a score if their probability by theory is below this one; it is at most _LARGEST.
_IMPOSSIBLE, _LARGEST = 1e-7, 99.0
# The sums of squares and cubes of larger values may overflow.
_OVERFLOWING = 1e90
# An event, or its opposite, with fewer expected events than this is certain.
_CERTAIN = 1e-9


def curve_of(
    at: np.ndarray,
    values: np.ndarray,
    lower: np.ndarray | None,
    upper: np.ndarray | None,
    expected: np.ndarray,
    is_scored: np.ndarray,
    rule: str = "",
) -> Curve:
    """Return the mean over replicates beside theory, with Student's score.

    Parameters
    ----------
    at : int64[B] or float64[B], the points of the axis.
    values : float64 (R, B).
    lower, upper : float64[B], bounds of the expectation, NaN where there are none; or None.
    expected : float64[B], the exact expectation, NaN where it is not known.
    is_scored : bool[B], where Student's law holds closely enough for a score.
    rule : the rule of `is_scored` in words.
    """
    n_replicates = values.shape[0]
    mean = values.mean(axis=0)
    with np.errstate(invalid="ignore"):  # NaN where a replicate is infinite, as ln det of a fit without variance
        small, scale = scaled(values)
        sd = small.std(axis=0, ddof=1) * scale if n_replicates > 1 else np.full(mean.shape, np.nan)
    error = sd / np.sqrt(n_replicates)
    distance = mean - expected
    if lower is not None and upper is not None:
        close = np.isnan(expected) & (upper - lower <= _CLOSE * error)
        expected = np.where(close, (lower + upper) / 2, expected)
        outside = np.where(mean < lower, mean - lower, np.where(mean > upper, mean - upper, 0.0))
        distance = np.where(np.isnan(expected), outside, mean - expected)
        distance[np.isnan(lower)] = np.nan
    z = _normal_score(distance, error, n_replicates)
    z[~is_scored | (sd <= 1e-12 * np.abs(mean))] = np.nan
    # Values without variance, such as the truth itself, may differ by rounding alone.
    z[np.abs(distance) <= 1e-12 * np.abs(mean)] = 0.0
    rule = replicates_rule(2, n_replicates) if n_replicates < 2 or not rule else rule
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(invalid="ignore"):
        quantiles = np.quantile(values, [0.1, 0.9], axis=0)
    heavy_tailed = n_replicates > 1 and bool(is_heavy_tailed(values).any())
    return Curve(
        at, mean, sd, low, high, lower, upper, expected, z, rule,
        n_replicates=n_replicates, quantiles=quantiles, heavy_tailed=heavy_tailed,
    )  # fmt: skip


def scaled(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values over a scale, and the scale, float64 (R, B) -> (R, B), (B): 1 unless their squares may overflow.

    Examples
    --------
    >>> scaled(np.array([[1.0, 1e200], [2.0, 3e200]]))[1]
    array([1.e+000, 3.e+200])
    """
    size = np.abs(values).max(axis=0)
    scale = np.where((size > _OVERFLOWING) & np.isfinite(size), size, 1.0)
    return (values / scale if (scale != 1).any() else values), scale


def is_heavy_tailed(values: np.ndarray) -> np.ndarray:
    """Return where few of many replicates make the mean of a positive quantity, float64 (R, B) -> bool (B).

    A share of events, whose values are 0 and another one, is not heavy-tailed.

    Examples
    --------
    >>> is_heavy_tailed(np.exp(3 * np.random.default_rng(1).standard_normal((100, 1))))
    array([ True])
    """
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(invalid="ignore"):
        is_event = ((values == low) | (values == high)).all(axis=0)
    few = effective_replicates(np.where(np.isfinite(values), values, 0.0)) < _FEW_EFFECTIVE * values.shape[0]
    return np.asarray((low >= 0) & (high > 0) & ~is_event & few)


def replicates_rule(n_needed: int, n_replicates: int) -> str:
    """Return the rule that a score needs a number of replicates, which are not all equal.

    Examples
    --------
    >>> replicates_rule(20, 5), replicates_rule(2, 5)
    ('a score needs 20 replicates, here 5', 'a score needs replicates that are not all equal')
    """
    if n_replicates >= n_needed:
        return "a score needs replicates that are not all equal"
    return f"a score needs {n_needed} replicates, here {n_replicates:,}"


def effective_replicates(values: np.ndarray) -> np.ndarray:
    """Return how many equal replicates would have the relative error of the mean of these, float64 (R, B) -> (B).

    References
    ----------
    Kish (1965), Survey Sampling: the effective sample size of unequal weights.

    Examples
    --------
    >>> effective_replicates(np.array([[1.0, 3.0], [1.0, 0.0], [1.0, 0.0]]))
    array([3., 1.])
    """
    values = scaled(values)[0]
    squares = (values**2).sum(axis=0)
    return np.divide(values.sum(axis=0) ** 2, squares, out=np.zeros_like(squares), where=squares > 0)


def unscored_curve(at: np.ndarray, values: np.ndarray) -> Curve:
    """Return the mean of values, float64 (R, B), whose expectation is not known."""
    return curve_of(at, values, None, None, np.full(len(at), np.nan), np.full(len(at), False))


def share_of(
    at: np.ndarray,
    events: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray] | None,
    exact: np.ndarray | None,
) -> Curve:
    """Return the share of replicates with an event beside its probability, or beside bounds of it.

    The score is binomial: its standard error is that of the exact probability, or of the nearer bound.

    Parameters
    ----------
    at : int64[B].
    events : bool (R, B), whether the event has happened.
    bounds : two of float64[B], or None.
    exact : float64[B], the probability, or None where it is not known.
    """
    n = events.shape[0]
    mean = events.mean(axis=0)
    unknown = np.full(len(at), np.nan)
    lower, upper = bounds if bounds is not None else (unknown, unknown)
    expected = unknown if exact is None else exact
    reference = np.clip(mean, lower, upper) if exact is None else exact
    deviation = np.sqrt(np.clip(reference * (1 - reference), 0, None))
    if exact is None:
        is_close = upper - lower <= _CLOSE * deviation / np.sqrt(n)
        expected = np.where(is_close, (lower + upper) / 2, unknown)
        reference = np.where(is_close, expected, reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(mean == reference, 0.0, (mean - reference) / (deviation / np.sqrt(n)))
    # The normal law does not hold for fewer events; the binomial one shows what is no chance.
    is_equal = np.abs(mean - reference) <= 1e-12
    is_few = (n * deviation**2 < EVENTS / 2) & (np.isfinite(expected) | ~is_equal)
    z[is_few] = _impossible_score(events.sum(axis=0), n, reference)[is_few]
    z[is_few & is_equal & (n * deviation**2 < _CERTAIN)] = 0.0  # what is certain is no comparison
    sd = np.sqrt(mean * (1 - mean) * n / max(n - 1, 1))
    low, high = (np.clip(mean + side * sd / np.sqrt(n), 0.0, 1.0) for side in (-2, 2))
    rule = f"a score needs n p (1 - p) of at least {EVENTS // 2} for {n:,} replicates and an event of probability p"
    if bounds is None:
        return Curve(at, mean, sd, low, high, None, None, expected, z, rule)
    return Curve(at, mean, sd, low, high, lower, upper, expected, z, rule)


def _impossible_score(counts: np.ndarray, n: int, probability: np.ndarray) -> np.ndarray:
    """Return the normal score of the binomial tail probability of counts, NaN unless that is below _IMPOSSIBLE."""
    above = counts > n * probability
    tail = np.where(above, bdtrc(counts - 1.0, n, probability), bdtr(counts.astype(float), n, probability))
    score = np.minimum(-ndtri(tail), _LARGEST)
    return np.where(tail < _IMPOSSIBLE, np.where(above, score, -score), np.nan)


def probability_panel(title: str, label: str, heading: str, curve: Curve, lines: tuple[Line, ...] = ()) -> Panel:
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
    """Return the normal score with the tail probability of distance/error under Student's law of n - 1 degrees."""
    if n < 2:
        return np.full(distance.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = distance / error
        score = -ndtri(stdtr(n - 1, -np.abs(ratio)))
    # The tail probability underflows for large ratios; their exact score does not matter.
    return np.sign(ratio) * np.where(np.isinf(score), np.abs(ratio), score)
