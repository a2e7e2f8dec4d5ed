"""Recursive linear regression, against NumPy and scikit-learn.

(i) One least-squares generation, 300 inputs, 600 or 100,000 samples: 100 generations of several replicates by
`simulate`, which keeps weights and errors. The peers draw the rows, label them and fit them by the normal equations, by
`lstsq` (few samples only: scikit-learn calls the same routine), or by scikit-learn.

(ii) A ridge path of 30 values, 300 inputs, 1,000 samples, 100 replicates, by `simulate`. The NumPy peer is expert code:
draw, one `eigh` of the Gram matrix, all ridges in its basis, errors by one product. scikit-learn's `Ridge` is fitted
for each value to the same kind of sample. Inputs have a power-law or an isotropic spectrum; "with parts" also records
the parts of the error, which no peer computes.

(iii) 2,000 inputs, 4,000 samples, a path of 30 values: time and peak memory of a separate process.

Our run on all threads is compared with the peer on one BLAS thread or on all, whichever is faster: two threads can be
several times slower on a busy machine. Peers do less work than `simulate`; their times are scaled to the same number of
fits.
"""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
from harness import header, paired, row, save
from threadpoolctl import threadpool_limits

from fastcollapse import Experiment, simulate
from fastcollapse.kernels.jit import max_threads

try:
    from sklearn.linear_model import LinearRegression, Ridge
except ImportError:
    Ridge = None

BENCH = "ridge"
DIMENSION, SIGMA, BETA = 300, 0.1, 1.5
PATH_SAMPLES, PATH_REPLICATES = 1000, 100
RIDGES = np.geomspace(1e-4, 1e2, 30)
GENERATIONS = 100
LARGE = """
import sys, time
from fastcollapse import Experiment, simulate
made = Experiment.from_mapping({
    "model": {"family": "ridge", "designs": "independent", "sigma": 0.1, "downstream":
              {"n_samples": 4000, "ridge": {"start": 1e-4, "stop": 1e2, "n": 30}, "generations": [1]}},
    "truth": {"dimension": 2000, "beta": 1.5, "w0": "constant"},
    "workflow": {"name": "replace", "n_samples": 4000},
    "run": {"n_generations": 1, "n_replicates": int(sys.argv[1]), "seed": 1, "record": ["test_error"]},
})
start = time.perf_counter()
simulate(made)
seconds = time.perf_counter() - start
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak) / 2**20)
"""


def chain(n_samples: int, n_replicates: int) -> Experiment:
    """Return an experiment of least-squares generations."""
    return Experiment.from_mapping(
        {
            "model": {"family": "ridge", "designs": "independent", "sigma": SIGMA},
            "truth": {"dimension": DIMENSION, "beta": BETA, "w0": "constant"},
            "workflow": {"name": "replace", "n_samples": n_samples},
            "run": {
                "n_generations": GENERATIONS,
                "n_replicates": n_replicates,
                "seed": 1,
                "record": ["trajectory", "generator_error"],
            },
        }
    )


def ridge_path(isotropic: bool, *record: str) -> Experiment:
    """Return an experiment of one generation and its ridge path; `record` lists metrics, by default all."""
    downstream = {"n_samples": PATH_SAMPLES, "ridge": list(RIDGES), "generations": [1]}
    return Experiment.from_mapping(
        {
            "model": {"family": "ridge", "designs": "independent", "sigma": SIGMA, "downstream": downstream},
            "truth": {"dimension": DIMENSION, "w0": "constant"} | ({} if isotropic else {"beta": BETA}),
            "workflow": {"name": "replace", "n_samples": 2 * DIMENSION},
            "run": {
                "n_generations": 1,
                "n_replicates": PATH_REPLICATES,
                "seed": 1,
                "record": record or "metrics",
            },
        }
    )


def spectrum_of(isotropic: bool) -> np.ndarray:
    """Return the variances of the inputs."""
    return np.ones(DIMENSION) if isotropic else np.arange(1, DIMENSION + 1.0) ** -BETA


def draw(rng: np.random.Generator, n_samples: int, spectrum: np.ndarray, w: np.ndarray) -> tuple:
    """Return rows and labels."""
    rows = rng.standard_normal((n_samples, DIMENSION))
    if spectrum[-1] != 1.0:
        rows *= np.sqrt(spectrum)
    return rows, rows @ w + SIGMA * rng.standard_normal(n_samples)


def by_normal_equations(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the least-squares fit by the normal equations (expert code)."""
    return np.linalg.solve(rows.T @ rows, rows.T @ labels)


def by_lstsq(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the least-squares fit by `lstsq` (typical code)."""
    return np.linalg.lstsq(rows, labels)[0]


def by_sklearn(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return scikit-learn's least-squares fit."""
    return LinearRegression(fit_intercept=False).fit(rows, labels).coef_


def numpy_chain(n_samples: int, n_generations: int, fit: Callable) -> list:
    """Peer of (i): errors and weights of all generations; rows are drawn and fitted."""
    rng, spectrum = np.random.default_rng(1), spectrum_of(False)
    w0 = w = np.full(DIMENSION, DIMENSION**-0.5)
    kept = []
    for _ in range(n_generations):
        w = fit(*draw(rng, n_samples, spectrum, w))
        kept.append((w, spectrum @ (w - w0) ** 2))
    return kept


def numpy_path(isotropic: bool, n_replicates: int) -> np.ndarray:
    """Peer of (ii): errors at every ridge, by one `eigh` per sample."""
    rng, spectrum = np.random.default_rng(1), spectrum_of(isotropic)
    w0 = np.full(DIMENSION, DIMENSION**-0.5)
    errors = np.empty((n_replicates, len(RIDGES)))
    for replicate in range(n_replicates):
        rows, labels = draw(rng, PATH_SAMPLES, spectrum, w0)
        values, vectors = np.linalg.eigh(rows.T @ rows / PATH_SAMPLES)
        side = vectors.T @ (rows.T @ labels / PATH_SAMPLES)
        fits = vectors @ (side[:, None] / (values[:, None] + RIDGES))
        errors[replicate] = spectrum @ (fits - w0[:, None]) ** 2
    return errors


def sklearn_path(isotropic: bool, n_replicates: int) -> np.ndarray:
    """Peer of (ii): `Ridge` fitted for each value."""
    rng, spectrum = np.random.default_rng(1), spectrum_of(isotropic)
    w0 = np.full(DIMENSION, DIMENSION**-0.5)
    errors = np.empty((n_replicates, len(RIDGES)))
    for replicate in range(n_replicates):
        rows, labels = draw(rng, PATH_SAMPLES, spectrum, w0)
        for k, ridge in enumerate(RIDGES):
            fit = Ridge(alpha=PATH_SAMPLES * ridge, fit_intercept=False).fit(rows, labels)
            errors[replicate, k] = spectrum @ (fit.coef_ - w0) ** 2
    return errors


def _rows(case: str, ours: Callable[[int], object], peers: list[tuple]) -> list[dict]:
    """Measure one thread and all threads against peers (name, function, scale)."""
    rows = []
    for peer, theirs, scale in peers:
        for threads in sorted({1, max_threads()}):
            times = []
            for n_blas in sorted({1, threads}):

                def limited(theirs: Callable = theirs, n_blas: int = n_blas) -> object:
                    with threadpool_limits(n_blas, "blas"):
                        return theirs()

                times.append(paired(lambda threads=threads: ours(threads), limited, 5))
            ours_s, peer_s = min(times, key=lambda pair: pair[1])
            rows.append(row(BENCH, case, peer, threads, ours_s, peer_s * scale))
    return rows


def chains() -> list[dict]:
    """Run (i)."""
    rows = []
    for n_samples, n_replicates, n_generations in ((600, 100, 10), (100_000, 100, 1)):
        made, scale = chain(n_samples, n_replicates), n_replicates * GENERATIONS / n_generations
        fits = [("NumPy draw, normal equations", by_normal_equations)]
        if n_samples < 10_000:
            fits += [("NumPy draw, lstsq", by_lstsq)]
        if Ridge is not None:
            fits += [("scikit-learn LinearRegression", by_sklearn)]
        peers = [
            (name, lambda fit=fit, n=n_samples, m=n_generations: numpy_chain(n, m, fit), scale) for name, fit in fits
        ]
        name = f"d {DIMENSION}, T0 {n_samples}: {n_replicates} x {GENERATIONS} generations"
        rows += _rows(name, lambda threads, made=made: simulate(made, threads=threads), peers)
    return rows


def paths() -> list[dict]:
    """Run (ii)."""
    rows = []
    for isotropic in (False, True):
        some, every = ridge_path(isotropic, "test_error"), ridge_path(isotropic)
        peers = [("NumPy eigh", lambda isotropic=isotropic: numpy_path(isotropic, 20), PATH_REPLICATES / 20)]
        name = f"path of 30, {'isotropic' if isotropic else 'power law'}"
        rows += _rows(f"{name}: with parts", lambda threads, made=every: simulate(made, threads=threads), peers)
        if Ridge is not None:
            theirs = ("scikit-learn Ridge, each value", lambda isotropic=isotropic: sklearn_path(isotropic, 1))
            peers.append((*theirs, PATH_REPLICATES))
        rows += _rows(name, lambda threads, made=some: simulate(made, threads=threads), peers)
    return rows


def large() -> None:
    """Run (iii): print time and peak memory."""
    for n_replicates in sorted({1, max_threads()}):
        words = [sys.executable, "-c", LARGE, str(n_replicates)]
        seconds, peak = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        took = f"{float(seconds):.1f} s, {float(peak):.2f} GiB at most"
        print(f"d 2000, T 4000, path of 30, replicates {n_replicates}: {took}")


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    if Ridge is None:
        print("scikit-learn is not installed (pip install -e '.[bench]'): its rows are left out")
    header()
    rows = chains() + paths()
    large()
    save(BENCH, rows)


if __name__ == "__main__":
    main()
