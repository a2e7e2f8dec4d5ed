"""The error of a fit that weighs real and synthetic data, and the best weight.

With weight w on a fit to fresh real data and 1 - w on a fit to data of the previous model, the error of a generation is

    e_t = w_t^2 a_t + (1 - w_t)^2 (b_t + c_t e_(t-1)),  e_0 = 0,

where a is the error of the real fit alone, b that of the synthetic fit given its model, and c the part of the error of
the model that the synthetic fit keeps. Large samples, and Gaussian means, have a = 1/n, b = 1/m, c = 1; tokens, and
covariances of maximum likelihood, c = 1 - 1/m.

References
----------
Setting: He, Xu, Cheng, arXiv:2502.18049. Recursion: derived.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def weighted_errors(
    weight: ArrayLike, real: ArrayLike, synthetic: ArrayLike, carried: ArrayLike
) -> NDArray[np.float64]:
    """Return the errors e_1..e_T of the recursion of this module.

    Parameters
    ----------
    weight, real, synthetic, carried : w, a, b and c, [T] or scalar.

    Examples
    --------
    >>> weighted_errors([0.4] * 12, 1 / 10, 1 / 15, 1 - 1 / 15)[-1].round(12)
    np.float64(0.060240839128)
    """
    rows = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (weight, real, synthetic, carried)))
    errors, error = np.zeros(rows[0].size), 0.0
    for t, (w, a, b, c) in enumerate(zip(*(row.ravel().tolist() for row in rows), strict=True)):
        error = (w * w * a if w else 0.0) + ((1 - w) ** 2 * (b + c * error) if w < 1 else 0.0)
        errors[t] = error
    return errors


def optimal_weights(real: ArrayLike, synthetic: ArrayLike, carried: ArrayLike) -> NDArray[np.float64]:
    """Return the weights w_1..w_T of the real fit, each of which has the least error of its generation.

    Parameters
    ----------
    real, synthetic, carried : a, b and c, [T] each; a is infinite where a generation has no real data.

    Examples
    --------
    >>> optimal_weights([0.1] * 40, [0.1] * 40, [1.0] * 40)[-1].round(12)
    np.float64(0.61803398875)
    """
    rows = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (real, synthetic, carried)))
    weights, error = np.zeros(rows[0].size), 0.0
    for t, (a, b, c) in enumerate(zip(*(row.ravel().tolist() for row in rows), strict=True)):
        other = b + c * error
        w = 0.0 if np.isinf(a) else 1.0 if np.isinf(other) else other / (a + other)
        weights[t] = w
        error = (w * w * a if w else 0.0) + ((1 - w) ** 2 * other if w < 1 else 0.0)
    return weights
