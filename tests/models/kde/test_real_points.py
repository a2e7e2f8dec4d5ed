"""Moments of the real points of every truth."""

import numpy as np
import pytest

from fastcollapse.kernels.random.streams import PURPOSE_REAL, span_of
from fastcollapse.models.base import run_key
from fastcollapse.models.kde.parameters import KdeTruthSection
from fastcollapse.models.kde.real_points import RealPoints

N = 100_000
TRUTHS = [
    *({"shape": shape, "placement": "iid"} for shape in ("blobs", "circles", "moons", "swiss_roll")),
    {
        "normal_mixture": {
            "weights": [0.3, 0.7],
            "means": [[0.0, 2.0], [3.0, 1.0]],
            "covariances": [[[1.0, 0.6], [0.6, 1.0]], 0.5],
        }
    },
]


@pytest.mark.parametrize("truth", TRUTHS, ids=str)
def test_covariance__is_that_of_the_points(truth):
    law = KdeTruthSection(**truth).load()
    real, span = RealPoints(law), span_of(run_key(3, 0), 0, 0, 1)
    centres = real.centres(span, 2)
    points = np.empty((2, N, law.dimension))
    real.draw_real(real.source(centres), span, 1, np.uint64(PURPOSE_REAL), np.full(2, N), points)
    expected = np.broadcast_to(law.covariance(centres), (2, law.dimension, law.dimension))
    for one, covariance in zip(points, expected, strict=True):
        scale = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
        # Errors of entries are about scale / sqrt(N); 20 entries in all.
        assert (np.abs(np.cov(one.T) - covariance) / scale).max() < 6 / np.sqrt(N)


def test_covariance__of_rows_is_theirs(tmp_path):
    rows = np.random.default_rng(3).standard_normal((50, 3))
    np.save(tmp_path / "rows.npy", rows)
    law = KdeTruthSection(rows="rows.npy", n_test=10).load(tmp_path)
    np.testing.assert_allclose(law.covariance(law.means[None])[0], np.cov(law.rows.T, bias=True), rtol=1e-12)
