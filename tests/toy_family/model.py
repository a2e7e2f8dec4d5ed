"""A toy family: each generation is fitted to a pool of points by a kernel density estimate of a fixed bandwidth.

The state is the pool itself, a sample that grows. NumPy only.
"""

import dataclasses

import numpy as np

from fastcollapse.config.fields import FloatField, IntField, parameter
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.models.base import Model, ModelBlock, State
from fastcollapse.variables import Metric, SampleRows, Variable, metric_table


@dataclasses.dataclass(frozen=True)
class ToyParameters(ModelSection):
    """Parameters of the density estimate."""

    bandwidth: float = parameter(FloatField(0, 1e3), "standard deviation of the kernel", default=0.5)


@dataclasses.dataclass(frozen=True)
class ToyTruth(TruthSection):
    """The standard normal law."""

    n_points: int = parameter(IntField(1, 10**6), "size of the real sample", default=10)


class ToyState(State):
    """One pool per replicate."""

    def __init__(self, pools):
        self.pools = pools

    def arrays(self):
        return {"points": np.concatenate(self.pools), "sizes": np.array([len(pool) for pool in self.pools])}


def pools_of(sample):
    return [sample.values[low:high] for low, high in zip(sample.indptr[:-1], sample.indptr[1:], strict=True)]


def over_pools(function):
    """Return the function of a metric: one number for each pool of a block."""

    def measured(quantities, truth):
        pools, n_replicates = quantities
        return np.array([function(pool) for pool in pools]).reshape(-1, n_replicates).T

    return measured


class Toy(Model):
    PARAMETERS = ToyParameters
    TRUTH = ToyTruth
    CAPABILITIES = frozenset({"pool", "fresh_real"})
    METRICS = metric_table(
        Metric("mean", Variable("mean of the pool"), over_pools(np.mean)),
        Metric("variance", Variable("variance of the pool"), over_pools(np.var)),
        Metric(
            "nll", Variable("negative log-likelihood of held-out points", "nat")
        ),  # computed by the model, which has the streams
    )

    def __init__(self, truth, parameters, schedule, record=()):
        self._truth, self._h, self._schedule = truth, parameters.bandwidth, schedule

    def state_variables(self):
        return {"points": Variable("points of the pool", ragged=True)}

    def _rng(self, seed, replicate, generation):
        return np.random.default_rng([seed, replicate, generation])

    def _block(self, generations, seed, first_replicate):
        """Return the block of several generations, each a list of pools."""
        pools = [pool for generation in generations for pool in generation]
        sizes = np.cumsum([0, *map(len, pools)])
        n_replicates = len(generations[0])
        held_out = np.array([self._rng(seed, first_replicate + r, 0).standard_normal(50) for r in range(n_replicates)])
        nll = np.array([[self._nll(pool, x) for pool, x in zip(g, held_out, strict=True)] for g in generations]).T
        return ModelBlock(
            samples={"points": SampleRows(sizes, np.concatenate(pools))},
            metrics={"nll": np.ascontiguousarray(nll)},
            quantities=(pools, n_replicates),
        )

    def _nll(self, pool, held_out):
        h = self._h or 1.0
        kernels = np.exp(-0.5 * ((held_out[:, None] - pool) / h) ** 2) / (h * np.sqrt(2 * np.pi))
        return -np.log(kernels.mean(axis=1)).mean()

    def _real(self, seed, replicate, n):
        return self._rng(seed, replicate, 2**40).standard_normal(n)

    def initial(self, n_replicates, seed, first_replicate=0):
        numbers = range(first_replicate, first_replicate + n_replicates)
        return ToyState([self._real(seed, replicate, self._truth.n_points) for replicate in numbers])

    def restore(self, arrays, n_replicates, seed, first_replicate=0):
        for name in ("points", "sizes"):
            if name not in arrays or arrays[name].ndim != 1:
                got = arrays[name].shape if name in arrays else "none"
                raise ValueError(f"{name} of a state must have shape (n,), got {got}")
        return ToyState(np.split(np.array(arrays["points"]), np.cumsum(arrays["sizes"])[:-1]))

    def generation_0(self, n_replicates, seed, first_replicate=0):
        return self._block([self.initial(n_replicates, seed, first_replicate).pools], seed, first_replicate)

    def block_length(self, state, max_generations):
        return min(max_generations, 100)

    def advance(self, state, first, n_generations, seed, first_replicate=0):
        schedule, generations = self._schedule, []
        for t in range(first - 1, first - 1 + n_generations):
            for i, pool in enumerate(state.pools):
                rng = self._rng(seed, first_replicate + i, t + 1)
                n = schedule.n_synthetic[t]
                drawn = rng.choice(pool, n) + self._h * rng.standard_normal(n)
                kept = pool if schedule.keep[t] and t > 0 else pool[:0]  # a law has no data of its own
                state.pools[i] = np.concatenate([kept, drawn, rng.standard_normal(schedule.n_real[t])])
            generations.append(list(state.pools))
        return self._block(generations, seed, first_replicate)


MODEL = Toy
