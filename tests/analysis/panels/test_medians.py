"""Medians of laws without a mean."""

import numpy as np

from fastcollapse.analysis.panels.medians import median_curve


def test_median__score_is_normal_and_rejects_wrong_median():
    rng = np.random.default_rng(3)
    # Cauchy law, which has no mean. 400 medians of 100 values; the scores have mean 0 and deviation 1.
    values = rng.standard_cauchy((100, 400))
    right = median_curve(np.arange(400), values, np.zeros(400))
    # A mean of 400 scores has a deviation of 0.05, their deviation one of 0.035: 4.5 of them.
    assert abs(right.z.mean()) < 0.225
    assert abs(right.z.std() - 1) < 0.16
    wrong = median_curve(np.arange(400), values, np.full(400, -0.3))
    assert wrong.z.mean() > 1.5


def test_median__quartiles_contain_half_of_values():
    values = np.random.default_rng(4).standard_cauchy((401, 3))
    curve = median_curve(np.arange(3), values, np.full(3, np.nan))
    inside = (values >= curve.smallest) & (values <= curve.largest)
    np.testing.assert_allclose(inside.mean(axis=0), 0.5, atol=0.01)
    assert np.isnan(curve.z).all()
    assert np.isnan(curve.sd).all()


def test_median__no_score_for_few_replicates_and_zero_for_truth():
    assert np.isnan(median_curve(np.arange(1), np.random.default_rng(5).normal(size=(39, 1)), np.zeros(1)).z[0])
    assert median_curve(np.arange(1), np.zeros((5, 1)), np.zeros(1)).z[0] == 0
    assert np.isnan(median_curve(np.arange(1), np.zeros((5, 1)), np.ones(1)).z[0])
