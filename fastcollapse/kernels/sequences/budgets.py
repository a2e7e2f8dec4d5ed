"""Walks up to a budget: a number of sentences, or whole sentences in order up to the first that reaches n words.

A sentence is never chosen by its length: sentences are walked in order, those after the one that reaches the budget are
taken back by the same walk with the opposite sign, and so no number depends on how many are walked at a time. Nor does
it depend on this whether walks are given up: if those of many sentences have too many symbols, they are walked again
one at a time.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.sequences.walks import walk

# Sentences that are walked before their words are added up.
_BATCH = 2048
# Deviations of the number of words by which the first walk stays below the budget.
_MARGIN = 4.0
# Signs of `walk`; with a literal it would be compiled twice.
_ADDED, _TAKEN_BACK = np.int32(1), np.int32(-1)


@kernel
def sure_sentences(n_words, mean_length, most):
    """Return a number of sentences that most probably have fewer than `n_words` words, at most `most`."""
    margin = _MARGIN * math.sqrt(n_words * mean_length)
    return max(np.int64(0), min(most, np.int64((n_words - margin) / mean_length)))


@kernel
def walk_share(urn, n_sentences, part, n_parts, key, replicate, lanes, most, drawn, lengths):
    """Walk part of the sentences 0..n-1 and return their number of symbols: ``->(D),(n)``.

    More than eight arguments, because a tuple made for each call would count references. See `walk`.
    """
    first, last = n_sentences * part // n_parts, n_sentences * (part + 1) // n_parts
    own = lengths[first:last] if lengths.shape[0] > 0 else lengths
    return walk(urn, (first, last), _ADDED, key, replicate, lanes, most, drawn, own)


@kernel
def _first_at_least(n_words, total, lengths, n):
    """Return how many of `n` sentences are needed for `n_words` words, or n + 1, and the words of all of these."""
    for i in range(n):
        total += lengths[i]
        if total >= n_words:
            return i + 1, total
    return n + 1, total


@kernel
def walk_words(urn, n_words, mean_length, n_walked, key, replicate, lanes, most, drawn, lengths):
    """Walk whole sentences up to the first that reaches `n_words` words: ``->(D)``.

    More than eight arguments, because a tuple made for each call would count references.

    Parameters
    ----------
    urn, key, replicate, lanes, most, drawn : see `walk`.
    n_words : the budget, at least 1; 0 walks nothing.
    mean_length : a guess of the words of a sentence; no number depends on it.
    n_walked : number of sentences that are walked already.
    lengths : int32 (n), their words.

    Returns
    -------
    Number of symbols of the sentences that were walked; above `most` if those of the budget have more.
    """
    if n_words <= 0:
        return np.int64(0)
    kept, total = _first_at_least(n_words, np.int64(0), lengths, n_walked)
    if kept <= n_walked:
        walk(urn, (kept, n_walked), _TAKEN_BACK, key, replicate, lanes, most, drawn, lengths[:0])
        return total + kept
    batch, n_symbols, largest = np.empty(_BATCH, np.int32), total + n_walked, np.int64(_BATCH)
    while n_symbols <= most:
        n = min(largest, np.int64((n_words - total) / mean_length) + 1)
        bounds, rest = (n_walked, n_walked + n), most - n_symbols
        n_new = walk(urn, bounds, _ADDED, key, replicate, lanes, rest, drawn, batch)
        if n_new > rest and n > 1:
            walk(urn, bounds, _TAKEN_BACK, key, replicate, lanes, rest, drawn, batch[:0])
            largest = np.int64(1)
            continue
        n_symbols += n_new
        if n_symbols > most:
            break
        kept, total = _first_at_least(n_words, total, batch, n)
        n_walked += n
        if kept <= n:
            walk(
                urn,
                (n_walked - n + kept, n_walked),
                _TAKEN_BACK,
                key,
                replicate,
                lanes,
                most,
                drawn,
                batch[:0],
            )
            break
        mean_length = total / n_walked
    return n_symbols
