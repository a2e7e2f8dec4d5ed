"""Parameters of the Gaussian family: the truth and the estimator."""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.fields import ChoiceField, FloatField, IntField, ListField, OneOrMoreField, parameter, show
from fastcollapse.config.sections import ModelSection, TruthSection

_LARGEST = 1e150
_SYMMETRY = 1e-12
ESTIMATORS = ("unbiased", "mle")


@dataclasses.dataclass(frozen=True)
class GaussianTruth(TruthSection):
    """The Gaussian law of generation 0.

    Examples
    --------
    >>> GaussianTruth(sigma=(1.0, 3.0)).dimension
    2
    """

    dimension: int = parameter(
        IntField(1, 10**4), "dimension of the data; by default that of mean, sigma or covariance, or 1", default=None
    )
    mean: float | tuple[float, ...] = parameter(
        OneOrMoreField(FloatField(-_LARGEST, _LARGEST)), "mean: one number for all coordinates, or a list", default=0.0
    )
    sigma: float | tuple[float, ...] | None = parameter(
        OneOrMoreField(FloatField(0, _LARGEST, above=True)),
        "standard deviation: one number for all coordinates, or a list; 1 if covariance is not given",
        default=None,
    )
    covariance: tuple[tuple[float, ...], ...] | None = parameter(
        ListField(ListField(FloatField(-_LARGEST, _LARGEST))),
        "covariance matrix (instead of sigma)",
        default=None,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        if self.dimension is None:
            lists = (
                value for name in ("covariance", "mean", "sigma") if isinstance(value := getattr(self, name), tuple)
            )
            # The experiment has the dimension, as if it were given.
            object.__setattr__(self, "dimension", len(next(lists, (0,))))
        items = [
            (name, f"must be a number or a list of truth.dimension = {self.dimension} numbers, got {len(value)}")
            for name in ("mean", "sigma")
            if isinstance(value := getattr(self, name), tuple) and len(value) != self.dimension
        ]
        return items or ([] if self.covariance is None else self._covariance_problems(self.covariance))

    def _covariance_problems(self, covariance: tuple[Any, ...]) -> list[tuple[str, str]]:
        if self.sigma is not None:
            return [("", "must have sigma or covariance, got both")]
        given = show([list(row) for row in covariance])
        shapes = {len(row) for row in covariance} | {len(covariance)}
        if shapes != {self.dimension}:
            got = f"{len(covariance)} rows of {' or '.join(map(str, sorted({len(row) for row in covariance})))}"
            return [("covariance", f"must have truth.dimension = {self.dimension} rows and columns, got {got}")]
        matrix = np.array(covariance)
        scale = np.sqrt(np.abs(np.outer(matrix.diagonal(), matrix.diagonal())))
        if (np.abs(matrix - matrix.T) > _SYMMETRY * scale).any():
            return [("covariance", f"must be symmetric, got {given}")]
        try:
            self.factor()
        except np.linalg.LinAlgError:
            return [("covariance", f"must be positive definite, got {given}")]
        return []

    def means(self) -> np.ndarray:
        """Return the mean, float64 (d)."""
        return np.broadcast_to(np.asarray(self.mean, dtype=np.float64), (self.dimension,)).copy()

    def factor(self) -> np.ndarray:
        """Return the lower Cholesky factor of the covariance, float64 (d, d)."""
        if self.covariance is not None:
            return np.linalg.cholesky(np.array(self.covariance))
        sigma = 1.0 if self.sigma is None else self.sigma
        return np.diag(np.broadcast_to(np.asarray(sigma, dtype=np.float64), (self.dimension,)))

    def is_isotropic(self) -> bool:
        """Return whether the covariance is a multiple of the identity."""
        factor = self.factor()
        return bool((factor == factor[0, 0] * np.eye(self.dimension)).all())


@dataclasses.dataclass(frozen=True)
class GaussianParameters(ModelSection):
    """Estimator of a Gaussian law."""

    estimator: str = parameter(
        ChoiceField(lambda: ESTIMATORS), "divisor of the covariance: n - 1 (unbiased) or n (mle, maximum likelihood)"
    )
