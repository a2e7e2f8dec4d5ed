"""Mean integrated squared error of all workflows: golden values, the closed form, bounds of numbers, domain."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.density.mise import kde_mise, kde_mise_shape
from fastcollapse.theory.density.replace import kde_mise_replace

TWO = {"weights": [0.5, 0.5], "means": [-1, 1], "covariances": 0.25}
WORKFLOWS = {
    "replace": {"n_synthetic": [100] * 100},
    "accumulate": {"n_synthetic": [100] * 100, "keep": 1},
    "fresh": {"n_synthetic": [80] * 100, "n_real": 20, "real": "fresh"},
    "fixed": {"n_synthetic": [80] * 100, "n_real": 20, "real": "fixed"},
    "subsample": {"n_synthetic": [100] * 100, "keep": 1, "n_train": 100},
}


def close(got, expected):
    np.testing.assert_allclose(got, expected, atol=6e-13, rtol=0)


def test_mise__of_normal_truth_has_golden_values():
    n = [50] * 50
    at = [1, 2, 10, 50]
    close(kde_mise(0.4, n)[at], [0.009987921477, 0.017945672993, 0.070648613190, 0.195056068166])
    plane = kde_mise(0.4, n, means=[[0, 0]])
    close(plane[at], [0.009388210644, 0.015094877619, 0.043953704468, 0.088521611317])
    close(kde_mise(0.4, n, means=[[0, 0, 0]])[20], 0.028003456071)
    at = [1, 10, 50]
    fresh = kde_mise(0.4, [50] + [40] * 49, [0] + [10] * 49, real="fresh")
    close(fresh[at], [0.009987921477, 0.027292638955, 0.028352563296])
    fixed = kde_mise(0.4, [40] * 50, 10, real="fixed")
    close(fixed[at], [0.009987921477, 0.037973334302, 0.040064779135])
    close(kde_mise(0.4, n, keep=1)[at], [0.009987921477, 0.013714239121, 0.017546707901])
    close(kde_mise(0.4, n, keep=1, n_train=50)[at], [0.009987921477, 0.022907842276, 0.027860824960])
    shrinking = (50 * np.arange(1, 51)) ** -0.2
    close(kde_mise(shrinking, n, keep=1)[at], [0.009022328059, 0.014172321388, 0.014968165910])


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        ("replace", [0.011896052833, 0.083710639603, 0.213186973804]),
        ("accumulate", [0.011896052833, 0.026398028310, 0.039217603217]),
        ("fresh", [0.011896052833, 0.038190534649, 0.038757037136]),
        ("fixed", [0.011896052833, 0.048042226182, 0.049799897682]),
        ("subsample", [0.011896052833, 0.033490156816, 0.047111082491]),
    ],
)
def test_mise__of_two_modes_has_golden_values(workflow, expected):
    close(kde_mise(0.3, **WORKFLOWS[workflow], **TWO)[[1, 10, 100]], expected)


@pytest.mark.parametrize(
    ("h", "workflow", "expected"),
    [
        (0.1, "replace", [0.1812727469, 0.4745185658, 0.7228823447]),
        (0.1, "accumulate", [0.1812727469, 0.2032480845, 0.2227976086]),
        (0.1, "subsample", [0.1812727469, 0.2778476236, 0.3040315748]),
        (0.5, "replace", [0.3410184712, 0.4542414821, 0.5176423675]),
        (0.5, "accumulate", [0.3410184712, 0.3866193359, 0.4125279193]),
        (0.5, "subsample", [0.3410184712, 0.3889841181, 0.4153009584]),
    ],
)
def test_mise__of_circles_has_golden_values(h, workflow, expected):
    got = kde_mise_shape(h, **WORKFLOWS[workflow], shape="circles", placement="iid")
    np.testing.assert_allclose(got[[1, 10, 100]], expected, atol=6e-11, rtol=0)


@pytest.mark.parametrize("d", [1, 2, 3, 7, 100])
def test_mise__equals_closed_form_of_replace(d):
    # Far components, narrow and wide ones: the panels of the quadrature are tested, too.
    rng = np.random.default_rng(d)
    mixture = {"weights": [0.2, 0.5, 0.3], "means": rng.normal(0, 6, (3, d)), "covariances": [0.01, 1.0, 9.0]}
    for h, n in ((0.02, 3), (0.5, 1000), (4.0, 1)):
        got = kde_mise(h, [n] * 30, **mixture)
        expected = kde_mise_replace(h, n, np.arange(31), **mixture)
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13 * expected.max())


@pytest.mark.parametrize("d", [2, 3])
def test_mise__of_other_covariances_equals_closed_form(d):
    rng = np.random.default_rng(d)
    factors = rng.normal(0, 1, (2, d, d))
    covariances = factors @ factors.transpose(0, 2, 1) + 0.1 * np.eye(d)
    mixture = {"weights": [0.4, 0.6], "means": rng.normal(0, 2, (2, d)), "covariances": covariances}
    expected = kde_mise_replace(0.4, 20, np.arange(6), **mixture)
    np.testing.assert_allclose(kde_mise(0.4, [20] * 5, **mixture), expected, rtol=1e-9)


def test_mise__sizes_and_one_point():
    # One point of workflow replace is a random walk of the kernel.
    np.testing.assert_allclose(kde_mise(0.3, [1] * 5), kde_mise_replace(0.3, 1, np.arange(6)), rtol=1e-12)
    many = kde_mise(0.3, [10**12] * 3, keep=1)
    smooth = kde_mise_replace(0.3, 10**12, [1])
    np.testing.assert_allclose(many[1], smooth[0], rtol=1e-11)
    assert kde_mise(0.3, []).tolist() == [0.0]
    assert kde_mise_shape(0.3, [1] * 3, shape="moons").shape == (4,)


def test_mise__even_placement_has_less_error_than_iid():
    for shape in ("circles", "moons", "blobs"):
        even, iid = (kde_mise_shape(0.3, [30] * 3, shape=shape, placement=p) for p in ("even", "iid"))
        assert (even[1:] < iid[1:]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": [0.5, 0.6], "means": [0, 1]}, "weights must be probabilities that sum to 1"),
        ({"weights": [0.5, 0.5]}, "means must be 2 vectors"),
        ({"covariances": 0.0}, "covariances must be matrices with eigenvalues of at least"),
        ({"covariances": [[[1, 0], [0, 1]]]}, r"covariances must be 1 matrices of shape \(1, 1\)"),
        ({"means": [[0, 0]], "covariances": [[[1, 2], [0, 1]]]}, "covariances must be symmetric"),
        ({"means": [[0] * 4], "covariances": [np.diag([1, 2, 3, 4])]}, "multiples of the identity in more than 3"),
        ({"weights": [0.5, 0.5], "means": [0, 1e6]}, r"means must be within 1e\+05 of the least deviation"),
        ({"means": [[0] * 101]}, "means must be vectors of 1 to 100 numbers"),
        ({"means": [[0, 0]], "covariances": [np.diag([1e-7, 1e5])]}, "ratios of eigenvalues that are less extreme"),
    ],
)
def test_mise__domain_is_checked(arguments, message):
    with pytest.raises(InputError, match=message):
        kde_mise(0.3, [5], **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": "rings"}, "shape must be 'circles', 'moons' or 'blobs'"),
        ({"shape": "moons", "noise": 0}, "noise must be within"),
        ({"shape": "moons", "placement": "grid"}, "placement must be 'even' or 'iid'"),
        ({"shape": "moons", "n_real": list(range(100)), "real": "fresh"}, "placement must be 'iid' for more than 64"),
    ],
)
def test_mise_shape__domain_is_checked(arguments, message):
    with pytest.raises(InputError, match=message):
        kde_mise_shape(0.3, [5] * 100, **arguments)
