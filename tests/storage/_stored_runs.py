"""Runs of known numbers, for the tests of the stores."""

import hashlib
from itertools import pairwise

import numpy as np
import scipy.sparse

from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.variables import CountRows, Variable

EXPERIMENT = '{"run": 1}'
DIGEST = hashlib.sha256(EXPERIMENT.encode()).hexdigest()
METRICS = {
    "support_size": Variable("symbols alive", "count"),
    "entropy": Variable("entropy", "nats"),
}
STATE = {"state": np.arange(6).reshape(2, 3)}
FORGOTTEN = np.ones((3, 5), np.int32)


def make_header(n_replicates=3, n_generations=7, n_symbols=5, trajectory=True, labels=True, text="[run] # ü\n"):
    truth = CategoricalDistribution(
        labels=tuple(f"wört{k}" for k in range(n_symbols)) if labels else None,
        counts=np.arange(n_symbols, 0, -1) if labels else None,
        probabilities=np.arange(n_symbols, 0, -1) / np.arange(n_symbols, 0, -1).sum(),
        source="a test",
    )
    return Header(
        EXPERIMENT,
        text,
        DIGEST,
        {"version": "0"},
        n_replicates,
        n_generations,
        METRICS,
        truth,
        trajectory,
    )


def make_run(header, seed=0, largest=70_000):
    """Return dense counts [T, R, K] (generation 1 first) and metrics [R, T + 1]."""
    rng = np.random.default_rng(seed)
    n_symbols = len(header.truth.probabilities)
    shape = (header.n_generations, header.n_replicates, n_symbols)
    dense = rng.integers(0, largest, shape) * rng.integers(0, 2, shape)
    dense[: shape[0] // 2] %= 100
    return dense, {name: rng.normal(size=(shape[1], shape[0] + 1)) for name in header.metrics}


def block_of(header, run, first, stop):
    dense, metrics = run
    rows = None
    if header.trajectory and first > 0:
        csr = scipy.sparse.csr_matrix(dense[first - 1 : stop - 1].reshape(-1, dense.shape[2]))
        rows = CountRows(csr.indptr.astype(np.int64), csr.indices, csr.data)
    return Block(first, {k: v[:, first:stop] for k, v in metrics.items()}, rows)


def fill(store, run, cuts, commits=()):
    header = store.header
    bounds = sorted({0, 1, header.n_generations + 1, *cuts})
    for i, (first, stop) in enumerate(pairwise(bounds)):
        store.append(block_of(header, run, first, stop))
        store.commit(STATE, force=i in commits)
    return store
