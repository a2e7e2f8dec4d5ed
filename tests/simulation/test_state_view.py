"""Views of the states of a block."""

import numpy as np

from fastcollapse.models.base import ModelBlock
from fastcollapse.simulation.state_view import StateViews
from fastcollapse.variables import SampleRows


class Fixed:
    n_columns = None


def test_of_block__has_the_rows_of_each_replicate_and_generation():
    states = {"mu": np.arange(4.0).reshape(2, 2)}
    samples = {"points": SampleRows(np.array([0, 1, 3, 3, 4]), np.arange(4.0))}
    views = StateViews("any", Fixed(), None, None).of_block(ModelBlock(states, samples), 5, 2, 2, 7)
    got = [(v.replicate, v.generation, float(v["mu"]), v["points"].tolist()) for _, _, v in views]
    assert got == [(7, 5, 0.0, [0.0]), (8, 5, 2.0, [1.0, 2.0]), (7, 6, 1.0, []), (8, 6, 3.0, [3.0])]
