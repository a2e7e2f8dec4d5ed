"""Axes of a figure over a sweep: chosen, fixed and refused parameters."""

import pytest

from fastcollapse.analysis.sweep_axes import choose_sides, fixed_entries
from fastcollapse.errors import InputError
from fastcollapse.sweeps.axes import named_axes
from fastcollapse.sweeps.points import Sweep

LABELS = {"n_samples": "samples per generation $n$", "sigma": r"true deviation $\sigma_0$"}


@pytest.fixture(scope="module")
def axes():
    """Three independent parameters with 2, 4 and 3 values; the first is not numeric."""
    grid = {
        "model.estimator": ["mle", "unbiased"],
        "workflow.n_samples": [5, 10, 20, 50],
        "truth.sigma": [0.5, 1.0, 2.0],
    }
    return named_axes(
        Sweep(
            {
                "model": {"family": "gaussian"},
                "workflow": {"name": "replace"},
                "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
                "sweep": {"grid": grid},
            }
        )
    )


def test_choose_sides__takes_longest_first(axes):
    assert [side.label for side in choose_sides(axes, (), ())] == [LABELS["n_samples"], LABELS["sigma"]]
    assert [side.label for side in choose_sides(axes, (), ["n_samples"])] == [LABELS["sigma"], "estimator"]
    assert [side.label for side in choose_sides(axes, ("estimator", "truth.sigma"), ())] == [
        "estimator",
        LABELS["sigma"],
    ]


def test_side__uses_numbers_or_positions(axes):
    names, numbers = choose_sides(axes, ("estimator", "n_samples"), ())
    assert (names.is_number, names.at.tolist(), names.names) == (False, [0, 1], ["maximum likelihood", "unbiased"])
    assert (numbers.is_number, numbers.at.tolist(), numbers.log) == (True, [5, 10, 20, 50], True)
    assert numbers.groups[0] == "$n$ = 5"


def test_choose_sides__refuses_parameters_that_do_not_vary(axes):
    with pytest.raises(InputError, match="parameter must be one of estimator, n_samples, sigma, got 'sgima'"):
        choose_sides(axes, ("sgima",), ())
    with pytest.raises(InputError, match="over one or two parameters"):
        choose_sides(axes, ("estimator", "n_samples", "sigma"), ())
    with pytest.raises(InputError, match="over parameters that vary apart"):
        choose_sides(axes, ("sigma", "truth.sigma"), ())


def test_fixed_entries__are_found_by_value(axes):
    assert fixed_entries(axes, {"estimator": "unbiased", "truth.sigma": "2"}, {1}) == [1, 0, 2]
    with pytest.raises(InputError, match=r"sigma must be one of 0.5, 1.0, 2.0, got '3'"):
        fixed_entries(axes, {"sigma": "3"}, set())
    with pytest.raises(InputError, match="n_samples must not be fixed"):
        fixed_entries(axes, {"n_samples": "5"}, {1})
