"""One generation of rows: its tokens, its sums, and arrays that are too short. Its law is tested with the model."""

import numpy as np
import pytest

from fastcollapse.kernels.random.streams import PURPOSE_SPECTRUM, PURPOSE_SPECTRUM_REAL, StreamKey
from fastcollapse.kernels.spectrum.bag import new_bags
from fastcollapse.kernels.spectrum.refit import (
    DONE,
    SHORT,
    WAITING,
    Step,
    Weights,
    new_scratch,
    refit_spectra,
)
from fastcollapse.kernels.spectrum.rows import N_SUMS, new_rows, sum_rows

N_REPLICATES, N_TOKENS = 3, 900
COUNTS, NUMBERS = [1, 4, 25], [200, 50, 20]


def refit(n_far, n_columns=100):
    """Return the status, rows, lengths and sums after one generation of a plain spectrum."""
    rows = new_rows(N_REPLICATES, n_columns)
    rows.counts[:, :3], rows.numbers[:, :3] = COUNTS, NUMBERS
    lengths, status = np.full(N_REPLICATES, 3), np.full(N_REPLICATES, WAITING)
    purpose = np.uint64(PURPOSE_SPECTRUM)
    step = Step(
        generation=1,
        n_tokens=N_TOKENS,
        n_real=0,
        purpose=purpose,
        real_purpose=np.uint64(PURPOSE_SPECTRUM_REAL),
        weight_total=float(N_TOKENS),
        real_total=1.0,
        keep=0,
        by_row=False,
        keep_extinct=False,
        alive_by=0,
        n_threads=1,
    )
    key = StreamKey(np.uint64(5), np.uint64(0), np.uint64(0), purpose)
    weights = Weights(np.zeros((1, 0)), np.zeros((1, 0), np.int64), np.zeros(0))
    sums, alive = np.zeros((N_REPLICATES, N_SUMS)), np.zeros((N_REPLICATES, 0), np.int64)
    work = new_scratch(1, n_columns, n_columns)
    refit_spectra(rows, lengths, weights, step, key, work, new_bags(1, 16, n_far), (status, sums, alive))
    return status, rows, lengths, sums


def test_refit_spectra__keeps_the_tokens_and_writes_the_sums():
    assert np.dot(COUNTS, NUMBERS) == N_TOKENS
    status, rows, lengths, sums = refit(n_far=1000)
    assert (status == DONE).all()
    for r in range(N_REPLICATES):
        counts, numbers = rows.counts[r, : lengths[r]], rows.numbers[r, : lengths[r]]
        assert counts @ numbers == N_TOKENS
        assert (np.diff(counts) > 0).all()
        assert (numbers > 0).all()
        expected = np.zeros(N_SUMS)
        sum_rows(counts, numbers, lengths[r], expected)
        assert sums[r] == pytest.approx(expected, rel=1e-14)
    assert not (rows.counts[0] == rows.counts[1]).all()


@pytest.mark.parametrize("short", [{"n_far": 1}, {"n_far": 1000, "n_columns": 4}], ids=["far values", "rows"])
def test_refit_spectra__where_an_array_is_too_short__changes_nothing(short):
    status, rows, lengths, _ = refit(**short)
    assert (status == SHORT).all()
    assert (lengths == 3).all()
    assert (rows.counts[:, :3] == COUNTS).all()
    assert (rows.numbers[:, :3] == NUMBERS).all()
