"""Kernel density estimates in the published loop (arXiv:2410.16713), against scikit-learn and NumPy.

One generation fits a density estimate, scores 500 held-out points and draws n new points, which replace the data or are
added to it. Two-dimensional blobs, bandwidth 0.5, n = 100 and 1000.

(i) Replace: the mean of several generations.
(ii) Accumulate: generation 100, whose fit has 100 n points. Our time of a generation is that of a run of 100
generations over 100: a generation costs the same whatever the pool. The peers are given a pool of this size.

The run on one thread and on all threads is compared with the peers as they come: scikit-learn's `KernelDensity` and the
expert's direct sum in NumPy. `simulate` records the negative log density alone, as the peers do; times are scaled to
one replicate and generation.
"""

import numpy as np
from harness import header, paired, row, save
from scipy.special import logsumexp

from fastcollapse import Experiment, simulate
from fastcollapse.kernels.jit import max_threads

try:
    from sklearn.neighbors import KernelDensity
except ImportError:
    KernelDensity = None

BENCH = "kde"
BANDWIDTH, N_TEST, GENERATIONS, REPLICATES = 0.5, 500, 100, 4
SIZES = (100, 1000)


def experiment(workflow: str, n_samples: int) -> Experiment:
    """Return the published experiment with one of the workflows."""
    keys = {"keep_real": True} if workflow == "accumulate" else {}
    return Experiment.from_mapping(
        {
            "model": {"family": "kde", "bandwidth": BANDWIDTH},
            "truth": {"shape": "blobs", "n_test": N_TEST},
            "workflow": {"name": workflow, "n_samples": n_samples, **keys},
            "run": {"n_generations": GENERATIONS, "n_replicates": REPLICATES, "seed": 1, "record": ["nll"]},
        }
    )


def blobs(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n points of three blobs."""
    centres = np.array([[-6.0, 2.0], [1.0, 7.0], [5.0, -4.0]])
    return centres[np.arange(n) % 3] + rng.standard_normal((n, 2))


def sklearn_generation(points: np.ndarray, tests: np.ndarray, n_drawn: int) -> np.ndarray:
    """Return new points of a fit that is scored at the held-out points."""
    fit = KernelDensity(bandwidth=BANDWIDTH).fit(points)
    fit.score(tests)
    return fit.sample(n_drawn, random_state=0)


def numpy_generation(points: np.ndarray, tests: np.ndarray, n_drawn: int) -> np.ndarray:
    """Return the same by direct sums (expert code)."""
    rng = np.random.default_rng(0)
    squares = (tests**2).sum(axis=1)[:, None] - 2 * tests @ points.T + (points**2).sum(axis=1)
    logsumexp(squares / (-2 * BANDWIDTH**2), axis=1).mean()
    return points[rng.integers(len(points), size=n_drawn)] + BANDWIDTH * rng.standard_normal((n_drawn, 2))


def generations(workflow: str) -> list[dict]:
    """Run (i) or (ii)."""
    rows = []
    for n in SIZES:
        rng = np.random.default_rng(1)
        size = n * (GENERATIONS if workflow == "accumulate" else 1)
        points, tests, made = blobs(size, rng), blobs(N_TEST, rng), experiment(workflow, n)
        peers = [("scikit-learn KernelDensity", sklearn_generation)] if KernelDensity is not None else []
        if size <= 10_000:
            peers.append(("NumPy direct sum", numpy_generation))
        for name, theirs in peers:
            for threads in sorted({1, max_threads()}):
                ours_s, peer_s = paired(
                    lambda threads=threads, made=made: simulate(made, threads=threads),
                    lambda theirs=theirs, points=points, tests=tests, n=n: theirs(points, tests, n),
                    3,
                )
                where = f"{workflow}, n {n}" + (", generation 100" if workflow == "accumulate" else "")
                rows.append(row(BENCH, where, name, threads, ours_s / (GENERATIONS * REPLICATES), peer_s))
    return rows


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    if KernelDensity is None:
        print("scikit-learn is not installed (pip install -e '.[bench]'): its rows are left out")
    header()
    save(BENCH, [one for workflow in ("replace", "accumulate") for one in generations(workflow)])


if __name__ == "__main__":
    main()
