"""Several cases of one recipe."""

import pytest
from matplotlib.figure import Figure

import fastcollapse
from fastcollapse.api.cases import compare, plot
from fastcollapse.simulation.load_experiment import load_experiment


@pytest.fixture(scope="module")
def cases():
    experiment = load_experiment("replace-accumulate").with_values({"run.n_generations": 3, "run.n_replicates": 20})
    return [fastcollapse.simulate(case) for case in experiment.cases()]


def test_plot__draws_all_cases(cases):
    assert len(cases) > 1
    figure = plot(cases)
    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "Replacing lets the error grow, accumulating bounds it"


def test_compare__has_the_rows_of_each_case(cases):
    got = compare(cases)
    assert len({row.case for row in got.rows}) == len(cases)
    assert got.n_scored == sum(case.compare().n_scored for case in cases)
