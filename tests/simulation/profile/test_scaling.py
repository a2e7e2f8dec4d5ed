"""Change of the scaling law on errors written by hand."""

import numpy as np
import pytest

from tests.simulation.profile._hand_made import hand_made, profile

SIZES = np.array([100, 200, 400, 800])


def errors(exponents, n_replicates=50, seed=1):
    """Return test errors n^x (R, T+1, M, 2) with noise, x for each generation; the second ridge has a larger error."""
    rng = np.random.default_rng(seed)
    mean = SIZES[None, :] ** np.asarray(exponents, float)[:, None]
    one = mean * rng.gamma(16, 1 / 16, (n_replicates, *mean.shape))
    return np.stack([one, 3 + 0 * one], axis=-1)


def of_errors(values, sizes=SIZES, **keys):
    run = hand_made(
        "ridge",
        {"test_error": values},
        coordinates={"downstream_samples": sizes, "ridge": [0.0, 0.5]},
        dims=("downstream_samples", "ridge"),
    )
    return profile(run, **keys)["scaling"]


def test_scaling__change_is_found_at_its_generation():
    found = of_errors(errors([-1, -1, -0.5, -0.2]))
    assert (found.holds, found.generation) == ("yes", 2)
    assert found.value == pytest.approx(0.8, abs=5 * found.error)
    assert "at generation 0" in found.note
    assert found.note.endswith("fitted over n = 100 to 800, at ridge = 0")


def test_scaling__same_law_with_a_larger_constant_is_no_change():
    """Negative control: 20 runs whose errors double but keep their exponent."""
    for seed in range(20):
        values = errors([-1, -1, -1], seed=seed) * np.array([1, 1.5, 2])[:, None, None]
        assert of_errors(values).holds == "no"


def test_scaling__of_shares_is_that_of_the_last():
    values = np.stack([errors([-1, -1, -1]), errors([-1, -0.5, -0.2])], axis=-2)
    run = hand_made(
        "ridge",
        {"test_error": values},
        coordinates={"downstream_samples": SIZES, "synthetic_share": [0.0, 0.5], "ridge": [0.0, 0.5]},
        dims=("downstream_samples", "synthetic_share", "ridge"),
    )
    found = profile(run)["scaling"]
    assert (found.holds, found.generation) == ("yes", 1)
    assert found.note.endswith("at ridge = 0 and synthetic_share = 0.5")


def test_scaling__small_changes_are_below_the_threshold():
    values = errors([-1, -0.95], n_replicates=2000)
    assert of_errors(values).holds == "no"
    assert of_errors(values, scaling=0.01).holds == "yes"


def test_scaling__skips_generations_without_a_predictor():
    values = errors([-1, -1, -0.2])
    values[:, 1] = np.nan
    assert of_errors(values).generation == 2


@pytest.mark.parametrize(
    ("values", "sizes", "note"),
    [
        (errors([-1, -1])[:, :, :2], SIZES[:2], "must have at least 3 sizes, got 2"),
        (
            errors([-1]).repeat(2, axis=1) * np.array([1, np.nan])[:, None, None],
            SIZES,
            "at least two generations, got 1",
        ),
        (errors([-1, -1]) * 0, SIZES, "must be finite and above 0"),
        (errors([-1, -0.1], 1), SIZES, "one replicate has no standard error; x = "),
    ],
)
def test_scaling__says_what_it_lacks(values, sizes, note):
    found = of_errors(values, sizes)
    assert found.holds == "unknown"
    assert note in found.note


def test_scaling__without_test_errors():
    found = profile(hand_made("ridge", {"generator_error": np.ones((2, 3))}))["scaling"]
    assert found.note == "it needs model.downstream with 3 or more n_samples, and test_error in run.record"
