"""Recursive refits of Gaussian laws, against NumPy.

One dimension: n = 100 points, 2,000 replicates, 2,000 generations. Peers: (i) a vectorised chain of sufficient
statistics, with one `standard_normal` and one `standard_gamma` per generation over all replicates (expert code), which
keeps only mean and deviation; (ii) the same, and the metrics that we record, by the same functions; (iii) every point
drawn and fitted, for fewer generations, scaled.

10 and 100 dimensions: n = 1,000 points drawn by the Cholesky factor and fitted by `numpy.cov` in every generation. BLAS
has one thread: NumPy was several times slower with two threads on a busy machine.

Weighted mix: n fresh real and n synthetic points in one dimension, against the same chain with four variates. A window
of 1,000 batches against one of 2, both ours: its cost does not grow with the window.

"chain alone" is `Model.advance`, which returns every state. The other rows are complete calls of `simulate`:
`run.record` names what the peer keeps, or all metrics. Metrics in one dimension are computed when they are read, so the
row of all metrics reads each once; "not read" compares the recording of all metrics with our own chain alone.
"""

from collections.abc import Callable

import numpy as np
from harness import header, paired, row, save
from threadpoolctl import threadpool_limits

from fastcollapse import Experiment, simulate
from fastcollapse.kernels.jit import max_threads, set_threads
from fastcollapse.models.base import ModelBlock
from fastcollapse.models.gaussian.metrics import metrics_of
from fastcollapse.models.registry import family

BENCH = "gaussian"
N_REPLICATES, N_GENERATIONS, N_POINTS = 2000, 2000, 100
RAW_GENERATIONS = 20
# (dimension, replicates, generations): the peer takes about one second.
SPACES = ((10, 4, 1000), (100, 4, 60))
SPACE_POINTS = 1000


def experiment(dimension: int, n_samples: int, n_replicates: int, n_generations: int, *record: str) -> Experiment:
    """Return the experiment of the benchmark; `record` lists metrics, by default all."""
    return Experiment.from_mapping(
        {
            "model": {"family": "gaussian", "estimator": "unbiased"},
            "truth": {"dimension": dimension},
            "workflow": {"name": "replace", "n_samples": n_samples},
            "run": {
                "n_generations": n_generations,
                "n_replicates": n_replicates,
                "seed": 1,
                "record": record or "metrics",
            },
        }
    )


def chain(made: Experiment, threads: int) -> None:
    """Run the model alone, block by block as `simulate` does."""
    set_threads(threads)
    run = made.run
    model = family("gaussian").create(made.truth, made.model, made.workflow.schedule(run.n_generations, None), ())
    state, first = model.initial(run.n_replicates, 1), 1
    while first <= run.n_generations:
        length = model.block_length(state, run.n_generations - first + 1)
        model.advance(state, first, length, 1)
        first += length


def numpy_chain(n_generations: int = N_GENERATIONS) -> tuple[np.ndarray, np.ndarray]:
    """Peer (i): one normal and one gamma variate per replicate and generation; keeps all means and deviations."""
    rng, nu = np.random.default_rng(1), N_POINTS - 1
    means, sigmas = np.empty((n_generations, N_REPLICATES)), np.empty((n_generations, N_REPLICATES))
    mean, sigma = np.zeros(N_REPLICATES), np.ones(N_REPLICATES)
    for t in range(n_generations):
        mean = mean + sigma * rng.standard_normal(N_REPLICATES) / np.sqrt(N_POINTS)
        sigma = sigma * np.sqrt(rng.standard_gamma(nu / 2, N_REPLICATES) * (2 / nu))
        means[t], sigmas[t] = mean, sigma
    return means, sigmas


def numpy_chain_with_metrics(made: Experiment) -> dict[str, np.ndarray]:
    """Peer (ii): as (i), and the metrics of all states."""
    means, sigmas = numpy_chain()
    return metrics_of(ModelBlock({"mean": means, "log_sigma": np.log(sigmas)}), made.truth)


def numpy_points(n_generations: int = RAW_GENERATIONS) -> tuple[np.ndarray, np.ndarray]:
    """Peer (iii): every point drawn, mean and deviation fitted."""
    rng = np.random.default_rng(1)
    mean, sigma = np.zeros((N_REPLICATES, 1)), np.ones((N_REPLICATES, 1))
    for _ in range(n_generations):
        points = mean + sigma * rng.standard_normal((N_REPLICATES, N_POINTS))
        mean, sigma = points.mean(axis=1, keepdims=True), points.std(axis=1, ddof=1, keepdims=True)
    return mean, sigma


def numpy_space(dimension: int, n_replicates: int, n_generations: int, with_eigenvalues: bool) -> list:
    """Peer in several dimensions: points by the Cholesky factor, fitted by `numpy.cov`; keeps ln det or eigenvalues."""
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(n_replicates):
        mean, factor = np.zeros(dimension), np.eye(dimension)
        for _ in range(n_generations):
            points = mean + rng.standard_normal((SPACE_POINTS, dimension)) @ factor.T
            mean, covariance = points.mean(axis=0), np.cov(points, rowvar=False)
            factor = np.linalg.cholesky(covariance)
            kept.append(np.linalg.eigvalsh(covariance) if with_eigenvalues else np.log(factor.diagonal()).sum())
    return kept


def numpy_weighted(n_generations: int = N_GENERATIONS) -> tuple[np.ndarray, np.ndarray]:
    """Peer of a weighted mix of N_POINTS real and N_POINTS synthetic points with weight 1/2, unbiased parts."""
    rng, nu = np.random.default_rng(1), N_POINTS - 1
    means, sigmas = np.empty((n_generations, N_REPLICATES)), np.empty((n_generations, N_REPLICATES))
    mean, sigma = np.zeros(N_REPLICATES), np.ones(N_REPLICATES)
    for t in range(n_generations):
        z = rng.standard_normal((2, N_REPLICATES)) / np.sqrt(N_POINTS)
        chi = rng.standard_gamma(nu / 2, (2, N_REPLICATES)) * (2 / nu)
        mean = 0.5 * z[0] + 0.5 * (mean + sigma * z[1])
        sigma = np.sqrt(0.5 * chi[0] + 0.5 * sigma * sigma * chi[1])
        means[t], sigmas[t] = mean, sigma
    return means, sigmas


def staged(**workflow: object) -> Experiment:
    """Return the experiment in one dimension with another workflow of N_POINTS synthetic points."""
    sections = experiment(1, N_POINTS, N_REPLICATES, N_GENERATIONS).to_mapping()
    return Experiment.from_mapping({**sections, "workflow": {"n_samples": N_POINTS, **workflow}})


def _rows(
    case: str, peer: str, ours: Callable[[int], object], theirs: Callable[[], object], scale: float, steps: int
) -> list[dict]:
    """Measure one thread and all threads against a peer; the time of the peer is multiplied by `scale`."""
    rows = []
    for threads in sorted({1, max_threads()}):
        ours_s, peer_s = paired(lambda threads=threads: ours(threads), theirs, 5)
        rows.append(row(BENCH, case, peer, threads, ours_s, peer_s * scale))
        print(f"  {steps / ours_s:.3g} replicate-generations per second, peer {steps / (peer_s * scale):.3g}")
    return rows


def _print_shares(rows: list[dict]) -> None:
    """Print the share of the run that the metrics and their memory take, if all metrics are recorded."""
    times = {(entry["case"], entry["threads"]): entry["ours_s"] for entry in rows}
    for (case, threads), whole_s in times.items():
        size, _, what = case.partition(": ")
        if what == "all 8 metrics":
            share = 1 - times[f"{size}: chain alone", threads] / whole_s
            print(f"  {size}, threads {threads}: all metrics take {share:.0%} of the run, the chain the rest")


def main() -> None:
    """Run the benchmark, print its table and save its rows."""
    size = (1, N_POINTS, N_REPLICATES, N_GENERATIONS)
    some, every = experiment(*size, "log_sigma", "squared_error"), experiment(*size)
    steps, scale = N_REPLICATES * N_GENERATIONS, N_GENERATIONS / RAW_GENERATIONS

    def two_metrics(threads: int) -> object:
        return simulate(some, threads=threads)

    def all_metrics(threads: int) -> object:
        return list(simulate(every, threads=threads).metrics.values())

    rows = []
    header()
    raw = f"NumPy points (iii), {RAW_GENERATIONS} scaled"
    for case, ours, peer, theirs, scaled in (
        ("chain alone", lambda threads: chain(every, threads), "NumPy chain (i)", numpy_chain, 1.0),
        ("2 metrics", two_metrics, "NumPy chain (i)", numpy_chain, 1.0),
        ("all 8 metrics", all_metrics, "NumPy chain (i), no metrics", numpy_chain, 1.0),
        ("all 8 metrics", all_metrics, "NumPy chain + metrics (ii)", lambda: numpy_chain_with_metrics(every), 1.0),
        ("all 8 metrics", all_metrics, raw, numpy_points, scale),
    ):
        rows += _rows(f"d 1, n {N_POINTS}: {case}", peer, ours, theirs, scaled, steps)
    case = f"d 1, n {N_POINTS}: all 8 metrics, not read"
    for threads in sorted({1, max_threads()}):
        ours_s, peer_s = paired(
            lambda threads=threads: simulate(every, threads=threads), lambda threads=threads: chain(every, threads), 5
        )
        rows.append(row(BENCH, case, "our chain alone", threads, ours_s, peer_s))
    mixed = staged(name="mix", n_real=N_POINTS, real="fresh", weight=0.5)
    rows += _rows(
        f"d 1, n {N_POINTS}: weighted mix, chain alone",
        "NumPy chain, four variates",
        lambda threads: chain(mixed, threads),
        numpy_weighted,
        1.0,
        steps,
    )
    wide, narrow = (staged(name="accumulate", keep_real=False, window=window) for window in (1000, 2))
    ours_s, peer_s = paired(lambda: chain(wide, 1), lambda: chain(narrow, 1), 5)
    rows.append(row(BENCH, f"d 1, n {N_POINTS}: window of 1,000 batches", "our window of 2", 1, ours_s, peer_s))
    for dimension, n_replicates, n_generations in SPACES:
        size = (dimension, SPACE_POINTS, n_replicates, n_generations)
        some, every = experiment(*size, "log_det"), experiment(*size)

        def theirs(with_eigenvalues: bool, shape: tuple = (dimension, n_replicates, n_generations)) -> list:
            return numpy_space(*shape, with_eigenvalues)

        for case, ours, with_eigenvalues in (
            ("chain alone", lambda threads, made=every: chain(made, threads), False),
            ("ln det", lambda threads, made=some: simulate(made, threads=threads), False),
            ("all 8 metrics", lambda threads, made=every: simulate(made, threads=threads), False),
            ("all 8 metrics", lambda threads, made=every: simulate(made, threads=threads), True),
        ):
            rows += _rows(
                f"d {dimension}, n {SPACE_POINTS}: {case}",
                "points, numpy.cov" + (", eigvalsh" if with_eigenvalues else ""),
                ours,
                lambda theirs=theirs, with_eigenvalues=with_eigenvalues: theirs(with_eigenvalues),
                1.0,
                n_replicates * n_generations,
            )
    _print_shares(rows)
    save(BENCH, rows)


if __name__ == "__main__":
    with threadpool_limits(1, "blas"):
        main()
