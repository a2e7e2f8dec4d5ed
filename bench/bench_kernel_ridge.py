"""Kernel ridge regression on MNIST digits, against scikit-learn and NumPy: same rows, same kernel, same ridges.

(i) A grid of 20 ridges, T samples, errors at 2,000 held-out rows: one reduction to a band. Peers: `KernelRidge`, fitted
and evaluated for each ridge; NumPy, with one Gram matrix and then one `eigh` or one Cholesky factor per ridge.

(ii) One generation, T samples: labels by the last generation, one Cholesky factor, errors at 2,000 held-out rows. Peer:
`KernelRidge`.

(iii) Peak memory of the same grid and of one generation at T0 = T = 4,000, in a separate process.

(iv) Loss of accuracy in float32, in the kernels and in the test errors.

All programs use all threads. `simulate` also draws rows and noise and keeps the results. It does not compute the
theoretical estimate, as the peers do not.
"""

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import scipy.linalg
from harness import header, paired, row, save, seconds

from fastcollapse import Experiment
from fastcollapse.datasets.load import load_truth
from fastcollapse.kernels.jit import max_threads
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.run_plan import plan_run

try:
    from sklearn.kernel_ridge import KernelRidge
except ImportError:
    KernelRidge = None

BENCH = "kernel_ridge"
N_TEST, SCALE, SIGMA = 2000, 5.0, 0.5
RIDGES = np.geomspace(1e-5, 1.0, 20)
SAMPLES = (1000, 4000)
LARGE = """
import sys, time
from fastcollapse import Experiment, simulate
made = Experiment.from_mapping({
    "model": {"family": "kernel_ridge", "kernel": "rbf", "scale": 5.0, "sigma": 0.5, "downstream":
              {"n_samples": 4000, "ridge": {"start": 1e-5, "stop": 1, "n": 20}, "generations": [1]}},
    "truth": {"n_test": 2000},
    "workflow": {"name": "replace", "n_samples": 4000},
    "run": {"n_generations": 1, "n_replicates": int(sys.argv[1]), "seed": 1},
})
start = time.perf_counter()
simulate(made)
seconds = time.perf_counter() - start
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak) / 2**20)
"""


def experiment(n_samples: int, generations: list[int] | None, n_generations: int, **model) -> Experiment:
    """Return an experiment: a grid of ridges downstream at some generations, or generations alone."""
    downstream = {"downstream": {"n_samples": n_samples, "ridge": list(RIDGES), "generations": generations}}
    model = {"family": "kernel_ridge", "kernel": "rbf", "scale": SCALE, "sigma": SIGMA, "spectrum_rows": 0, **model}
    return Experiment.from_mapping(
        {
            "model": model | (downstream if generations else {}),
            "truth": {"n_test": N_TEST},
            "workflow": {"name": "replace", "n_samples": n_samples if generations is None else 10},
            "run": {"n_generations": n_generations, "n_replicates": 1, "seed": 1},
        }
    )


class Peer:
    """The code of a typical user, on the same rows."""

    def __init__(self, n_samples: int) -> None:
        truth = load_truth(experiment(10, None, 1).truth)
        rng = np.random.default_rng(1)
        chosen = rng.choice(len(truth.rows), n_samples, replace=False)
        self.x, self.test = truth.rows[chosen] / truth.unit, truth.test_rows / truth.unit
        self.y, self.expected = truth.targets[0, chosen], truth.test_targets[0]
        self.y = self.y + SIGMA * rng.standard_normal(n_samples)

    def gram(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the kernel matrix, computed in place where NumPy can."""
        k = a @ b.T
        k *= 2
        k -= (a * a).sum(axis=1)[:, None]
        k -= (b * b).sum(axis=1)
        k /= 2 * SCALE**2
        return np.exp(k, out=k)

    def error(self, predicted: np.ndarray) -> float:
        """Return the mean squared error."""
        return float(((predicted - self.expected) ** 2).mean())

    def scikit_learn(self) -> list[float]:
        """Fit and predict for each ridge."""
        n, gamma = len(self.y), 0.5 / SCALE**2
        fits = (KernelRidge(kernel="rbf", gamma=gamma, alpha=n * ridge).fit(self.x, self.y) for ridge in RIDGES)
        return [self.error(fit.predict(self.test)) for fit in fits]

    def numpy_eigh(self) -> list[float]:
        """Compute the eigenvectors once for all ridges."""
        values, vectors = np.linalg.eigh(self.gram(self.x, self.x))
        seen, inside, n = self.gram(self.test, self.x) @ vectors, vectors.T @ self.y, len(self.y)
        return [self.error(seen @ (inside / (values + n * ridge))) for ridge in RIDGES]

    def numpy_cholesky(self) -> list[float]:
        """Compute one Cholesky factor per ridge; the Gram matrices of training and test rows are computed once."""
        gram, seen, n = self.gram(self.x, self.x), self.gram(self.test, self.x), len(self.y)
        found = []
        for ridge in RIDGES:
            shifted = gram + n * ridge * np.eye(n)
            found.append(self.error(seen @ scipy.linalg.solve(shifted, self.y, assume_a="pos", overwrite_a=True)))
        return found

    def generation(self) -> float:
        """Fit once and test."""
        fit = KernelRidge(kernel="rbf", gamma=0.5 / SCALE**2, alpha=1e-6 * len(self.y)).fit(self.x, self.y)
        return self.error(fit.predict(self.test))


def grids() -> list[dict]:
    """Measure (i)."""
    rows = []
    for n in SAMPLES:
        made, peer = experiment(n, [1], 1), Peer(n)
        truth = load_truth(made.truth)
        peers = {"NumPy eigh": peer.numpy_eigh, "NumPy, Cholesky per ridge": peer.numpy_cholesky}
        if KernelRidge is not None:
            peers["scikit-learn KernelRidge per ridge"] = peer.scikit_learn
        for name, function in peers.items():
            repeats = 3 if n < 2000 else 1
            ours, theirs = paired(
                lambda made=made, truth=truth: execute(plan_run(made, truth=truth)), function, repeats
            )
            rows.append(row(BENCH, f"20 ridges, T = {n:,}, 2,000 test rows", name, max_threads(), ours, theirs))
    return rows


def generations() -> list[dict]:
    """Measure (ii)."""
    rows = []
    for n in SAMPLES if KernelRidge is not None else ():
        made, peer = experiment(n, None, 3), Peer(n)
        truth = load_truth(made.truth)
        ours, theirs = paired(lambda made=made, truth=truth: execute(plan_run(made, truth=truth)), peer.generation, 3)
        rows.append(row(BENCH, f"generation, T0 = {n:,}", "scikit-learn KernelRidge", max_threads(), ours / 3, theirs))
    return rows


def peak() -> None:
    """Measure (iii)."""
    for n_replicates in (1, 4):
        command = [sys.executable, "-c", LARGE, str(n_replicates)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        took, gib = map(float, found.stdout.split())
        print(f"T0 = T = 4,000, {n_replicates} replicates: {took:.1f} s, peak {gib:.2f} GiB")


def precision() -> None:
    """Measure (iv): with integer pixels, whose products float32 sums exactly, and with fractional pixels."""
    integer = load_truth(experiment(10, None, 1).truth)
    rows, test_rows = integer.rows / integer.unit, integer.test_rows / integer.unit
    fractional = dataclasses.replace(integer, rows=rows, test_rows=test_rows, unit=1.0)
    for kernel, (name, truth) in itertools.product(
        ("rbf", "polynomial"), (("integer", integer), ("fractional", fractional))
    ):
        made = [
            experiment(1000, [0], 1, kernel=kernel, scale="median", ridge=1e-4, precision=precision)
            for precision in ("float64", "float32")
        ]
        exact, single = (execute(plan_run(one, truth=truth)).metrics["test_error"][0, 0, 0] for one in made)
        lost = np.abs(single / exact - 1)
        where = f"ridge {RIDGES[lost.argmax()]:.0e}"
        print(
            f"float32, {kernel}, {name} pixels: largest relative change of the test error {lost.max():.1e}, at {where}"
        )
    times = [seconds(lambda one=one: execute(plan_run(one, truth=fractional))) for one in made]
    print(f"float32, polynomial, T = 1,000: {times[1]:.2f} s, float64 {times[0]:.2f} s")


if __name__ == "__main__":
    header()
    measured = grids() + generations()
    peak()
    precision()
    save(BENCH, measured)
