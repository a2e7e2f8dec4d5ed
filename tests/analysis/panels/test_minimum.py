"""Minimum of a curve and its standard error."""

import numpy as np
import pytest

from fastcollapse.analysis.panels.minimum import locate_minimum

AT = np.geomspace(1e-3, 10, 25)


def curves(best, noise, n_replicates, rng):
    """Return curves (R, 1, L) whose mean has its minimum at `best`, each with a random tilt."""
    x = np.log(AT / best)
    return x**2 + noise * rng.normal(size=(n_replicates, 1, 1)) * x


def test_locate_minimum__interpolates_between_grid_points():
    for best in (0.01, 0.0123, 3.3):
        place, error = locate_minimum(curves(best, 0.0, 3, np.random.default_rng(1)), AT)
        np.testing.assert_allclose(place, best, rtol=1e-9)
        assert error[0] < 1e-9


def test_locate_minimum__error_matches_spread_of_repetitions():
    rng = np.random.default_rng(2)
    found = np.array([np.stack(locate_minimum(curves(0.1, 1.0, 100, rng), AT)) for _ in range(300)])[..., 0]
    spread, known = found[:, 0].std(), found[:, 1].mean()
    # 300 repetitions and 20 groups: both deviations are known to about 5 %; 4.5 of them.
    assert abs(known / spread - 1) < 0.25


def test_locate_minimum__stays_at_edge_of_grid():
    assert locate_minimum(np.broadcast_to(AT, (5, 1, 25)), AT)[0][0] == pytest.approx(AT[0])
    assert locate_minimum(np.broadcast_to(-AT, (5, 1, 25)), AT)[0][0] == pytest.approx(AT[-1])


def test_locate_minimum__single_replicate_has_no_error():
    assert np.isnan(locate_minimum(curves(0.1, 0.0, 1, np.random.default_rng(3)), AT)[1][0])
