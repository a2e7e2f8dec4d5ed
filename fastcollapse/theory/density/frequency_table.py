"""The table of frequencies on which the mean integrated squared error is a weighted sum."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FrequencyTable:
    """Products of characteristic functions of the truth, averaged over directions, at frequencies |u|.

    A kernel that does not depend on the direction multiplies a characteristic function by a function of |u|. Therefore
    every expected characteristic function of a chain is a combination of J fixed ones, whose factors depend on |u|
    alone, and only averages of products over all directions matter.

    Parameters
    ----------
    radius : [M], the frequencies |u|.
    weight : [M], of an integral over all u in d dimensions, divided by (2 pi)^d.
    gram : [J, J, M], averages of Re(conj(f_j) f_k) over the directions of u.
    target : [J], the factors of the truth.
    square : integral of the squared density of the truth.
    dimension : number of dimensions d.
    own : [M], average of |f|^2 of the laws of single real points, if these differ; None for i.i.d. points.
    factors : n -> [J], those of the average of n real points, for all n that occur, if these are not i.i.d.
    """

    radius: NDArray[np.float64]
    weight: NDArray[np.float64]
    gram: NDArray[np.float64]
    target: NDArray[np.float64]
    square: float
    dimension: int
    own: NDArray[np.float64] | None = None
    factors: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    def product(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the average of Re(conj(x) y) over directions, [M], of factors [J] or [J, M]."""
        if len(self.gram) == 1:
            return self.gram[0, 0] * x[0] * y[0]
        left, right = (np.broadcast_to(v.T, (self.radius.size, len(self.target))) for v in (x, y))
        return np.asarray(np.einsum("mj,jkm,mk->m", left, self.gram, right))

    def mean(self, n: int) -> NDArray[np.float64]:
        """Return the factors [J, 1] of the average of n real points."""
        return (self.target if self.own is None else self.factors[n])[:, None]

    def pairs(self, n: int) -> NDArray[np.float64]:
        """Return the expected product [M] of two distinct points of n real ones."""
        square = self.product(self.mean(n), self.mean(n))
        return square if self.own is None else (n * square - self.own) / max(n - 1, 1)

    def weighted(self, width: float) -> "FrequencyTable":
        """Return the table whose integrals of products are means of the kernel exp(-|x-y|^2/(2 width^2)).

        All points must be i.i.d.
        """
        squares = (width * self.radius) ** 2
        weight = self.weight * np.exp(-squares / 2) * (2 * math.pi * width**2) ** (self.dimension / 2)
        square = float(weight @ self.product(self.target, self.target))
        return dataclasses.replace(self, weight=weight, square=square)

    def integral(self, values: NDArray[np.float64]) -> float:
        """Return the integral of values [M]."""
        return float(self.weight @ values)
