"""Metrics of Gaussian laws in any dimension: functions of the states that a model gives, beside the truth.

The states are `mean` (R, B) and `log_sigma` (R, B) in one dimension; else `mean` (R, B, d), `factor` (R, B, r, r), the
lower Cholesky factor of the covariance, and `log_diagonal` (R, B, r), the logs of its diagonal. A fit to n <= d points
has r = n - 1 < d: its factor is that of the covariance within the span of the points, the truth being isotropic. The
truth has `dimension`, `means()` (d) and `factor()` (d, d).
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from fastcollapse.variables import Metric, Variable, metric_table

# Bytes of the factors that are worked on at a time.
_BYTES_AT_A_TIME = 8_000_000
# Values of a metric that are worked on at a time, one dimension.
_VALUES_IN_CACHE = 32_768


class Laws:
    """Gaussian laws (R, B) beside the truth: what several metrics need, made once, when first asked for.

    Parameters
    ----------
    states : name -> float64 (R, B, ...), see the head of this file.
    truth : the law of generation 0.
    """

    def __init__(self, states: Mapping[str, np.ndarray], truth: Any) -> None:
        self.states = states
        self.dimension = int(truth.dimension)
        self.truth_mean, self.truth_factor = truth.means(), truth.factor()
        self.truth_log_diagonal = np.log(self.truth_factor.diagonal())
        self.shape = states["mean"].shape[:2]
        self.rank = 1 if self.dimension == 1 else states["factor"].shape[-1]

    @cached_property
    def log_ratio(self) -> np.ndarray:
        """ln(sigma/sigma_0), one dimension."""
        return self.states["log_sigma"] - self.truth_log_diagonal[0]

    @cached_property
    def ratio(self) -> np.ndarray:
        """sigma/sigma_0, one dimension."""
        return np.exp(self.log_ratio)

    @cached_property
    def squared_ratio(self) -> np.ndarray:
        return self.ratio * self.ratio

    @cached_property
    def shift(self) -> np.ndarray:
        """mean - mean_0, (R, B) in one dimension, else (R, B, d)."""
        return self.states["mean"] - (self.truth_mean[0] if self.dimension == 1 else self.truth_mean)

    @cached_property
    def squared_shift(self) -> np.ndarray:
        if self.dimension == 1:
            return self.shift * self.shift
        return np.einsum("rbi,rbi->rb", self.shift, self.shift)

    @cached_property
    def truth_scale(self) -> float:
        """The square root of tr Sigma_0, without overflow or underflow."""
        largest = np.abs(self.truth_factor).max()
        return float(largest * np.linalg.norm(self.truth_factor / largest))

    @cached_property
    def is_truth(self) -> np.ndarray:
        """Where a state of low rank stands for the truth itself, whose rank is full: generation 0."""
        if self.rank == self.dimension:
            return np.zeros(self.shape, bool)
        rank = self.rank
        same = (self.states["mean"] == self.truth_mean).all(axis=-1)
        same[same] = (self.states["factor"][same] == self.truth_factor[:rank, :rank]).all(axis=(-1, -2))
        return same

    @cached_property
    def is_isotropic(self) -> bool:
        """Is Sigma_0 a multiple of the identity?"""
        return bool((self.truth_factor == self.truth_factor[0, 0] * np.eye(self.dimension)).all())

    @cached_property
    def truth_in_span(self) -> np.ndarray:
        """float64 (r, r), the factor of Sigma_0 over the square root of its trace."""
        return self.truth_factor[: self.rank, : self.rank] / self.truth_scale

    @cached_property
    def traces(self) -> np.ndarray:
        """float64 (2, R, B), more than one dimension: tr Sigma/tr Sigma_0 and tr(Sigma_0^-1 Sigma)."""
        inverse = np.linalg.inv(self.truth_in_span)
        found = np.empty((2, self.shape[0] * self.shape[1]))
        for part, factor in _parts(self.states["factor"]):
            scaled = factor / self.truth_scale
            found[0, part] = np.einsum("nij,nij->n", scaled, scaled)
            if not self.is_isotropic:
                scaled = inverse @ scaled
                found[1, part] = np.einsum("nij,nij->n", scaled, scaled)
        if self.is_isotropic:
            found[1] = found[0] * inverse[0, 0] ** 2
        return self._with_truth(found, 1, self.dimension)

    @cached_property
    def spectrum(self) -> np.ndarray:
        """float64 (3, R, B), more than one dimension: effective rank, largest share, and the trace of the square root
        of Sigma_0^1/2 Sigma Sigma_0^1/2 over tr Sigma_0. The eigenvalues take several times as long as a refit.
        """
        found = np.empty((3, self.shape[0] * self.shape[1]))
        for part, factor in _parts(self.states["factor"]):
            scaled = factor / self.truth_scale
            values = _eigenvalues(scaled)
            total = values.sum(axis=1, keepdims=True)
            share = values / np.where(total == 0, 1, total)
            found[0, part] = np.exp(-(share * np.log(np.where(share == 0, 1, share))).sum(axis=1))
            # A law whose squares are below the smallest float: one direction is what the others have left.
            found[1, part] = np.where(total[:, 0] == 0, 1, share.max(axis=1))
            if self.is_isotropic:
                found[2, part] = np.sqrt(values).sum(axis=1) * self.truth_in_span[0, 0]
            else:
                found[2, part] = np.sqrt(_eigenvalues(self.truth_in_span.T @ scaled)).sum(axis=1)
        return self._with_truth(found, self.dimension, 1 / self.dimension, 1)

    def _with_truth(self, found: np.ndarray, *of_truth: float) -> np.ndarray:
        values = found.reshape(-1, *self.shape)
        if self.rank < self.dimension:
            for row, value in zip(values, of_truth, strict=True):
                row[self.is_truth] = value
        return values

    @cached_property
    def log_det(self) -> np.ndarray:
        if self.dimension == 1:
            return 2 * self.states["log_sigma"]
        total = 2 * self.states["log_diagonal"].sum(axis=-1)
        total[self.is_truth] = 2 * self.truth_log_diagonal.sum()
        return total


def eigenvalues(states: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the positive eigenvalues of the covariance, largest first; absolute error 1e-30 of the largest.

    Parameters
    ----------
    states : as recorded, float64 (R, B, ...), or the states of some replicates and generations.

    Returns
    -------
    float64 (R, B, r): r = 1, the dimension, or n - 1 where n points span no more.

    Examples
    --------
    >>> eigenvalues({"mean": np.zeros((1, 1, 2)), "factor": np.array([[[[3.0, 0.0], [4.0, 0.0]]]])})
    array([[[25.,  0.]]])
    """
    if "factor" not in states:
        return np.exp(2 * np.asarray(states["log_sigma"]))[..., None]
    factors = np.asarray(states["factor"])
    found = np.empty((factors.shape[0] * factors.shape[1], factors.shape[-1]))
    for part, factor in _parts(factors):
        found[part] = np.linalg.svd(factor, compute_uv=False) ** 2
    return found.reshape(*factors.shape[:2], -1)


def log_det(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return ln det of the covariance; of rank below d the log of the product of its positive eigenvalues."""
    return _laws(states, truth).log_det


def log_sigma(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return the mean log of the deviations along the axes, ln det/(2 rank): ln sigma in one dimension."""
    laws = _laws(states, truth)
    if laws.dimension == 1:
        return laws.states["log_sigma"]
    return laws.log_det / (2 * np.where(laws.is_truth, laws.dimension, laws.rank))


def trace_ratio(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return tr Sigma/tr Sigma_0, the variance in units of the truth."""
    laws = _laws(states, truth)
    return laws.squared_ratio if laws.dimension == 1 else laws.traces[0]


def squared_error(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return |mean - mean_0|^2, in squared units of the data."""
    return _laws(states, truth).squared_shift


def effective_rank(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return the effective rank: e to the entropy (nats) of the eigenvalues' shares of the trace.

    References
    ----------
    Roy and Vetterli, The effective rank, EUSIPCO 2007.
    """
    laws = _laws(states, truth)
    return np.broadcast_to(1.0, laws.shape) if laws.dimension == 1 else laws.spectrum[0]


def largest_share(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return the largest eigenvalue over the trace."""
    laws = _laws(states, truth)
    return np.broadcast_to(1.0, laws.shape) if laws.dimension == 1 else laws.spectrum[1]


def kl_divergence(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return KL(state || truth) in nats, with ln det from the logs of the diagonal, so that it stays finite as the
    covariance underflows; inf, as it is, where the rank is below d.
    """
    laws = _laws(states, truth)
    if laws.dimension == 1:
        steps = laws.shift / laws.truth_factor[0, 0]
        # In place: these arrays are large, and fresh memory costs more than the sums.
        steps *= steps
        steps += laws.squared_ratio
        steps -= 1
        steps *= 0.5
        steps -= laws.log_ratio
        return np.maximum(0.0, steps, out=steps)
    d = laws.dimension
    if laws.rank < d:
        return np.where(laws.is_truth, 0.0, np.inf)
    inverse = np.linalg.inv(laws.truth_factor / laws.truth_scale)
    # One product for each law: of a whole block it would round by the length of the block.
    steps = (inverse @ (laws.shift / laws.truth_scale)[..., None])[..., 0]
    logs = 2 * (laws.states["log_diagonal"] - laws.truth_log_diagonal).sum(axis=-1)
    return np.maximum(0.0, 0.5 * (laws.traces[1] - d - logs + np.einsum("rbi,rbi->rb", steps, steps)))


def wasserstein2(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> np.ndarray:
    """Return the squared Wasserstein-2 distance to the truth, in squared units of the data.

    References
    ----------
    Gelbrich, Mathematische Nachrichten 147 (1990): |mean - mean_0|^2 + tr Sigma + tr Sigma_0 - 2 tr (Sigma_0^1/2
    Sigma Sigma_0^1/2)^1/2.
    """
    laws = _laws(states, truth)
    if laws.dimension == 1:
        gap = laws.ratio - 1
        gap *= laws.truth_factor[0, 0]
        gap *= gap
        gap += laws.squared_shift
        return gap
    spread = laws.traces[0] + 1 - 2 * laws.spectrum[2]
    return laws.squared_shift + laws.truth_scale**2 * np.maximum(0.0, spread)


# A subsample with replacement may be one point many times: its deviation is 0.
_OF_A_POINT = (-np.inf,)
METRICS = metric_table(
    Metric(
        "log_det",
        Variable("log determinant of the covariance (of its positive eigenvalues)", limits=_OF_A_POINT),
        log_det,
    ),
    Metric(
        "log_sigma",
        Variable("mean log standard deviation, log determinant / (2 rank)", limits=_OF_A_POINT),
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


_FUNCTIONS = {name: metric.function for name, metric in METRICS.items() if metric.function is not None}


def metrics_of(block: Any, truth: Any, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """Return metrics, float64 (R, B), of a block with `states` against the truth: by default every one.

    In more than one dimension `effective_rank`, `largest_share` and `wasserstein2` need eigenvalues, which take several
    times as long as the refit: who does not want them leaves them out of `names`.
    """
    if truth.dimension == 1:
        return _metrics_on_the_line(block.states, truth, names)
    laws = Laws(block.states, truth)
    return {name: _FUNCTIONS[name](laws, truth) for name in names}


def _metrics_on_the_line(states: Mapping[str, np.ndarray], truth: Any, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return metrics of a block, some replicates at a time: what is between the passes stays in the cache, and only
    results need new memory, which costs more than the arithmetic.
    """
    shape = states["mean"].shape
    found = {"effective_rank": np.broadcast_to(1.0, shape), "largest_share": np.broadcast_to(1.0, shape)}
    found["log_sigma"] = states["log_sigma"]
    wanted = [name for name in names if name not in found]
    found |= {name: np.empty(shape) for name in wanted}
    step = max(1, _VALUES_IN_CACHE // max(1, shape[1]))
    for start in range(0, shape[0], step):
        rows = slice(start, start + step)
        laws = Laws({name: values[rows] for name, values in states.items()}, truth)
        for name in wanted:
            found[name][rows] = _FUNCTIONS[name](laws, truth)
    return {name: found[name] for name in names}


def _laws(states: Mapping[str, np.ndarray] | Laws, truth: Any) -> Laws:
    return states if isinstance(states, Laws) else Laws(states, truth)


def _eigenvalues(factors: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of factor factor^T: ``(N,r,r)->(N,r)``, NaN where an entry is no number.

    Their error is 5e-16 of the largest, and they take half of the time of singular values; the square roots of small
    ones are lost only where the sums do not notice.
    """
    squares = factors @ factors.swapaxes(-1, -2)
    bad = ~np.isfinite(squares).all(axis=(1, 2))
    # One such matrix would stop the others.
    squares[bad] = 0
    values = np.maximum(0.0, np.linalg.eigvalsh(squares))
    values[bad] = np.nan
    return values


def _parts(factors: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Give the factors (R, B, r, r) as parts (N, r, r) of bounded memory."""
    flat = factors.reshape(-1, *factors.shape[2:])
    step = max(1, _BYTES_AT_A_TIME // max(1, 8 * flat.shape[-1] ** 2))
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        yield part, flat[part]
