"""Sizes of inputs, labels and kernels: one-line errors instead of overflows, and the warning of a narrow spread."""

import re
import warnings

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.report import describe
from fastcollapse.errors import InputError, InputWarning
from fastcollapse.kernels.regression.kernel_matrix import LINEAR, POLYNOMIAL, RBF, Kernel
from fastcollapse.models.kernel_ridge.sizes import check_kernel
from fastcollapse.simulation.experiment import Experiment


def run_of(folder, inputs=1.0, labels=1.0, shift=0.0, truth=None, **model):
    """Simulate a run whose inputs and labels are multiplied by numbers."""
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.normal(size=(30, 3)) * inputs + shift)
    np.save(folder / "y.npy", rng.normal(size=30) * labels)
    mapping = {
        "model": {"family": "kernel_ridge", "kernel": "rbf", "sigma": 0.1, "ridge": 0.01} | model,
        "truth": {"images": "x.npy", "labels": "y.npy", "n_test": 8} | (truth or {}),
        "workflow": {"name": "replace", "n_samples": 12},
        "run": {"n_generations": 1, "n_replicates": 1, "seed": 1},
    }
    return simulate(Experiment.from_mapping(mapping, base=folder))


@pytest.mark.parametrize("kernel", ["rbf", "polynomial", "linear", "laplacian", "matern"])
@pytest.mark.parametrize(("key", "name"), [("inputs", "images"), ("labels", "labels")])
@pytest.mark.parametrize("size", [1e307, 1e160, 1e-170, 1e-320])
def test_inputs_and_labels__of_extreme_size_give_a_one_line_error(tmp_path, kernel, key, name, size):
    message = f"truth.{name} must have a largest entry of 1e-100 to 1e+100 in size, got "
    with pytest.raises(InputError, match="^" + re.escape(message)) as caught:
        run_of(tmp_path, **{key: size}, kernel=kernel)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kernel", ["rbf", "polynomial", "linear", "laplacian", "matern"])
@pytest.mark.parametrize("size", [1e99, 1e-99])
def test_inputs__of_large_and_small_size_give_the_same_errors(tmp_path, kernel, size):
    expected = run_of(tmp_path, kernel=kernel, scale=0.7).metrics["generator_error"]
    got = run_of(tmp_path, inputs=size, kernel=kernel, scale=0.7).metrics["generator_error"]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_inputs__beyond_float32_give_a_one_line_error(tmp_path):
    with pytest.raises(InputError, match=r"^truth\.images must have a largest entry of 1e-15 to 1e\+15 in size, got "):
        run_of(tmp_path, inputs=1e20, precision="float32")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"scale": 1e-100}, "model.scale must be a length of 1e-150 to 1e+150 in the units of the file, got "),
        ({"scale": 1e100}, "model.scale must be a length of 1e-150 to 1e+150 in the units of the file, got "),
        ({"kernel": "linear", "scale": 1e-60}, "model.scale must fit to the inputs: the kernel of the longest row"),
        (
            {"kernel": "polynomial", "scale": 1.0, "degree": 20, "offset": 1e10},
            "model.scale, model.degree and model.offset must fit to the inputs: the kernel of the longest row with "
            "itself is 1e200, above 1e+100",
        ),
    ],
)
def test_kernel__that_overflows_gives_a_one_line_error(tmp_path, model, message):
    size = {1e-100: 1e-90, 1e100: 1e90}.get(model["scale"], 1.0)
    with pytest.raises(InputError, match="^" + re.escape(message)) as caught:
        run_of(tmp_path, inputs=size, **model)
    assert "\n" not in str(caught.value)


def test_check_kernel__accepts_what_is_finite():
    for kind in (RBF, LINEAR, POLYNOMIAL):
        check_kernel(Kernel(np.int64(kind), np.float64(1e-100), np.int64(3), np.float64(1.0)), 1e-200)
    with pytest.raises(InputError):
        check_kernel(Kernel(np.int64(POLYNOMIAL), np.float64(1e-150), np.int64(3), np.float64(1.0)), 1e200)


def test_scale__warns_where_the_inputs_hardly_differ(tmp_path):
    message = r"^model\.scale = 0\.5 is in units of the largest input, 10002, but the inputs differ by at most "
    with pytest.warns(InputWarning, match=message):
        run_of(tmp_path, shift=1e4, scale=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        run_of(tmp_path, scale=0.5)
        run_of(tmp_path, shift=1e4)
        run_of(tmp_path, shift=1e4, scale=0.5, truth={"scaling": "none"})


def test_summary__names_the_divisor_of_the_inputs(tmp_path):
    assert ", inputs divided by 2.3" in describe(run_of(tmp_path))
    assert "divided" not in describe(run_of(tmp_path, truth={"scaling": "none"}))
