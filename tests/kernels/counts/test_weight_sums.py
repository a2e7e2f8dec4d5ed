"""Sums over weights, against definitions with 40 digits."""

import decimal
from decimal import Decimal

import numpy as np
import pytest

from fastcollapse.kernels.counts.count_sums import N_SUMS
from fastcollapse.kernels.counts.weight_sums import (
    N_WEIGHT_SUMS,
    WEIGHT_BUFFER,
    add_weight_blocks,
    weight_sums,
)
from fastcollapse.models.discrete.metrics import CountSums, metrics_of
from tests.kernels.counts.test_live_counts import truth_table

NAMES = ("support_size", "entropy", "heterozygosity", "total_variation", "kl_divergence", "lost_mass")


def metrics(weights, probability, n_segments=3):
    """Return the metrics from the sums of the kernel, in several segments."""
    truth = truth_table(np.asarray(probability))
    cuts = np.linspace(0, len(weights), n_segments + 1).astype(int)
    partial, lost, out = np.zeros((n_segments, N_WEIGHT_SUMS)), np.zeros(n_segments), np.zeros(N_SUMS)
    for k in range(n_segments):
        part = slice(cuts[k], cuts[k + 1])
        weight_sums(weights[part], truth.probability[part], truth, np.empty(WEIGHT_BUFFER), partial[k])
        lost[k] = truth.probability[part][weights[part] == 0].sum()
    add_weight_blocks(partial, lost, out)
    return metrics_of(CountSums(*out[:, None, None], np.ones(1, np.int64)))


def definitions(weights, probability):
    with decimal.localcontext(prec=40):
        total, mass = sum(map(Decimal, map(float, weights))), sum(map(Decimal, map(float, probability)))
        both = [
            (Decimal(float(x)) / total, Decimal(float(p)) / mass) for x, p in zip(weights, probability, strict=True)
        ]
        return {
            "support_size": float(sum(x > 0 for x, _ in both)),
            "entropy": float(-sum(x * x.ln() for x, _ in both if x > 0)),
            "heterozygosity": float(1 - sum(x * x for x, _ in both)),
            "total_variation": float(sum(abs(x - p) for x, p in both) / 2),
            "kl_divergence": float(sum(x * (x / p).ln() for x, p in both if x > 0)),
            "lost_mass": float(sum(p for x, p in both if x == 0)),
        }


def states():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(500, 0.5)) + 1e-12
    p /= p.sum()
    weights = np.where(rng.random(500) < 0.7, rng.dirichlet(np.full(500, 0.3)), 0)
    yield "far", weights / weights.sum(), p, 2e-14
    noise = 1e-4 * rng.standard_normal(500)
    near = p * (1 + noise - (p * noise).sum())
    yield "near", near, p, 1e-10
    single = np.zeros(500)
    single[3], single[7:9] = 1, (1e-12, 3e-13)
    single[3] -= 1.3e-12
    yield "single", single, p, 1e-12


@pytest.mark.parametrize(("name", "weights", "p", "limit"), list(states()), ids=[name for name, *_ in states()])
def test_weight_sums__give_the_metrics_of_their_definitions(name, weights, p, limit):
    got, expected = metrics(weights, p), definitions(weights, p)
    for metric in NAMES:
        # An entropy of 1e-11 has the digits of 1 - x, which the sum of the weights determines.
        tolerance = 1e-3 if name == "single" and metric in ("entropy", "heterozygosity") else limit
        assert got[metric][0, 0] == pytest.approx(expected[metric], rel=tolerance, abs=1e-300), metric


def test_weight_sums__divergence_near_the_truth_does_not_cancel():
    """The divergence of weights p (1 + d) and p (1 - d) is of d^2: far below the rounding of sums of x ln x."""
    p = np.array([0.1, 0.2, 0.3, 0.4])
    for d in (1e-3, 1e-6, 1e-9):
        weights = p * (1 + d * np.array([1, -2, 1, 0]))
        with decimal.localcontext(prec=60):
            pairs = [(Decimal(float(x)), Decimal(float(q))) for x, q in zip(weights, p, strict=True)]
            expected = float(sum(x * (x / q).ln() - x + q for x, q in pairs))
        assert metrics(weights, p, 1)["kl_divergence"][0, 0] == pytest.approx(expected, rel=1e-13, abs=0)
    plain = float((weights * np.log(weights / p)).sum())
    assert plain != pytest.approx(expected, rel=1e-3, abs=0)  # negative control, of d = 1e-9
