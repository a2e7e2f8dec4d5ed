"""Normal mixtures: the overlap integral and the average of the squared characteristic function over directions."""

import numpy as np
from scipy import integrate

from fastcollapse.theory.density.normal_mixture import NormalMixture


def test_mixture__overlap_equals_quadrature():
    mixture = NormalMixture.of([0.3, 0.7], [-1.0, 2.0], [0.5, 2.0])

    def density(x, extra):
        parts = zip(mixture.weights, mixture.means[:, 0], mixture.covariances[:, 0, 0], strict=True)
        return sum(
            w * np.exp(-((x - m) ** 2) / 2 / (v + extra)) / np.sqrt(2 * np.pi * (v + extra)) for w, m, v in parts
        )

    for s in (0.0, 0.7):
        # Half of the smoothing for each of the two densities.
        expected = integrate.quad(lambda x, s=s: density(x, s / 2) ** 2, -20, 20, epsabs=1e-13)[0]
        np.testing.assert_allclose(mixture.overlap(s), expected, rtol=1e-10)
    np.testing.assert_allclose(mixture.variance, 0.3 * 0.5 + 0.7 * 2 + 0.21 * 9)


def test_mixture__table_integrates_the_squared_density():
    rng = np.random.default_rng(5)
    for d in (1, 2, 3, 6):
        mixture = NormalMixture.of([0.3, 0.7], rng.normal(0, 3, (2, d)), [0.5, 2.0])
        table = mixture.table(0.05, 0.05, 10)
        np.testing.assert_allclose(table.integral(table.gram[0, 0]), table.square, rtol=1e-11)


def test_mixture__narrow_covariances_are_integrated():
    for d in (2, 3):
        covariances = np.array([np.diag([1.0, 0.04, 0.16][:d]), np.diag([0.04, 1.0, 1.0][:d])])
        mixture = NormalMixture.of([0.3, 0.7], np.eye(d)[:2], covariances)
        table = mixture.table(0.1, 0.1, 10)
        np.testing.assert_allclose(table.integral(table.gram[0, 0]), table.square, rtol=1e-9)
