"""Normal mixtures as truths: integrals of squared densities and characteristic functions."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, jv

from fastcollapse.errors import InputError
from fastcollapse.theory.arguments import probability_vector, reals, require
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.quadrature import GAUSSIAN_END, panels

_MOST_DIMENSIONS, _MOST_COMPONENTS = 100, 100
# Nodes of a rule over directions: for each unit of phase, for each unit of the ratio of deviations, and others.
_BY_PHASE, _BY_RATIO, _OTHER = 1.0, 20.0, 40.0
_MOST_NODES = 4096
# Largest number of frequencies, about one for each unit of phase.
_MOST_WAVES = 1_000_000


@dataclass(frozen=True, eq=False)
class NormalMixture:
    """A checked normal mixture of k components in d dimensions.

    Parameters
    ----------
    weights, means, covariances : [k], [k, d], [k, d, d].
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    @classmethod
    def of(cls, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike) -> "NormalMixture":
        """Return the mixture of arguments.

        Parameters
        ----------
        weights : [k] or 1 for a single component; they sum to 1.
        means : [k, d], or [k] in one dimension, or a number for a single component in one dimension.
        covariances : [k, d, d], or variances of multiples of the identity, [k] or one for all components.

        Examples
        --------
        >>> NormalMixture.of([0.5, 0.5], [-1, 1], 0.25).covariances.ravel()
        array([0.25, 0.25])
        """
        share = probability_vector("weights", np.atleast_1d(reals("weights", weights, 0, 1)))
        centres = reals("means", means, -1e6, 1e6)
        centres = centres.reshape(-1, 1) if centres.ndim < 2 else centres
        k, d = len(share), centres.shape[-1]
        require(k <= _MOST_COMPONENTS, "weights", f"at most {_MOST_COMPONENTS} of them", k)
        require(centres.shape == (k, d), "means", f"{k} vectors, one for each weight", means)
        require(1 <= d <= _MOST_DIMENSIONS, "means", f"vectors of 1 to {_MOST_DIMENSIONS} numbers", d)
        matrices = reals("covariances", covariances, -1e12, 1e12)
        if matrices.ndim < 2:
            require(matrices.shape in ((), (k,)), "covariances", f"one variance or {k} of them", covariances)
            matrices = np.broadcast_to(matrices, (k,))[:, None, None] * np.eye(d)
        shape = (k, d, d)
        require(matrices.shape == shape, "covariances", f"{k} matrices of shape ({d}, {d})", covariances)
        require(matrices == matrices.transpose(0, 2, 1), "covariances", "symmetric", covariances)
        least = np.linalg.eigvalsh(matrices).min()
        require(least >= 1e-8, "covariances", "matrices with eigenvalues of at least 1e-8", least)
        return cls(share / share.sum(), centres, matrices)

    @property
    def dimension(self) -> int:
        """Number of dimensions d."""
        return self.means.shape[1]

    @property
    def is_isotropic(self) -> bool:
        """Whether all covariances are multiples of the identity."""
        return bool((self.covariances == self.covariances[:, :1, :1] * np.eye(self.dimension)).all())

    @property
    def variance(self) -> float:
        """Variance of a coordinate, averaged over the coordinates."""
        spread = self.means - self.weights @ self.means
        traces = np.trace(self.covariances, axis1=1, axis2=2) + (spread**2).sum(axis=1)
        return float(self.weights @ traces) / self.dimension

    def overlap(self, s: ArrayLike) -> NDArray[np.float64]:
        """Return I(s), the density at 0 of the difference of two points plus a normal vector of covariance s 1.

        Examples
        --------
        >>> NormalMixture.of(1, 0, 1).overlap([0.0, 2.0]).round(6)
        array([0.282095, 0.199471])
        """
        added = np.asarray(s, dtype=float)[..., None]
        total = np.zeros(added.shape[:-1])
        for i, (w, m, c) in enumerate(zip(self.weights, self.means, self.covariances, strict=True)):
            for j in range(i + 1):
                values, vectors = np.linalg.eigh(c + self.covariances[j])
                squares = ((m - self.means[j]) @ vectors) ** 2
                logs = np.log(2 * math.pi * (values + added)) + squares / (values + added)
                total += (1 if i == j else 2) * w * self.weights[j] * np.exp(-logs.sum(axis=-1) / 2)
        return total

    def table(self, least: float, most: float, n_steps: float) -> FrequencyTable:
        """Return the table for kernels of bandwidths `least` to `most`.

        Parameters
        ----------
        n_steps : least of the number of generations and of points: n_steps kernels at most make a feature.
        """
        eigenvalues = np.linalg.eigvalsh(self.covariances)
        reach = float(np.sqrt(((self.means[:, None] - self.means) ** 2).sum(axis=-1)).max())
        f_end = GAUSSIAN_END / math.sqrt(eigenvalues.min())
        require(reach * f_end <= _MOST_WAVES, "means", f"within {_MOST_WAVES / 7:.0e} of the least deviation", reach)
        d = self.dimension
        # Powers of |u| move the mass of exp(-h^2 |u|^2 / 2) outwards.
        end = (math.sqrt(2) * GAUSSIAN_END + math.sqrt(d)) / least
        scale = most * math.sqrt(n_steps) + math.sqrt(eigenvalues.max()) + reach
        radius, weight = panels(0.5 / scale, end, 30 / reach if reach else np.inf, f_end)
        # Area of the unit sphere over (2 pi)^d.
        log_area = math.log(2) + d / 2 * math.log(math.pi) - float(gammaln(d / 2)) - d * math.log(2 * math.pi)
        weight = weight * np.exp((d - 1) * np.log(radius) + log_area)
        gram = np.zeros((1, 1, radius.size))
        seen = radius < f_end + math.sqrt(d) / math.sqrt(eigenvalues.min())
        gram[0, 0, seen] = self._squares(radius[seen], reach)
        return FrequencyTable(radius, weight, gram, np.ones(1), float(self.overlap(0.0)), d)

    def _squares(self, radius: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
        """Return the average of |f0|^2 over the directions, [M]."""
        if self.is_isotropic:
            total = np.zeros_like(radius)
            variances = self.covariances[:, 0, 0]
            for i, (w, m, v) in enumerate(zip(self.weights, self.means, variances, strict=True)):
                for j in range(i + 1):
                    phase = radius * math.sqrt(((m - self.means[j]) ** 2).sum())
                    term = _mean_of_waves(phase, self.dimension) * np.exp(-(radius**2) * (v + variances[j]) / 2)
                    total += (1 if i == j else 2) * w * self.weights[j] * term
            return total
        directions, shares = self._directions(float(radius.max()) * reach)
        total = np.zeros_like(radius)
        for direction, share in zip(directions, shares, strict=True):
            decay = np.einsum("i,kij,j->k", direction, self.covariances, direction) / 2
            cf = np.exp(1j * radius[:, None] * (self.means @ direction) - radius[:, None] ** 2 * decay) @ self.weights
            total += share * np.abs(cf) ** 2
        return total

    def _directions(self, phase: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unit vectors of a half sphere [q, d] and their shares [q]."""
        if self.dimension > 3:
            raise InputError("covariances must be multiples of the identity in more than 3 dimensions")
        eigenvalues = np.linalg.eigvalsh(self.covariances)
        ratio = math.sqrt(eigenvalues.max() / eigenvalues.min())
        n = int(_BY_PHASE * phase + _BY_RATIO * ratio + _OTHER)
        require(n <= _MOST_NODES, "covariances", "of means and ratios of eigenvalues that are less extreme", n)
        if self.dimension == 2:
            angle = math.pi * np.arange(n) / n
            return np.column_stack([np.cos(angle), np.sin(angle)]), np.full(n, 1 / n)
        height, share = np.polynomial.legendre.leggauss(n)
        keep = height > 0 if n % 2 == 0 else height >= 0
        height, share = height[keep], np.where(height == 0, share / 2, share)[keep]
        angle = 2 * math.pi * np.arange(n) / n
        across = np.sqrt(1 - height**2)[:, None]
        parts = across * np.cos(angle), across * np.sin(angle), np.broadcast_to(height[:, None], (len(height), n))
        return np.stack(parts, axis=-1).reshape(-1, 3), np.repeat(share / share.sum() / n, n)


def _mean_of_waves(phase: NDArray[np.float64], dimension: int) -> NDArray[np.float64]:
    """Return the average of cos(phase * cosine of a random direction with an axis)."""
    if dimension == 1:
        return np.cos(phase)
    if dimension == 3:
        return np.sinc(phase / math.pi)
    order = dimension / 2 - 1
    safe = np.maximum(phase, 1e-3 * (1 + order))
    with np.errstate(under="ignore"):
        values = jv(order, safe) * np.exp(gammaln(order + 1) + order * np.log(2 / safe))
    x = phase**2 / 4
    series = 1 - x / (order + 1) * (1 - x / (2 * (order + 2)))
    return np.where(phase < 1e-3 * (1 + order), series, values)
