"""An estimator as a user writes one."""

import numpy as np


class Normal:
    """A normal law, fitted by its moments.

    Parameters
    ----------
    unbiased : whether the covariance has the divisor N - 1 instead of N; without weights only.

    Examples
    --------
    >>> model = Normal().fit(np.array([[0.0], [2.0]]))
    >>> model.mean, model.covariance
    (array([1.]), array([[1.]]))
    """

    def __init__(self, unbiased: bool = False) -> None:
        self.unbiased = unbiased

    def fit(self, X: np.ndarray, sample_weight: np.ndarray | None = None) -> "Normal":
        """Fit the law to points (N, d)."""
        shares = np.full(len(X), 1 / len(X)) if sample_weight is None else sample_weight / sample_weight.sum()
        self.mean = shares @ X
        gap = X - self.mean
        self.covariance = (shares[:, None] * gap).T @ gap
        if self.unbiased:
            self.covariance *= len(X) / (len(X) - 1)
        return self

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n points of the law."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0))
        return self.mean + rng.standard_normal((n, len(self.mean))) @ root.T

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return the log density at points (M, d)."""
        inverse = np.linalg.inv(self.covariance)
        gap = X - self.mean
        exponents = np.einsum("ni,ij,nj->n", gap, inverse, gap)
        log_det = np.linalg.slogdet(2 * np.pi * self.covariance)[1]
        return -0.5 * (exponents + log_det)
