"""Curation without noise, against sums over all samples, closed forms and fixed points."""

import itertools

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.curation import curated_law, curation_fixed_point, curation_path

P, R = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.0, 0.5, 1.0, 1.0])


def kept_of_all_samples(p, r, K, rule):
    """Return S(p) as the sum over all p.size**K samples."""
    law = np.zeros(len(p))
    for sample in itertools.product(range(len(p)), repeat=K):
        sample = list(sample)
        weights = np.exp(r[sample]) if rule == "soft" else (r[sample] == r[sample].max()) * 1.0
        np.add.at(law, sample, p[sample].prod() * weights / weights.sum())
    return law


@pytest.mark.parametrize("rule", ["soft", "hard"])
@pytest.mark.parametrize("K", [1, 2, 3, 5])
def test_curated_law__is_the_sum_over_samples(K, rule):
    got = curated_law(P, R, K, rule)
    np.testing.assert_allclose(got, kept_of_all_samples(P, R, K, rule), rtol=2e-13)
    if K > 1:
        other = "hard" if rule == "soft" else "soft"
        assert np.abs(curated_law(P, R, K, other) / got - 1).max() > 1e-3


def test_curated_law__golden():
    expected = [0.315155701640, 0.307347559872, 0.251664492325, 0.125832246163]
    np.testing.assert_allclose(curated_law(P, R, 2), expected, atol=5e-13)
    expected = [0.272075656559, 0.301846312812, 0.284052020419, 0.142026010210]
    np.testing.assert_allclose(curated_law(P, R, 4), expected, atol=5e-13)
    assert curated_law(P, R, 3, "hard")[[0, 2]] == pytest.approx([0.064, 0.438], abs=1e-15)


def test_curated_law__two_samples_in_closed_form():
    weights = np.exp(R)
    expected = P * ((2 * weights[:, None] / (weights[:, None] + weights)) @ P)
    np.testing.assert_allclose(curated_law(P, R, 2), expected, rtol=1e-13)


def test_curated_law__many_samples_approach_the_limit():
    limit = curated_law(P, R, "infinite")
    np.testing.assert_allclose(limit, P * np.exp(R) / (P @ np.exp(R)), rtol=1e-14)
    distances = [np.abs(curated_law(P, R, K) - limit).max() for K in (10**3, 10**6)]
    np.testing.assert_allclose(distances[0] / distances[1], 1000, rtol=0.01)


def test_curated_law__far_rewards_and_absent_symbols():
    with np.errstate(all="raise", under="ignore"):
        got = curated_law([0.5, 0.25, 0.25, 0.0], [-700, 0, 700, 700], 2)
        # Of two samples a better one is always kept.
        np.testing.assert_allclose(got, [0.25, 0.3125, 0.4375, 0.0], rtol=1e-13)
        assert curated_law([1.0, 0.0], [0, 700], 10**6).tolist() == pytest.approx([1.0, 0.0], rel=1e-13)
        np.testing.assert_allclose(curated_law(np.full(5000, 2e-4), np.linspace(0, 1, 5000), 3).sum(), 1, rtol=1e-13)


@pytest.mark.parametrize("K", [2, 5, "infinite"])
def test_curation_path__expected_reward_never_falls(K):
    rewards = curation_path(P, R, K, range(30)) @ np.exp(R)
    assert (np.diff(rewards) > 0).all()
    first = P @ np.exp(R)
    if K == "infinite":
        # E e^r grows by Var e^r/E e^r.
        assert rewards[1] - first == pytest.approx((P @ np.exp(2 * R) - first**2) / first, rel=1e-12)


def test_curation_path__unlimited_samples_in_closed_form():
    t = np.array([0, 1, 7])
    weights = P * np.exp(t[:, None] * R)
    np.testing.assert_allclose(curation_path(P, R, "infinite", t), weights / weights.sum(1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "golden", "golden_z"), [(0.5, 0.158680760978, 1.984431398949), (0.1, 0.288531354905, 2.534287693828)]
)
def test_curation_fixed_point__golden_and_limit_of_the_path(f, golden, golden_z):
    law, Z = curation_fixed_point(P, R, f)
    assert law[3] == pytest.approx(golden, abs=1e-12)
    assert pytest.approx(golden_z, abs=5e-13) == Z
    assert pytest.approx(law @ np.exp(R), rel=1e-12) == Z
    np.testing.assert_allclose(curation_path(P, R, "infinite", 400, f), law, rtol=1e-12)
    # Negative control: another share of real data has another limit.
    assert np.abs(curation_path(P, R, "infinite", 400, f + 0.01) - law).max() > 1e-3


def test_curation_fixed_point__extremes():
    law, Z = curation_fixed_point(P, R, 1.0)
    np.testing.assert_allclose(law, P, rtol=1e-12)
    assert pytest.approx(P @ np.exp(R)) == Z
    law, Z = curation_fixed_point(P, R, 1e-12)
    np.testing.assert_allclose(law, [0, 0, 2 / 3, 1 / 3], atol=1e-11)
    assert pytest.approx(np.e, rel=1e-11) == Z
    # A best symbol that the truth lacks changes nothing.
    got, _ = curation_fixed_point([*P, 0.0], [*R, 5.0], 0.3)
    np.testing.assert_allclose(got, [*curation_fixed_point(P, R, 0.3)[0], 0.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": [0.5, 0.4]}, "p must be probabilities that sum to 1"),
        ({"r": [0.0]}, "r must be a vector of 2 rewards, one for each symbol, got"),
        ({"r": [0.0, 701.0]}, r"r must be within \[-700, 700\]"),
        ({"K": 0}, "K must be a whole number of at least 1, got 0"),
        ({"K": "inf"}, "K must be a whole number or 'infinite', got 'inf'"),
        ({"K": "infinite", "rule": "hard"}, "K must be a whole number if rule is 'hard'"),
        ({"rule": "best"}, "rule must be 'soft' or 'hard', got 'best'"),
    ],
)
def test_curated_law__refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        curated_law(**{"p": [0.5, 0.5], "r": [0.0, 1.0], "K": 2} | arguments)


def test_curation_fixed_point__refuses_no_real_data():
    with pytest.raises(InputError, match="f must be above 0, got 0"):
        curation_fixed_point(P, R, 0)
