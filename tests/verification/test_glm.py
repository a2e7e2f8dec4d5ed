"""Verification of the factors of large samples by raw simulation: medians of data from means, and logistic chains.

Each test states its number of z-scores and fails at |z| > 5. Each has a negative control: a slightly wrong theory that
the same data must reject.
"""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.config.workflows import Accumulate, Replace
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.mixing.other_estimator import other_estimator_factors
from fastcollapse.theory.mixing.pathways import pathway_factors
from tests._goodness_of_fit import z_scores

# Fewer than 40 z-scores in this file, 5.7e-7 each: 3e-5 in all.
Z_LIMIT = 5.0
N_GENERATIONS = 5
WORKFLOWS = {
    "replace": np.eye(N_GENERATIONS),
    "accumulate": np.tril(np.ones((N_GENERATIONS, N_GENERATIONS))) / np.arange(1.0, N_GENERATIONS + 1)[:, None],
}


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def medians(name, n=301, n_replicates=4000):
    """Return n times the squared error of the median of raw data from models of the mean, float64 (R, T)."""
    rng, mean, pools, found = np.random.default_rng(1), np.zeros(n_replicates), [], []
    for _ in range(N_GENERATIONS):
        pools = ([] if name == "replace" else pools) + [mean[:, None] + rng.standard_normal((n_replicates, n))]
        pool = np.concatenate(pools, axis=1)
        mean = pool.mean(axis=1)
        found.append(n * np.median(pool, axis=1) ** 2)
    return np.stack(found, axis=1)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_other_estimator_factors__of_medians(name):
    """5 scores for each workflow. The variance of the median of 301 points is 0.2 % below that of the limit."""
    values, weights = medians(name), WORKFLOWS[name]
    assert not reject(z_scores(values, other_estimator_factors(weights, np.pi / 2)))
    assert reject(z_scores(values, other_estimator_factors(weights, 1.0)))
    assert reject(z_scores(values, np.pi / 2 * pathway_factors(weights)))


@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("response", ["logistic", "poisson"])
def test_pathway_factors__of_generalised_linear_models(response, name):
    """5 scores for each of 4 runs: fits to 4,000 rows are within 1 % of the limit of large samples."""
    workflow = {"replace": Replace(n_samples=4000), "accumulate": Accumulate(n_samples=4000, keep_real=True)}[name]
    sections = {
        "model": {"family": "glm", "response": response},
        "truth": {"rows": 4000, "dimension": 2, "norm": 0.7},
        "workflow": {"name": name, **workflow.to_mapping()},
        "run": {"n_generations": N_GENERATIONS, "n_replicates": 800, "seed": 4},
    }
    values = simulate(Experiment.from_mapping(sections)).metrics["information_error"][:, 1:]
    # Three coefficients, each with the variance 1 in units of the information.
    assert not reject(z_scores(values, 3 * pathway_factors(WORKFLOWS[name])))
    other = "accumulate" if name == "replace" else "replace"
    assert reject(z_scores(values, 3 * pathway_factors(WORKFLOWS[other])))
