"""Fixed real data of a run with count spectra: a key for each real count."""

from dataclasses import replace

import numpy as np

from fastcollapse.models.discrete.spectrum_state import SpectrumState


def keyed_by_real_counts(state: SpectrumState, weights: np.ndarray, by_class: bool) -> SpectrumState:
    """Return the state of generation 0 whose rows have the real counts as keys.

    Parameters
    ----------
    state : rows of (class of the truth, count in the fixed real data, number of symbols); they change.
    weights : float64 (C), weight of a symbol of each class.
    by_class : whether each row has a key of its own, so that symbols can be followed by their class. Otherwise rows of
        one real count have one key.

    Returns
    -------
    SpectrumState
        The same rows, without tokens, and with `real`, `first_weights` and `owners`.
    """
    n_replicates, end = len(state.lengths), int(state.lengths.max())
    real, owners = np.zeros((n_replicates, end), np.int64), np.zeros((n_replicates, end), np.int64)
    first_weights = np.ones((n_replicates, end))
    keys, counts, numbers = state.rows
    for r, length in enumerate(state.lengths):
        order = np.arange(length) if by_class else np.argsort(counts[r, :length], kind="stable")
        classes = keys[r, order]
        distinct, ranks = np.unique(counts[r, order], return_inverse=True)
        real[r, : len(distinct)] = distinct
        if by_class:
            real[r, :length], ranks = counts[r, :length], order
        first_weights[r, :length] = weights[classes]
        owners[r, :length] = classes
        numbers[r, :length] = numbers[r, order]
        keys[r, :length] = ranks
        counts[r, :length] = 0
    return replace(state, real=real, first_weights=first_weights, owners=owners)
