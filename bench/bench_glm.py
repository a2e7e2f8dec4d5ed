"""Logistic regression on its own labels, against scikit-learn refitted: the same rows, discard and augment.

(i) A generation of one replicate, 10,000 rows of 5 inputs and an intercept: one label a row, and the fit. Peer:
`LogisticRegression(C=inf, solver="newton-cholesky", tol=1e-12)`, refitted to all labels so far; under augment it has a
weight for each row and label, so that no row is repeated. One thread on both sides.

(ii) The largest difference of the coefficients of the kernel from those of the peer, over fits to labels of the chain
before they are separated: 10,000 rows, and 60 rows near separation.

(iii) Augment over discard, generation by generation: the pool is p sums.
"""

import numpy as np
from harness import figures, header, paired, row, save
from threadpoolctl import threadpool_limits

from fastcollapse import Experiment
from fastcollapse.datasets.load import load_truth
from fastcollapse.kernels.regression.newton_glm import FITTED, LOGISTIC, fit, new_workspace, rows_of
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.run_plan import plan_run

try:
    from sklearn.linear_model import LogisticRegression
except ImportError:
    LogisticRegression = None

BENCH = "glm"
N_ROWS, N_GENERATIONS = 10_000, 50
REPEATS = 5


def experiment(workflow: str, n_rows: int = N_ROWS, dimension: int = 5) -> Experiment:
    """Return an experiment of one replicate."""
    keep = {"keep_real": True} if workflow == "accumulate" else {}
    return Experiment.from_mapping(
        {
            "model": {"family": "glm", "response": "logistic"},
            "truth": {"rows": n_rows, "dimension": dimension},
            "workflow": {"name": workflow, "n_samples": n_rows, **keep},
            "run": {"n_generations": N_GENERATIONS, "n_replicates": 1, "seed": 1, "record": "squared_error"},
        }
    )


class Peer:
    """The code of a typical user, on the same rows."""

    def __init__(self, made: Experiment) -> None:
        self.truth = load_truth(made.truth)
        self.keeps = made.workflow.name == "accumulate"

    def chain(self, n_generations: int = N_GENERATIONS) -> list[tuple[np.ndarray, int, np.ndarray]]:
        """Return the successes of each row, the labels of each row and the coefficients of every generation."""
        design, coefficients = self.truth.design, self.truth.coefficients
        rng, successes, trials, found = np.random.default_rng(1), np.zeros(len(design)), 0, []
        for _ in range(n_generations):
            labels = rng.random(len(design)) < 1 / (1 + np.exp(-design @ coefficients))
            successes, trials = (successes + labels, trials + 1) if self.keeps else (labels.astype(float), 1)
            coefficients = self.refit(successes, trials)
            found.append((successes, trials, coefficients))
        return found

    def refit(self, successes: np.ndarray, trials: int) -> np.ndarray:
        """Return the coefficients of maximum likelihood."""
        inputs, weights = self.truth.design[:, 1:], None
        labels = successes
        if trials > 1:
            inputs = np.concatenate([inputs, inputs])
            labels = np.repeat([1.0, 0.0], len(successes))
            weights = np.concatenate([successes, trials - successes])
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
        model.fit(inputs, labels, weights)
        return np.concatenate([model.intercept_, model.coef_[0]])


def chains() -> list[dict]:
    """Measure (i)."""
    measured = []
    for workflow, name in (("replace", "discard"), ("accumulate", "augment")):
        made = experiment(workflow)
        peer = Peer(made)
        ours, theirs = paired(
            lambda made=made, peer=peer: execute(plan_run(made, truth=peer.truth), threads=1), peer.chain, REPEATS
        )
        case = f"logistic generation, {name}, n = {N_ROWS:,}"
        found = ours / N_GENERATIONS, theirs / N_GENERATIONS
        measured.append(row(BENCH, case, "scikit-learn LogisticRegression", 1, *found))
    return measured


def differences() -> list[dict]:
    """Measure (ii)."""
    measured = []
    for n_rows, dimension, workflow in ((N_ROWS, 5, "replace"), (N_ROWS, 5, "accumulate"), (60, 2, "replace")):
        peer = Peer(experiment(workflow, n_rows, dimension))
        rows, largest, n_fits = rows_of(peer.truth.design, LOGISTIC), 0.0, 0
        start = peer.truth.coefficients
        for successes, trials, expected in peer.chain(8):
            found = np.array(start)
            sums = peer.truth.design.T @ successes
            if fit(*rows, sums, float(trials), new_workspace(*rows.blocks.shape), found) != FITTED:
                break
            largest, n_fits, start = max(largest, float(np.abs(found - expected).max())), n_fits + 1, expected
        case = f"difference from scikit-learn, n = {n_rows:,}, {workflow}"
        measured.append(figures(BENCH, case, fits=n_fits, largest=largest))
    return measured


def pools() -> list[dict]:
    """Measure (iii)."""
    made = {name: experiment(name) for name in ("accumulate", "replace")}
    truth = load_truth(made["replace"].truth)
    runs = [lambda one=one: execute(plan_run(one, truth=truth), threads=1) for one in made.values()]
    runs[1]()
    augment, discard = paired(*runs, 2 * REPEATS + 1)
    return [row(BENCH, "augment, against discard", "discard", 1, augment / N_GENERATIONS, discard / N_GENERATIONS)]


if __name__ == "__main__":
    header()
    with threadpool_limits(1):
        measured = pools()
        if LogisticRegression is not None:
            measured += chains() + differences()
    save(BENCH, measured)
