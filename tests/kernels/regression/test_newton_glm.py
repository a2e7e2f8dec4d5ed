"""Newton's method for generalised linear models against plain fits, and separation against a linear program."""

import numpy as np
import pytest

from fastcollapse.kernels.regression.newton_glm import (
    FITTED,
    LOGISTIC,
    POISSON,
    SEPARATED,
    SINGULAR,
    fit,
    new_workspace,
    rows_of,
)
from tests.naive import glm as naive

pytestmark = pytest.mark.usefixtures("one_blas_thread")
NAMES = {LOGISTIC: "logistic", POISSON: "poisson"}


def fitted(design, labels, response, start, trials=1):
    """Return the status and the coefficients of a fit."""
    rows, found = rows_of(design, response), np.array(start, float)
    status = fit(*rows, design.T @ labels, float(trials), new_workspace(*rows.blocks.shape), found)
    return status, found


def designs(rng, kind, n, p):
    """Return a design with a column of ones: Gaussian, binary, skewed or of small whole numbers."""
    made = {
        "gaussian": lambda: rng.standard_normal((n, p)),
        "binary": lambda: (rng.standard_normal((n, p)) > 0.5).astype(float),
        "skewed": lambda: np.exp(2 * rng.standard_normal((n, p))),
        "whole": lambda: rng.integers(-2, 3, (n, p)).astype(float),
    }[kind]()
    made[:, 0] = 1.0
    return made


@pytest.mark.parametrize("kind", ["gaussian", "binary", "skewed", "whole"])
@pytest.mark.parametrize("response", [LOGISTIC, POISSON])
def test_fit__equals_plain_fit_or_finds_the_separation(response, kind):
    rng, seen = np.random.default_rng(7), set()
    for _ in range(40):
        n, p = int(rng.integers(5, 50)), int(rng.integers(2, 5))
        design, truth = designs(rng, kind, n, p), rng.standard_normal(p) * rng.choice([0.3, 1.0, 3.0])
        eta = design @ truth
        if np.linalg.matrix_rank(design) < p or (response == POISSON and eta.max() > 10):
            continue
        labels = rng.random(n) < 1 / (1 + np.exp(-eta)) if response == LOGISTIC else rng.poisson(np.exp(eta))
        labels = labels.astype(float)
        is_separated = naive.is_separated(design, labels, NAMES[response])
        for start in (np.zeros(p), truth):
            status, found = fitted(design, labels, response, start)
            seen.add(status)
            assert status == (SEPARATED if is_separated else FITTED)
            expected = start if is_separated else naive.fit(design, labels, NAMES[response])
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    assert seen == {FITTED, SEPARATED}


def test_fit__of_many_rows_and_trials_equals_that_of_expanded_rows():
    rng = np.random.default_rng(1)
    design = designs(rng, "gaussian", 1300, 6)
    labels = rng.binomial(3, 1 / (1 + np.exp(-design @ np.full(6, 0.4)))).astype(float)
    status, found = fitted(design, labels, LOGISTIC, np.zeros(6), trials=3)
    rows, ones = np.repeat(design, 3, axis=0), (np.arange(3) < labels[:, None]).astype(float).ravel()
    assert status == FITTED
    np.testing.assert_allclose(found, naive.fit(rows, ones, "logistic"), rtol=1e-9)
    np.testing.assert_allclose(fitted(rows, ones, LOGISTIC, np.zeros(6))[1], found, rtol=1e-9)


def test_fit__does_not_depend_on_a_far_start():
    rng = np.random.default_rng(2)
    design = designs(rng, "gaussian", 200, 3)
    labels = rng.poisson(np.exp(design @ [1.0, 0.5, -0.5])).astype(float)
    near = fitted(design, labels, POISSON, np.zeros(3))
    far = fitted(design, labels, POISSON, [-200.0, 100.0, 0.0])
    assert near[0] == far[0] == FITTED
    np.testing.assert_allclose(far[1], near[1], rtol=1e-9)


def test_fit__one_label_on_the_wrong_side_is_no_separation():
    """The labels of two inputs at -1 and 1 are separated but for one of 500: its fit is finite."""
    design = np.column_stack([np.ones(1000), np.repeat([-1.0, 1.0], 500)])
    labels = (design[:, 1] > 0).astype(float)
    assert fitted(design, labels, LOGISTIC, np.zeros(2))[0] == SEPARATED
    labels[0] = 1
    assert fitted(design, labels, LOGISTIC, np.zeros(2))[0] == SEPARATED  # all labels at 1 are still 1
    labels[-1] = 0
    status, found = fitted(design, labels, LOGISTIC, np.zeros(2))
    assert status == FITTED
    np.testing.assert_allclose(found, [0.0, np.log(499)], atol=1e-8)


def test_fit__beyond_the_range_of_floats_is_singular():
    """Rows 2 and 3 determine the direction across row 1, with rates near exp(-320): their information is rounding."""
    design = np.array([[1.0, 0.3], [-200.0, -59.0], [-200.0, -61.0]])
    labels = np.array([5.0, 0.0, 0.0])
    assert not naive.is_separated(design, labels, "poisson")
    status, found = fitted(design, labels, POISSON, [0.5, 0.5])
    assert status == SINGULAR
    np.testing.assert_array_equal(found, [0.5, 0.5])


@pytest.mark.parametrize("trials", [1e6, 1e9, 1e12])
@pytest.mark.parametrize("response", [LOGISTIC, POISSON])
def test_fit__one_label_of_many_is_no_separation(response, trials):
    """The share of the one label on the wrong side falls with the number of labels of a row."""
    design = np.ones((3, 1))
    failures = 1.0 if response == LOGISTIC else 3 * trials - 1.0
    labels = np.array([3 * trials - failures, 0.0, 0.0])
    start = [20.0 if response == LOGISTIC else -20.0]
    status, found = fitted(design, labels, response, start, trials)
    assert status == FITTED
    expected = np.log(labels[0] / failures) if response == LOGISTIC else np.log(labels[0] / (3 * trials))
    np.testing.assert_allclose(found, expected, atol=3e-4 if trials == 1e12 else 1e-6)
    none = np.array([3 * trials if response == LOGISTIC else 0.0, 0.0, 0.0])
    assert fitted(design, none, response, start, trials)[0] == SEPARATED


def test_fit__counts_of_a_far_row_are_no_separation():
    """Row 1 has nearly all counts: a direction that hardly changes it is on the wrong side of it all the same."""
    design = np.array([[1.0, 32.767, 6.768], [1.0, -1.305, -0.363], [1.0, 0.085, -0.62], [1.0, -0.514, -0.195]])
    labels = np.array([163017.0, 1.0, 0.0, 0.0])
    assert not naive.is_separated(design, labels, "poisson")
    status, found = fitted(design, labels, POISSON, np.zeros(3))
    assert status == FITTED
    np.testing.assert_allclose(design.T @ np.exp(design @ found), design.T @ labels, rtol=1e-9)
