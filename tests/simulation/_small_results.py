"""Results of two replicates of one generation, in memory or in a file."""

from hashlib import sha256

import numpy as np

from fastcollapse import Results
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.variables import CountRows, Variable


def make_results(path=None, trajectory=True, with_counts=True):
    counts = np.array([2, 1, 0])
    labels = ("a", "b", "c") if with_counts else None
    truth = CategoricalDistribution(labels, counts if with_counts else None, counts / 3, "a test")
    metrics = {"entropy": Variable("entropy", "nats")}
    header = Header("{}", "", sha256(b"{}").hexdigest(), {"version": "0"}, 2, 1, metrics, truth, trajectory)
    store = MemoryStore(header) if path is None else Hdf5Store(header, path)
    store.append(Block(0, {"entropy": np.ones((2, 1))}, None))
    rows = CountRows(np.array([0, 2, 3]), np.array([0, 1, 0]), np.array([1, 2, 3])) if trajectory else None
    store.append(Block(1, {"entropy": np.zeros((2, 1))}, rows))
    return Results(store.finish({"forgotten": np.array([[-1, -1, 0], [-1, 1, 0]])}))
