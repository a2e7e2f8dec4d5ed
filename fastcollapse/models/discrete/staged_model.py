"""The discrete family with stages: weights, shares, windows, discounts, and maps of the model before it is sampled."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.kernels.counts.best_of import NO_REWARDS
from fastcollapse.kernels.counts.count_sums import N_SUMS
from fastcollapse.kernels.counts.multinomial import block_grid
from fastcollapse.kernels.counts.weight_maps import new_maps
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.poisson_table import poisson_tables
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.models.base import ModelBlock, run_key
from fastcollapse.models.discrete.count_model import CountModel
from fastcollapse.models.discrete.count_state import CountState
from fastcollapse.models.discrete.metrics import REWARD_METRICS, metrics_of
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.models.discrete.rewards import rewards_of
from fastcollapse.models.discrete.staged_buffers import StagedBuffers, StagedInputs, is_weighted, stages_of
from fastcollapse.models.discrete.staged_kernels import staged_block
from fastcollapse.variables import CountRows


class StagedDiscrete(CountModel):
    """Recursive training of a discrete distribution with stages.

    Counts are float64. With a weight or a discount the states are weights that sum to 1, also in the trajectory.

    Parameters
    ----------
    truth, parameters, schedule, record : see `CountModel`.
    """

    def __init__(
        self, truth: Any, parameters: DiscreteParameters, schedule: Schedule, record: tuple[str, ...] = ()
    ) -> None:
        super().__init__(truth, parameters, schedule, record)
        self.is_weighted = is_weighted(schedule)
        self._stages = stages_of(schedule)
        self._pooled = self._stages.is_pooled or schedule.real_share is not None
        sampling = schedule.sampling
        self._maps = new_maps(None, None, None)
        best_of = None
        if sampling is not None:
            self._maps = new_maps(sampling.temperature, sampling.top_k, sampling.top_p, schedule.first_is_real)
            best_of = sampling.best_of
        self._rewards = rewards_of(best_of, self._truth.probability)
        if self.is_weighted:
            self._sizes = np.ones_like(self._sizes)

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, with the metrics of the truth and its expected rewards."""
        block = super().generation_0(n_replicates, seed, first_replicate)
        if self._rewards is NO_REWARDS:
            return block
        p, reward = self._truth.probability, self._rewards.reward
        means = {
            "expected_reward": float((p * reward).sum()),
            "expected_exp_reward": float((p * self._rewards.gain).sum() * np.exp(self._rewards.largest)),
        }
        values = {name: np.full((n_replicates, 1), value) for name, value in means.items()}
        return ModelBlock(metrics={**block.metrics, **values})

    def measure(self, block: ModelBlock, truth: Any, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return metrics of a block; the model has computed the expected rewards."""
        wanted = tuple(names)
        rest = [name for name in wanted if name not in block.metrics]
        values = {**block.metrics, **(metrics_of(block.quantities, rest) if rest else {})}
        return {name: values[name] for name in wanted}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> CountState:
        """Return the state of generation 0, which is the truth, and draw the fixed real set."""
        state = super().initial(n_replicates, seed, first_replicate)
        shape, window = state.live.counts.shape, self._schedule.window
        batches = np.zeros((n_replicates, window, shape[1]) if window else (0, 0, 0))
        work = StagedBuffers(*state.work[:6], np.empty(shape[0] * (shape[1] + 1)), batches)
        if not (self._schedule.keep.any() or self._schedule.n_train.any()):
            work = work._replace(pool=np.zeros((0, 0)))
        return dataclasses.replace(state, work=work)

    def restore(
        self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0
    ) -> CountState:
        """Return the state saved as `arrays`; the pool of a window is the sum of its batches."""
        state = super().restore(arrays, n_replicates, seed, first_replicate)
        work = state.work
        if isinstance(work, StagedBuffers) and work.batches.size:
            work.batches.sum(axis=1, out=work.pool)
        return state

    def advance(
        self, state: CountState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        n_replicates = state.live.counts.shape[0]
        sums = np.empty((n_generations, n_replicates, N_SUMS))
        rewards = np.empty((n_generations, 0 if self._rewards is NO_REWARDS else n_replicates, 2))
        rows = self._new_rows(state, n_generations, np.float64)
        starts, lengths = block_grid(n_replicates, self.n_symbols)
        inputs = StagedInputs(
            self._kernel_schedule,
            self._truth,
            starts,
            lengths,
            poisson_tables(),
            self._threads_workspace(),
            self._stages,
            self._maps,
            self._rewards,
        )
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        staged_block(state.live, state.work, state.totals, inputs, span, rows, sums, rewards)
        means = (
            {} if self._rewards is NO_REWARDS else dict(zip(REWARD_METRICS, np.moveaxis(rewards, 2, 0), strict=True))
        )
        return ModelBlock(
            counts=self._cut_rows(rows),
            metrics={name: np.ascontiguousarray(values.T) for name, values in means.items()},
            quantities=self._count_sums(sums, first),
        )

    def _cut_rows(self, rows: CountRows) -> CountRows | None:
        """Return the rows without their unused end: whole counts, or weights."""
        cut = super()._cut_rows(rows)
        return cut if cut is None or self.is_weighted else cut._replace(data=cut.data.astype(self._row_dtype))
