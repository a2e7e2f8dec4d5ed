"""Metrics of Gaussian laws in any dimension: functions of the states and of the truth.

`fastcollapse.models.gaussian.quantities` describes the states and the truth.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastcollapse.kernels.jit import current_threads
from fastcollapse.models.gaussian.quantities import GaussianQuantities, TruthLaw, split_factors
from fastcollapse.models.roles import NO_SIZES, Excluded, Limit, Reading, Role, Unanswered, variance_left
from fastcollapse.variables import DerivedArray, Metric, Variable, metric_table

# Number of values of a metric that are computed at a time in one dimension, so that they fit into the cache.
_CHUNK_VALUES = 32_768


def eigenvalues(states: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the positive eigenvalues of the covariance, the largest first; absolute error 1e-30 of the largest.

    Parameters
    ----------
    states : recorded states, float64 (R, B, ...), of all or some replicates and generations.

    Returns
    -------
    eigenvalues : float64 (R, B, r), where r is the dimension d, or n - 1 for fits to n <= d points.

    Examples
    --------
    >>> eigenvalues({"mean": np.zeros((1, 1, 2)), "factor": np.array([[[[3.0, 0.0], [4.0, 0.0]]]])})
    array([[[25.,  0.]]])
    """
    if "factor" not in states:
        return np.exp(2 * np.asarray(states["log_sigma"]))[..., None]
    factors = np.asarray(states["factor"])
    values = np.empty((factors.shape[0] * factors.shape[1], factors.shape[-1]))
    for part, factor in split_factors(factors):
        values[part] = np.linalg.svd(factor, compute_uv=False) ** 2
    return values.reshape(*factors.shape[:2], -1)


def log_det(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return ln det of the covariance; for a rank below d, the log of the product of its positive eigenvalues."""
    return _quantities(states, truth).log_det


def log_sigma(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return the mean log standard deviation along the principal axes, ln det/(2 rank); ln sigma in one dimension."""
    q = _quantities(states, truth)
    if q.dimension == 1:
        return q.states["log_sigma"]
    return q.log_det / (2 * np.where(q.is_truth, q.dimension, q.rank))


def trace_ratio(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return tr Sigma/tr Sigma_0, the total variance relative to the truth."""
    q = _quantities(states, truth)
    return q.squared_ratio if q.dimension == 1 else q.trace


def squared_error(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return |mean - mean_0|^2 in squared units of the data."""
    return _quantities(states, truth).squared_shift


def effective_rank(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return the effective rank exp(H), where H is the entropy in nats of the eigenvalues divided by their sum.

    References
    ----------
    Roy and Vetterli, The effective rank, EUSIPCO 2007.
    """
    q = _quantities(states, truth)
    return np.broadcast_to(1.0, q.shape) if q.dimension == 1 else q.spectrum[0]


def largest_share(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return the largest eigenvalue divided by the trace."""
    q = _quantities(states, truth)
    return np.broadcast_to(1.0, q.shape) if q.dimension == 1 else q.spectrum[1]


def kl_divergence(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return KL(state || truth) in nats; inf if the rank is below d.

    It is half of |A|^2 + sum (exp(y) - 1 - y) + |mean - mean_0|^2 in units of the truth: A is the part below the
    diagonal of the factor, and y/2 are the logs of the diagonal. No term is negative, so that nothing cancels near the
    truth, and the result stays finite when the covariance underflows.
    """
    q = _quantities(states, truth)
    if q.dimension == 1:
        steps = q.scaled_shift * q.scaled_shift
        # In place, because allocating these large arrays costs more than the arithmetic.
        excess = q.gap + 2
        excess *= q.gap
        excess -= q.log_ratio
        excess -= q.log_ratio
        steps += excess
        steps *= 0.5
        return np.maximum(0.0, steps, out=steps)
    d = q.dimension
    if q.rank < d:
        return np.where(q.is_truth, 0.0, np.inf)
    inverse = np.linalg.inv(q.truth_factor / q.truth_scale)
    # One product for each law: the rounding of one product for all laws would depend on the block length.
    steps = (inverse @ (q.shift / q.truth_scale)[..., None])[..., 0]
    logs = 2 * (q.states["log_diagonal"] - q.truth_log_diagonal)
    excess = (np.expm1(logs) - logs).sum(axis=-1)
    return np.maximum(0.0, 0.5 * (q.squares_below + excess + np.einsum("rbi,rbi->rb", steps, steps)))


def wasserstein2(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> np.ndarray:
    """Return the squared Wasserstein-2 distance to the truth in squared units of the data.

    References
    ----------
    Gelbrich, Mathematische Nachrichten 147 (1990): |mean - mean_0|^2 + tr Sigma + tr Sigma_0 - 2 tr (Sigma_0^1/2
    Sigma Sigma_0^1/2)^1/2.
    """
    q = _quantities(states, truth)
    if q.dimension == 1:
        sigma = q.truth_factor[0, 0]
        gap = q.gap if sigma == 1 else q.gap * sigma
        squares = gap * gap
        squares += q.squared_shift
        return squares
    return q.squared_shift + q.truth_scale**2 * q.spectrum[2]


# A subsample with replacement may contain one point only; its deviation is then 0.
_DEGENERATE = (-np.inf,)
METRICS = metric_table(
    Metric(
        "log_det",
        Variable("log determinant of the covariance (of its positive eigenvalues)", limits=_DEGENERATE),
        log_det,
    ),
    Metric(
        "log_sigma",
        Variable("mean log standard deviation, log determinant / (2 rank)", limits=_DEGENERATE),
        log_sigma,
    ),
    Metric("trace_ratio", Variable("trace of the covariance over that of the truth"), trace_ratio),
    Metric("squared_error", Variable("squared distance of the mean to that of the truth"), squared_error),
    Metric("effective_rank", Variable("effective rank of the covariance"), effective_rank),
    Metric("largest_share", Variable("largest eigenvalue over the trace of the covariance"), largest_share),
    Metric(
        "kl_divergence",
        Variable("Kullback-Leibler divergence KL(state || truth)", "nat", limits=(np.inf,)),
        kl_divergence,
    ),
    Metric("wasserstein2", Variable("squared Wasserstein-2 distance to the truth"), wasserstein2),
)

_BOUNDED = "for large n it is at most pi^2/6 of that of the first fit (risk_factor)"
_VANISHES = {
    "replace": (Limit(True, "it tends to 0 with probability 1 (log_sigma_mean)"),),
    "accumulate": (Limit(False, "its mean tends to a positive limit (gaussian_accumulate_limit)"),),
}
ROLES: dict[str, Role] = {
    "risk": (
        Reading(
            ("kl_divergence",),
            "KL(state || truth)",
            limits={
                "replace": (Limit(True, "its mean grows without bound, as -E ln sigma does (log_sigma_mean)"),),
                "accumulate": (Limit(False, _BOUNDED),),
            },
        ),
        Reading(
            ("squared_error",),
            "squared error of the mean",
            limits={
                "replace": (
                    Limit(
                        True,
                        "its mean grows as t/n (mean_squared_error_of_mean)",
                        lambda experiment: experiment.model.estimator == "unbiased",
                    ),
                    Limit(
                        False,
                        "its mean is below the true variance (mean_squared_error_of_mean)",
                        lambda experiment: experiment.model.estimator == "mle",
                    ),
                ),
                "accumulate": (Limit(False, _BOUNDED),),
            },
        ),
    ),
    "variance": (
        Reading(("trace_ratio",), "trace of the covariance over the true one", limits=_VANISHES),
        Reading(("log_sigma",), "variance exp(2 log_sigma) over the true one", variance_left, _VANISHES),
    ),
    "scaling": NO_SIZES,
    "tails": Unanswered("a Gaussian has tails at every positive variance; the variance says how far they reach"),
    "modes": Excluded("a Gaussian has one mode at every variance"),
    "invented": Excluded("the density of the truth is positive everywhere"),
}

_FUNCTIONS = {name: metric.function for name, metric in METRICS.items() if metric.function is not None}


def metrics_of(block: Any, truth: Any, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """Return metrics, float64 (R, B), of a block with `states`, by default all metrics.

    In more than one dimension `effective_rank`, `largest_share` and `wasserstein2` need eigenvalues, which cost several
    times as much as the refit. Leave them out of `names` if they are not needed.
    """
    if truth.dimension == 1:
        return _univariate_metrics(block.states, truth, names)
    q = GaussianQuantities(block.states, truth)
    return {name: _FUNCTIONS[name](q, truth) for name in names}


def _univariate_metrics(states: Mapping[str, np.ndarray], truth: Any, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return metrics of a block in one dimension, computed for a few replicates at a time.

    Intermediate values stay in the cache and only results need new memory, which costs more than the arithmetic.
    """
    shape = states["mean"].shape
    results = _constant_metrics(states) | {"log_sigma": states["log_sigma"]}
    computed = [name for name in names if name not in results]
    results |= {name: np.empty(shape) for name in computed}
    step = max(1, _CHUNK_VALUES // max(1, shape[1]))
    for start in range(0, shape[0], step):
        rows = slice(start, start + step)
        q = GaussianQuantities({name: values[rows] for name, values in states.items()}, truth)
        for name in computed:
            results[name][rows] = _FUNCTIONS[name](q, truth)
    return {name: results[name] for name in names}


def derived_metrics(
    states: Mapping[str, np.ndarray], truth: Any, names: Iterable[str]
) -> dict[str, np.ndarray | DerivedArray]:
    """Return metrics of states in one dimension; those that are no constants are computed when they are read."""
    law, n_threads, known = TruthLaw.of(truth), current_threads(), _constant_metrics(states)

    def derived(name: str) -> DerivedArray:
        return DerivedArray(functools.partial(_values, name, law), states, n_threads)

    return {name: known[name] if name in known else derived(name) for name in names}


def _values(name: str, law: TruthLaw, states: Mapping[str, np.ndarray]) -> np.ndarray:
    return _FUNCTIONS[name](GaussianQuantities(states, law), law)


def _constant_metrics(states: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the metrics in one dimension that are 1."""
    return dict.fromkeys(("effective_rank", "largest_share"), np.broadcast_to(1.0, states["mean"].shape))


def _quantities(states: Mapping[str, np.ndarray] | GaussianQuantities, truth: Any) -> GaussianQuantities:
    return states if isinstance(states, GaussianQuantities) else GaussianQuantities(states, truth)
