"""Numbers of rows as arguments of theory."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.mixed_row_counts import mixed_row_counts


def test_counts__have_one_shape():
    rows, synthetic, ridge = mixed_row_counts([10, 20], 5, 0.5)
    np.testing.assert_array_equal(rows, [10, 20])
    np.testing.assert_array_equal(synthetic, [5, 5])
    np.testing.assert_array_equal(ridge, [0.5, 0.5])


def test_counts__of_more_synthetic_rows_than_rows_are_refused():
    with pytest.raises(InputError, match="T2 must be at most T"):
        mixed_row_counts(5, 6, 0.0)
