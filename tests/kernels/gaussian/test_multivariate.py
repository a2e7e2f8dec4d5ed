"""Refits of a multivariate Gaussian: in one dimension the first fit has the law of one sample."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.workflows import AccumulateSubsample, Replace
from fastcollapse.kernels.gaussian.multivariate_pooled import Gaussians, MultivariateStates, Source, refit_multivariate
from fastcollapse.kernels.gaussian.multivariate_subsampled import refit_multivariate_subsamples
from fastcollapse.kernels.random.streams import StreamKey, span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.gaussian.maps import multivariate_source

KEY = StreamKey(np.uint64(4), np.uint64(0), np.uint64(0), np.uint64(1))
# 6 Kolmogorov-Smirnov tests, 4e-6 each: 2.4e-5 in all.
P_LIMIT = 4e-6
N_REPLICATES = 2000


def first_fit(workflow):
    """Return mean and sigma, float64 (R) each, of the first generation from the standard normal law."""
    schedule = kernel_schedule(workflow.schedule(1, None), bias=1)
    laws = Gaussians(np.zeros((N_REPLICATES, 1)), np.ones((N_REPLICATES, 1, 1)), np.zeros((N_REPLICATES, 1)))
    out = MultivariateStates(
        np.empty((N_REPLICATES, 1, 1)), np.empty((N_REPLICATES, 1, 1, 1)), np.empty((N_REPLICATES, 1, 1))
    )
    normals, span = normal_table(), span_of(KEY, 1, 1, 2)
    if schedule.n_train.any():
        n = int(schedule.n_synthetic[0])
        points, order = np.zeros((N_REPLICATES, n, 1)), np.zeros((N_REPLICATES, n), np.int64)
        source = multivariate_source(np.zeros(1), np.eye(1), workflow.schedule(1, None))
        refit_multivariate_subsamples(laws, points, order, source, schedule, normals, span, out)
    else:
        source = Source(np.zeros(1), np.eye(1), np.zeros((0, 1)), np.zeros((0, 1, 1)))
        refit_multivariate(laws, source, schedule, normals, span, out)
    return out.mean.ravel(), out.factor.ravel()


@pytest.mark.parametrize(
    "workflow",
    [Replace(n_samples=8), AccumulateSubsample(n_samples=12, keep_real=True, replacement=False, n_train=8)],
    ids=["pooled", "subsampled"],
)
def test_first_fit__one_dimension_has_law_of_one_sample(workflow):
    mean, sigma = first_fit(workflow)
    assert stats.kstest(mean * 8**0.5, "norm").pvalue > P_LIMIT
    assert stats.kstest(7 * sigma**2, stats.chi2(7).cdf).pvalue > P_LIMIT
    assert stats.kstest(7 * sigma**2, stats.chi2(8).cdf).pvalue < P_LIMIT
