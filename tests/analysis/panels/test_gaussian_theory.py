import numpy as np
from scipy.special import digamma, polygamma

from fastcollapse.analysis.panels.gaussian_theory import log_chi_curve

FREEDOM = 7
GENERATIONS = np.array([0, 1, 20])
MEAN = GENERATIONS * (digamma(FREEDOM / 2) - np.log(FREEDOM / 2))
VARIANCE = GENERATIONS * polygamma(1, FREEDOM / 2)
# Four scores beyond 5 in one of 400,000 right files.
Z_LIMIT = 5.0


def sums_of_logs(n_replicates):
    """Return the sums of logs of chi-squares over their degrees, float64 (R, 3)."""
    rng = np.random.default_rng(8)
    logs = np.log(rng.chisquare(FREEDOM, (n_replicates, 20)) / FREEDOM)
    return np.append(np.zeros((n_replicates, 1)), np.cumsum(logs, axis=1), axis=1)[:, GENERATIONS]


def test_log_chi_curve__scores_the_mean_by_its_exact_variance():
    curve = log_chi_curve(GENERATIONS, sums_of_logs(4000), MEAN, VARIANCE, FREEDOM)
    assert curve.z[0] == 0
    assert np.abs(curve.z).max() < Z_LIMIT
    # Negative control: one degree of freedom more.
    wrong = GENERATIONS * (digamma((FREEDOM + 1) / 2) - np.log((FREEDOM + 1) / 2))
    z = log_chi_curve(GENERATIONS, sums_of_logs(4000), wrong, VARIANCE, FREEDOM).z
    assert np.abs(z[-1]) > Z_LIMIT


def test_log_chi_curve__has_no_score_of_few_degrees():
    curve = log_chi_curve(GENERATIONS, sums_of_logs(3), MEAN, VARIANCE, FREEDOM)
    np.testing.assert_array_equal(np.isfinite(curve.z), [True, False, True])
    assert "degrees of freedom" in curve.rule


def test_log_chi_curve__has_no_score_without_theory():
    unknown = np.full(3, np.nan)
    curve = log_chi_curve(GENERATIONS, sums_of_logs(100), unknown, unknown, FREEDOM)
    assert np.isnan(curve.z).all()
