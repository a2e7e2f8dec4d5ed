"""Theory of kernel ridge regressions on given rows: the linear kernel, limits, and the domain of the arguments."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.kernel_labels import kernel_label_error
from fastcollapse.theory.regression.mixed_labels import mixed_label_error

RNG = np.random.default_rng(1)
X, Z, W0 = RNG.standard_normal((7, 3)), RNG.standard_normal((9, 3)), np.array([1.0, -2.0, 0.5])
K, ACROSS = X @ X.T, X @ Z.T


@pytest.mark.parametrize("start", ["zero", "previous"])
@pytest.mark.parametrize("real_labels", ["fresh", "fixed"])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_linear_kernel__has_the_errors_of_linear_regression(ridge, real_labels, start):
    """Test rows whose second moments are those of the law have its errors."""
    roots = np.linalg.cholesky(Z.T @ Z / len(Z))
    weights, n = np.array([0.2, 0.7]), np.array([[0], [1], [4]])
    law = 0.5, 0.8, real_labels, start
    got = kernel_label_error(K, ACROSS, X @ W0, Z @ W0, weights, ridge, n, *law)
    # In coordinates in which the second moments are the identity, the ridge is not isotropic unless there is none.
    if ridge == 0:
        expected = mixed_label_error(X @ np.linalg.inv(roots.T), roots.T @ W0, np.ones(3), weights, 0.0, n, *law)
        np.testing.assert_allclose(got, expected, rtol=1e-8)
    else:
        values, vectors = np.linalg.eigh(Z.T @ Z / len(Z))
        expected = mixed_label_error(X @ vectors, vectors.T @ W0, values, weights, ridge, n, *law)
        np.testing.assert_allclose(got, expected, rtol=1e-8)


def test_weight_0__gathers_noise():
    n = np.arange(4)
    got = kernel_label_error(K + np.eye(7), ACROSS, X @ W0, Z @ W0, 0.0, 0.1, n, 0.5, 0.8, start="previous")
    np.testing.assert_allclose(got, n * got[1])
    assert np.isinf(kernel_label_error(K + np.eye(7), ACROSS, X @ W0, Z @ W0, 0.0, 0.1, start="previous"))
    assert kernel_label_error(K, ACROSS, X @ W0, Z @ W0, 0.5, 0.0, 9, 0.0, 0.0) == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"K": K[:3]}, "K must be a square matrix"),
        ({"K": K + np.triu(np.ones((7, 7)))}, "K must be symmetric"),
        ({"K": -K}, "K must be positive semidefinite"),
        ({"k_test": ACROSS[:3]}, "k_test must be of 7 rows"),
        ({"y": [1.0]}, "y must be"),
        ({"y_test": [1.0]}, "y_test must be"),
        ({"weight": 1.5}, "weight must be"),
        ({"ridge": -1.0}, "ridge must be"),
        ({"n": 0.5}, "n must be whole numbers or inf"),
        ({"real_labels": "new"}, "real_labels must be"),
    ],
)
def test_domain__is_checked(change, message):
    given = {"K": K, "k_test": ACROSS, "y": X @ W0, "y_test": Z @ W0, "weight": 0.5, **change}
    with pytest.raises(InputError, match=message):
        kernel_label_error(**given)
