"""Binomial chains of two symbols with any map, n P_(t+1) | P_t ~ Bin(n, S(P_t)): times, ends and laws.

The linear systems are solved without subtractions (Grassmann, Taksar and Heyman 1985), so that results have full
relative accuracy where a chain almost never ends.
"""

import numpy as np
import scipy  # scipy.stats is loaded at its first use, because it takes half a second
from numpy.typing import NDArray
from scipy.special import expit, logit

# Largest number of tokens: the matrix has 32 MB, and its elimination takes about two seconds.
MAX_N = 2000


def count_logits(n: int) -> NDArray[np.float64]:
    """Return ln(p/(1-p)) of the shares p = 0, 1/n, ..., 1.

    Examples
    --------
    >>> count_logits(2)
    array([-inf,   0.,  inf])
    """
    return np.asarray(logit(np.arange(n + 1) / n), dtype=np.float64)


def binomial_rows(n: int, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of counts 0..n for success probabilities given by their logits: [m] -> [m, n+1].

    Logits keep the digits of probabilities close to 1.

    Examples
    --------
    >>> binomial_rows(2, np.array([0.0, np.inf])).round(12)
    array([[0.25, 0.5 , 0.25],
           [0.  , 0.  , 1.  ]])
    """
    counts, rare = np.arange(n + 1), expit(-np.abs(logits))
    rows = scipy.stats.binom.pmf(counts, n, rare[:, None])
    return np.where(logits[:, None] > 0, rows[:, ::-1], rows)


def absorption(
    matrix: NDArray[np.float64], leave: NDArray[np.float64], gains: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the expected sum of the gains until a chain leaves, from each state: (m, m), (m), (m, g) -> (m, g).

    Gains of 1 give the mean time; the probabilities of leaving to one end give the probability of that end.

    Parameters
    ----------
    matrix : transition probabilities among the states that can be left.
    leave : probability of leaving in one step, at least 0; all numbers are at least 0.
    gains : gains for each step that starts in a state.

    Examples
    --------
    >>> absorption(np.array([[0.5]]), np.array([0.5]), np.array([[1.0]]))
    array([[2.]])
    """
    rows = np.column_stack([matrix, leave, gains])
    m, scale = len(rows), np.zeros(len(rows))
    for i in range(m - 1, -1, -1):
        # 1 - matrix[i, i] as a sum of probabilities of the states that are left and of leaving.
        scale[i] = rows[i, :i].sum() + rows[i, m]
        step = rows[:i, i] / scale[i]
        rows[:i, :i] += np.outer(step, rows[i, :i])
        rows[:i, m:] += np.outer(step, rows[i, m:])
    found = np.zeros((m, gains.shape[1]))
    for i in range(m):
        found[i] = (rows[i, m + 1 :] + rows[i, :i] @ found[:i]) / scale[i]
    return found


def count_laws(n: int, first: NDArray[np.float64], matrix: NDArray[np.float64], k_max: int) -> NDArray[np.float64]:
    """Return the laws of the count after 1..k_max steps, (k_max, n+1).

    Parameters
    ----------
    n : tokens per generation.
    first : law of the count after the first step, [n+1].
    matrix : transition probabilities from each count, [n+1, n+1].
    k_max : number of steps, at least 0.

    Examples
    --------
    >>> rows = binomial_rows(1, count_logits(1))
    >>> count_laws(1, np.array([0.5, 0.5]), rows, 2)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    laws = np.zeros((k_max, n + 1))
    law = first
    for step in range(k_max):
        law = law @ matrix if step else first
        laws[step] = law
    return laws
