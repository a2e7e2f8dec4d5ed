"""Regressions on labels that mix real and synthetic ones, against a NumPy loop that refits each.

20 weights, 20 ridges and 50 generations of 300 inputs and 600 samples, which all generations share, by `simulate`. The
peers mix the labels of each weight, ridge and generation and fit them: by the normal equations of the rows (typical
code), or with the Gram matrix kept (expert code). They run one generation; their times are scaled to 50. Everything has
one thread, because the threads of `simulate` share replicates.
"""

import numpy as np
from harness import header, paired, row, save
from threadpoolctl import threadpool_limits

from fastcollapse import Experiment, simulate

BENCH = "mixed labels"
DIMENSION, SAMPLES, SIGMA, BETA, GENERATIONS = 300, 600, 0.5, 1.5, 50
WEIGHTS, RIDGES = np.linspace(0.05, 1.0, 20), np.geomspace(1e-4, 10, 20)
REPLICATES = 4


def grid(isotropic: bool) -> Experiment:
    """Return the experiment."""
    mixed = {"weight": list(WEIGHTS), "ridge": list(RIDGES)}
    return Experiment.from_mapping(
        {
            "model": {"family": "ridge", "designs": "dependent", "sigma": SIGMA, "mixed_labels": mixed},
            "truth": {"dimension": DIMENSION} | ({} if isotropic else {"beta": BETA}),
            "workflow": {"name": "replace", "n_samples": SAMPLES},
            "run": {"n_generations": GENERATIONS, "n_replicates": REPLICATES, "seed": 1, "record": ["mixed_error"]},
        }
    )


def numpy_loop(isotropic: bool, keep_gram: bool) -> np.ndarray:
    """Return the errors of one generation and replicate: every weight and ridge is refitted."""
    rng = np.random.default_rng(1)
    spectrum = np.arange(1, DIMENSION + 1.0) ** -(0.0 if isotropic else BETA)
    rows = rng.standard_normal((SAMPLES, DIMENSION)) * np.sqrt(spectrum)
    w0 = np.full(DIMENSION, DIMENSION**-0.5)
    kept = rows.T @ rows
    states = np.tile(w0, (len(WEIGHTS), len(RIDGES), 1))
    errors = np.empty(states.shape[:2])
    real, synthetic = SIGMA * rng.standard_normal((2, SAMPLES))
    for i, weight in enumerate(WEIGHTS):
        for j, ridge in enumerate(RIDGES):
            labels = weight * (rows @ w0 + real) + (1 - weight) * (rows @ states[i, j] + synthetic)
            gram = kept if keep_gram else rows.T @ rows
            states[i, j] = np.linalg.solve(gram + SAMPLES * ridge * np.eye(DIMENSION), rows.T @ labels)
            errors[i, j] = spectrum @ (states[i, j] - w0) ** 2
    return errors


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    header()
    rows = []
    for isotropic in (True, False):
        made = grid(isotropic)
        name = f"20 x 20 x {GENERATIONS}, {'isotropic' if isotropic else 'power law'}"
        for peer, keep_gram in (("NumPy loop, normal equations", False), ("NumPy loop, Gram matrix kept", True)):

            def theirs(isotropic: bool = isotropic, keep_gram: bool = keep_gram) -> object:
                with threadpool_limits(1, "blas"):
                    return numpy_loop(isotropic, keep_gram)

            ours_s, peer_s = paired(lambda made=made: simulate(made, threads=1), theirs, 3)
            rows.append(row(BENCH, name, peer, 1, ours_s, peer_s * GENERATIONS * REPLICATES))
    save(BENCH, rows)


if __name__ == "__main__":
    main()
