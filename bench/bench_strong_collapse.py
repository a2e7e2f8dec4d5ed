"""Ridge regression on real and synthetic rows together, against NumPy code that draws every row.

100 inputs, 10,000 or 100,000 rows, three shares of synthetic ones and 30 ridges, by `simulate`. The NumPy peer draws
the rows, labels them, and solves all ridges in the basis of one `eigh` of their Gram matrix (expert code); it runs one
replicate, and its time is scaled. Everything has one thread, because the threads of `simulate` share replicates.
"""

import numpy as np
from harness import header, paired, row, save
from threadpoolctl import threadpool_limits

from fastcollapse import Experiment, simulate

BENCH = "strong collapse"
DIMENSION, SIGMA, BETA, VARIANCE = 100, 0.2, 1.0, 0.005
SHARES, RIDGES = (0.0, 0.1, 0.5), np.geomspace(1e-4, 1, 30)
REPLICATES = 100


def grid(n_samples: int) -> Experiment:
    """Return the experiment."""
    downstream = {"n_samples": n_samples, "synthetic_share": list(SHARES), "delta": VARIANCE, "ridge": list(RIDGES)}
    return Experiment.from_mapping(
        {
            "model": {"family": "ridge", "designs": "independent", "sigma": SIGMA, "downstream": downstream},
            "truth": {"dimension": DIMENSION, "beta": BETA},
            "workflow": {"name": "replace", "n_samples": 2 * DIMENSION},
            "run": {"n_generations": 1, "n_replicates": REPLICATES, "seed": 1, "record": ["test_error"]},
        }
    )


def numpy_rows(n_samples: int) -> np.ndarray:
    """Return the errors of one replicate at every share and ridge, from rows that are drawn."""
    rng, spectrum = np.random.default_rng(1), np.arange(1, DIMENSION + 1.0) ** -BETA
    w0 = np.full(DIMENSION, spectrum.sum() ** -0.5)
    delta = np.sqrt(VARIANCE) * rng.standard_normal(DIMENSION)
    errors = np.empty((len(SHARES), len(RIDGES)))
    for i, share in enumerate(SHARES):
        n_synthetic = round(share * n_samples)
        rows = rng.standard_normal((n_samples, DIMENSION)) * np.sqrt(spectrum)
        labels = rows @ w0 + SIGMA * rng.standard_normal(n_samples)
        labels[:n_synthetic] += rows[:n_synthetic] @ delta
        values, vectors = np.linalg.eigh(rows.T @ rows / n_samples)
        side = vectors.T @ (rows.T @ labels) / n_samples
        fits = vectors @ (side[:, None] / (values[:, None] + RIDGES))
        errors[i] = spectrum @ (fits - w0[:, None]) ** 2
    return errors


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    header()
    rows = []
    for n_samples in (10_000, 100_000):
        made = grid(n_samples)

        def theirs(n_samples: int = n_samples) -> object:
            with threadpool_limits(1, "blas"):
                return numpy_rows(n_samples)

        ours_s, peer_s = paired(lambda made=made: simulate(made, threads=1), theirs, 3)
        rows.append(row(BENCH, f"{n_samples:,} rows", "NumPy, raw rows", 1, ours_s, peer_s * REPLICATES))
    save(BENCH, rows)


if __name__ == "__main__":
    main()
