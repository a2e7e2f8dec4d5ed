"""Curves of simulated quantities with their z-scores against theory, and panels of probabilities."""

import numpy as np
from scipy.special import ndtri, stdtr

from fastcollapse.analysis.panels.panel import Curve, Line, Panel

# Bounds closer than this number of standard errors stand for the exact value.
_CLOSE = 0.1
# The fewest rare events that a standard error can rest on.
EVENTS = 20


def curve_of(
    at: np.ndarray,
    values: np.ndarray,
    lower: np.ndarray | None,
    upper: np.ndarray | None,
    expected: np.ndarray,
    is_scored: np.ndarray,
) -> Curve:
    """Return the mean over replicates beside theory, with Student's score.

    Parameters
    ----------
    at : int64[B] or float64[B], the points of the axis.
    values : float64 (R, B).
    lower, upper : float64[B], bounds of the expectation, NaN where there are none; or None.
    expected : float64[B], the exact expectation, NaN where it is not known.
    is_scored : bool[B], where Student's law holds closely enough for a score.
    """
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
    z[~is_scored | (sd <= 1e-12 * np.abs(mean))] = np.nan
    # Values without variance, such as the truth itself, may differ by rounding alone.
    z[np.abs(distance) <= 1e-12 * np.abs(mean)] = 0.0
    return Curve(at, mean, sd, values.min(axis=0), values.max(axis=0), lower, upper, expected, z)


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
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(mean == reference, 0.0, (mean - reference) / (deviation / np.sqrt(n)))
    # The normal law does not hold for fewer events.
    z[(n * deviation**2 < EVENTS / 2) & (np.abs(mean - reference) > 1e-12)] = np.nan
    sd = np.sqrt(mean * (1 - mean) * n / max(n - 1, 1))
    low, high = (np.clip(mean + side * sd / np.sqrt(n), 0.0, 1.0) for side in (-2, 2))
    if bounds is None:
        return Curve(at, mean, sd, low, high, None, None, expected, z)
    return Curve(at, mean, sd, low, high, lower, upper, expected, z)


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
