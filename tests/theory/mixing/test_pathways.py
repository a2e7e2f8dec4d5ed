"""The factors of workflows: golden values, closed forms, and other ways to compute them."""

import math

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.mixing.pathways import discount_slope, fixed_real_factor, pathway_factors, window_slope
from fastcollapse.theory.mixing.staged_schedule import expected_staged
from fastcollapse.theory.workflow_factors import accumulate_factor, risk_factor


def normalised(a):
    return a / a.sum(axis=1, keepdims=True)


def window(n_generations, n_batches):
    age = np.subtract.outer(np.arange(n_generations), np.arange(n_generations))
    return normalised(((age >= 0) & (age < n_batches)).astype(float))


def with_first(n_generations, share, rest):
    """Return the weights of the first batch, real for ever, and of the others, as in `rest`, [T, T]."""
    a = rest.copy()
    a[1:, 0] = 0.0
    a[1:] *= (1 - share) / a[1:].sum(axis=1, keepdims=True)
    a[1:, 0] = share
    return a


def test_pathway_factors__have_golden_values():
    for n_batches, expected in ((2, 44.8888888889), (5, 12.1225), (10, 4.6027121103)):
        assert abs(pathway_factors(window(100, n_batches))[-1] - expected) < 1e-10
    assert abs(pathway_factors(with_first(400, 0.1, np.eye(400)))[-1] - 5.263157894737) < 1e-11
    assert abs(pathway_factors(with_first(100, 0.5, np.eye(100)))[-1] - 4 / 3) < 1e-12
    everything = pathway_factors(with_first(100, 0.5, np.tril(np.ones((100, 100)))))
    np.testing.assert_allclose(everything[[1, 9, 99]], [1.25, 1.0876061260, 1.0141434435], atol=1e-10)


def test_pathway_factors__of_usual_workflows():
    t = np.arange(1, 41)
    np.testing.assert_allclose(pathway_factors(np.eye(40)), risk_factor("replace", t), rtol=1e-13)
    accumulate = normalised(np.tril(np.ones((40, 40))))
    np.testing.assert_allclose(pathway_factors(accumulate), risk_factor("accumulate", t), rtol=1e-13)
    # With the noise of tokens, the factor over n is what the heterozygosity has lost, exactly.
    lost = pathway_factors(accumulate, 1 / 7, estimator="mle")
    np.testing.assert_allclose(1 - lost, accumulate_factor(7, t), rtol=1e-13)


def test_pathway_factors__grow_with_the_slopes():
    factors = pathway_factors(window(400, 4))
    assert abs(factors[-1] - factors[-2] - window_slope(4)) < 1e-10
    age = np.subtract.outer(np.arange(400), np.arange(400))
    discounted = normalised(np.where(age >= 0, 0.7 ** np.maximum(age, 0), 0.0))
    factors = pathway_factors(discounted)
    assert abs(factors[-1] - factors[-2] - discount_slope(0.7)) < 1e-10
    assert abs(pathway_factors(with_first(300, 0.2, np.eye(300)))[-1] - fixed_real_factor(0.2)) < 1e-12
    # A constant share of real data with all synthetic batches loses nothing.
    assert abs(pathway_factors(with_first(600, 0.5, np.tril(np.ones((600, 600)))))[-1] - 1) < 0.004
    assert abs(pathway_factors(normalised(np.tril(np.ones((600, 600)))))[-1] - math.pi**2 / 6) < 0.002


@pytest.mark.parametrize(("estimator", "law", "n_batches"), [("mle", "mle", 2), ("large", "unbiased", 1)])
def test_pathway_factors__with_sources_are_those_of_the_recursion(estimator, law, n_batches):
    # Fresh real batches, of 6 points and weight 0.3, beside a window of synthetic batches of 9 points.
    n_generations = 12
    a = np.hstack([0.3 * np.eye(n_generations), 0.7 * window(n_generations, n_batches)])
    noise = np.repeat([1 / 6, 1 / 9], n_generations)
    source = np.concatenate([np.zeros(n_generations, int), np.arange(n_generations)])
    got = pathway_factors(a, noise, source, estimator)
    expected = expected_staged([9] * n_generations, 6, 1, estimator=law, window=n_batches, weight=0.3)[1]
    np.testing.assert_allclose(got, expected[1:], rtol=1e-12)


def test_pathway_factors__refuse_other_weights():
    for weights, problem in (
        ([[1.0, 0.0], [0.5, 0.4]], "rows that sum to 1"),
        ([[0.5, 0.5], [0.5, 0.5]], "0 for batches of later generations"),
        ([[1.5, -0.5], [0.5, 0.5]], r"weights must be within \[0, 1\]"),
        ([1.0], "a matrix of at most 4000 columns"),
    ):
        with pytest.raises(InputError, match=problem):
            pathway_factors(weights)
    with pytest.raises(InputError, match="estimator must be 'large' or 'mle', got 'unbiased'"):
        pathway_factors(np.eye(2), estimator="unbiased")
    with pytest.raises(InputError, match="a must be above 0"):
        fixed_real_factor(0.0)
