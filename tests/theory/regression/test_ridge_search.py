"""The search for the best ridge, on an error whose minimum is known."""

import numpy as np
import pytest

from fastcollapse.theory.regression.effective_ridge import effective_ridge
from fastcollapse.theory.regression.ridge_search import RidgeSearch


class Parabola(RidgeSearch):
    """An error (ln kappa - place)^2 + 1."""

    def __init__(self, place, rows):
        super().__init__(np.array([2.0, 1.0]), np.array([3.0, 4.0]), rows)
        self.place = place

    def without_ridge(self):
        return 0.5

    def errors(self, log_kappa):
        return (log_kappa - self.place) ** 2 + 1, 2 * (log_kappa - self.place)


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_minimum__is_found(rows):
    place = np.log(7.0)
    ridge, error = Parabola(place, rows).minimum()
    assert error == pytest.approx(1.0)
    assert effective_ridge([2.0, 1.0], rows, ridge) == pytest.approx(7.0)


def test_minimum__may_be_at_an_end():
    assert Parabola(-1000.0, 50).minimum() == (0.0, 0.5)
    assert Parabola(1000.0, 50).minimum() == (np.inf, 7.0)
