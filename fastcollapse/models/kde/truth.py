"""The truth of the kernel density family as arrays: shapes, normal mixtures, and rows of a file."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.special import roots_legendre

from fastcollapse.datasets.arrays import read_matrix
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.errors import InputError

MIXTURE, CIRCLES, MOONS, SWISS_ROLL, ROWS = range(5)
# Radius of the inner circle, and half the side of the square of the centres of blobs.
INNER, HALF_SIDE = 0.8, 10.0
# Shapes with less noise have no components: too many would be needed.
_LEAST_NOISE = 0.01
_LARGEST = 1e100


def _none() -> np.ndarray:
    return np.zeros(0)


@dataclasses.dataclass(frozen=True, eq=False)
class KdeTruth:
    """The law that real points are drawn from.

    Parameters
    ----------
    kind : MIXTURE, CIRCLES, MOONS, SWISS_ROLL or ROWS.
    dimension : number of coordinates d.
    n_test : number of held-out points.
    even : whether the points of a sample are placed evenly.
    random_centres : whether each replicate has its own random means of the components (blobs).
    noise : standard deviation of the noise of a shape.
    weights, means, covariances : float64 (K), (K, d), (K, d, d), components of a mixture.
    rows, test_rows : float64 (N, d), (n_test, d), the rows that samples are drawn from, and the held-out rows.
    inputs : SHA-256 of the data files by path, in hexadecimal.
    """

    kind: int
    dimension: int
    n_test: int
    even: bool = False
    random_centres: bool = False
    noise: float = 0.0
    weights: np.ndarray = dataclasses.field(default_factory=_none)
    means: np.ndarray = dataclasses.field(default_factory=_none)
    covariances: np.ndarray = dataclasses.field(default_factory=_none)
    rows: np.ndarray = dataclasses.field(default_factory=_none)
    test_rows: np.ndarray = dataclasses.field(default_factory=_none)
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    total: ClassVar[None] = None

    @property
    def has_density(self) -> bool:
        """Whether the density is a normal mixture, exactly to rounding, see `components`."""
        return self.kind == MIXTURE or (self.kind in (CIRCLES, MOONS) and self.noise >= _LEAST_NOISE)

    def components(self, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Return the density as a normal mixture, exactly to rounding: weights (K), means (Q, K, d), covariances.

        The covariances are (K, d, d), or (1, d, d) where all are equal. The points of circles and moons, which are
        normal around a curve, are components at the nodes of a quadrature of the curve. None: the truth has no density
        or needs too many nodes.

        Parameters
        ----------
        centres : float64 (R, K, d), means of the blobs of each replicate, or (1, K, d) means of a mixture.
        """
        if self.kind == MIXTURE:
            same = (self.covariances == self.covariances[:1]).all()
            return self.weights, centres, self.covariances[:1] if same else self.covariances
        if not self.has_density:
            return None
        covariance = self.noise**2 * np.eye(2)[None]
        n = math.ceil(10 / min(self.noise, 1.0))
        if self.kind == CIRCLES:
            angles = 2 * np.pi * np.arange(n) / n
            ring = np.column_stack([np.cos(angles), np.sin(angles)])
            return np.full(2 * n, 0.5 / n), np.concatenate([ring, INNER * ring])[None], covariance
        nodes, weights = roots_legendre(2 * n)
        angles = np.pi * (nodes + 1) / 2
        upper = np.column_stack([np.cos(angles), np.sin(angles)])
        lower = np.column_stack([1 - np.cos(angles), 0.5 - np.sin(angles)])
        return np.concatenate([weights, weights]) / 4, np.concatenate([upper, lower])[None], covariance

    def moments(self, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each coordinate, float64 (Q, d) each; of independent points, also where even."""
        if self.kind == ROWS:
            return self.rows.mean(axis=0)[None], self.rows.var(axis=0)[None]
        if self.kind == MIXTURE:
            weights = self.weights[:, None]
            mean = (weights * centres).sum(axis=1)
            spread = (weights * (centres - mean[:, None]) ** 2).sum(axis=1)
            return mean, spread + (weights * self.covariances.diagonal(axis1=1, axis2=2)).sum(axis=0)
        if self.kind == CIRCLES:
            mean, variance = [0.0, 0.0], [(1 + INNER**2) / 4] * 2
        elif self.kind == MOONS:
            mean, variance = [0.5, 0.25], [0.75, 9 / 16 - 1 / np.pi]
        else:
            square = 4.875 * np.pi**2
            mean = [2.0, 10.5, 2 / (3 * np.pi)]
            variance = [square - 0.25 - 4, 36.75, square + 0.25 - mean[2] ** 2]
        return np.array([mean]), np.array([variance]) + self.noise**2

    def covariance(self, centres: np.ndarray) -> np.ndarray:
        """Return the covariance, float64 (Q, d, d), of independent points, see `moments`."""
        mean, variance = self.moments(centres)
        found = variance[:, :, None] * np.eye(self.dimension)
        if self.kind == ROWS:
            gap = self.rows - mean
            return (gap.T @ gap / len(gap))[None]
        if self.kind == MIXTURE:
            gap = centres - mean[:, None]
            within = np.einsum("k,kij->ij", self.weights, self.covariances)
            return within + np.einsum("k,qki,qkj->qij", self.weights, gap, gap)
        if self.kind == MOONS:
            found[:, 0, 1] = found[:, 1, 0] = 1 / 8 - 1 / np.pi
        elif self.kind == SWISS_ROLL:
            found[:, 0, 2] = found[:, 2, 0] = 1.5 * np.pi - 4 / (3 * np.pi)
        return found


def load_rows(
    path: str, n_test: int, seed: int, max_columns: int, base: Path | None
) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Return the rows to draw from, the held-out rows, and the hashes of the file.

    Raises
    ------
    InputError
        The file cannot be read, an entry is not finite, or there are too many columns or too few rows.
    """
    files = DataFiles(base)
    rows = read_matrix(path, files, "truth.rows")
    if rows.shape[1] > max_columns:
        raise InputError(f"truth.rows must have at most {max_columns} columns, got {rows.shape[1]}")
    if np.abs(rows).max() > _LARGEST:
        raise InputError(f"truth.rows must have entries of at most {_LARGEST:g}, got {np.abs(rows).max():g}")
    if len(rows) < 2:
        raise InputError("truth.rows must have at least 2 rows, one to hold out and one to draw, got 1")
    if n_test >= len(rows):
        raise InputError(f"truth.n_test must be at most {len(rows) - 1}, to leave a row of {len(rows)}, got {n_test}")
    order = np.random.default_rng(seed).permutation(len(rows))
    held_out, drawn = np.sort(order[:n_test]), np.sort(order[n_test:])
    return np.ascontiguousarray(rows[drawn]), np.ascontiguousarray(rows[held_out]), files.hashes
