import numpy as np

from fastcollapse.kernels.counts.logarithms import logarithms


def logs_of(x):
    out = np.empty_like(x)
    logarithms(x, out)
    return out


def test_logarithms__are_within_an_ulp():
    rng = np.random.default_rng(1)
    near_one = 1 + np.sign(rng.random(1000) - 0.5) * 10.0 ** rng.uniform(-15, -1, 1000)
    x = np.concatenate([10.0 ** rng.uniform(-307, 300, 20_000), rng.uniform(0, 2, 20_000), near_one, [1.0]])
    expected = np.log(x.astype(np.longdouble))
    got = logs_of(x)
    error = np.abs(got - expected) / np.spacing(np.abs(expected).astype(float))
    assert error.max() < 1
    assert got[-1] == 0


def test_logarithms__of_zero_and_subnormals_are_finite():
    assert np.isfinite(logs_of(np.array([0.0, 5e-324, 1e-310]))).all()
