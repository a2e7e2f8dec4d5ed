"""One refit with fixed totals: golden values of the shipped sample."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.binomial_chain import exact_chain
from fastcollapse.theory.language.fixed_totals import fixed_totals_alive_bounds, fixed_totals_alive_one_refit
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


def test_fixed_totals__bounds_hold_simulated_values_of_text():
    # Simulated, 10 runs: V/V_0 .8221(8) .6820(8) .5629(10) and D/D_0 .5930(3) .4033(2) .2864(2).
    text = shipped()
    table = table_of(text, 2)
    found = fixed_totals_alive_bounds(table["offsets"], table["words"], table["counts"], [0, 1, 2, 5, 10])
    words = np.array(found[:2]) / text.n_words
    cells = np.array(found[2:]) / len(table["counts"])
    np.testing.assert_allclose(words[:, :2], [[1, 0.8959644572]] * 2, atol=5e-11)
    np.testing.assert_allclose(cells[:, :2], [[1, 0.7303556586]] * 2, atol=5e-11)
    assert (np.abs(words.mean(axis=0)[2:] - [0.8221, 0.6820, 0.5629]) < 3 * np.array([8e-4, 8e-4, 1e-3])).all()
    assert (np.abs(cells.mean(axis=0)[2:] - [0.5930, 0.4033, 0.2864]) < 3 * np.array([3e-4, 2e-4, 2e-4])).all()
    assert (words[1] - words[0] < 6e-4).all()
    assert (cells[1] - cells[0] < 7e-4).all()


def test_fixed_totals__large_contexts_have_bounds():
    # Two contexts of 200 draws: the chain of 200 is between the bounds of its cells.
    arguments = [0, 2, 4], [0, 1, 1, 2], [20, 180, 60, 140]
    lower, upper, low, high = fixed_totals_alive_bounds(*arguments, [0, 1, 40])
    lost = exact_chain([0.1, 0.9, 0.3, 0.7], 200, 40)[0][:, [0, 1, 40]]
    words = 2 - lost[0] - lost[1] * lost[2]
    np.testing.assert_array_less([lower - 1e-12, words - 1e-12], [words, upper])
    np.testing.assert_array_less([low - 1e-12, 4 - lost.sum(axis=0) - 1e-12], [4 - lost.sum(axis=0), high])
