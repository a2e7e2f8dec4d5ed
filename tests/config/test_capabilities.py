import pytest

from fastcollapse.config.capabilities import check_maps
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.section_base import build
from fastcollapse.errors import InputError


def test_check_maps__names_the_missing_capability():
    sampling = build(Sampling, {"bias": 0.5})
    with pytest.raises(
        InputError,
        match=r"sampling.bias must be absent for the ngram family, which lacks capability 'bias'; it supports tempera",
    ):
        check_maps(sampling, frozenset({"temperature", "pool"}), "ngram")
    check_maps(sampling, frozenset({"bias"}), "gaussian")
    check_maps(None, frozenset(), "ridge")
