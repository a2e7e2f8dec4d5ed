"""Truths without arrays over symbols."""

import math

import numpy as np
import pytest

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
from fastcollapse.errors import InputError


def test_spectrum__from_counts__has_the_classes_and_expands_to_the_sorted_counts():
    counts = np.array([4, 0, 7, 4, 1, 1, 1])
    spectrum = CountSpectrum.from_counts(counts)
    assert spectrum.counts.tolist() == [1, 4, 7]
    assert spectrum.n_symbols.tolist() == [3, 2, 1]
    assert (spectrum.total, spectrum.size, spectrum.support_size) == (18, 6, 6)
    truth = spectrum.expand()
    assert truth.counts.tolist() == [7, 4, 4, 1, 1, 1]
    assert truth.probabilities == pytest.approx(truth.counts / 18)
    p, n_symbols = spectrum.classes()
    assert p @ n_symbols == pytest.approx(1)
    assert p.tolist() == [7 / 18, 4 / 18, 1 / 18]


@pytest.mark.parametrize(
    ("counts", "n_symbols", "problem"),
    [
        ([], [], "at least 1"),
        ([0, 1], [1, 1], "at least 1"),
        ([1, 2], [1, 0], "at least 1"),
        ([1.0], [1], "at least 1"),
        ([2, 1], [1, 1], "ascending"),
        ([1, 1], [1, 1], "ascending"),
        ([1, 2], [1], "ascending"),
        ([10**15], [2], r"at most 10\*\*15"),
        ([1, 2**62], [1, 8], r"at most 10\*\*15"),
    ],
)
def test_spectrum__wrong_classes__are_refused(counts, n_symbols, problem):
    with pytest.raises(InputError, match=problem):
        CountSpectrum(np.array(counts), np.array(n_symbols))


@pytest.mark.parametrize(("a", "b", "size"), [(1, 0, 10**5), (1.5, 2.7, 10**6), (0.3, -0.9, 600), (1000, 1e6, 10**5)])
def test_law__sums_over_its_classes__are_those_over_symbols(a, b, size):
    law = ZipfMandelbrotLaw(a, b, size)
    exact = CategoricalDistribution.zipf_mandelbrot(a, b, size).probabilities
    p, n_symbols = law.classes()
    assert n_symbols.sum() == pytest.approx(size)
    for function in (lambda x: x, lambda x: x * x, lambda x: -x * np.log(x), lambda x: x * np.exp(-1e4 * x)):
        assert function(p) @ n_symbols == pytest.approx(math.fsum(function(exact)), rel=1e-11)
    np.testing.assert_allclose(law.probabilities, exact, rtol=1e-6)
    assert exact[0] == pytest.approx(1 / law.relative_total)
    index = np.arange(1.0, size + 1)
    np.testing.assert_allclose(np.exp(law.log_weight(index)) / law.relative_total, exact, rtol=1e-9)


def test_law__a_trillion_symbols__sum_to_one_and_to_the_entropy_integral():
    law = ZipfMandelbrotLaw(1.0, 0.0, 10**12)
    p, n_symbols = law.classes()
    assert p @ n_symbols == pytest.approx(1, abs=1e-13)
    harmonic = math.log(1e12) + 0.5772156649015329 + 5e-13
    assert law.relative_total == pytest.approx(harmonic, rel=1e-14)
    # sum ln(i)/i = ln(n)^2/2 + gamma_1 + o(1), gamma_1 the first Stieltjes constant
    log_sum = math.log(1e12) ** 2 / 2 - 0.07281584548367672
    assert -(p * np.log(p)) @ n_symbols == pytest.approx(math.log(harmonic) + log_sum / harmonic, rel=1e-12)
