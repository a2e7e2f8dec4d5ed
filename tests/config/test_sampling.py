"""The section `[sampling]`."""

import pytest

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import build
from fastcollapse.errors import InputError

BEST = {"k": 2, "reward": [0.0, 1.0], "rule": "soft"}


def test_examples__are_accepted_and_return():
    for values in Sampling.EXAMPLES:
        sampling = build(Sampling, values)
        assert set(sampling.maps) == set(values)
        assert build(Sampling, sampling.to_mapping()) == sampling
    every = {name for values in Sampling.EXAMPLES for name in values}
    assert every == {"temperature", "top_k", "top_p", "best_of", "bias", "tilt", "verifier", "truncate"}


def test_maps__have_the_order_in_which_they_apply():
    assert build(Sampling, {"best_of": BEST, "top_p": 0.5, "temperature": 2}).maps == (
        "temperature",
        "top_p",
        "best_of",
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"temperature": 0}, "sampling.temperature must be at least 0.001, got 0"),
        ({"temperature": -1.0}, "sampling.temperature must be at least 0.001, got -1.0"),
        ({"top_k": 0}, "sampling.top_k must be at least 1, got 0"),
        ({"top_p": 1.5}, "sampling.top_p must be at most 1, got 1.5"),
        ({"best_of": {**BEST, "k": 0}}, "sampling.best_of.k must be at least 1, got 0"),
        ({"best_of": {**BEST, "k": "infinite", "rule": "hard"}}, "sampling.best_of.k must be a whole number when rule"),
        ({"best_of": {**BEST, "reward": [1.0]}}, "sampling.best_of.reward must be a list of at least 2"),
        ({"best_of": {"k": 2}}, "sampling.best_of.reward is required"),
        ({"bias": 0}, "sampling.bias must be at least 1e-06, got 0"),
        (
            {"bias": 0.5, "tilt": 1},
            "sampling must have one map if it has bias, tilt, verifier or truncate, got bias, til",
        ),
        ({"bias": 0.5, "temperature": 1}, "sampling must have one map"),
        ({"verifier": {"centre": 0}}, "sampling.verifier.tau is required"),
        ({"truncate": float("inf")}, "sampling.truncate must be a finite number, got inf"),
        ({"temprature": 1}, "sampling.temprature is not a known key, use .*did you mean 'temperature'"),
    ],
)
def test_sampling__refuses(values, words):
    with pytest.raises(InputError, match=words):
        build(Sampling, values)
