"""Quadrature: Gauss-Legendre panels for structure at many scales near 0, sums, and the Marchenko-Pastur law."""

import math

import numpy as np
from numpy.typing import NDArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
# exp(-x^2) is below 1e-17 beyond this x.
GAUSSIAN_END = 6.3
# Number of angles of the trapezoidal rule; their distance resolves eigenvalues as small as the ridge.
_MIN_ANGLES, _MAX_ANGLES = 2**9, 2**18


def panels(
    least: float, end: float, widest: float = np.inf, until: float = np.inf
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the nodes and the weights of an integral over [0, end].

    The first panel has width `least`, each further one the distance of its start from 0, so that an integrand whose
    structure at x has scale x is integrated to rounding. Each panel has 32 nodes.

    Parameters
    ----------
    least, end : above 0.
    widest : largest width of the panels that start before `until`: a cosine of a phase that changes by up to 40 over
        such a panel is integrated to rounding.

    Examples
    --------
    >>> nodes, weights = panels(0.1, 6.3)
    >>> len(nodes), round(float(weights @ np.exp(-nodes**2)), 12), round(math.sqrt(math.pi) / 2, 12)
    (224, 0.886226925453, 0.886226925453)
    """
    edges = [0.0, min(least, end)]
    while edges[-1] < end:
        start = edges[-1]
        width = min(start, widest) if start < until else start
        edges.append(min(start + width, end))
    low, half = np.array(edges[:-1])[:, None], np.diff(edges)[:, None] / 2
    return (low + half * (1 + _NODES)).ravel(), (half * _WEIGHTS).ravel()


def polylog_ratio(s: float, gap: float) -> float:
    """Return Li_s(r)/r = sum_{j>=1} r^(j-1) j^(-s) with r = 1 - gap.

    The sum is 2/Gamma(s) times the integral of y^(2s-1)/(exp(y^2)-r).

    Parameters
    ----------
    s : above 0, at most 100.
    gap : above 0, at most 1.

    Examples
    --------
    >>> round(polylog_ratio(1.0, 0.5), 10), round(2 * math.log(2), 10)
    (1.3862943611, 1.3862943611)
    """
    peak = math.sqrt(s)
    y, weight = panels(math.sqrt(gap) / 4, GAUSSIAN_END + peak)
    with np.errstate(over="ignore"):
        logs = (2 * s - 1) * np.log(y) - math.lgamma(s) - np.log(np.expm1(y * y) + gap)
    return float(2 * weight @ np.exp(logs))


def marchenko_pastur(phi: float, ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes for the positive eigenvalues of S = X'X/T, X of isotropic rows with d/T = phi, and their weights.

    They serve integrands that change on the scale of the ridge. The weights sum to the share of these eigenvalues.

    Examples
    --------
    >>> s, weight = marchenko_pastur(0.5, 0.1)
    >>> round(float(weight @ s), 9), round(float(weight @ (1 / s)), 9)
    (1.0, 2.0)
    """
    resolution = 64 * (1 + phi) / np.sqrt(min(ridge, 1.0))
    n_nodes = int(np.clip(resolution, _MIN_ANGLES, _MAX_ANGLES))
    angle = (np.arange(n_nodes) + 0.5) * np.pi / n_nodes
    # s = |1 + sqrt(phi) e^{i angle}|^2 without cancellation.
    s = (1 - np.sqrt(phi)) ** 2 + 4 * np.sqrt(phi) * np.cos(angle / 2) ** 2
    return s, 2 / n_nodes * np.sin(angle) ** 2 / s
