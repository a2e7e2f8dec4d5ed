"""Gaussian quadrature of sums over consecutive integers, for functions that are smooth in the logarithm."""

import numpy as np

_N_NODES = 12
# Width of a block relative to its first integer, for a power law of exponent 1.
_BLOCK_WIDTH = 0.05


def log_spaced_nodes(size: int, offset: float, exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the sum over i = 1..size of a function of ln(i + offset).

    The first integers are nodes of weight 1. The others are in blocks whose width is a fixed part of i + offset
    divided by the exponent. Each block has the nodes of the discrete Chebyshev (Gram) polynomials: 12 nodes sum
    polynomials up to degree 23 exactly.

    Parameters
    ----------
    size : number of integers, at least 1.
    offset : above -1.
    exponent : the function varies as (i + offset)^-exponent, at least 1.

    Returns
    -------
    nodes : float64, ascending, in [1, size].
    weights : float64, with the sum `size`.

    Examples
    --------
    >>> nodes, weights = log_spaced_nodes(10**15, 0.0, 1.0)
    >>> len(nodes), round(float(weights @ (1 / nodes)) - float(np.log(1e15)), 10)  # Euler's constant
    (7452, 0.5772156649)
    """
    starts = _block_starts(size, offset, _BLOCK_WIDTH / exponent)
    single = np.arange(1.0, starts[0])
    lengths = np.diff(starts).astype(np.float64)
    if not len(lengths):
        return single, np.ones(len(single))
    # Recurrence of the monic Gram polynomials on m integers: beta_k = (m^2 - k^2) k^2/(4 (4 k^2 - 1)).
    k = np.arange(1.0, _N_NODES)
    beta = (1.0 - (k / lengths[:, None]) ** 2) * (k * k / (4.0 * (4.0 * k * k - 1.0)))
    jacobi = np.zeros((len(lengths), _N_NODES, _N_NODES))
    rows = np.arange(_N_NODES - 1)
    jacobi[:, rows, rows + 1] = jacobi[:, rows + 1, rows] = np.sqrt(beta)
    position, vectors = np.linalg.eigh(jacobi)
    middles = 0.5 * (starts[:-1] + (starts[1:] - 1)).astype(np.float64)
    nodes = middles[:, None] + lengths[:, None] * position
    weights = lengths[:, None] * vectors[:, 0, :] ** 2
    return np.concatenate([single, nodes.ravel()]), np.concatenate([np.ones(len(single)), weights.ravel()])


def _block_starts(size: int, offset: float, width: float) -> np.ndarray:
    """Return the first integer of each block, and `size` + 1 at the end."""
    # From here on, a block has at least two integers for each node.
    start = max(1, int(2 * _N_NODES / width - offset) + 1)
    if start + 2 * _N_NODES > size:
        start = size + 1
    starts = [start]
    while starts[-1] <= size:
        length = int(width * (starts[-1] + offset))
        rest = size + 1 - starts[-1]
        # A rest shorter than two blocks is one block, so that no block is shorter than its nodes.
        starts.append(starts[-1] + (rest if rest < 2 * length else length))
    return np.array(starts, np.int64)
