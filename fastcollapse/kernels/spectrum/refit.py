"""Refits of count spectra: one generation of every replicate, exactly in law.

The state of a replicate is a list of rows (key, count, number of symbols). Symbols of one row are exchangeable. A key
groups the symbols that the run tells apart besides their counts: by their original count, or by their fixed real data;
a plain spectrum has one key. Rows are in the order of keys, and of counts within a key.

A sample of n' tokens: every symbol draws a Poisson count, with means that exceed the wanted ones by 2 sqrt(n') tokens
in all. Given their sum N the tokens are i.i.d., so samples with N < n' are thrown away (2 %), and N - n' tokens are
removed uniformly. Nothing is ever added, so that the drawn counts of several rows may be joined before the removal.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import STREAM_WORDS, generation_stream
from fastcollapse.kernels.spectrum.bag import TOO_SHORT, Bag, empty
from fastcollapse.kernels.spectrum.removal import DEPTHS, add_after_removal, remove_from_classes
from fastcollapse.kernels.spectrum.rows import Rows, new_rows, sum_rows
from fastcollapse.kernels.spectrum.split import EXCESS, N_PROBABILITIES, split_class

# Values of `status`.
WAITING, DONE, SHORT = range(3)


class Step(NamedTuple):
    """One generation, for all replicates.

    Attributes
    ----------
    generation : its number.
    n_tokens, n_real : synthetic tokens, and fresh real ones.
    purpose, real_purpose : of their streams, uint64.
    weight_total, real_total : sums of the weights of all symbols, in the state and in the truth.
    keep : 1 where the counts of the state are kept and the drawn ones added, else 0.
    by_row : whether drawn counts of rows of one key are kept apart until the removal.
    keep_extinct : whether symbols without a count stay in the rows.
    alive_by : 0 not to count live symbols, 1 to count them by key, 2 by row of the previous state.
    n_threads : number of threads.
    """

    generation: int
    n_tokens: int
    n_real: int
    purpose: np.uint64
    real_purpose: np.uint64
    weight_total: float
    real_total: float
    keep: int
    by_row: bool
    keep_extinct: bool
    alive_by: int
    n_threads: int


class Weights(NamedTuple):
    """Inputs of a generation besides the state; an array of one row serves all replicates, and no columns mean none.

    Attributes
    ----------
    rows : float64 (1 or R, M), weights of the symbols of each row where they are not the counts.
    real : int64 (1 or R, K), count of each symbol of a key in the fixed real data.
    keys : float64 (K), weights of the symbols of a key in the truth, for fresh real data.
    """

    rows: np.ndarray
    real: np.ndarray
    keys: np.ndarray


class Scratch(NamedTuple):
    """Work arrays of T threads for rows of up to M and classes of up to C entries; no axis T within a thread.

    Attributes
    ----------
    keys, counts, numbers : int32, int64, int64 (T, 2, M), two lists of rows.
    means : float64 (T, M).
    ends : int64 (T, M), the end of the drawn classes of each row.
    classes : int64 (T, 4, C): drawn counts, numbers of symbols, removed tokens, running sums.
    class_guide : int32 (T, C).
    probabilities : float64 (T, 2, N_PROBABILITIES).
    guide : int32 (T, N_PROBABILITIES).
    depths : int64 (T, DEPTHS), zero.
    stream : uint64 (T, STREAM_WORDS).
    """

    keys: np.ndarray
    counts: np.ndarray
    numbers: np.ndarray
    means: np.ndarray
    ends: np.ndarray
    classes: np.ndarray
    class_guide: np.ndarray
    probabilities: np.ndarray
    guide: np.ndarray
    depths: np.ndarray
    stream: np.ndarray


def new_scratch(n_threads: int, n_rows: int, n_classes: int) -> Scratch:
    """Return work arrays; memory is used only as far as they are written."""
    return Scratch(
        *new_rows(n_threads, 2, n_rows),
        np.empty((n_threads, n_rows)),
        np.empty((n_threads, n_rows), np.int64),
        np.empty((n_threads, 4, n_classes), np.int64),
        np.empty((n_threads, n_classes), np.int32),
        np.empty((n_threads, 2, N_PROBABILITIES)),
        np.empty((n_threads, N_PROBABILITIES), np.int32),
        np.zeros((n_threads, DEPTHS), np.int64),
        np.empty((n_threads, STREAM_WORDS), np.uint64),
    )


@kernel
def _draw(rows, n_rows, weight_total, n_tokens, by_row, work, bag):
    """Draw a sample for the symbols of rows with the weights `work.means`: classes, and what is removed of each.

    Parameters
    ----------
    rows, n_rows : rows of one replicate, and their number.
    weight_total : sum of the weights of all symbols.
    n_tokens : size of the sample, at least 1.
    by_row : see `Step`.
    work : `Scratch`; receives `ends` and `classes`, whose tokens are n_tokens after the removal.
    """
    keys, numbers = rows.keys, rows.numbers
    values, drawn, removed, sums = work.classes[0], work.classes[1], work.classes[2], work.classes[3]
    probabilities, tails = work.probabilities[0], work.probabilities[1]
    scale = (n_tokens + EXCESS * math.sqrt(n_tokens)) / weight_total
    total = np.int64(-1)
    n_classes = np.int64(0)
    while total < n_tokens and bag.info[TOO_SHORT] == 0:
        n_classes = np.int64(0)
        for i in range(n_rows):
            split_class(numbers[i], work.means[i] * scale, work.stream, probabilities, tails, work.guide, bag)
            if by_row or i == n_rows - 1 or keys[i + 1] != keys[i]:
                n_classes = empty(bag, n_classes, values, drawn)
            work.ends[i] = n_classes
        total = np.int64(0)
        for i in range(n_classes):
            total += values[i] * drawn[i]
    if bag.info[TOO_SHORT] == 0:
        remove_from_classes(total - n_tokens, values, drawn, n_classes, work.stream, sums, work.class_guide, removed)


@kernel
def _refit(rows, n_rows, keep, real, step, alive, work, bag, out):
    """Join the drawn classes to the rows of the next state, and return the number of these.

    More than eight arguments, because a group of groups would cost reference counts.

    Parameters
    ----------
    rows, n_rows : rows that the classes were drawn for.
    keep : 1 to add the drawn counts to those of the rows, else 0.
    real : int64 (K), added to the counts of each key; no entries for none.
    step : `Step`.
    alive : int64, receives the number of live symbols as `step.alive_by` says.
    work : `Scratch` after `_draw`.
    out : `Rows` of the next state.
    """
    values, drawn, removed = work.classes[0], work.classes[1], work.classes[2]
    least = np.int64(0) if step.keep_extinct else np.int64(1)
    n_out, start = np.int64(0), np.int64(0)
    for i in range(n_rows):
        key = rows.keys[i]
        base = keep * rows.counts[i]
        if real.shape[0] > 0:
            base += real[key]
        for c in range(start, work.ends[i]):
            gone = add_after_removal(values[c], drawn[c], removed[c], base, least, work.stream, work.depths, bag)
            if step.alive_by > 0:
                alive[key if step.alive_by == 1 else i] += drawn[c] - (gone if base == 0 else np.int64(0))
        start = work.ends[i]
        if i == n_rows - 1 or rows.keys[i + 1] != key:
            end = empty(bag, n_out, out.counts, out.numbers)
            for j in range(n_out, end):
                out.keys[j] = key
            n_out = end
    return n_out


@kernel
def _store(replicate, rows, lengths, n_out, step, work, sums):
    """Replace the rows of a replicate by the new ones, clear the rest, and write the sums."""
    new = 1 if step.n_real > 0 else 0
    for i in range(n_out):
        rows.keys[replicate, i] = work.keys[new, i]
        rows.counts[replicate, i] = work.counts[new, i]
        rows.numbers[replicate, i] = work.numbers[new, i]
    for i in range(n_out, lengths[replicate]):
        rows.keys[replicate, i] = 0
        rows.counts[replicate, i] = 0
        rows.numbers[replicate, i] = 0
    lengths[replicate] = n_out
    sum_rows(rows.counts[replicate], rows.numbers[replicate], n_out, sums[replicate])


@kernel
def _refit_replicate(thread, replicate, rows, lengths, weights, step, key, works, bags, sums, alive):
    """Compute the next state of one replicate; return DONE, or SHORT where an array is too short.

    More than eight arguments, because a `prange` body cannot take a group of groups.
    """
    work = Scratch(
        works.keys[thread],
        works.counts[thread],
        works.numbers[thread],
        works.means[thread],
        works.ends[thread],
        works.classes[thread],
        works.class_guide[thread],
        works.probabilities[thread],
        works.guide[thread],
        works.depths[thread],
        works.stream[thread],
    )
    bag = Bag(bags.cells[thread], bags.far[thread], bags.spare[thread], bags.digits[thread], bags.info[thread])
    n_rows = lengths[replicate]
    mine = Rows(rows.keys[replicate], rows.counts[replicate], rows.numbers[replicate])
    own_alive = alive[replicate]
    by_state = weights.rows.shape[1] == 0
    shared = min(replicate, weights.rows.shape[0] - 1)
    for i in range(n_rows):
        work.means[i] = np.float64(mine.counts[i]) if by_state else weights.rows[shared, i]
    first = Rows(work.keys[0], work.counts[0], work.numbers[0])
    second = Rows(work.keys[1], work.counts[1], work.numbers[1])
    real = weights.real[min(replicate, weights.real.shape[0] - 1)]
    for i in range(own_alive.shape[0]):
        own_alive[i] = 0
    generation_stream(key, replicate, step.generation, step.purpose, work.stream)
    _draw(mine, n_rows, step.weight_total, step.n_tokens, step.by_row, work, bag)
    if bag.info[TOO_SHORT] == 1:
        return SHORT
    n_out = _refit(mine, n_rows, step.keep, real, step, own_alive, work, bag, first)
    if step.n_real > 0 and bag.info[TOO_SHORT] == 0:
        for i in range(n_out):
            work.means[i] = weights.keys[first.keys[i]]
        for i in range(own_alive.shape[0]):
            own_alive[i] = 0
        # Not constants: the functions would be compiled again for them.
        apart, keep = step.n_real > 0, np.int64(step.n_real > 0)
        generation_stream(key, replicate, step.generation, step.real_purpose, work.stream)
        _draw(first, n_out, step.real_total, step.n_real, apart, work, bag)
        if bag.info[TOO_SHORT] == 0:
            n_out = _refit(first, n_out, keep, real[:0], step, own_alive, work, bag, second)
    if bag.info[TOO_SHORT] == 1 or n_out > mine.counts.shape[0]:
        return SHORT
    _store(replicate, rows, lengths, n_out, step, work, sums)
    return DONE


@parallel_kernel
def refit_spectra(rows, lengths, weights, step, key, work, bags, out):
    """Run one generation of the replicates that wait: ``(R,M),(R)->(R,M),(R)``, O(rows + sqrt(tokens)) each.

    Parameters
    ----------
    rows : `Rows`, replaced by those of the next generation.
    lengths : int64 (R), number of rows in use, updated.
    weights, step : `Weights` and `Step`.
    key : `StreamKey` of the run.
    work, bags : `Scratch`, and a `Bag` with the axis T.
    out : status int64 (R), WAITING on entry; DONE, or SHORT where an array is too short and nothing was changed; sums
        float64 (R, N_SUMS), and numbers of live symbols int64 (R, K).
    """
    status, sums, alive = out
    for thread in prange(step.n_threads):
        for replicate in range(thread, lengths.shape[0], step.n_threads):
            if status[replicate] == WAITING:
                # A parallel loop counts in uint64, for which the function would be compiled again.
                status[replicate] = _refit_replicate(
                    np.int64(thread), np.int64(replicate), rows, lengths, weights, step, key, work, bags, sums, alive
                )
