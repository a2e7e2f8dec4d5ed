"""One refit with fixed totals: golden values of the shipped sample."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.language.fixed_totals import fixed_totals_alive_one_refit
from tests._corpora import shipped, table_of


def test_fixed_totals__have_golden_values():
    text = shipped()
    table = table_of(text, 2)
    words, cells = fixed_totals_alive_one_refit(table["offsets"], table["words"], table["counts"])
    assert words / text.n_words == pytest.approx(0.8959644572, abs=5e-11)
    assert cells / len(table["counts"]) == pytest.approx(0.7303556586, abs=5e-11)


def test_fixed_totals__contexts_without_draws_die():
    arguments = [0, 2, 4], [0, 1, 1, 2], [1, 1, 1, 2]
    words, cells = fixed_totals_alive_one_refit(*arguments, totals=[0, 3])
    np.testing.assert_allclose([words, cells], [1 - (2 / 3) ** 3, 2 - (2 / 3) ** 3 - (1 / 3) ** 3], rtol=1e-14)
    # A row of one symbol never changes.
    assert fixed_totals_alive_one_refit([0, 1, 2], [0, 1], [5, 5], totals=[1, 1]) == (1.0, 2.0)
    with pytest.raises(InputError, match="totals must be of 2 contexts"):
        fixed_totals_alive_one_refit(*arguments, totals=[3])
