"""Statistics over replicates against plain definitions and SciPy."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.simulation.profile.statistics import jackknife, mean_of, median_of, power_law, ratio_of_means, scores


def test_scores__have_the_tail_probability_of_the_t_test():
    values = np.random.default_rng(1).normal(0.5, 1, (7, 5))
    expected = stats.ttest_1samp(values, 0, alternative="greater").pvalue
    np.testing.assert_allclose(stats.norm.sf(scores(values)), expected)
    assert np.isnan(scores(values[:1])).all()
    np.testing.assert_array_equal(scores(np.ones((5, 1))), [np.inf])


def test_mean_and_ratio__errors():
    rng = np.random.default_rng(2)
    above, below = rng.gamma(9, 2, 400), rng.gamma(9, 1, 400)
    mean = mean_of(above)
    assert (mean.value, mean.error) == (above.mean(), pytest.approx(stats.sem(above)))
    got = ratio_of_means(above, below)
    expected = jackknife(np.stack([above, below], axis=1), lambda m: float(m[0] / m[1]))
    assert got.value == pytest.approx(expected.value)
    assert got.error == pytest.approx(expected.error, rel=0.2)


def test_median__error_covers():
    """The median of 101 exponential variates: its deviation over 2,000 samples is that of the estimate."""
    samples = np.random.default_rng(3).exponential(1, (2000, 101))
    spread = np.median(samples, axis=1).std()
    assert np.mean([median_of(sample).error for sample in samples[:500]]) == pytest.approx(spread, rel=0.1)


def test_power_law__error_covers_correlated_replicates():
    """Random walks have correlated generations: the error is still the deviation of the slope over 500 samples."""
    rng, at = np.random.default_rng(4), np.arange(8.0, 17.0)
    slopes = [power_law(np.cumsum(rng.normal(0, 1, (40, 16)), axis=1)[:, 7:] ** 2, at) for _ in range(500)]
    values, errors = np.array([(s.value, s.error) for s in slopes]).T
    assert values.mean() == pytest.approx(1.0, abs=0.1)
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.2)


def test_jackknife__of_a_mean_is_its_standard_error():
    values = np.random.default_rng(5).normal(0, 1, (60, 1))
    assert jackknife(values, lambda mean: float(mean[0])).error == pytest.approx(stats.sem(values[:, 0]))
    # More replicates than groups: groups of several replicates.
    values = np.random.default_rng(6).normal(0, 1, (5000, 1))
    assert jackknife(values, lambda mean: float(mean[0])).error == pytest.approx(stats.sem(values[:, 0]), rel=0.25)
    assert np.isnan(jackknife(values[:1], lambda mean: float(mean[0])).error)
