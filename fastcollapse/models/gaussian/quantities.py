"""Quantities that several metrics of Gaussian laws share, relative to the truth.

The states are `mean` (R, B) and `log_sigma` (R, B) in one dimension. In d > 1 dimensions they are `mean` (R, B, d),
`factor` (R, B, r, r), the lower Cholesky factor of the covariance, and `log_diagonal` (R, B, r), the logs of its
diagonal. A fit to n <= d points has rank r = n - 1 < d; its factor is then the factor of the covariance within the span
of the points, for an isotropic truth. The truth has `dimension`, `means()` (d) and `factor()` (d, d).
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

# Size of the factors that are processed at a time, in bytes.
_CHUNK_BYTES = 8_000_000
# A difference of traces below this, relative to the truth, has lost half of its digits.
_CANCELS = 1e-6


class TruthLaw(NamedTuple):
    """Mean (d), factor (d, d) and logs of the diagonal of the factor (d) of the truth."""

    mean: np.ndarray
    factor: np.ndarray
    log_diagonal: np.ndarray

    @classmethod
    def of(cls, truth: Any) -> "TruthLaw":
        """Return the law of a truth."""
        factor = truth.factor()
        return cls(truth.means(), factor, np.log(factor.diagonal()))


class GaussianQuantities:
    """Quantities of Gaussian laws (R, B) relative to the truth; each is computed once, at its first use.

    Parameters
    ----------
    states : name -> float64 (R, B, ...), see the docstring of this module.
    truth : the law of generation 0; a `TruthLaw` saves time if the states are few.
    """

    def __init__(self, states: Mapping[str, np.ndarray], truth: Any) -> None:
        law = truth if isinstance(truth, TruthLaw) else TruthLaw.of(truth)
        self.states = states
        self.dimension = len(law.mean)
        self.truth_mean, self.truth_factor, self.truth_log_diagonal = law
        self.shape = states["mean"].shape[:2]
        self.rank = 1 if self.dimension == 1 else states["factor"].shape[-1]

    @cached_property
    def log_ratio(self) -> np.ndarray:
        """Log ratio ln(sigma/sigma_0), float64 (R, B), one dimension only."""
        return _difference(self.states["log_sigma"], self.truth_log_diagonal[0])

    @cached_property
    def ratio(self) -> np.ndarray:
        """Ratio sigma/sigma_0, float64 (R, B), one dimension only."""
        return np.exp(self.log_ratio)

    @cached_property
    def gap(self) -> np.ndarray:
        """Relative difference sigma/sigma_0 - 1, float64 (R, B), one dimension only."""
        return np.expm1(self.log_ratio)

    @cached_property
    def squared_ratio(self) -> np.ndarray:
        """Square of `ratio`, float64 (R, B), one dimension only."""
        return self.ratio * self.ratio

    @cached_property
    def shift(self) -> np.ndarray:
        """Difference mean - mean_0, float64 (R, B) in one dimension, otherwise (R, B, d)."""
        mean = self.states["mean"]
        return _difference(mean, self.truth_mean[0]) if self.dimension == 1 else mean - self.truth_mean

    @cached_property
    def scaled_shift(self) -> np.ndarray:
        """Difference of the means in units of sigma_0, float64 (R, B), one dimension only."""
        return _ratio(self.shift, self.truth_factor[0, 0])

    @cached_property
    def squared_shift(self) -> np.ndarray:
        """Squared norm |mean - mean_0|^2, float64 (R, B)."""
        if self.dimension == 1:
            return self.shift * self.shift
        return np.einsum("rbi,rbi->rb", self.shift, self.shift)

    @cached_property
    def truth_scale(self) -> float:
        """Square root of tr Sigma_0, computed without overflow or underflow."""
        largest = np.abs(self.truth_factor).max()
        return float(largest * np.linalg.norm(self.truth_factor / largest))

    @cached_property
    def is_truth(self) -> np.ndarray:
        """Mask (R, B) of states of low rank that represent the truth (generation 0), whose rank is full."""
        if self.rank == self.dimension:
            return np.zeros(self.shape, bool)
        rank = self.rank
        same = (self.states["mean"] == self.truth_mean).all(axis=-1)
        same[same] = (self.states["factor"][same] == self.truth_factor[:rank, :rank]).all(axis=(-1, -2))
        return same

    @cached_property
    def is_isotropic(self) -> bool:
        """Whether Sigma_0 is a multiple of the identity."""
        return bool((self.truth_factor == self.truth_factor[0, 0] * np.eye(self.dimension)).all())

    @cached_property
    def truth_in_span(self) -> np.ndarray:
        """Leading block of the factor of Sigma_0, divided by `truth_scale`, float64 (r, r)."""
        return self.truth_factor[: self.rank, : self.rank] / self.truth_scale

    @cached_property
    def trace(self) -> np.ndarray:
        """Trace tr Sigma/tr Sigma_0, float64 (R, B), d > 1 only."""
        out = np.empty((1, self.shape[0] * self.shape[1]))
        for part, factor in split_factors(self.states["factor"]):
            scaled = factor / self.truth_scale
            out[0, part] = np.einsum("nij,nij->n", scaled, scaled)
        return self._insert_truth(out, 1)[0]

    @cached_property
    def squares_below(self) -> np.ndarray:
        """Sum of the squares below the diagonal of the factor in units of the truth's, float64 (R, B), d > 1 only."""
        inverse = np.linalg.inv(self.truth_in_span)
        out = np.empty((1, self.shape[0] * self.shape[1]))
        for part, factor in split_factors(self.states["factor"]):
            scale = self.truth_factor[0, 0] if self.is_isotropic else self.truth_scale
            scaled = factor / scale
            if not self.is_isotropic:
                scaled = inverse @ scaled
            np.einsum("nii->ni", scaled)[...] = 0.0
            out[0, part] = np.einsum("nij,nij->n", scaled, scaled)
        return self._insert_truth(out, 0)[0]

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Functions of the eigenvalues, float64 (3, R, B), d > 1 only.

        They are the effective rank, the largest share of the trace, and tr(Sigma + Sigma_0 - 2 (Sigma_0^1/2 Sigma
        Sigma_0^1/2)^1/2) over tr Sigma_0. The eigenvalues cost several times as much as a refit.
        """
        out = np.empty((3, self.shape[0] * self.shape[1]))
        for part, factor in split_factors(self.states["factor"]):
            scaled = factor / self.truth_scale
            values = _eigenvalues(scaled)
            total = values.sum(axis=1, keepdims=True)
            share = values / np.where(total == 0, 1, total)
            out[0, part] = np.exp(-(share * np.log(np.where(share == 0, 1, share))).sum(axis=1))
            # If all squared entries underflow, treat the law as one direction.
            out[1, part] = np.where(total[:, 0] == 0, 1, share.max(axis=1))
            if self.is_isotropic:
                gaps = np.sqrt(values) - self.truth_in_span[0, 0]
                outside = (self.dimension - self.rank) * self.truth_in_span[0, 0] ** 2
                out[2, part] = np.einsum("ni,ni->n", gaps, gaps) + outside
            else:
                middle = np.sqrt(_eigenvalues(self.truth_in_span.T @ scaled)).sum(axis=1)
                out[2, part] = total[:, 0] + 1 - 2 * middle
                near = part.start + np.flatnonzero(out[2, part] < _CANCELS)
                out[2, near] = _procrustes(scaled[near - part.start], self.truth_in_span)
        return self._insert_truth(out, self.dimension, 1 / self.dimension, 0)

    def _insert_truth(self, flat_values: np.ndarray, *truth_values: float) -> np.ndarray:
        """Return values (k, R * B) as (k, R, B), with the value of the truth where `is_truth`."""
        values = flat_values.reshape(-1, *self.shape)
        if self.rank < self.dimension:
            for row, value in zip(values, truth_values, strict=True):
                row[self.is_truth] = value
        return values

    @cached_property
    def log_det(self) -> np.ndarray:
        """Log determinant of the covariance within its span, float64 (R, B)."""
        if self.dimension == 1:
            return 2 * self.states["log_sigma"]
        total = 2 * self.states["log_diagonal"].sum(axis=-1)
        total[self.is_truth] = 2 * self.truth_log_diagonal.sum()
        return total


def _difference(values: np.ndarray, number: float) -> np.ndarray:
    """Return values - number; nothing is computed for 0, the usual mean of a truth and log of its deviation."""
    return values if number == 0 else values - number


def _ratio(values: np.ndarray, number: float) -> np.ndarray:
    """Return values/number; nothing is computed for 1, the usual deviation of a truth."""
    return values if number == 1 else values / number


def _eigenvalues(factors: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of factor factor^T: ``(N,r,r)->(N,r)``; NaN for factors with a non-finite entry.

    Their error is 5e-16 of the largest eigenvalue. This is twice as fast as singular values, and small eigenvalues do
    not matter in the sums that use them.
    """
    squares = factors @ factors.swapaxes(-1, -2)
    bad = ~np.isfinite(squares).all(axis=(1, 2))
    # A non-finite matrix would make `eigvalsh` fail for all matrices.
    squares[bad] = 0
    values = np.maximum(0.0, np.linalg.eigvalsh(squares))
    values[bad] = np.nan
    return values


def _procrustes(factors: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the smallest |L - L_0 U|^2 over the rotations U: ``(N,r,r),(r,r)->(N)``; three times the eigenvalues."""
    left, _, right = np.linalg.svd(truth.T @ factors)
    gaps = factors - truth @ (left @ right)
    return np.einsum("nij,nij->n", gaps, gaps)


def split_factors(factors: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the factors (R, B, r, r) in chunks (N, r, r) of bounded size, each with its slice."""
    flat = factors.reshape(-1, *factors.shape[2:])
    step = max(1, _CHUNK_BYTES // max(1, 8 * flat.shape[-1] ** 2))
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        yield part, flat[part]
