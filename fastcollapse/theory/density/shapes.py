"""The shapes of the published experiments as truths: circles, moons and blobs, with even or i.i.d. points."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastcollapse.theory.arguments import choice, real, require
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.quadrature import GAUSSIAN_END, panels

# Arcs of a shape: centre, radius, angle of the start, and angle that they cover.
_ARCS = {
    "circles": (((0.0, 0.0), 1.0, 0.0, 2 * math.pi), ((0.0, 0.0), 0.8, 0.0, 2 * math.pi)),
    "moons": (((0.0, 0.0), 1.0, 0.0, math.pi), ((1.0, 0.5), 1.0, math.pi, math.pi)),
}
_MEANS = {"circles": (0.0, 0.0), "moons": (0.5, 0.25)}
# Radius about 0 that holds the arcs, and largest distance of two of their points.
_RADIUS, _REACH = 2.2, 3.5
_CENTRES, _BOX = 3, 10.0
_LEAST_NOISE, _MOST_SIZES = 0.01, 64
_CHUNK = 64


@dataclass(frozen=True)
class Shape:
    """A checked shape in two dimensions.

    Parameters
    ----------
    name : "circles", "moons" or "blobs".
    noise : standard deviation of circles and moons; that of blobs is 1.
    is_even : whether the real points are placed evenly; otherwise they are i.i.d.
    """

    name: str
    noise: float
    is_even: bool

    @classmethod
    def of(cls, shape: str, noise: float, placement: str) -> "Shape":
        """Return the shape of arguments as `mise.py` explains them."""
        name = choice("shape", shape, (*_ARCS, "blobs"))
        spread = real("noise", noise, _LEAST_NOISE, 10)
        return cls(name, 1.0 if name == "blobs" else spread, choice("placement", placement, ("even", "iid")) == "even")

    def points(self, n: int) -> NDArray[np.float64]:
        """Return n evenly placed points without noise, [n, 2]; not for blobs."""
        parts = []
        for (centre, radius, start, angle), m in zip(_ARCS[self.name], (n // 2, n - n // 2), strict=True):
            # A closed arc does not have its first point again at its end.
            steps = m if angle == 2 * math.pi else max(m - 1, 1)
            a = start + angle * np.arange(m) / steps
            parts.append(np.array(centre) + radius * np.column_stack([np.cos(a), np.sin(a)]))
        return np.concatenate(parts)

    def moments(self, n: int) -> tuple[float, float]:
        """Return the second moment about the mean of the truth and half the squared difference of two distinct points.

        Both are expectations for n real points, averaged over the two coordinates.
        """
        if self.name == "blobs":
            spread = _BOX**2 / 3 * (1 - 1 / _CENTRES)
            counts = self._counts(n)
            apart = 1 - float((counts * (counts - 1)).sum()) / max(n * (n - 1), 1)
            return 1 + spread, 1 + _BOX**2 / 3 * (apart if self.is_even else 1 - 1 / _CENTRES)
        variance = {"circles": 0.41, "moons": (21 / 16 - 1 / math.pi) / 2}[self.name]
        if not self.is_even:
            return variance + self.noise**2, variance + self.noise**2
        points = self.points(n)
        second = float(((points - _MEANS[self.name]) ** 2).sum(axis=1).mean()) / 2
        centred = float(((points - points.mean(axis=0)) ** 2).sum()) / 2
        return second + self.noise**2, centred / max(n - 1, 1) + self.noise**2

    def mean_product(self, n: int, m: int) -> float:
        """Return the expected product of the gaps of the means of n and of m real points from that of the truth.

        The two batches are independent given the centres of blobs; averaged over the two coordinates.
        """
        if not self.is_even:
            return 0.0
        if self.name == "blobs":
            gaps = [self._counts(size) / size - 1 / _CENTRES for size in (n, m)]
            return _BOX**2 / 3 * float(gaps[0] @ gaps[1])
        means = [self.points(size).mean(axis=0) - _MEANS[self.name] for size in (n, m)]
        return float(means[0] @ means[1]) / 2

    def table(self, least: float, most: float, n_steps: float, sizes: Sequence[int]) -> FrequencyTable:
        """Return the table for kernels of bandwidths `least` to `most` and real batches of the sizes `sizes`."""
        require(
            not self.is_even or len(sizes) <= _MOST_SIZES,
            "placement",
            f"'iid' for more than {_MOST_SIZES} different sizes of real batches",
            "even",
        )
        end = math.sqrt(2) * GAUSSIAN_END / least + 1 / least
        reach = 2 * math.sqrt(2) * _BOX if self.name == "blobs" else _REACH
        seen_to = GAUSSIAN_END / self.noise
        radius, weight = panels(0.5 / (most * math.sqrt(n_steps) + reach), end, 30 / reach, seen_to)
        weight = weight * radius / (2 * math.pi)
        even = list(sizes) if self.is_even else []
        n_seen = int((radius < seen_to).sum())
        square = _square_integral(self.name, self.noise)
        if self.name == "blobs":
            gram = np.zeros((_CENTRES, _CENTRES, radius.size))
            gram[..., :n_seen] = _blob_products(radius[:n_seen])
            target = np.full(_CENTRES, 1 / _CENTRES)
            factors = {n: self._counts(n) / n for n in even}
        else:
            gram = np.zeros((1 + len(even), 1 + len(even), radius.size))
            gram[..., :n_seen] = _arc_products(self, even, radius[:n_seen])
            unit = np.eye(1 + len(even))
            target, factors = unit[0], dict(zip(even, unit[1:], strict=True))
        own = np.exp(-((self.noise * radius) ** 2)) if self.is_even else None
        return FrequencyTable(radius, weight, gram, target, square, 2, own, factors)

    def _counts(self, n: int) -> NDArray[np.int64]:
        """Return the numbers of evenly placed points of the blobs."""
        return n // _CENTRES + (np.arange(_CENTRES) < n % _CENTRES)


@functools.lru_cache(64)
def _square_integral(name: str, noise: float) -> float:
    """Return the integral of the squared density of a shape, for blobs averaged over their centres."""
    reach = 2 * math.sqrt(2) * _BOX if name == "blobs" else _REACH
    radius, weight = panels(0.5 / reach, GAUSSIAN_END / noise, 30 / reach)
    if name == "blobs":
        squares = _blob_products(radius).mean(axis=(0, 1))
    else:
        squares = _arc_products(Shape(name, noise, False), (), radius)[0, 0]
    return float((weight * radius / (2 * math.pi)) @ squares)


def _blob_products(radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products [3, 3, M] of the components, averaged over directions and over independent centres."""
    n = int(2 * _BOX * radius.max() * 2) + 64
    # By symmetry one quarter of the circle is enough, with the midpoint rule.
    angle = math.pi / 2 * (np.arange(n) + 0.5) / n
    between = np.empty_like(radius)
    for k in range(0, radius.size, _CHUNK):
        x, y = (_BOX / math.pi * np.outer(radius[k : k + _CHUNK], f(angle)) for f in (np.cos, np.sin))
        between[k : k + _CHUNK] = ((np.sinc(x) * np.sinc(y)) ** 2).mean(axis=1)
    own = np.eye(_CENTRES)[..., None]
    return np.exp(-(radius**2)) * (own + (1 - own) * between)


def _arc_products(shape: Shape, sizes: Sequence[int], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products of the truth and of the averages of n even points, [1+len(sizes)] squared, M].

    A characteristic function on a circle of frequencies is a Fourier series of Bessel functions (Jacobi and Anger).
    """
    gram = np.empty((1 + len(sizes), 1 + len(sizes), radius.size))
    halves = [(0.5, 0.5), *((n // 2 / n, (n - n // 2) / n) for n in sizes)]
    for k in range(0, radius.size, _CHUNK):
        u = radius[k : k + _CHUNK]
        order = int(u.max() + 12 * max(u.max(), 1) ** (1 / 3)) + 24
        n_angles = 2 * (int(_RADIUS * u.max() + 12 * max(_RADIUS * u.max(), 1) ** (1 / 3)) + 24)
        orders, angle = np.arange(-order, order + 1), 2 * math.pi * np.arange(n_angles) / n_angles
        waves = np.exp(1j * np.outer(orders, angle))
        cfs = np.zeros((1 + len(sizes), u.size, n_angles), dtype=complex)
        for a, arc in enumerate(_ARCS[shape.name]):
            centre, r, _, _ = arc
            bessel = _bessel(r * u, order)
            shift = np.exp(1j * np.outer(u, centre[0] * np.cos(angle) + centre[1] * np.sin(angle)))
            for j, n in enumerate((0, *sizes)):
                count = 0 if n == 0 else (n // 2, n - n // 2)[a]
                if n and not count:
                    continue
                series = bessel * (1j**orders * _fourier(arc, count, orders))
                cfs[j] += halves[j][a] * shift * (series @ waves)
        noise = np.exp(-((shape.noise * u) ** 2))
        gram[..., k : k + _CHUNK] = noise * np.einsum("ima,jma->ijm", cfs.conj(), cfs).real / n_angles
    return gram


def _bessel(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return J_{-order}(x)..J_{order}(x), [M, 2 order + 1], for an order above x: coefficients of exp(i x sin a)."""
    n = 2 * order + 2
    wave = np.exp(1j * np.outer(x, np.sin(2 * math.pi * np.arange(n) / n)))
    return np.asarray(np.fft.fft(wave).real[:, np.arange(-order, order + 1)] / n)


def _fourier(
    arc: tuple[tuple[float, float], float, float, float], n: int, orders: NDArray[np.int64]
) -> NDArray[np.complex128]:
    """Return the averages of exp(-i k a) over n even points of an arc, or over all of it if n is 0."""
    _, _, start, covered = arc
    if n:
        steps = n if covered == 2 * math.pi else max(n - 1, 1)
        return np.asarray(np.exp(-1j * np.outer(orders, start + covered * np.arange(n) / steps)).mean(axis=1))
    half = np.sinc(orders * covered / 2 / math.pi)
    return np.asarray(np.exp(-1j * orders * (start + covered / 2)) * half)
